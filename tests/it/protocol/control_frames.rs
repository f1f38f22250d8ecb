//! Control frames within a fragmented message (RFC 6455 section 5.4). Malformed ones are in `violations`.

use futures::{AsyncReadExt, future};
use support::{
    Frame, Role, config_without_keepalive, describe, encode_frames, handshake::REQUEST, observe,
    on_all_transports, read_to_end,
};
use tokio::io::{AsyncWriteExt, duplex};
use ws_framed::{Acceptor, CloseOutcome, ClosedBy, Config, WsErr};

/// Pings between fragments get their pongs at once. Neither pings nor pongs are part of the
/// message.
#[test]
fn pings_and_pongs_between_fragments() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        let script = async {
            peer.send(Frame::binary("a").unfinished()).await;
            for byte in b'b'..b'z' {
                peer.send(Frame::ping([byte])).await;
                peer.send(Frame::continuation([byte]).unfinished()).await;
                peer.send(Frame::pong([byte])).await;
                peer.expect(Frame::pong([byte])).await;
            }
            peer.send(Frame::continuation("z")).await;
            peer.send(Frame::bare_close()).await;
            peer.expect(Frame::bare_close()).await;
            peer.expect_end().await;
        };
        let ((data, end), ()) = future::join(read_to_end(&mut ours), script).await;
        end.unwrap();
        assert!(data.iter().copied().eq(b'a'..=b'z'));
        assert_eq!(describe(&mut events).len(), 2 * 24 + 2);
    });
}

/// A close frame between fragments ends the connection cleanly. The incomplete message is
/// discarded.
#[test]
fn close_between_fragments() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        peer.send(Frame::binary("before")).await;
        peer.send(Frame::binary("incomplete").unfinished()).await;
        peer.send(Frame::close(1000, "")).await;
        let ((data, end), code) = future::join(read_to_end(&mut ours), peer.expect_close()).await;
        end.unwrap();
        assert_eq!(data, b"before");
        assert_eq!(code, 1000);
        let expected = CloseOutcome::Clean {
            code: 1000.into(),
            reason: String::new(),
            our_code: Some(1000.into()),
            by: ClosedBy::Peer,
        };
        assert_eq!(ours.handle().closed().await, expected);
    });
}

/// A ping may be longer than `max_recv_message_len`, which limits messages only.
#[tokio::test]
async fn ping_over_message_limit() {
    let (io, mut peer) = duplex(64 * 1024);
    peer.write_all(REQUEST.as_bytes()).await.unwrap();
    let frames = [
        Frame::ping([7; 125]),
        Frame::binary("1"),
        Frame::binary("22"),
    ];
    let frames = encode_frames(Role::Client, &frames);
    peer.write_all(&frames).await.unwrap();
    let config = Config::default().max_recv_message_len(1);
    let mut server = Acceptor::new().config(config).accept(io).await.unwrap();
    assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 1);
    drop(peer);
    let error = server.read(&mut [0; 8]).await.unwrap_err();
    assert!(matches!(
        WsErr::find_in(&error),
        Some(WsErr::MessageTooLarge { len: 2, max: 1 })
    ));
}
