//! `close_timeout`: how long each step of a close waits for the peer.

use std::{
    io::{self, ErrorKind},
    pin::pin,
    sync::Arc,
};

use futures::{AsyncReadExt, AsyncWriteExt, future};
use support::{
    FRAMED, Frame, NO_TIMERS, Peer, ROLES, Role, Setup, WakeFlag, assert_idle, describe,
    flood::endless_peer, observe, on_all_transports, on_transports, read_to_end, run,
};
use ws_framed::{CloseCode, CloseFrame, CloseOutcome, ClosedBy, WsErr, WsStream};

use super::{blocked_tcp, short_close_timeout};
use crate::bytes::fill;

/// After a close without a reply, a read ends with `TimedOut` and the transport is closed.
#[test]
fn close_without_reply_times_out() {
    on_all_transports(&short_close_timeout(), async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        ours.close().await.unwrap();
        let (data, end) = read_to_end(&mut ours).await;
        assert!(data.is_empty());
        assert_eq!(end.unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(describe(&mut events), ["error TimedOut", "closed"]);
        assert_eq!(ours.handle().closed().await, CloseOutcome::TimedOut);
        // The transport is closed although our end still exists.
        peer.expect(Frame::close(1000, "")).await;
        peer.expect_end().await;
        drop(ours);
    });
}

/// A `close_with` without a reply returns `TimedOut`, and the transport is closed.
#[test]
fn close_with_without_reply_times_out() {
    on_all_transports(&short_close_timeout(), async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        let frame = CloseFrame::new(CloseCode::from(4001), "enough").unwrap();
        let outcome = ours.close_with(frame).await.unwrap();
        assert_eq!(outcome, CloseOutcome::TimedOut);
        assert_eq!(describe(&mut events), ["error TimedOut", "closed"]);
        let read = ours.read(&mut [0; 8]).await;
        assert_eq!(read.unwrap(), 0, "the outcome has reported the error");
        peer.expect(Frame::close(4001, "enough")).await;
        peer.expect_end().await;
        drop(ours);
    });
}

/// A close by a handle without a reply ends the read that sent it with `TimedOut`.
#[test]
fn handle_close_without_reply_times_out() {
    on_all_transports(&short_close_timeout(), async |mut ours, mut peer| {
        let handle = ours.handle();
        handle.close(CloseFrame::normal()).unwrap();
        let ((_, end), outcome) = future::join(read_to_end(&mut ours), handle.closed()).await;
        assert_eq!(end.unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(outcome, CloseOutcome::TimedOut);
        peer.expect(Frame::close(1000, "")).await;
        peer.expect_end().await;
    });
}

/// A peer that replies and keeps its side of the transport open does not prevent a clean close.
#[test]
fn open_transport_still_closes_cleanly() {
    let setups = [&FRAMED[..4], &[Setup::Memory]].concat();
    for crosses in [false, true] {
        println!("the closes cross: {crosses}");
        on_transports(
            &setups,
            &short_close_timeout(),
            async |mut ours, mut peer| {
                if crosses {
                    peer.send(Frame::close(1000, "")).await;
                }
                let script = async {
                    peer.expect(Frame::close(1000, "")).await;
                    if !crosses {
                        peer.send(Frame::close(1000, "")).await;
                    }
                    peer.expect_end().await;
                };
                let closing = ours.close_with(CloseFrame::normal());
                let (outcome, ()) = future::join(closing, script).await;
                let expected = CloseOutcome::Clean {
                    code: CloseCode::NORMAL_CLOSURE,
                    reason: String::new(),
                    our_code: Some(CloseCode::NORMAL_CLOSURE),
                    by: ClosedBy::Us,
                };
                assert_eq!(outcome.unwrap(), expected);
                drop(peer);
            },
        );
    }
}

/// A peer that keeps sending after our close frame does not extend the deadline.
#[test]
fn flood_does_not_delay_timeout() {
    for role in ROLES {
        for frame in [Frame::binary([7; 1000]), Frame::ping([]), Frame::binary([])] {
            run(async {
                let (mut ours, _) =
                    endless_peer(role, short_close_timeout(), &[], &[frame], usize::MAX).await;
                let outcome = ours.close_with(CloseFrame::normal()).await.unwrap();
                assert_eq!(outcome, CloseOutcome::TimedOut);
            });
        }
    }
    // Progress delays the deadline by a second, which each of these spends at full load.
    on_transports(
        &[
            Setup::Pipe(Role::Server),
            Setup::Tcp(Role::Client),
            Setup::TokioTungstenite(Role::Server),
        ],
        &short_close_timeout(),
        async |mut ours, mut peer| {
            let flood = async {
                loop {
                    peer.send(Frame::binary("data")).await;
                    // The connection may end in the meantime.
                    tokio::task::yield_now().await;
                }
            };
            let closing = pin!(ours.close_with(CloseFrame::normal()));
            match future::select(closing, pin!(flood)).await {
                future::Either::Left((outcome, _)) => {
                    assert_eq!(outcome.unwrap(), CloseOutcome::TimedOut);
                }
                future::Either::Right((never, _)) => never,
            }
        },
    );
}

/// A parked reader observes the deadline of a close that another task requests.
#[test]
fn parked_reader_observes_deadline() {
    on_transports(&NO_TIMERS, &short_close_timeout(), async |ours, _peer| {
        let (mut reader, mut writer) = ours.split();
        let woken = Arc::new(WakeFlag::default());
        let mut buf = [0; 8];
        let mut read = pin!(reader.read(&mut buf));
        assert_idle(read.as_mut(), &woken);
        writer.close().await.unwrap();
        assert!(woken.take(), "no other task polls the timer");
        assert_eq!(read.await.unwrap_err().kind(), ErrorKind::TimedOut);
    });
}

/// Runs a test on connections whose peer does not read, with all buffers full.
fn on_blocked(test: impl AsyncFn(WsStream, Peer)) {
    on_transports(
        &NO_TIMERS,
        &short_close_timeout(),
        async |mut ours, peer| {
            fill(&mut ours);
            test(ours, peer).await;
        },
    );
    for role in ROLES {
        println!("over TCP as {role:?}");
        run(async {
            let (ours, peer) = blocked_tcp(role, short_close_timeout()).await;
            test(ours, peer).await;
        });
    }
}

/// A close that the peer does not take returns `TimedOut` once.
#[test]
fn blocked_close_times_out() {
    on_blocked(async |mut ours, peer| {
        let error = ours.close().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        ours.close().await.unwrap();
        ours.flush().await.unwrap();
        assert_eq!(ours.handle().closed().await, CloseOutcome::TimedOut);
        let (_, end) = read_to_end(&mut ours).await;
        assert_eq!(end.unwrap_err().kind(), ErrorKind::TimedOut);
        drop(peer);
    });
}

/// A blocked `close_with` first reports the lost data as `BrokenPipe`, and then the outcome.
#[test]
fn blocked_close_with_reports_loss() {
    on_blocked(async |mut ours, peer| {
        let handle = ours.handle();
        let error = ours.close_with(CloseFrame::normal()).await.unwrap_err();
        assert!(matches!(error, WsErr::Closed), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        assert_eq!(io::Error::from(error).kind(), ErrorKind::BrokenPipe);
        assert_eq!(handle.closed().await, CloseOutcome::TimedOut);
        let outcome = ours.close_with(CloseFrame::normal()).await.unwrap();
        assert_eq!(outcome, CloseOutcome::TimedOut);
        drop(peer);
    });
}

/// A flush that sends the close of a handle returns `TimedOut` if the peer does not take it.
#[test]
fn blocked_handle_close_times_out() {
    on_blocked(async |mut ours, peer| {
        ours.handle().close(CloseFrame::normal()).unwrap();
        let error = ours.flush().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        drop(peer);
    });
}

/// A peer that closes and does not take our reply causes `TimedOut`, after the data before its
/// close.
#[test]
fn blocked_reply_times_out() {
    on_blocked(async |mut ours, mut peer| {
        peer.send(Frame::binary("before")).await;
        peer.send(Frame::close(1000, "")).await;
        let (data, end) = read_to_end(&mut ours).await;
        assert_eq!(data, b"before");
        // The peer has not received the reply, so the end is not clean.
        assert_eq!(end.unwrap_err().kind(), ErrorKind::TimedOut);
        let lost = ours.flush().await.unwrap_err();
        assert_eq!(lost.kind(), ErrorKind::BrokenPipe);
        assert_eq!(ours.handle().closed().await, CloseOutcome::TimedOut);
    });
}

/// A close code of the peer that reports a failure is the reader's error even if our reply times
/// out.
#[test]
fn error_code_wins_over_timeout() {
    on_blocked(async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        peer.send(Frame::close(1011, "why")).await;
        let (_, end) = read_to_end(&mut ours).await;
        assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionAborted);
        assert_eq!(ours.handle().closed().await, CloseOutcome::TimedOut);
        assert_eq!(describe(&mut events), ["close 1011", "closed"]);
    });
}
