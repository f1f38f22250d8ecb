//! `Reconnector` in virtual time.

use std::{
    cell::RefCell,
    collections::VecDeque,
    sync::Arc,
    task::{Context, Waker},
    time::SystemTime,
};

use futures::{FutureExt, StreamExt};
use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use ws_framed_test_support::{WakeFlag, poll_until_idle};

use super::*;
use crate::{
    error::{ConnectError, ProxyError, RejectedHandshake, SocksReply},
    reconnect::handle::{ReconnectState, ReconnectStates},
    time::virtual_time::{advance, next_timer},
};

const SECOND: Duration = Duration::from_secs(1);

type Answers = RefCell<VecDeque<Result<(), WsErr>>>;

fn failing(times: usize) -> Answers {
    let failure = || Err(WsErr::UnexpectedEof);
    let answers = std::iter::repeat_with(failure).take(times).chain([Ok(())]);
    RefCell::new(answers.collect())
}

fn rejected(status: u16) -> WsErr {
    let status = StatusCode::from_u16(status).unwrap();
    RejectedHandshake::new(status, HeaderMap::new(), "").into()
}

fn by_proxy(status: u16) -> WsErr {
    let WsErr::Rejected(response) = rejected(status) else {
        unreachable!("it is one")
    };
    ProxyError::Rejected(*response).into()
}

fn retry_after(status: StatusCode, value: &str) -> WsErr {
    let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
    RejectedHandshake::new(status, headers, "").into()
}

/// Runs `work` in virtual time. Returns its result, and each wait.
fn run<T>(work: impl Future<Output = T>) -> (T, Vec<Duration>) {
    let mut work = Box::pin(work);
    let mut waits = Vec::new();
    loop {
        // An elapsed timer yields once before it fires.
        for _ in 0..2 {
            if let Some(result) = work.as_mut().now_or_never() {
                return (result, waits);
            }
        }
        let wait = next_timer().expect("it waits for time only");
        waits.push(wait);
        advance(wait);
    }
}

fn reconnector(answers: &Answers) -> Reconnector<impl AsyncFnMut() -> Result<(), WsErr> + Clone> {
    let connect = async || answers.borrow_mut().pop_front().unwrap_or(Ok(()));
    Reconnector::new(connect)
        .initial_backoff(SECOND)
        .max_backoff(SECOND * 10)
}

#[test]
fn first_attempt_does_not_wait() {
    let (connected, waits) = run(reconnector(&failing(0)).connect());
    connected.unwrap();
    assert!(waits.is_empty());
}

/// Waits are random, and grow up to the longest backoff.
#[test]
fn random_waits_grow_to_maximum() {
    let caps = [1, 2, 4, 8, 10, 10, 10].map(|seconds| SECOND * seconds);
    let mut sums = [Duration::ZERO; 7];
    for _ in 0..200 {
        let (connected, waits) = run(reconnector(&failing(7)).connect());
        connected.unwrap();
        assert_eq!(waits.len(), caps.len());
        for ((wait, cap), sum) in waits.iter().zip(caps).zip(&mut sums) {
            assert!(*wait <= cap);
            *sum += *wait;
        }
    }
    for (sum, cap) in sums.into_iter().zip(caps) {
        let mean = sum.div_duration_f64(cap * 200);
        assert!((0.35..0.65).contains(&mean), "{mean} of {cap:?}");
    }
}

/// After a connection that lasted, the waits start at the initial backoff again.
#[test]
fn long_connection_resets_the_waits() {
    let answers = failing(6);
    let mut reconnector = reconnector(&answers);
    run(reconnector.connect()).0.unwrap();
    advance(SECOND * 10);
    let (connected, waits) = run(reconnector.connect());
    connected.unwrap();
    assert_eq!(waits.len(), 1);
    assert!(waits[0] <= SECOND, "{waits:?}");
}

/// A server that accepts and disconnects at once does not cause a busy loop.
#[test]
fn immediate_disconnects_cause_waits() {
    let answers = failing(0);
    let mut reconnector = reconnector(&answers);
    let mut waited = Duration::ZERO;
    for _ in 0..100 {
        let (connected, waits) = run(reconnector.connect());
        connected.unwrap();
        waited += waits.iter().sum::<Duration>();
    }
    assert!(waited > SECOND * 200, "{waited:?}");
}

/// A call fails after the maximum of attempts, and the next call starts to count again.
#[test]
fn attempts_are_limited_per_call() {
    let answers = failing(5);
    let mut reconnector = reconnector(&answers).max_attempts(3);
    let (connected, waits) = run(reconnector.connect());
    assert!(matches!(connected, Err(WsErr::UnexpectedEof)));
    assert_eq!(waits.len(), 2);
    let (connected, waits) = run(reconnector.connect());
    connected.unwrap();
    assert_eq!(waits.len(), 3);
    // A final error ends a call as well.
    let answers = RefCell::new(VecDeque::from([Err(rejected(401))]));
    answers.borrow_mut().extend(failing(5).into_inner());
    let mut reconnector = self::reconnector(&answers).max_attempts(3);
    run(reconnector.connect()).0.unwrap_err();
    run(reconnector.connect()).0.unwrap_err();
    assert_eq!(answers.borrow().len(), 3, "three more attempts");
}

/// Errors that a retry cannot fix are returned at once; others are retried.
#[test]
fn permanent_errors_are_not_retried() {
    for error in [
        WsErr::InvalidUrl(String::new()),
        WsErr::NoSubprotocol,
        WsErr::Extension(String::new()),
        WsErr::Unsupported(crate::Unsupported::Headers),
        rejected(301),
        rejected(308),
        rejected(401),
        rejected(404),
        by_proxy(407),
        ProxyError::Unauthorized.into(),
        ProxyError::Socks(SocksReply::NotAllowed).into(),
    ] {
        let answers = RefCell::new(VecDeque::from([Err(error)]));
        let (connected, waits) = run(reconnector(&answers).connect());
        connected.unwrap_err();
        assert!(waits.is_empty());
    }
    for status in [200, 302, 307, 408, 425, 429, 500, 503] {
        let answers = RefCell::new(VecDeque::from([Err(rejected(status))]));
        run(reconnector(&answers).connect()).0.unwrap();
    }
    for error in [
        by_proxy(502),
        ProxyError::Socks(SocksReply::HostUnreachable).into(),
        ProxyError::Invalid(String::new()).into(),
        ConnectError::new("chat.example", 80, false).into(),
    ] {
        let answers = RefCell::new(VecDeque::from([Err(error)]));
        run(reconnector(&answers).connect()).0.unwrap();
    }
}

/// An error of the variant with this name, if the variant alone decides about a retry.
fn example(variant: &str) -> Option<WsErr> {
    let text = String::new;
    Some(match variant {
        "Connect" => ConnectError::new("chat.example", 80, false).into(),
        "Io" => std::io::Error::from(std::io::ErrorKind::ConnectionReset).into(),
        "TimedOut" => WsErr::TimedOut(crate::Timeout::Handshake),
        "Handshake" => WsErr::Handshake(text()),
        "NoSubprotocol" => WsErr::NoSubprotocol,
        "Extension" => WsErr::Extension(text()),
        "NoCodec" => WsErr::NoCodec(text()),
        "InvalidUrl" => WsErr::InvalidUrl(text()),
        "InvalidHeader" => WsErr::InvalidHeader(text()),
        "InvalidConfig" => WsErr::InvalidConfig(crate::Setting::CloseTimeout),
        "Unsupported" => WsErr::Unsupported(crate::Unsupported::Headers),
        "Proxy" | "Rejected" => return None,
        other => panic!("no example of {other}"),
    })
}

/// The guide's table of errors says for each variant whether it is retried.
#[test]
fn guide_says_what_is_retried() {
    let guide = include_str!("../guide/errors.md");
    let (_, table) = guide.split_once("| connect again? |\n").unwrap();
    let rows = table.lines().skip(1).take_while(|row| row.starts_with('|'));
    let mut compared = 0;
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let retried = *cells.last().unwrap() == "yes";
        let variants = cells[0].split('`').skip(1).step_by(2);
        for error in variants.filter_map(example) {
            let is_final = errors::is_final(&error);
            assert_eq!(is_final, !retried, "{error:?}");
            compared += 1;
        }
    }
    assert_eq!(compared, 11);
}

/// The second of two waits, after a response with this value; the first one has no such value.
fn wait_after(status: StatusCode, value: &str) -> Duration {
    let rejected = Err(retry_after(status, value));
    let answers = [Err(WsErr::UnexpectedEof), rejected, Ok(())];
    let answers = RefCell::new(VecDeque::from(answers));
    let (connected, waits) = run(reconnector(&answers).connect());
    connected.unwrap();
    assert!(waits[0] <= SECOND, "{waits:?}");
    waits[1]
}

/// A wait is at least what `Retry-After` says, up to the longest backoff.
#[test]
fn retry_after_is_honoured() {
    let at = |time| httpdate::fmt_http_date(time);
    let now = SystemTime::now();
    for (value, least, most) in [
        ("3", 3, 5),
        (" 3 ", 3, 5),
        ("0", 0, 2),
        ("9", 9, 10),
        ("10", 10, 10),
        ("3600", 10, 10),
        ("99999999999999999999999999", 10, 10),
        (&at(now + SECOND * 3600), 10, 10),
        (&at(now - SECOND * 3600), 0, 2),
        ("Tuesday, 01-Jan-80 00:00:00 GMT", 0, 2),
        ("", 0, 2),
        ("-3", 0, 2),
        ("soon", 0, 2),
    ] {
        for status in [
            StatusCode::SERVICE_UNAVAILABLE,
            StatusCode::TOO_MANY_REQUESTS,
        ] {
            let wait = wait_after(status, value);
            assert!(
                SECOND * least <= wait && wait <= SECOND * most,
                "{status}, {value:?}: {wait:?}"
            );
        }
    }
}

#[test]
fn retry_after_counts_for_one_wait() {
    let rejected = Err(retry_after(StatusCode::SERVICE_UNAVAILABLE, "9"));
    let answers = [rejected, Err(WsErr::UnexpectedEof), Ok(())];
    let answers = RefCell::new(VecDeque::from(answers));
    let (connected, waits) = run(reconnector(&answers).connect());
    connected.unwrap();
    assert!(
        waits[0] >= SECOND * 9 && waits[1] <= SECOND * 2,
        "{waits:?}"
    );
}

/// Dropping a call keeps the waits and the count of attempts.
#[test]
fn dropped_call_keeps_the_count() {
    let answers = failing(4);
    let mut reconnector = reconnector(&answers).max_attempts(5);
    for _ in 0..10 {
        assert!(reconnector.connect().now_or_never().is_none());
    }
    let (connected, waits) = run(reconnector.connect());
    connected.unwrap();
    assert_eq!(waits.len(), 4);

    let answers = failing(4);
    let mut reconnector = self::reconnector(&answers).max_attempts(4);
    assert!(reconnector.connect().now_or_never().is_none());
    let (connected, _) = run(reconnector.connect());
    connected.unwrap_err();
}

fn closed(code: CloseCode, by: ClosedBy) -> CloseOutcome {
    CloseOutcome::Clean {
        code,
        reason: "why".to_owned(),
        by,
        our_code: Some(code),
    }
}

/// The wait after a connection that ended in this way, with this longest backoff in seconds.
fn wait_after_end(outcome: &CloseOutcome, longest: u32) -> Duration {
    let answers = failing(0);
    let mut reconnector = reconnector(&answers).max_backoff(SECOND * longest);
    run(reconnector.connect()).0.unwrap();
    reconnector.ended(outcome);
    let (connected, waits) = run(reconnector.connect());
    connected.unwrap();
    waits.iter().sum()
}

/// After 1012 and 1013 of the peer, a client comes back after 5 to 30 seconds, or sooner if the
/// backoff is shorter, and clients are spread.
#[test]
fn restarting_server_is_left_alone() {
    for code in [CloseCode::SERVICE_RESTART, CloseCode::TRY_AGAIN_LATER] {
        for (longest, least, most) in [(60, 5_000, 31_000), (30, 5_000, 30_000), (6, 1_000, 6_000)]
        {
            let waits: Vec<_> = (0..50)
                .map(|n| match n % 2 {
                    0 => closed(code, ClosedBy::Peer),
                    _ => CloseOutcome::Lost(LossCause::Closed(code)),
                })
                .map(|outcome| wait_after_end(&outcome, longest).as_millis())
                .collect();
            let (min, max) = (*waits.iter().min().unwrap(), *waits.iter().max().unwrap());
            assert!(least <= min && max <= most, "{min} to {max}");
            assert!(max - min > (most - least) / 3, "{min} to {max}");
        }
        let wait = wait_after_end(&closed(code, ClosedBy::Us), 60);
        assert!(wait <= SECOND * 2, "{wait:?}");
    }
    for outcome in [
        closed(CloseCode::NORMAL_CLOSURE, ClosedBy::Peer),
        closed(CloseCode::POLICY_VIOLATION, ClosedBy::Us),
        CloseOutcome::TimedOut,
        CloseOutcome::Failed(CloseCode::PROTOCOL_ERROR),
    ] {
        assert!(wait_after_end(&outcome, 60) <= SECOND * 2, "{outcome}");
    }
}

/// After 1008, and a code of the caller, the next call fails without an attempt, and the one after
/// it connects.
#[test]
fn final_codes_stop_once() {
    let answers = failing(0);
    let own = CloseCode::new(4001);
    let mut reconnector = reconnector(&answers).stop_on(own);
    run(reconnector.connect()).0.unwrap();
    for code in [CloseCode::POLICY_VIOLATION, own] {
        reconnector.ended(&closed(code, ClosedBy::Peer));
        let (stopped, waits) = run(reconnector.connect());
        let Err(WsErr::Aborted(frame)) = stopped else {
            panic!("{stopped:?}")
        };
        assert_eq!((frame.code(), frame.reason()), (code, "why"));
        assert!(waits.is_empty());
        run(reconnector.connect()).0.unwrap();
    }
}

/// A handle shows each state, and its stream ends with the reconnector.
#[test]
fn handle_shows_the_state() {
    let answers = failing(1);
    let mut reconnector = reconnector(&answers);
    let handle = reconnector.handle();
    let mut states = handle.states();
    let mut next = || states.next().now_or_never();
    assert_eq!(next(), Some(Some(ReconnectState::Idle)));
    assert_eq!(next(), None);
    let mut connecting = Box::pin(reconnector.connect());
    assert!(connecting.as_mut().now_or_never().is_none());
    let Some(Some(ReconnectState::Waiting { left })) = next() else {
        panic!("{handle:?}")
    };
    assert_eq!(Some(left), next_timer());
    advance(left / 2);
    assert_eq!(
        handle.state(),
        ReconnectState::Waiting {
            left: left.saturating_sub(left / 2)
        }
    );
    assert_eq!(next(), None);
    run(connecting).0.unwrap();
    assert_eq!(next(), Some(Some(ReconnectState::Connected)));
    reconnector.ended(&CloseOutcome::Failed(CloseCode::PROTOCOL_ERROR));
    assert_eq!(next(), Some(Some(ReconnectState::Idle)));
    drop(reconnector);
    assert_eq!(next(), Some(None));
    assert_eq!(handle.state(), ReconnectState::Idle);
}

/// Each change wakes every task that waits for one, also where another has stopped to wait.
#[test]
fn every_observer_is_woken() {
    let answers = failing(3);
    let mut reconnector = reconnector(&answers);
    let handle = reconnector.handle();
    let mut observers: Vec<_> = std::iter::repeat_with(|| {
        let woken = Arc::new(WakeFlag::default());
        (handle.states(), woken)
    })
    .take(3)
    .collect();
    let poll = |states: &mut ReconnectStates, woken: &Arc<_>| {
        let waker = Waker::from(Arc::clone(woken));
        states.poll_next_unpin(&mut Context::from_waker(&waker))
    };
    for (states, woken) in &mut observers {
        assert!(poll(states, woken).is_ready());
        assert!(poll(states, woken).is_pending());
    }
    let mut connecting = Box::pin(reconnector.connect());
    while poll_until_idle(connecting.as_mut()).is_pending() {
        for (states, woken) in &mut observers {
            assert!(woken.take());
            assert!(poll(states, woken).is_ready());
            assert!(poll(states, woken).is_pending());
        }
        if observers.len() > 2 {
            observers.pop();
        }
        advance(next_timer().unwrap());
    }
    assert!(observers.iter().all(|(_, woken)| woken.take()));
}

/// While an attempt is in flight, the state is `Connecting`. A dropped call, and an error, leave
/// none.
#[test]
fn state_of_an_attempt() {
    let mut reconnector = Reconnector::new(async || std::future::pending::<Result<(), _>>().await);
    let handle = reconnector.handle();
    let mut connecting = Box::pin(reconnector.connect());
    assert!(connecting.as_mut().now_or_never().is_none());
    assert_eq!(handle.state(), ReconnectState::Connecting);
    drop(connecting);
    assert_eq!(handle.state(), ReconnectState::Idle);

    let answers = failing(1);
    let mut reconnector = self::reconnector(&answers).max_attempts(1);
    run(reconnector.connect()).0.unwrap_err();
    assert_eq!(reconnector.handle().state(), ReconnectState::Idle);
    let other = reconnector.clone();
    run(reconnector.connect()).0.unwrap();
    assert_eq!(other.handle().state(), ReconnectState::Idle);
}

/// `retry_now` ends the current wait, and only that one.
#[test]
fn retry_now_ends_one_wait() {
    let answers = failing(2);
    let mut reconnector = reconnector(&answers);
    let handle = reconnector.handle();
    // Without effect.
    handle.retry_now();
    let flag = Arc::new(WakeFlag::default());
    let waker = Waker::from(Arc::clone(&flag));
    let mut connecting = Box::pin(reconnector.connect());
    let mut cx = Context::from_waker(&waker);
    assert!(connecting.as_mut().poll(&mut cx).is_pending());
    flag.take();
    handle.retry_now();
    assert!(flag.take());
    assert!(connecting.as_mut().poll(&mut cx).is_pending());
    assert!(matches!(handle.state(), ReconnectState::Waiting { .. }));
    let (connected, waits) = run(connecting);
    connected.unwrap();
    assert_eq!(waits.len(), 1);
    assert!(answers.borrow().is_empty());
}

/// During an attempt, `retry_now` ends the wait after it.
#[test]
fn retry_now_during_an_attempt() {
    let answers = failing(2);
    let handle = RefCell::new(None::<ReconnectHandle>);
    let connect = async || {
        let answer = answers.borrow_mut().pop_front().unwrap();
        if answers.borrow().len() == 2 {
            handle.borrow().as_ref().unwrap().retry_now();
        }
        answer
    };
    let mut reconnector = Reconnector::new(connect);
    handle.replace(Some(reconnector.handle()));
    let (connected, waits) = run(reconnector.connect());
    connected.unwrap();
    assert_eq!(waits.len(), 1);
}

/// The default waits are those of the documentation: up to 500 ms at first, and up to 30 s.
#[test]
fn default_backoff() {
    let answers = failing(300);
    let mut reconnector = Reconnector::new(async || answers.borrow_mut().pop_front().unwrap());
    let (connected, waits) = run(reconnector.connect());
    connected.unwrap();
    let mut most = Duration::from_millis(500);
    for wait in &waits {
        assert!(*wait <= most, "{wait:?} of {most:?}");
        most = (most * 2).min(SECOND * 30);
    }
    assert!(waits.iter().any(|wait| *wait > SECOND * 25), "{waits:?}");
}

/// After 1012 and failures, the random wait comes on top, up to `max_backoff`.
#[test]
fn restart_delay_adds_to_backoff() {
    for _ in 0..20 {
        let answers = RefCell::default();
        let mut reconnector = reconnector(&answers).max_backoff(SECOND * 300);
        for _ in 0..12 {
            run(reconnector.connect()).0.unwrap();
        }
        reconnector.ended(&closed(CloseCode::SERVICE_RESTART, ClosedBy::Peer));
        let (connected, waits) = run(reconnector.connect());
        connected.unwrap();
        let wait: Duration = waits.iter().sum();
        assert!((SECOND * 5..=SECOND * 300).contains(&wait), "{wait:?}");
    }
}
