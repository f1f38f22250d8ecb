//! The simulation of the opening handshake: `connect` and `accept` over the same network, until
//! each end has a stream or the expected error.

use std::{cell::RefCell, io, rc::Rc, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt};

use super::{
    Fingerprint,
    agenda::Agenda,
    executor::{Executor, Role, Schedule},
    network::{Conditions, Fault, Network, Pipe},
    rng::Rng,
    scenario::{Profile, generate},
};
use crate::{Acceptor, CloseFrame, CloseOutcome, Config, Connector, WsErr, WsStream};

const SERVER: usize = 0;
const CLIENT: usize = 1;

/// The scenario of a seed.
#[derive(Debug)]
struct Scenario {
    profile: Profile,
    /// Of the server and of the client.
    subprotocols: [&'static [&'static str]; 2],
    /// The request is longer than the server reads: it refuses while the client still sends.
    is_too_long: bool,
    configs: [Config; 2],
    conditions: [Conditions; 2],
    fault: Option<Fault>,
    schedule: Schedule,
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disagreement {
    /// The server answers with this status.
    Refusal(u16),
    /// The server chooses none of the client's subprotocols.
    NoChoice,
}

impl Scenario {
    fn new(rng: &mut Rng) -> Self {
        let profile = rng.pick(&[Profile::Reliable, Profile::Disconnects, Profile::Lossy]);
        let is_tiny = rng.one_in(2);
        let fault = generate::fault(profile, 200, rng);
        let kill = fault.is_none() && profile != Profile::Reliable;
        let names: [&[&str]; 4] = [&[], &["v1"], &["v2", "v1"], &["v3"]];
        Self {
            profile,
            subprotocols: [0, 1].map(|_| rng.pick(&names)),
            is_too_long: !is_tiny && rng.one_in(4),
            configs: [0, 1].map(|_| config(profile, rng)),
            conditions: [0, 1].map(|_| generate::conditions(profile, is_tiny, rng)),
            fault,
            schedule: Schedule {
                is_prompt: profile != Profile::Lossy,
                spurious: if rng.one_in(8) { 5 } else { 0 },
                kill: kill.then(|| (rng.below(2), rng.size(0, 500) as u64)),
            },
        }
    }

    /// The common subprotocol, if there is one.
    fn agreement(&self) -> Result<Option<&'static str>, Disagreement> {
        if self.is_too_long {
            return Err(Disagreement::Refusal(431));
        }
        let [supported, offered] = self.subprotocols;
        let chosen = supported.iter().find(|name| offered.contains(name));
        match chosen {
            Some(name) => Ok(Some(name)),
            None if offered.is_empty() => Ok(None),
            None if supported.is_empty() => Err(Disagreement::NoChoice),
            None => Err(Disagreement::Refusal(400)),
        }
    }

    fn acceptor(&self) -> Acceptor {
        let mut acceptor = Acceptor::new().config(self.configs[SERVER].clone());
        for name in self.subprotocols[SERVER] {
            acceptor = acceptor.subprotocol(*name);
        }
        acceptor
    }

    fn connector(&self) -> Connector {
        let mut connector = Connector::new().config(self.configs[CLIENT].clone());
        for name in self.subprotocols[CLIENT] {
            connector = connector.subprotocol(*name);
        }
        if self.is_too_long {
            connector = connector.header("X-Long", "x".repeat(20_000));
        }
        connector
    }
}

/// Short deadlines if the network may fall silent, else deadlines that never elapse.
fn config(profile: Profile, rng: &mut Rng) -> Config {
    let config = Config::default();
    if profile == Profile::Lossy {
        let mut time = || rng.time(Duration::from_secs(2)) + Duration::from_millis(1);
        let config = config.handshake_timeout(time()).close_timeout(time());
        config.keepalive(generate::keepalive(profile, rng))
    } else {
        let config = config.handshake_timeout(generate::LONG);
        config.close_timeout(generate::LONG).keepalive(None)
    }
}

/// The result of one end.
#[derive(Debug, Default)]
struct EndState {
    opened: Option<Result<Option<String>, WsErr>>,
    outcome: Option<CloseOutcome>,
    received: Vec<u8>,
}

type Accounts = Rc<RefCell<[EndState; 2]>>;

/// Opens the server's end, and uses it.
async fn serve(acceptor: Acceptor, pipe: Pipe, accounts: Accounts) {
    let opened = acceptor.accept_futures_io(pipe).await;
    use_stream(SERVER, opened, accounts).await;
}

/// Opens the client's end, and uses it.
async fn request(connector: Connector, pipe: Pipe, accounts: Accounts) {
    let opened = connector
        .connect_over_futures_io(pipe, "ws://localhost/")
        .await;
    use_stream(CLIENT, opened, accounts).await;
}

async fn use_stream(end: usize, opened: Result<WsStream, WsErr>, accounts: Accounts) {
    let agreed = opened
        .as_ref()
        .map(|stream| stream.subprotocol().map(str::to_owned));
    accounts.borrow_mut()[end].opened = Some(agreed.map_err(WsErr::clone));
    if let Ok(stream) = opened {
        converse(end, stream, &accounts).await;
    }
}

/// The client sends data, and the server closes after it has read it.
async fn converse(end: usize, mut stream: WsStream, accounts: &Accounts) {
    let mut received = Vec::new();
    if end == CLIENT {
        // A failure here is reported by the read.
        let _ = stream.write_all(b"hello").await;
        let _ = stream.flush().await;
        let _ = stream.read_to_end(&mut received).await;
    } else {
        let mut greeting = [0; 5];
        let read: io::Result<()> = stream.read_exact(&mut greeting).await;
        if read.is_ok() {
            received.extend(greeting);
        }
        let _ = stream.close_with(CloseFrame::normal()).await;
    }
    let outcome = stream.handle().closed().await;
    let account = &mut accounts.borrow_mut()[end];
    account.received = received;
    account.outcome = Some(outcome);
}

/// How a handshake ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Open,
    Disagreed(Disagreement),
    Late,
    Failed,
    Killed,
}

impl EndState {
    fn ended(&self) -> Ended {
        match &self.opened {
            None => Ended::Killed,
            Some(Ok(_)) => Ended::Open,
            Some(Err(WsErr::Rejected(response))) => {
                Ended::Disagreed(Disagreement::Refusal(response.status().as_u16()))
            }
            Some(Err(WsErr::NoSubprotocol)) => Ended::Disagreed(Disagreement::NoChoice),
            Some(Err(WsErr::TimedOut(_))) => Ended::Late,
            Some(Err(WsErr::Io(_) | WsErr::Handshake(_))) => Ended::Failed,
            Some(Err(error)) => panic!("an error that has no cause: {error:?}"),
        }
    }
}

/// Checks that the results of both ends agree.
fn check(scenario: &Scenario, accounts: &[EndState; 2]) {
    let [server, client] = accounts;
    let ended = [server.ended(), client.ended()];
    let agreement = scenario.agreement();
    let is_refused = matches!(agreement, Err(Disagreement::Refusal(_)));
    for (end, how) in ended.iter().enumerate() {
        let fits = match *how {
            Ended::Killed => scenario
                .schedule
                .kill
                .is_some_and(|(killed, _)| killed == end),
            // The server does not learn whether the client accepts the response.
            Ended::Open => agreement.is_ok() || (end == SERVER && !is_refused),
            Ended::Disagreed(why) => agreement == Err(why),
            Ended::Late => scenario.profile == Profile::Lossy,
            Ended::Failed => scenario.profile != Profile::Reliable,
        };
        assert!(fits, "end {end} of {ended:?}, by {agreement:?}");
    }
    if let Some(Ok(chosen)) = &client.opened {
        assert_eq!(Ok(chosen.as_deref()), agreement);
    }
    assert!(b"hello".starts_with(&server.received), "{server:?}");
    assert!(client.received.is_empty(), "{client:?}");
    if scenario.profile == Profile::Reliable {
        check_reliable(agreement, accounts);
    }
}

/// Without a fault, both ends open, or both get the same reason.
fn check_reliable(agreement: Result<Option<&str>, Disagreement>, accounts: &[EndState; 2]) {
    let [server, client] = accounts;
    let ended = [server.ended(), client.ended()];
    match agreement {
        Ok(_) => {
            assert_eq!(ended, [Ended::Open; 2]);
            assert_eq!(server.received, b"hello");
            for account in accounts {
                let outcome = account.outcome.as_ref();
                let is_clean = matches!(outcome, Some(CloseOutcome::Clean { .. }));
                assert!(is_clean, "{account:?}");
            }
        }
        Err(why @ Disagreement::Refusal(_)) => assert_eq!(ended, [Ended::Disagreed(why); 2]),
        Err(why) => assert_eq!(ended, [Ended::Open, Ended::Disagreed(why)]),
    }
}

/// Runs one seed.
///
/// # Panics
/// If an invariant does not hold.
pub(super) fn simulate(seed: u64, is_traced: bool) -> Fingerprint {
    let mut rng = Rng::new(seed);
    let scenario = Scenario::new(&mut rng);
    let agenda = Agenda::new(is_traced);
    agenda.trace(|| format!("{scenario:#?}"));
    let network = Network::new(
        scenario.conditions.clone(),
        scenario.fault,
        &agenda,
        &mut rng,
    );
    let mut executor = Executor::new(agenda.clone(), rng.fork(), scenario.schedule);
    let accounts = Accounts::default();
    let server = serve(
        scenario.acceptor(),
        network.pipe(SERVER),
        Rc::clone(&accounts),
    );
    let client = request(
        scenario.connector(),
        network.pipe(CLIENT),
        Rc::clone(&accounts),
    );
    let spawner = executor.spawner();
    drop(spawner.spawn(Role::User(SERVER), "server".to_owned(), server));
    drop(spawner.spawn(Role::User(CLIENT), "client".to_owned(), client));
    executor.run(|| {});
    let accounts = accounts.borrow();
    agenda.trace(|| format!("{accounts:#?}"));
    check(&scenario, &accounts);
    (
        executor.polls(),
        agenda.now(),
        [network.accepted(0), network.accepted(1)],
    )
}
