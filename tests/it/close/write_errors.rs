//! Failed writes: what the peer sent before is still read.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use futures::{AsyncReadExt, AsyncWriteExt};
use support::{Frame, Role, encode_frames, handshake::REQUEST};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use ws_framed::{CloseOutcome, ClosedBy, LossCause, WsErr, WsStream, accept};

/// A stream whose writes fail after the first one, the response of the handshake.
struct FailWrites {
    io: DuplexStream,
    has_written: bool,
}

impl AsyncRead for FailWrites {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for FailWrites {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.has_written {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        self.has_written = true;
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A server whose writes fail, after a peer sent these frames and disconnected.
async fn server_that_received(frames: &[Frame]) -> WsStream {
    let (io, mut peer) = duplex(64 * 1024);
    let mut sent = REQUEST.as_bytes().to_vec();
    sent.extend(encode_frames(Role::Client, frames));
    tokio::io::AsyncWriteExt::write_all(&mut peer, &sent)
        .await
        .unwrap();
    // The pipe holds the response of the handshake, which the peer does not read.
    let server = accept(FailWrites {
        io,
        has_written: false,
    })
    .await
    .unwrap();
    drop(peer);
    server
}

/// Data before the peer's close frame is read although no pong can be written. The end is clean.
#[tokio::test]
async fn failed_pong_loses_no_data() {
    let frames = [
        Frame::ping("?"),
        Frame::binary("one"),
        Frame::ping("?"),
        Frame::binary("two"),
        Frame::close(1000, ""),
    ];
    let mut server = server_that_received(&frames).await;
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

/// A flush reports why a write failed. Reads return the data before, and then the same error once.
#[tokio::test]
async fn failed_write_keeps_reading() {
    let mut server = server_that_received(&[Frame::binary("last words")]).await;
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
        "the cause of the end"
    );
    assert_eq!(
        server.handle().closed().await,
        CloseOutcome::Lost(LossCause::Io(io::ErrorKind::ConnectionReset))
    );

    let error = server.write_all(b"again").await.unwrap_err();
    assert_eq!(
        error.kind(),
        io::ErrorKind::BrokenPipe,
        "the cause was reported"
    );
    server.flush().await.unwrap();
}
