//! The limit on messages is for messages only.

use futures::AsyncReadExt;
use tokio::io::{AsyncWriteExt, duplex};
use ws_framed::{Acceptor, Config, WsErr};

const REQUEST: &[u8] =
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A masked frame with the mask 0, which changes nothing.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let len = u8::try_from(payload.len()).unwrap();
    [&[0x80 | opcode, 0x80 | len, 0, 0, 0, 0], payload].concat()
}

#[tokio::test]
async fn a_ping_may_be_longer_than_a_message() {
    let (io, mut peer) = duplex(64 * 1024);
    let sent = [
        REQUEST.to_vec(),
        frame(0x9, &[7; 125]),
        frame(0x2, b"1"),
        frame(0x2, b"22"),
    ]
    .concat();
    peer.write_all(&sent).await.unwrap();
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
