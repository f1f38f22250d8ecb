//! The race in virtual time, with scripted attempts.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use futures::FutureExt;

use super::*;
use crate::time::{
    Instant, Timer,
    virtual_time::{advance, next_timer},
};

const V6: [&str; 3] = ["[2001:db8::1]:80", "[2001:db8::2]:80", "[2001:db8::3]:80"];
const V4: [&str; 3] = ["192.0.2.1:80", "192.0.2.2:80", "192.0.2.3:80"];

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// What becomes of an attempt.
#[derive(Clone, Copy)]
enum Fate {
    Opens(u64),
    Fails(u64, io::ErrorKind),
    Hangs,
}
use Fate::{Fails, Hangs, Opens};

/// A network in which each address has a fate, after so many milliseconds.
#[derive(Default)]
struct Network {
    fates: HashMap<SocketAddr, Fate>,
    /// When each attempt was started, in milliseconds.
    started: RefCell<Vec<(SocketAddr, u128)>>,
    /// The attempts that are neither done nor dropped.
    open: Rc<Cell<usize>>,
}

struct Open(Rc<Cell<usize>>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Network {
    fn new(fates: &[(&str, Fate)]) -> Self {
        let fates = fates.iter().map(|(text, fate)| (address(text), *fate));
        Self {
            fates: fates.collect(),
            ..Self::default()
        }
    }

    /// Runs a race until it is done, for at most `limit`. Gives the winner, the attempts, and the
    /// time.
    fn race(
        &self,
        addresses: &[&str],
        limit: Duration,
    ) -> (Option<SocketAddr>, Vec<ConnectAttempt>, Duration) {
        let begin = Instant::now();
        let addresses = addresses.iter().map(|text| address(text)).collect();
        let mut attempts = Vec::new();
        let connect = |address| {
            let started = (address, begin.elapsed().as_millis());
            self.started.borrow_mut().push(started);
            self.open.set(self.open.get() + 1);
            let open = Open(Rc::clone(&self.open));
            let fate = self.fates[&address];
            async move {
                let _open = open;
                match fate {
                    Opens(after) => {
                        Timer::after(Duration::from_millis(after)).await;
                        Ok(address)
                    }
                    Fails(after, kind) => {
                        Timer::after(Duration::from_millis(after)).await;
                        Err(kind.into())
                    }
                    Hangs => std::future::pending().await,
                }
            }
        };
        let winner = run(timeout(limit, race(addresses, connect, &mut attempts)));
        (winner.flatten(), attempts, begin.elapsed())
    }

    fn started(&self) -> Vec<(String, u128)> {
        let started = self.started.borrow();
        let text = |(address, at): &(SocketAddr, u128)| (address.to_string(), *at);
        started.iter().map(text).collect()
    }
}

/// Runs `work` in virtual time.
fn run<T>(work: impl Future<Output = T>) -> T {
    let mut work = Box::pin(work);
    loop {
        // An elapsed timer yields once before it fires.
        for _ in 0..3 {
            if let Some(result) = work.as_mut().now_or_never() {
                return result;
            }
        }
        advance(next_timer().expect("it waits for time only"));
    }
}

fn starts(expected: &[(&str, u128)]) -> Vec<(String, u128)> {
    let text = |(address, at): &(&str, u128)| ((*address).to_owned(), *at);
    expected.iter().map(text).collect()
}

const LIMIT: Duration = Duration::from_secs(10);

/// Families alternate, beginning with the first; within one, the order stays.
#[test]
fn families_alternate() {
    for (given, expected) in [
        (vec![], vec![]),
        (vec![V4[0]], vec![V4[0]]),
        (
            vec![V6[0], V6[1], V6[2], V4[0], V4[1]],
            vec![V6[0], V4[0], V6[1], V4[1], V6[2]],
        ),
        (
            vec![V4[0], V4[1], V4[2], V6[0]],
            vec![V4[0], V6[0], V4[1], V4[2]],
        ),
        (vec![V6[0], V6[1]], vec![V6[0], V6[1]]),
    ] {
        let given = given.into_iter().map(address).collect();
        let expected: Vec<_> = expected.into_iter().map(address).collect();
        assert_eq!(interleave(given), expected);
    }
}

/// An address that answers within the delay is the only one that is tried.
#[test]
fn quick_answer_is_alone() {
    let network = Network::new(&[(V6[0], Opens(249)), (V4[0], Opens(0))]);
    let (winner, attempts, time) = network.race(&[V6[0], V4[0]], LIMIT);
    assert_eq!(winner, Some(address(V6[0])));
    assert_eq!(attempts.len(), 1);
    assert_eq!(time, Duration::from_millis(249));
}

/// A black hole delays the next address by 250 ms, and its attempt is dropped once another
/// succeeds.
#[test]
fn black_hole_first() {
    let network = Network::new(&[(V6[0], Hangs), (V4[0], Opens(30))]);
    let (winner, _, time) = network.race(&[V6[0], V4[0]], LIMIT);
    assert_eq!(winner, Some(address(V4[0])));
    assert_eq!(time, Duration::from_millis(280));
    assert_eq!(network.started(), starts(&[(V6[0], 0), (V4[0], 250)]));
    assert_eq!(network.open.get(), 0);
}

/// The first one that answers wins, even if it was started first and overtaken.
#[test]
fn slow_first_address_may_win() {
    let network = Network::new(&[(V6[0], Opens(300)), (V4[0], Opens(100)), (V6[1], Hangs)]);
    let (winner, attempts, time) = network.race(&[V6[0], V6[1], V4[0]], LIMIT);
    assert_eq!(winner, Some(address(V6[0])));
    assert_eq!(time, Duration::from_millis(300));
    assert_eq!(attempts.len(), 2);
    assert_eq!(network.open.get(), 0);
}

/// A failed attempt starts the next at once, and each attempt keeps its own error.
#[test]
fn failures_are_listed() {
    let refused = io::ErrorKind::ConnectionRefused;
    let unreachable = io::ErrorKind::NetworkUnreachable;
    let network = Network::new(&[
        (V6[0], Fails(0, unreachable)),
        (V4[0], Fails(400, refused)),
        (V6[1], Fails(10, unreachable)),
    ]);
    let (winner, attempts, time) = network.race(&[V6[0], V6[1], V4[0]], LIMIT);
    assert_eq!(winner, None);
    assert_eq!(time, Duration::from_millis(400));
    assert_eq!(
        network.started(),
        starts(&[(V6[0], 0), (V4[0], 0), (V6[1], 250)])
    );
    let failed: Vec<_> = attempts
        .iter()
        .map(|attempt| (attempt.address(), attempt.error().kind()))
        .collect();
    assert_eq!(
        failed,
        [
            (address(V6[0]), unreachable),
            (address(V4[0]), refused),
            (address(V6[1]), unreachable)
        ]
    );
}

/// When the caller's time is over, all attempts are dropped, and those in flight have timed out.
#[test]
fn time_limit_drops_all_attempts() {
    let refused = io::ErrorKind::ConnectionRefused;
    let network = Network::new(&[
        (V6[0], Hangs),
        (V4[0], Fails(10, refused)),
        (V6[1], Hangs),
        (V4[1], Opens(10)),
    ]);
    let limit = Duration::from_millis(400);
    let (winner, attempts, time) = network.race(&[V6[0], V6[1], V4[0], V4[1]], limit);
    assert_eq!((winner, time), (None, limit));
    let kinds: Vec<_> = attempts.iter().map(|own| own.error().kind()).collect();
    let timed_out = io::ErrorKind::TimedOut;
    assert_eq!(kinds, [timed_out, refused, timed_out]);
    assert_eq!(network.open.get(), 0);
}

/// Without addresses, there is no attempt.
#[test]
fn no_addresses() {
    let (winner, attempts, _) = Network::default().race(&[], LIMIT);
    assert_eq!(winner, None);
    assert!(attempts.is_empty());
}
