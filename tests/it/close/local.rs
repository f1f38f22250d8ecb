//! Our close: it flushes, sends a close frame, and reading goes on.

use std::{io, pin::pin};

use futures::{AsyncReadExt, AsyncWriteExt, FutureExt};
use support::{
    Frame, NO_TIMERS, config_without_keepalive, describe, observe, on_all_transports,
    on_transports, poll_until_idle, read_to_end, ws_error,
};
use ws_framed::{CloseCode, CloseFrame, ClosedBy};

use super::{clean, clean_with};
use crate::bytes::fill;

/// A close flushes, then sends a close frame with code 1000, and does not wait for the reply.
#[test]
fn close_flushes_and_sends_1000() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        ours.write_all(&[7; 10_000]).await.unwrap();
        ours.close().await.unwrap();
        assert_eq!(peer.receive(10_000).await.0, [7; 10_000]);
        peer.expect(Frame::close(1000, "")).await;
    });
}

/// A close that need not wait does not read: data and pings stay for the next read.
#[test]
fn close_does_not_read() {
    on_transports(
        &NO_TIMERS,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            let mut events = observe(&mut ours).await;
            peer.send(Frame::ping("waiting")).await;
            peer.send(Frame::binary("data")).await;
            ours.close().await.unwrap();
            assert_eq!(describe(&mut events), <[&str; 0]>::default());
            assert_eq!(ours.handle().stats().bytes_received, 0);
            let mut data = [0; 4];
            ours.read_exact(&mut data).await.unwrap();
            assert_eq!(&data, b"data");
        },
    );
}

/// Reads after our close return what the peer had in flight, and then the clean end.
#[test]
fn data_in_flight_is_read() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        let handle = ours.handle();
        peer.send(Frame::binary("in ")).await;
        ours.close().await.unwrap();
        peer.expect(Frame::close(1000, "")).await;
        peer.send(Frame::ping("")).await;
        peer.send(Frame::binary("flight")).await;
        peer.send(Frame::close(1000, "done")).await;
        let (data, end) = read_to_end(&mut ours).await;
        end.unwrap();
        assert_eq!(data, b"in flight");
        assert_eq!(describe(&mut events), ["ping ", "close 1000", "closed"]);
        assert_eq!(handle.closed().await, clean(1000, "done", ClosedBy::Us));
        while peer.next().await.is_some() {}
    });
}

/// A code that reports no failure, our own code in reply, or no code at all, ends a close of this
/// end cleanly.
#[test]
fn reply_ends_cleanly() {
    let replies = [
        (1000, 1000),
        (1000, 1001),
        (1000, 4001),
        (1002, 1002),
        (1011, 1011),
    ];
    for (ours_code, code) in replies {
        on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
            let handle = ours.handle();
            handle
                .close(CloseFrame::new(CloseCode::from(ours_code), "").unwrap())
                .unwrap();
            assert!(futures::poll!(ours.read(&mut [0; 8])).is_pending());
            peer.send(Frame::binary("last words")).await;
            peer.send(Frame::close(code, "why")).await;
            let (data, end) = read_to_end(&mut ours).await;
            end.unwrap();
            assert_eq!(data, b"last words");
            let expected = clean_with(code, "why", Some(ours_code), ClosedBy::Us);
            assert_eq!(handle.closed().await, expected);
        });
    }
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        ours.close().await.unwrap();
        peer.send(Frame::bare_close()).await;
        read_to_end(&mut ours).await.1.unwrap();
        let expected = clean_with(1005, "", Some(1000), ClosedBy::Us);
        assert_eq!(ours.handle().closed().await, expected);
    });
}

/// A code that reports a failure is an error, also when it crosses a close of this end: the peer
/// may not have processed everything. So it is when its frame is there before our close.
#[test]
fn failure_code_crosses_close() {
    for (code, peer_is_first) in [
        (1002, false),
        (1003, false),
        (1011, false),
        (1014, false),
        (2999, false),
        (1011, true),
    ] {
        on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
            let handle = ours.handle();
            if !peer_is_first {
                ours.close().await.unwrap();
            }
            peer.send(Frame::binary("last words")).await;
            peer.send(Frame::close(code, "why")).await;
            // Nothing reads until then.
            ours.close().await.unwrap();
            let (data, end) = read_to_end(&mut ours).await;
            assert_eq!(data, b"last words");
            let error = end.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
            assert_eq!(ws_error(&error).close_code(), Some(CloseCode::from(code)));
            let expected = clean_with(code, "why", Some(1000), ClosedBy::Us);
            assert_eq!(handle.closed().await, expected);
            assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
        });
    }
}

/// A second close has no effect and returns `Ok`, before the reply and after it.
#[test]
fn close_is_idempotent() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        ours.close().await.unwrap();
        ours.close().await.unwrap();
        peer.send(Frame::close(1000, "")).await;
        read_to_end(&mut ours).await.1.unwrap();
        ours.close().await.unwrap();
        ours.flush().await.unwrap();
        peer.expect(Frame::close(1000, "")).await;
        peer.expect_end().await;
    });
}

/// A write after our close returns `BrokenPipe`. A flush returns `Ok`, because all data was sent.
#[test]
fn later_write_is_broken_pipe() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        ours.write_all(b"in time").await.unwrap();
        ours.close().await.unwrap();
        let error = ours.write(b"too late").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        ours.flush().await.unwrap();
        assert_eq!(ours.write(b"").await.unwrap(), 0);
        let (data, code, _) = peer.until_close().await;
        assert_eq!((data.as_slice(), code), (&b"in time"[..], 1000));
    });
}

/// A write returns `BrokenPipe` while a close is blocked.
#[test]
fn blocked_close_refuses_writes() {
    on_transports(
        &NO_TIMERS,
        &config_without_keepalive(),
        async |mut ours, peer| {
            fill(&mut ours);
            assert!(poll_until_idle(pin!(ours.close())).is_pending());
            let write = ours.write(b"too late").now_or_never().expect("no wait");
            assert_eq!(write.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
            drop(peer);
        },
    );
}

/// A stream that is dropped without a close sends no close frame and no unflushed data.
#[test]
fn drop_sends_no_close_frame() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        ours.write_all(b"flushed").await.unwrap();
        ours.flush().await.unwrap();
        ours.write_all(b"not flushed").await.unwrap();
        drop(ours);
        assert_eq!(peer.receive(7).await.0, b"flushed");
        peer.expect_end().await;
    });
}

/// The `shutdown` of tokio's trait is the same close.
#[test]
fn tokio_shutdown_is_a_close() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        ours.write_all(b"data").await.unwrap();
        tokio::io::AsyncWriteExt::shutdown(&mut ours).await.unwrap();
        let (data, code, _) = peer.until_close().await;
        assert_eq!((data.as_slice(), code), (&b"data"[..], 1000));
    });
}
