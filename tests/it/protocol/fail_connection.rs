//! How the implementation fails a connection (RFC 6455 section 7.1.7): in which order, and for how
//! long the error waits for the peer.

use std::{io, pin::pin, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt};
use support::{
    FRAMED, Frame, NO_TIMERS, config_without_keepalive, on_all_transports, on_transports,
    poll_until_idle, read_to_end, ws_error,
};
use ws_framed::{CloseCode, CloseOutcome, Config, WsErr};

fn short_close_timeout() -> Config {
    config_without_keepalive().close_timeout(Duration::from_millis(100))
}

/// The close frame is sent before the read returns the error, so that a caller may drop the stream
/// then.
#[test]
fn close_frame_precedes_error() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        peer.send(Frame::text("no")).await;
        peer.close_write().await;
        ours.read(&mut [0; 8]).await.unwrap_err();
        // Nothing polls our end any more.
        assert_eq!(peer.until_close().await.1, 1003);
        peer.expect_end().await;
        drop(ours);
    });
}

/// A peer that keeps the connection open delays the error until `close_timeout` at most.
#[test]
fn open_peer_delays_error() {
    on_all_transports(&short_close_timeout(), async |mut ours, mut peer| {
        peer.send(Frame::binary("before")).await;
        peer.send(Frame::text("no")).await;
        let (data, end) = read_to_end(&mut ours).await;
        assert_eq!(data, b"before");
        assert!(matches!(ws_error(&end.unwrap_err()), WsErr::ReceivedText));
        assert_eq!(peer.expect_close().await, 1003);
    });
    on_transports(
        &FRAMED,
        &short_close_timeout(),
        async |mut ours, mut peer| {
            peer.send(Frame::binary("before")).await;
            peer.send(Frame::new(3, "bad")).await;
            let (data, end) = read_to_end(&mut ours).await;
            assert_eq!(data, b"before");
            let error = end.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            assert!(matches!(ws_error(&error), WsErr::Protocol(_)));
            assert_eq!(peer.expect_close().await, 1002);
        },
    );
}

/// A peer that never reads delays the error until `close_timeout` at most. Lost data is reported
/// once.
#[test]
fn blocked_close_frame_delays_error() {
    on_transports(
        &NO_TIMERS,
        &short_close_timeout(),
        async |mut ours, mut peer| {
            // Fills the connection, so that it has no room for the close frame.
            let full = pin!(async { while ours.write(&[0; 4096]).await.is_ok() {} });
            assert!(poll_until_idle(full).is_pending());
            peer.send(Frame::text("no")).await;
            let (_, end) = read_to_end(&mut ours).await;
            assert!(matches!(ws_error(&end.unwrap_err()), WsErr::ReceivedText));
            let failed = CloseOutcome::Failed(CloseCode::UNSUPPORTED_DATA);
            assert_eq!(ours.handle().closed().await, failed);
            assert_eq!(
                ours.flush().await.unwrap_err().kind(),
                io::ErrorKind::BrokenPipe
            );
            ours.flush().await.unwrap();
        },
    );
}
