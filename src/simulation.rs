//! A deterministic simulation of both ends of a connection: a faulty network, random users, and a
//! virtual clock that advances when no task can run. A run follows from its seed.
//!
//! - `rng`, `agenda`, `executor`: random numbers, time, and the order of tasks;
//! - `network`: the bytes in flight, and their loss;
//! - `scenario`: the parameters that a seed determines;
//! - `user`, `handle_tasks`, `codec`: the users of both ends, tasks with a handle, and the items;
//! - `invariants`: the assertions about a run;
//! - `speaker`: control messages, texts, and violations of the protocol;
//! - `opening`: the simulation of the handshake;
//! - `sabotage`: faulty transports, which the invariants must detect.
//!
//! ```sh
//! WS_FRAMED_SEEDS=100000 cargo test --release --lib simulation_holds   # many seeds
//! WS_FRAMED_SEEDS=5000..9000 cargo test --lib simulation_holds         # these
//! WS_FRAMED_SEED=42 cargo test --lib simulation_holds -- --nocapture   # one, step by step
//! ```

mod agenda;
mod codec;
mod executor;
mod handle_tasks;
mod invariants;
mod network;
mod opening;
mod rng;
mod sabotage;
mod scenario;
mod speaker;
mod user;

use std::{
    any::Any,
    cell::RefCell,
    env,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::{Arc, Mutex},
};

use self::{
    agenda::Agenda,
    executor::{Executor, Role},
    invariants::Oracle,
    network::Network,
    rng::Rng,
    sabotage::{Sabotage, Sabotaged},
    scenario::{Plan, Scenario},
    speaker::{Said, Speaker},
    user::{DropOrder, Env, User},
};
use bytes::BytesMut;

use crate::{
    BoxTransport, WsStream, protocol,
    transport::{io::FuturesIo, socket::Socket, tungstenite},
};

/// How many seeds a plain `cargo test` runs.
const SEEDS: u64 = 2_000;

/// The end of a run: equal for equal seeds.
type Fingerprint = (u64, std::time::Duration, [u64; 2]);

/// Opens one end of a connection, and returns it with the record of what it sends besides data.
fn open(
    network: &Network,
    end: usize,
    plan: &Plan,
    rng: Rng,
    sabotage: Option<Sabotage>,
) -> (WsStream, Arc<Mutex<Said>>) {
    let config = plan.config.clone();
    let pipe = network.pipe(end);
    let is_client = end == 1;
    let transport = if let Some(room) = plan.own_socket {
        BoxTransport::new(tungstenite::opened_by_caller(pipe, is_client, room))
    } else {
        let role = if is_client {
            protocol::Role::Client
        } else {
            protocol::Role::Server
        };
        let socket = Socket::new(FuturesIo::new(pipe), BytesMut::new(), role, &config);
        #[cfg(feature = "deflate")]
        let socket = socket.compressed(&config, plan.compression);
        BoxTransport::new(socket)
    };
    let transport = match sabotage {
        Some(sabotage) => BoxTransport::new(Sabotaged::new(transport, sabotage)),
        None => transport,
    };
    let speaker = Speaker::new(transport, end, network.clone(), plan.speech.clone(), rng);
    let said = speaker.said();
    let transport = BoxTransport::new(speaker);
    (WsStream::with_config(transport, config).unwrap(), said)
}

/// Runs one seed.
///
/// # Panics
/// If an invariant does not hold.
fn simulate(seed: u64, is_traced: bool, sabotage: Option<Sabotage>) -> Fingerprint {
    let mut rng = Rng::new(seed);
    let scenario = Scenario::new(&mut rng);
    #[cfg(feature = "deflate")]
    let scenario = {
        let mut scenario = scenario;
        // Numbers of its own, so that a seed is the same without compression.
        scenario.compress(&mut Rng::new(!seed));
        scenario
    };
    let agenda = Agenda::new(is_traced);
    agenda.trace(|| format!("{scenario:#?}"));
    let network = Network::new(
        scenario.conditions.clone(),
        scenario.fault,
        &agenda,
        &mut rng,
    );
    let mut executor = Executor::new(agenda.clone(), rng.fork(), scenario.schedule);
    let contents = [0, 1].map(|end: usize| scenario.users[end].content);
    let env = Env {
        agenda: agenda.clone(),
        oracle: Rc::new(RefCell::new(Oracle::new(contents))),
        spawner: executor.spawner(),
    };
    let (mut handles, mut speeches) = (Vec::new(), Vec::new());
    let mut drop_orders = Vec::from(DropOrder::pair());
    if rng.one_in(2) {
        drop_orders.reverse();
    }
    for (end, plan) in scenario.users.iter().enumerate() {
        let (stream, said) = open(&network, end, plan, rng.fork(), sabotage);
        speeches.push(said);
        let handle = stream.handle();
        handle_tasks::spawn_handle_tasks(end, &scenario, &env, &handle, &mut rng);
        handles.push(handle);
        let drop_order = drop_orders.pop().unwrap();
        let user = User::new(
            end,
            plan.clone(),
            env.clone(),
            rng.fork(),
            stream,
            drop_order,
        );
        let life = user.live(scenario.stages.clone());
        drop(
            env.spawner
                .spawn(Role::User(end), format!("user {end}"), life),
        );
    }
    let ceilings = [0, 1].map(|end: usize| scenario.users[end].ceiling());
    executor.run(|| {
        for end in [0, 1] {
            env.oracle
                .borrow()
                .check_room(end, network.accepted(end), ceilings[end]);
        }
    });
    let mut oracle = env.oracle.borrow_mut();
    for (end, handle) in handles.iter().enumerate() {
        oracle.ends[end].stats = handle.stats();
        oracle.ends[end].said = speeches[end].lock().unwrap().clone();
        oracle.ends[end].is_gone |= executor.has_killed(end);
    }
    oracle.check_end(&scenario, network.was_reset());
    (
        executor.polls(),
        agenda.now(),
        [network.accepted(0), network.accepted(1)],
    )
}

/// Runs a seed. A failure is its message and the command that reproduces it.
fn try_seed(
    seed: u64,
    test: &str,
    run: impl FnOnce(u64) -> Fingerprint,
) -> Result<Fingerprint, String> {
    catch_unwind(AssertUnwindSafe(|| run(seed))).map_err(|panic| {
        let why = message(panic.as_ref());
        format!(
            "seed {seed}: {why}\nto reproduce it: \
             WS_FRAMED_SEED={seed} cargo test --all-features --lib {test} -- --nocapture"
        )
    })
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic")
}

fn number(text: &str) -> u64 {
    text.trim().parse().expect("a seed is a number")
}

fn seeds() -> Range<u64> {
    let Ok(seeds) = env::var("WS_FRAMED_SEEDS") else {
        return 0..SEEDS;
    };
    match seeds.split_once("..") {
        Some((first, end)) => number(first)..number(end),
        None => 0..number(&seeds),
    }
}

/// Runs the requested seeds.
///
/// # Panics
/// If one of them fails.
fn run_seeds(test: &str, run: fn(u64, bool) -> Fingerprint) {
    if let Ok(seed) = env::var("WS_FRAMED_SEED") {
        let fingerprint = try_seed(number(&seed), test, |seed| run(seed, true));
        fingerprint.unwrap_or_else(|why| panic!("{why}"));
        return;
    }
    let failures: Vec<_> = seeds()
        .filter_map(|seed| try_seed(seed, test, |seed| run(seed, false)).err())
        .collect();
    let count = failures.len();
    assert!(
        failures.is_empty(),
        "{count} seeds failed:\n{}",
        failures.join("\n")
    );
}

#[test]
fn simulation_holds_for_many_seeds() {
    run_seeds("simulation_holds_for_many_seeds", |seed, is_traced| {
        simulate(seed, is_traced, None)
    });
}

#[test]
fn simulation_holds_for_many_openings() {
    run_seeds("simulation_holds_for_many_openings", opening::simulate);
}

#[test]
fn simulation_is_deterministic() {
    for seed in 0..20 {
        let [one, two] = [0, 1].map(|_| simulate(seed, false, None));
        assert_eq!(one, two, "seed {seed}");
        let [one, two] = [0, 1].map(|_| opening::simulate(seed, false));
        assert_eq!(one, two, "opening of seed {seed}");
    }
}

/// Asserts that at least one seed detects the sabotage, with this message.
fn assert_detected(sabotage: Sabotage, expected: &str) {
    let run = |seed| simulate(seed, false, Some(sabotage));
    let messages: Vec<_> = (0..100)
        .filter_map(|seed| try_seed(seed, "simulation_holds", run).err())
        .collect();
    let is_detected = messages.iter().any(|why| why.contains(expected));
    assert!(
        is_detected,
        "{sabotage:?} was not detected:\n{}",
        messages.join("\n")
    );
}

#[test]
fn lost_wakeup_is_detected() {
    assert_detected(Sabotage::LosesWakeups, "a task waits forever");
}

#[test]
fn missing_flush_is_detected() {
    assert_detected(Sabotage::SkipsFlushes, "a task waits forever");
}

#[test]
fn lost_byte_is_detected() {
    assert_detected(Sabotage::DropsByte, "read other bytes than were sent");
}

#[test]
fn repeated_message_is_detected() {
    assert_detected(Sabotage::RepeatsMessage, "from nowhere");
}

#[test]
fn fake_clean_end_is_detected() {
    assert_detected(Sabotage::FakesClose, "did not close");
}

#[test]
fn hidden_violation_is_detected() {
    assert_detected(Sabotage::HidesViolation, "did not notice");
}

#[test]
fn lost_text_is_detected() {
    assert_detected(Sabotage::SwallowsText, "got another text");
}
