//! A peer that has gone cannot be written to, but what it sent before is still there.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use futures::{AsyncReadExt, AsyncWriteExt};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use ws_framed::{CloseOutcome, ClosedBy, WsErr, accept};

/// Reads go through; writes fail once the handshake has been answered.
struct Deaf {
    io: DuplexStream,
    answered: bool,
}

impl AsyncRead for Deaf {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Deaf {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.answered {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        self.answered = true;
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

const REQUEST: &[u8] =
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A masked frame with the mask 0, which changes nothing.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let len = u8::try_from(payload.len()).unwrap();
    [&[0x80 | opcode, 0x80 | len, 0, 0, 0, 0], payload].concat()
}

async fn deaf_peer_that_sent(frames: &[Vec<u8>]) -> ws_framed::WsStream {
    let (io, mut peer) = duplex(64 * 1024);
    let sent = [&[REQUEST.to_vec()], frames].concat().concat();
    tokio::io::AsyncWriteExt::write_all(&mut peer, &sent)
        .await
        .unwrap();
    // The answer to the handshake fits into the pipe, so the peer may go before it is written.
    let server = accept(Deaf {
        io,
        answered: false,
    })
    .await
    .unwrap();
    drop(peer);
    server
}

#[tokio::test]
async fn everything_before_a_close_is_read_though_no_pong_can_be_written() {
    let ping = || frame(0x9, b"?");
    let frames = [
        ping(),
        frame(0x2, b"one"),
        ping(),
        frame(0x2, b"two"),
        frame(0x8, b"\x03\xe8"),
    ];
    let mut server = deaf_peer_that_sent(&frames).await;
    let mut read = Vec::new();
    server.read_to_end(&mut read).await.unwrap();
    assert_eq!(read, b"onetwo");
    let outcome = server.handle().closed().await;
    assert!(
        matches!(
            outcome,
            CloseOutcome::Clean {
                by: ClosedBy::Peer,
                ..
            }
        ),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_write_that_fails_says_why_and_reading_goes_on() {
    let mut server = deaf_peer_that_sent(&[frame(0x2, b"last words")]).await;
    server.write_all(b"hello?").await.unwrap();
    let error = server.flush().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert!(matches!(WsErr::find_in(&error), Some(WsErr::Io(_))));

    let mut read = Vec::new();
    let error = server.read_to_end(&mut read).await.unwrap_err();
    assert_eq!(read, b"last words");
    assert_eq!(
        error.kind(),
        io::ErrorKind::ConnectionReset,
        "which is why it ended"
    );
    assert_eq!(server.handle().closed().await, CloseOutcome::Lost);

    let error = server.write_all(b"anybody?").await.unwrap_err();
    assert_eq!(
        error.kind(),
        io::ErrorKind::BrokenPipe,
        "the reason was told"
    );
    server.flush().await.unwrap();
}
