//! Byte streams that do what a real socket does too seldom for a test: move one byte at a time,
//! wait in each flush, and fail at a given place.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::io::{AsyncRead, AsyncWrite};

/// Moves one byte at a time, and is pending once before each.
#[derive(Debug)]
pub struct OneByteIo<S> {
    io: S,
    reads: Turn,
    writes: Turn,
    flushes: Turn,
    closes: Turn,
}

impl<S> OneByteIo<S> {
    pub fn new(io: S) -> Self {
        Self {
            io,
            reads: Turn::default(),
            writes: Turn::default(),
            flushes: Turn::default(),
            closes: Turn::default(),
        }
    }
}

#[derive(Debug, Default)]
struct Turn {
    has_waited: bool,
}

impl Turn {
    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        operation: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        if !self.has_waited {
            self.has_waited = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let output = operation(cx);
        self.has_waited = output.is_pending();
        output
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for OneByteIo<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let Self { io, reads, .. } = self.get_mut();
        let len = buf.len().min(1);
        reads.poll(cx, |cx| Pin::new(io).poll_read(cx, &mut buf[..len]))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for OneByteIo<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Self {
            io,
            writes,
            flushes,
            ..
        } = self.get_mut();
        *flushes = Turn::default();
        let len = buf.len().min(1);
        writes.poll(cx, |cx| Pin::new(io).poll_write(cx, &buf[..len]))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { io, flushes, .. } = self.get_mut();
        ready!(flushes.poll(cx, |cx| Pin::new(io).poll_flush(cx)))?;
        // There is nothing to wait for until more is written.
        flushes.has_waited = true;
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { io, closes, .. } = self.get_mut();
        closes.poll(cx, |cx| Pin::new(io).poll_close(cx))
    }
}

/// Is pending once in each flush, whether or not there is anything to flush.
#[derive(Debug)]
pub struct SlowFlush<S> {
    io: S,
    flushes: Turn,
}

impl<S> SlowFlush<S> {
    pub fn new(io: S) -> Self {
        let flushes = Turn::default();
        Self { io, flushes }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for SlowFlush<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for SlowFlush<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { io, flushes } = self.get_mut();
        flushes.poll(cx, |cx| Pin::new(io).poll_flush(cx))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_close(cx)
    }
}

/// Fails with an error of this kind in the place of the end of its input.
#[derive(Debug)]
pub struct FailAtEnd<S> {
    pub io: S,
    pub kind: io::ErrorKind,
}

impl<S: AsyncRead + Unpin> AsyncRead for FailAtEnd<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match ready!(Pin::new(&mut self.io).poll_read(cx, buf)) {
            Ok(0) => Poll::Ready(Err(self.kind.into())),
            read => Poll::Ready(read),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for FailAtEnd<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_close(cx)
    }
}
