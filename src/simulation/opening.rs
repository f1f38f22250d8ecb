//! The opening handshake in the same world: `connect` and `accept` over a network in all weathers,
//! until both ends have a stream, or an error that fits.

use std::{cell::RefCell, io, rc::Rc, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt};

use super::{
    Trail,
    agenda::Agenda,
    executor::{Executor, Pace, Role},
    network::{Fault, Network, Pipe, Weather},
    rng::Rng,
    scenario::{Class, rolls},
};
use crate::{Acceptor, CloseFrame, CloseOutcome, Config, Connector, WsErr, WsStream};

const SERVER: usize = 0;
const CLIENT: usize = 1;

/// What a seed stands for.
#[derive(Debug)]
struct Scenario {
    class: Class,
    /// Of the server and of the client.
    subprotocols: [&'static [&'static str]; 2],
    /// The request is longer than the server reads: it refuses while the client still sends.
    is_too_long: bool,
    configs: [Config; 2],
    weather: [Weather; 2],
    fault: Option<Fault>,
    pace: Pace,
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
        let class = rng.pick(&[Class::Calm, Class::Broken, Class::Rough]);
        let is_tiny = rng.one_in(2);
        let fault = rolls::fault(class, 200, rng);
        let kill = fault.is_none() && class != Class::Calm;
        let names: [&[&str]; 4] = [&[], &["v1"], &["v2", "v1"], &["v3"]];
        Self {
            class,
            subprotocols: [0, 1].map(|_| rng.pick(&names)),
            is_too_long: !is_tiny && rng.one_in(4),
            configs: [0, 1].map(|_| config(class, rng)),
            weather: [0, 1].map(|_| rolls::weather(class, is_tiny, rng)),
            fault,
            pace: Pace {
                is_prompt: class != Class::Rough,
                spurious: if rng.one_in(8) { 5 } else { 0 },
                kill: kill.then(|| (rng.below(2), rng.size(0, 500) as u64)),
            },
        }
    }

    /// The subprotocol that the ends agree on, if they agree.
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

/// In a hurry where silence is nothing but time that passes; otherwise no time decides anything.
fn config(class: Class, rng: &mut Rng) -> Config {
    let config = Config::default();
    if class == Class::Rough {
        let mut time = || rng.time(Duration::from_secs(2)) + Duration::from_millis(1);
        let config = config.handshake_timeout(time()).close_timeout(time());
        config.keepalive(rolls::keepalive(class, rng))
    } else {
        let config = config.handshake_timeout(rolls::LONG);
        config.close_timeout(rolls::LONG).keepalive(None)
    }
}

/// How it went at one end.
#[derive(Debug, Default)]
struct Account {
    opened: Option<Result<Option<String>, WsErr>>,
    outcome: Option<CloseOutcome>,
    heard: Vec<u8>,
}

type Accounts = Rc<RefCell<[Account; 2]>>;

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

/// The client says something, and the server closes when it has heard it.
async fn converse(end: usize, mut stream: WsStream, accounts: &Accounts) {
    let mut heard = Vec::new();
    if end == CLIENT {
        // What goes wrong here is for reading to tell.
        let _ = stream.write_all(b"hello").await;
        let _ = stream.flush().await;
        let _ = stream.read_to_end(&mut heard).await;
    } else {
        let mut greeting = [0; 5];
        let read: io::Result<()> = stream.read_exact(&mut greeting).await;
        if read.is_ok() {
            heard.extend(greeting);
        }
        let _ = stream.close_with(CloseFrame::normal()).await;
    }
    let outcome = stream.handle().closed().await;
    let account = &mut accounts.borrow_mut()[end];
    account.heard = heard;
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

impl Account {
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

/// What both ends tell has to fit.
fn check(scenario: &Scenario, accounts: &[Account; 2]) {
    let [server, client] = accounts;
    let ended = [server.ended(), client.ended()];
    let agreement = scenario.agreement();
    let is_refused = matches!(agreement, Err(Disagreement::Refusal(_)));
    for (end, how) in ended.iter().enumerate() {
        let fits = match *how {
            Ended::Killed => scenario.pace.kill.is_some_and(|(killed, _)| killed == end),
            // The server does not learn what its client makes of the answer.
            Ended::Open => agreement.is_ok() || (end == SERVER && !is_refused),
            Ended::Disagreed(why) => agreement == Err(why),
            Ended::Late => scenario.class == Class::Rough,
            Ended::Failed => scenario.class != Class::Calm,
        };
        assert!(fits, "end {end} of {ended:?}, by {agreement:?}");
    }
    if let Some(Ok(chosen)) = &client.opened {
        assert_eq!(Ok(chosen.as_deref()), agreement);
    }
    assert!(b"hello".starts_with(&server.heard), "{server:?}");
    assert!(client.heard.is_empty(), "{client:?}");
    if scenario.class == Class::Calm {
        check_calm(agreement, accounts);
    }
}

/// Nothing goes wrong: both open, or both know why not.
fn check_calm(agreement: Result<Option<&str>, Disagreement>, accounts: &[Account; 2]) {
    let [server, client] = accounts;
    let ended = [server.ended(), client.ended()];
    match agreement {
        Ok(_) => {
            assert_eq!(ended, [Ended::Open; 2]);
            assert_eq!(server.heard, b"hello");
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

/// One run.
///
/// # Panics
/// When something does not hold.
pub(super) fn simulate(seed: u64, is_traced: bool) -> Trail {
    let mut rng = Rng::new(seed);
    let scenario = Scenario::new(&mut rng);
    let agenda = Agenda::new(is_traced);
    agenda.trace(|| format!("{scenario:#?}"));
    let network = Network::new(scenario.weather.clone(), scenario.fault, &agenda, &mut rng);
    let mut executor = Executor::new(agenda.clone(), rng.fork(), scenario.pace);
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
