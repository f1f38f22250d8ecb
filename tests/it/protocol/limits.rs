//! The limit on messages is for messages only.

use futures::AsyncReadExt;
use support::{Frame, Role, encode_frames, handshake::REQUEST};
use tokio::io::{AsyncWriteExt, duplex};
use ws_framed::{Acceptor, Config, WsErr};

#[tokio::test]
async fn a_ping_may_be_longer_than_a_message() {
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
