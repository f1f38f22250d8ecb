//! The peer closes: everything before its close frame is read, then an end that says whether all was well.

use std::{io, pin::pin, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt};
use support::{
    Frame, IMMEDIATE, NO_TIMERS, Role, Setup, config_without_keepalive, describe, observe,
    on_all_transports, on_transports, poll_until_idle, read_to_end, ws_error,
};
use ws_framed::{CloseFrame, CloseOutcome, ClosedBy, WsErr};

fn clean(code: u16, reason: &str) -> CloseOutcome {
    CloseOutcome::Clean {
        code: code.into(),
        reason: reason.to_owned(),
        by: ClosedBy::Peer,
    }
}

#[test]
fn an_orderly_close_is_the_end_after_all_data() {
    for code in [1000, 1001, 3000, 3999, 4000, 4999] {
        on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
            let mut events = observe(&mut ours).await;
            let handle = ours.handle();
            peer.send(Frame::binary("all ")).await;
            peer.send(Frame::binary("of it")).await;
            peer.send(Frame::close(code, "because")).await;
            let (data, end) = read_to_end(&mut ours).await;
            end.unwrap();
            assert_eq!(data, b"all of it");
            assert_eq!(describe(&mut events), [&format!("close {code}"), "closed"]);
            assert_eq!(handle.closed().await, clean(code, "because"));
            // All that is left to do is done: the answer is on its way, and the connection shut down.
            assert_eq!(peer.expect_close().await, code);
        });
    }
}

#[test]
fn a_close_without_a_code_is_orderly_and_reads_as_1005() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        let handle = ours.handle();
        peer.send(Frame::bare_close()).await;
        let (data, end) = read_to_end(&mut ours).await;
        end.unwrap();
        assert_eq!(data, b"");
        assert_eq!(describe(&mut events), ["close 1005", "closed"]);
        assert_eq!(handle.closed().await, clean(1005, ""));
        // 1005 itself is never on the wire (RFC 6455 section 7.4.1).
        peer.expect(Frame::bare_close()).await;
        peer.expect_end().await;
    });
}

#[test]
fn any_other_code_is_an_error_after_all_data() {
    for code in [1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013] {
        on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
            let mut events = observe(&mut ours).await;
            let handle = ours.handle();
            peer.send(Frame::binary("up to here")).await;
            peer.send(Frame::close(code, "why")).await;
            let (data, end) = read_to_end(&mut ours).await;
            assert_eq!(data, b"up to here");
            let error = end.expect_err("something went wrong");
            assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
            let WsErr::Aborted(frame) = ws_error(&error) else {
                panic!("{error:?}");
            };
            assert_eq!((u16::from(frame.code()), frame.reason()), (code, "why"));
            assert_eq!(describe(&mut events), [&format!("close {code}"), "closed"]);
            assert_eq!(handle.closed().await, clean(code, "why"));
            assert_eq!(peer.expect_close().await, code);
        });
    }
}

#[test]
fn a_code_that_may_not_be_sent_is_an_error_and_no_panic() {
    // The engine of a wire hands out 1002 in the place of such a code; another transport may not.
    for code in [0, 999, 1004, 1005, 1006, 1014, 1015, 2999, 5000, u16::MAX] {
        on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
            peer.send(Frame::binary("up to here")).await;
            peer.send(Frame::close(code, "why")).await;
            let (data, end) = read_to_end(&mut ours).await;
            assert_eq!(data, b"up to here");
            if let (1005, Ok(())) = (code, &end) {
                return; // As if there were none, which a transport may say this way.
            }
            let error = end.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
            let WsErr::Aborted(frame) = ws_error(&error) else {
                panic!("{error:?}");
            };
            assert!([code, 1002].contains(&frame.code().into()));
            // A program may hand the frame back to us; it is refused, or sent as it is if it may be.
            let again = CloseFrame::new(frame.code(), frame.reason());
            assert_eq!(again.is_ok(), frame.code().is_sendable());
        });
    }
}

#[test]
fn what_a_peer_sends_after_its_close_is_not_read() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        peer.send(Frame::binary("before")).await;
        peer.send(Frame::close(1000, "")).await;
        peer.send(Frame::binary("after")).await;
        peer.send(Frame::ping("after")).await;
        let (data, end) = read_to_end(&mut ours).await;
        end.unwrap();
        assert_eq!(data, b"before");
        assert_eq!(peer.expect_close().await, 1000);
    });
}

#[test]
fn writing_after_the_peers_close_is_a_broken_pipe() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        ours.write_all(b"in time").await.unwrap();
        ours.flush().await.unwrap();
        peer.send(Frame::close(1000, "")).await;
        read_to_end(&mut ours).await.1.unwrap();
        for _ in 0..2 {
            let error = ours.write(b"too late").await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
            assert!(matches!(ws_error(&error), WsErr::Closed));
        }
        // Everything that was written went out.
        ours.flush().await.unwrap();
        ours.close().await.unwrap();
        ours.close().await.unwrap();
        let (data, code, _) = peer.until_close().await;
        assert_eq!((data.as_slice(), code), (&b"in time"[..], 1000));
        peer.expect_end().await;
    });
}

#[test]
fn bytes_that_the_peers_close_cut_off_are_reported_once_by_flush() {
    on_transports(
        &IMMEDIATE,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            peer.send(Frame::close(1000, "")).await;
            ours.write_all(b"never sent").await.unwrap();
            read_to_end(&mut ours).await.1.unwrap();
            let error = ours.flush().await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
            ours.flush().await.unwrap();
            ours.close().await.unwrap();
            assert_eq!(peer.expect_close().await, 1000);
        },
    );
}

#[test]
fn bytes_that_the_peers_close_cut_off_are_reported_once_by_close() {
    on_transports(
        &IMMEDIATE,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            peer.send(Frame::close(1000, "")).await;
            ours.write_all(b"never sent").await.unwrap();
            read_to_end(&mut ours).await.1.unwrap();
            let error = ours.close().await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
            ours.close().await.unwrap();
            ours.flush().await.unwrap();
        },
    );
}

#[test]
fn a_peer_that_closes_and_does_not_take_our_answer_times_out() {
    let config = config_without_keepalive().close_timeout(Duration::from_millis(100));
    on_transports(&NO_TIMERS, &config, async |mut ours, mut peer| {
        let full = pin!(async { while ours.write(&[0; 4096]).await.is_ok() {} });
        assert!(poll_until_idle(full).is_pending());
        peer.send(Frame::binary("before")).await;
        peer.send(Frame::close(1000, "")).await;
        let (data, end) = read_to_end(&mut ours).await;
        assert_eq!(data, b"before");
        // It has not been describe, so this is no clean end.
        assert_eq!(end.unwrap_err().kind(), io::ErrorKind::TimedOut);
        let lost = ours.flush().await.unwrap_err();
        assert_eq!(lost.kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(ours.handle().closed().await, CloseOutcome::TimedOut);
    });
}

#[test]
fn a_peer_that_closes_for_a_bad_reason_is_reported_for_it_though_it_does_not_take_our_answer() {
    let config = config_without_keepalive().close_timeout(Duration::from_millis(100));
    on_transports(&NO_TIMERS, &config, async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        let full = pin!(async { while ours.write(&[0; 4096]).await.is_ok() {} });
        assert!(poll_until_idle(full).is_pending());
        peer.send(Frame::close(1011, "why")).await;
        let (_, end) = read_to_end(&mut ours).await;
        assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        assert_eq!(ours.handle().closed().await, CloseOutcome::TimedOut);
        assert_eq!(describe(&mut events), ["close 1011", "closed"]);
    });
}

#[test]
fn close_with_after_the_peers_close_tells_how_it_ended() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        peer.send(Frame::close(4000, "first")).await;
        read_to_end(&mut ours).await.1.unwrap();
        // The server of a WebSocket hangs up first; a client waits for that (RFC 6455 section 7.1.1).
        drop(peer);
        let outcome = ours.close_with(CloseFrame::normal()).await.unwrap();
        assert_eq!(outcome, clean(4000, "first"));
        assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
    });
}

#[test]
fn a_client_that_hangs_up_after_its_close_has_closed_cleanly() {
    let places = [
        Setup::Tcp(Role::Server),
        Setup::Pipe(Role::Server),
        Setup::Memory,
    ];
    on_transports(
        &places,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            let handle = ours.handle();
            peer.send(Frame::binary("bye")).await;
            peer.send(Frame::close(1001, "")).await;
            drop(peer);
            let (data, end) = read_to_end(&mut ours).await;
            end.unwrap();
            assert_eq!(data, b"bye");
            assert_eq!(handle.closed().await, clean(1001, ""));
        },
    );
}
