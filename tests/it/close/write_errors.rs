//! A peer that has gone cannot be written to, but what it sent before is still there.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use futures::{AsyncReadExt, AsyncWriteExt};
use support::{Frame, Role, encode_frames, handshake::REQUEST};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use ws_framed::{CloseOutcome, ClosedBy, WsErr, WsStream, accept};

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

async fn deaf_peer_that_sent(frames: &[Frame]) -> WsStream {
    let (io, mut peer) = duplex(64 * 1024);
    let mut sent = REQUEST.as_bytes().to_vec();
    sent.extend(encode_frames(Role::Client, frames));
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
    let frames = [
        Frame::ping("?"),
        Frame::binary("one"),
        Frame::ping("?"),
        Frame::binary("two"),
        Frame::close(1000, ""),
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
    let mut server = deaf_peer_that_sent(&[Frame::binary("last words")]).await;
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
