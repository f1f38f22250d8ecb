//! The newtypes of byte streams.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::BytesMut;
use futures::{
    io::{AsyncRead, AsyncWrite},
    task::noop_waker,
};

use super::{FuturesIo, Io, MAX_INITIALISED};

/// Each read fills the whole buffer with its length, or gives `result`.
struct Fills(Option<fn() -> Poll<io::Result<usize>>>);

impl AsyncRead for Fills {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        assert!(buf.iter().all(|byte| *byte == 0), "initialised");
        buf.fill(1);
        self.0.map_or(Poll::Ready(Ok(buf.len())), |result| result())
    }
}

impl AsyncWrite for Fills {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

fn read(io: Fills, max: usize) -> (Poll<io::Result<usize>>, BytesMut) {
    let waker = noop_waker();
    let mut buf = BytesMut::from(&b"before"[..]);
    let read = FuturesIo::new(io).poll_read_buf(&mut Context::from_waker(&waker), &mut buf, max);
    (read, buf)
}

/// What is read is appended: as much as there is room for, and a bounded part of a long room.
#[test]
fn read_appends() {
    for (max, expected) in [(1, 1), (600, 600), (1 << 24, MAX_INITIALISED)] {
        let (read, buf) = read(Fills(None), max);
        assert!(matches!(read, Poll::Ready(Ok(len)) if len == expected));
        assert!(buf.starts_with(b"before"));
        assert!(buf[6..].iter().all(|byte| *byte == 1));
        assert_eq!(buf.len(), 6 + expected);
    }
}

/// A read that has to wait, fails or finds the end appends nothing.
#[test]
fn read_without_data() {
    let results: [fn() -> Poll<io::Result<usize>>; 3] = [
        || Poll::Pending,
        || Poll::Ready(Ok(0)),
        || Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
    ];
    for result in results {
        assert_eq!(read(Fills(Some(result)), 100).1, b"before"[..]);
    }
}
