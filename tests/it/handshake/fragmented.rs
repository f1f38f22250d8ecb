//! Opening a connection, however the bytes of the handshake and of what follows are cut.

use support::{
    Frame, Role, encode_frames,
    handshake::{REQUEST, read_head, response_to},
    timeout,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use ws_framed::{Connector, accept};

/// A frame of a client that says `hi`.
fn hi() -> Vec<u8> {
    encode_frames(Role::Client, &[Frame::binary("hi")])
}

#[tokio::test]
async fn a_request_may_come_byte_by_byte() {
    timeout(async {
        let (server, mut client) = duplex(4096);
        let accepting = tokio::spawn(accept(server));
        for byte in REQUEST.bytes() {
            client.write_u8(byte).await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut server = accepting.await.unwrap().unwrap();
        read_head(&mut client).await;
        client.write_all(&hi()).await.unwrap();
        let mut got = [0; 2];
        server.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"hi");
    })
    .await;
}

/// A client that is sure of its answer sends its first messages right behind the request.
#[tokio::test]
async fn a_first_message_may_come_together_with_the_request() {
    timeout(async {
        let hi = hi();
        let mut everything = REQUEST.as_bytes().to_vec();
        everything.extend(hi.repeat(1000));
        let half = hi.len() / 2;
        // Also when the request ends in the middle of a message.
        for first in [
            everything.len(),
            REQUEST.len() + half,
            REQUEST.len() + hi.len(),
        ] {
            let (server, mut client) = duplex(64 * 1024);
            client.write_all(&everything[..first]).await.unwrap();
            let mut server = accept(server).await.unwrap();
            client.write_all(&everything[first..]).await.unwrap();
            let mut got = [0; 2000];
            server.read_exact(&mut got).await.unwrap();
            assert_eq!(got[..], b"hi".repeat(1000));
        }
    })
    .await;
}

/// A server's first message may come together with its answer.
#[tokio::test]
async fn a_first_message_may_come_together_with_the_answer() {
    timeout(async {
        let (mut server, client) = duplex(4096);
        let opening = tokio::spawn(async move {
            Connector::new()
                .connect_over(client, "ws://localhost/")
                .await
        });
        let head = read_head(&mut server).await;
        let mut answer = response_to(head.as_bytes());
        answer.extend(b"\x82\x05early");
        server.write_all(&answer).await.unwrap();
        let mut client = opening.await.unwrap().unwrap();
        let mut got = [0; 5];
        client.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"early");
    })
    .await;
}
