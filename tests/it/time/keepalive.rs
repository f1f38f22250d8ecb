//! Keepalive and `message_timeout`: how a silent or very slow peer is detected by a reader.

use std::io::ErrorKind;

use futures::{AsyncReadExt, AsyncWriteExt, future};
use support::{Frame, describe, frame::PING, observe, on_transports, read_to_end, ws_error};
use ws_framed::{CloseOutcome, Config, WsErr};

use super::{SHORT_TIMEOUT, TCP, short_keepalive};

/// A silent peer gets a ping. Without a reply, the connection ends with `TimedOut` and the
/// transport is closed.
#[test]
fn silent_peer_times_out() {
    on_transports(&TCP, &short_keepalive(), async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        let handle = ours.handle();
        let (data, end) = read_to_end(&mut ours).await;
        assert!(data.is_empty());
        let end = end.unwrap_err();
        assert_eq!(end.kind(), ErrorKind::TimedOut);
        assert!(matches!(ws_error(&end), WsErr::TimedOut(_)));
        assert_eq!(handle.closed().await, CloseOutcome::TimedOut);
        assert_eq!(describe(&mut events), ["error TimedOut", "closed"]);
        assert_eq!(
            ours.write(b"?").await.unwrap_err().kind(),
            ErrorKind::BrokenPipe
        );
        // The transport is closed although our end still exists.
        assert_eq!(peer.next().await.unwrap().opcode, PING);
        peer.expect_end().await;
        drop(ours);
    });
}

/// A peer that replies to pings stays connected, however long it sends no data.
#[test]
fn pongs_keep_peer_alive() {
    on_transports(&TCP, &short_keepalive(), async |mut ours, mut peer| {
        let script = async {
            for _ in 0..4 {
                let ping = peer.next().await.unwrap();
                assert_eq!(ping.opcode, PING);
                peer.send(Frame::pong(ping.payload)).await;
            }
            peer.send(Frame::binary("still here")).await;
        };
        let mut buf = [0; 10];
        let (read, ()) = future::join(ours.read_exact(&mut buf), script).await;
        read.unwrap();
        assert_eq!(&buf, b"still here");
    });
}

/// With `message_timeout`, a message that does not end in time ends the connection with `TimedOut`.
#[test]
fn unfinished_message_times_out() {
    let config = Config::default().message_timeout(SHORT_TIMEOUT);
    on_transports(&TCP, &config, async |mut ours, mut peer| {
        peer.send(Frame::binary("before")).await;
        let mut before = [0; 6];
        ours.read_exact(&mut before).await.unwrap();
        peer.send(Frame::binary("begun").unfinished()).await;
        let (data, end) = read_to_end(&mut ours).await;
        assert!(data.is_empty());
        assert_eq!(end.unwrap_err().kind(), ErrorKind::TimedOut);
        peer.expect_end().await;
    });
}
