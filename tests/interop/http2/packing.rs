//! How many DATA frames messages take. The guide has these figures.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::{SinkExt, TryStreamExt};
use support::timeout;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf, duplex},
    sync::mpsc::unbounded_channel,
};
use ws_framed::{Acceptor, Config, Connector, LengthDelimited, WsFramed, bytes, hyper::Http2};

use super::{LIMIT, over, serve_hyper};

/// A stream that records what is written.
struct Tap<S> {
    io: S,
    written: Arc<Mutex<Vec<u8>>>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        if let Poll::Ready(Ok(len)) = &written {
            self.written.lock().unwrap().extend_from_slice(&buf[..*len]);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// The lengths of the DATA frames (RFC 9113 section 4.1) that a client wrote.
fn data_frames(written: &[u8]) -> Vec<usize> {
    let mut rest = written
        .strip_prefix(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .unwrap();
    let mut lens = Vec::new();
    while let [a, b, c, kind, _, _, _, _, _, behind @ ..] = rest {
        let len = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        if *kind == 0 {
            lens.push(len);
        }
        rest = &behind[len..];
    }
    lens
}

/// The lengths of the DATA frames of items of 100 bytes, which are flushed each, or together.
async fn frames_of(items: usize, is_burst: bool) -> Vec<usize> {
    let (ours, theirs) = duplex(1 << 20);
    let (sender, mut results) = unbounded_channel();
    tokio::spawn(serve_hyper(theirs, Acceptor::new(), sender));
    let written = Arc::default();
    let tap = Tap {
        io: ours,
        written: Arc::clone(&written),
    };
    let (sender, mut connection) = over(Box::new(tap)).await;
    let http2 = Http2::handshake(sender, &mut connection, LIMIT)
        .await
        .unwrap();
    tokio::spawn(connection);
    let connector = Connector::new().config(Config::default().keepalive(None));
    let client = http2.connect(&connector, "ws://localhost/");
    let codec = || LengthDelimited::new(1000);
    let mut client: WsFramed<Bytes, _> = client.await.unwrap().framed(codec());
    let server = results.recv().await.unwrap().unwrap();
    let mut server: WsFramed<Bytes, _> = server.framed(codec());
    for _ in 0..items {
        let item = Bytes::from_static(&[7; 100]);
        if is_burst {
            client.feed(item).await.unwrap();
        } else {
            client.send(item).await.unwrap();
            server.try_next().await.unwrap().unwrap();
        }
    }
    client.flush().await.unwrap();
    for _ in 0..if is_burst { items } else { 0 } {
        server.try_next().await.unwrap().unwrap();
    }
    let written = written.lock().unwrap();
    data_frames(&written)
}

/// Items that are flushed together are packed into messages of 64 KiB, each of which is cut into
/// DATA frames of 16 KiB.
#[tokio::test]
async fn bursts_fill_frames() {
    timeout(async {
        // A header of WebSocket with a masking key, and the length of an item.
        assert_eq!(frames_of(1000, false).await, [6 + 4 + 100; 1000]);
        let lens = frames_of(1000, true).await;
        // Two messages, of which the first is longer than a multiple of 16 KiB.
        assert_eq!(
            lens.iter().sum::<usize>(),
            2 * 14 + 1000 * 104 - 6,
            "{lens:?}"
        );
        assert!(lens.len() <= 8, "{lens:?}");
    })
    .await;
}
