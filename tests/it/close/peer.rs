//! The peer's close: the data before it is read, then an end that depends on its code.

use std::io;

use futures::{AsyncReadExt, AsyncWriteExt};
use support::{
    FRAMED, Frame, IMMEDIATE, Setup, config_without_keepalive, describe, observe,
    on_all_transports, on_transports, read_to_end, ws_error,
};
use ws_framed::{CloseFrame, ClosedBy, WsErr};

use super::{clean, clean_with};

/// A close frame with a code of normal closure or of an application is an end of file, after all
/// data.
#[test]
fn application_code_is_end_of_file() {
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
            let expected = clean(code, "because", ClosedBy::Peer);
            assert_eq!(handle.closed().await, expected);
            // The reply is sent, and the transport closed.
            peer.expect(Frame::close(code, "because")).await;
            peer.expect_end().await;
        });
    }
}

/// A close frame without a code is an end of file. Its outcome has code 1005.
#[test]
fn missing_code_is_end_of_file() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        let handle = ours.handle();
        peer.send(Frame::bare_close()).await;
        let (data, end) = read_to_end(&mut ours).await;
        end.unwrap();
        assert_eq!(data, b"");
        assert_eq!(describe(&mut events), ["close 1005", "closed"]);
        assert_eq!(handle.closed().await, clean(1005, "", ClosedBy::Peer));
        // No frame contains 1005 itself (RFC 6455 section 7.4.1).
        peer.expect(Frame::bare_close()).await;
        peer.expect_end().await;
    });
}

/// A close frame with any other code is `ConnectionAborted`, after all data.
#[test]
fn failure_code_is_an_error() {
    for code in [1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013] {
        on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
            let mut events = observe(&mut ours).await;
            let handle = ours.handle();
            peer.send(Frame::binary("up to here")).await;
            peer.send(Frame::close(code, "why")).await;
            let (data, end) = read_to_end(&mut ours).await;
            assert_eq!(data, b"up to here");
            let error = end.expect_err("the code reports a failure");
            assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
            let WsErr::Aborted(frame) = ws_error(&error) else {
                panic!("{error:?}");
            };
            assert_eq!((u16::from(frame.code()), frame.reason()), (code, "why"));
            assert_eq!(describe(&mut events), [&format!("close {code}"), "closed"]);
            let expected = clean(code, "why", ClosedBy::Peer);
            assert_eq!(handle.closed().await, expected);
            assert_eq!(peer.expect_close().await, code);
        });
    }
}

/// A code that the caller has chosen as a failure is `ConnectionAborted`, after all data, also if
/// it crosses a close of this end. The other codes of applications are not, nor is a reply that
/// repeats this end's code.
#[test]
fn chosen_codes_are_failures() {
    let config = config_without_keepalive().failure_codes([4401, 4403]);
    let rows = [
        (None, 4401, true),
        (None, 4402, false),
        (None, 1000, false),
        (Some(1000), 4403, true),
        (Some(4403), 4401, true),
        (Some(4403), 4403, false),
    ];
    for (our_code, code, is_failure) in rows {
        on_all_transports(&config, async |mut ours, mut peer| {
            let handle = ours.handle();
            if let Some(code) = our_code {
                let frame = CloseFrame::new(code.into(), "").unwrap();
                handle.close(frame).unwrap();
                assert!(futures::poll!(ours.read(&mut [0; 8])).is_pending());
            }
            peer.send(Frame::binary("up to here")).await;
            peer.send(Frame::close(code, "log in")).await;
            let (data, end) = read_to_end(&mut ours).await;
            assert_eq!(data, b"up to here");
            let error = end.map_err(|error| (error.kind(), ws_error(&error).close_code()));
            let aborted = (io::ErrorKind::ConnectionAborted, Some(code.into()));
            assert_eq!(error, if is_failure { Err(aborted) } else { Ok(()) });
            let by = our_code.map_or(ClosedBy::Peer, |_| ClosedBy::Us);
            let expected = clean_with(code, "log in", our_code.or(Some(code)), by);
            assert_eq!(handle.closed().await, expected);
        });
    }
}

/// A close frame with a code that must not be sent is an error and no panic. The reply is 1002.
#[test]
fn unsendable_code_is_an_error() {
    let codes = [
        0,
        1,
        999,
        1004,
        1005,
        1006,
        1014,
        1015,
        1016,
        1100,
        2000,
        2999,
        5000,
        9999,
        u16::MAX,
    ];
    // Over WebSocket frames, such a code reads as 1002; a custom transport may report the code
    // itself.
    let setups = FRAMED.into_iter().chain([Setup::Memory]);
    for (setup, code) in setups.flat_map(|setup| codes.map(|code| (setup, code))) {
        println!("{code}");
        on_transports(
            &[setup],
            &config_without_keepalive(),
            async |mut ours, mut peer| {
                peer.send(Frame::binary("up to here")).await;
                peer.send(Frame::close(code, "why")).await;
                let (data, end) = read_to_end(&mut ours).await;
                assert_eq!(data, b"up to here");
                if let (1005, Setup::Memory, Ok(())) = (code, setup, &end) {
                    return; // A transport may report a missing code this way.
                }
                let error = end.unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
                let WsErr::Aborted(frame) = ws_error(&error) else {
                    panic!("{error:?}");
                };
                assert!([code, 1002].contains(&frame.code().into()));
                // The caller cannot send the frame back unless its code may be sent.
                let again = CloseFrame::new(frame.code(), frame.reason());
                assert_eq!(again.is_ok(), frame.code().is_sendable());
                let reply = peer.expect_close().await;
                if code != 1014 {
                    assert_eq!(reply, 1002);
                }
            },
        );
    }
}

/// Frames after the peer's close frame are discarded, valid or not. The first close frame counts.
#[test]
fn later_frames_are_discarded() {
    let valid = [
        vec![Frame::binary("after")],
        vec![Frame::text("after"), Frame::ping("after")],
        vec![Frame::close(1001, "again"), Frame::close(4000, "again")],
    ];
    let invalid = vec![
        Frame::new(3, "bad"),
        Frame::binary("after").claiming(1 << 63),
    ];
    let setups = [&FRAMED[..], &[Setup::Memory]].concat();
    let valid = valid.into_iter().map(|frames| (&setups[..], frames));
    for (setups, later) in valid.chain([(&FRAMED[..], invalid)]) {
        on_transports(
            setups,
            &config_without_keepalive(),
            async |mut ours, mut peer| {
                peer.send(Frame::binary("before")).await;
                peer.send(Frame::close(1000, "once")).await;
                peer.send_all(later.clone()).await;
                let (data, end) = read_to_end(&mut ours).await;
                end.unwrap();
                assert_eq!(data, b"before");
                let expected = clean(1000, "once", ClosedBy::Peer);
                assert_eq!(ours.handle().closed().await, expected);
                peer.expect(Frame::close(1000, "once")).await;
                peer.expect_end().await;
            },
        );
    }
}

/// A write after the peer's close returns `BrokenPipe`. Flush and close succeed, because all data
/// was sent.
#[test]
fn later_write_is_broken_pipe() {
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
        ours.flush().await.unwrap();
        ours.close().await.unwrap();
        ours.close().await.unwrap();
        let (data, code, _) = peer.until_close().await;
        assert_eq!((data.as_slice(), code), (&b"in time"[..], 1000));
        peer.expect_end().await;
    });
}

/// Buffered data that the peer's close prevents from being sent is reported once, by flush or
/// close.
#[test]
fn lost_data_is_reported_once() {
    for by_close in [false, true] {
        println!("reported by close: {by_close}");
        on_transports(
            &IMMEDIATE,
            &config_without_keepalive(),
            async |mut ours, mut peer| {
                peer.send(Frame::close(1000, "")).await;
                ours.write_all(b"never sent").await.unwrap();
                read_to_end(&mut ours).await.1.unwrap();
                let reported = if by_close {
                    ours.close().await
                } else {
                    ours.flush().await
                };
                assert_eq!(reported.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
                ours.flush().await.unwrap();
                ours.close().await.unwrap();
                assert_eq!(peer.expect_close().await, 1000);
            },
        );
    }
}
