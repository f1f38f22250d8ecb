//! What lies between the engine and the socket in the connections that we open.

mod ahead;
mod frames;

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::io::{AsyncRead, AsyncWrite};

pub(crate) use self::ahead::READ_BUFFER_SIZE;
use self::{ahead::Ahead, frames::Frames};
use crate::error::WsErr;

/// After how many bytes a poll has to end. The engine reads on within one call until it has a whole message,
/// and the views call it until they have what they were asked for, so that endless empty fragments, or
/// messages that never make an item, would hold the task for as long as they come.
const BYTES_PER_POLL: usize = 256 * 1024;

/// Counts what comes and goes, bounds how much of it one poll works on, and keeps a failure to write from the
/// engine.
///
/// The engine writes pongs while it reads, and gives up reading for good when that fails, though a peer
/// that has gone may have left much to read. So a write that fails is remembered, and those after it go
/// nowhere.
#[derive(Debug)]
pub(crate) struct Meter<S> {
    io: S,
    ahead: Ahead,
    frames: Frames,
    received: u64,
    sent: u64,
    budget: usize,
    /// Something was written since the last flush.
    is_unflushed: bool,
    write_error: Option<WsErr>,
}

impl<S> Meter<S> {
    /// `max_message_len`, in bytes, bounds what is read ahead of the engine too. `rest` came behind the handshake, and the
    /// engine has it already.
    pub(crate) fn new(io: S, max_message_len: usize, rest: &[u8]) -> Self {
        let mut frames = Frames::default();
        frames.feed(rest);
        Self {
            frames,
            io,
            ahead: Ahead::new(max_message_len),
            received: 0,
            sent: 0,
            budget: BYTES_PER_POLL,
            is_unflushed: false,
            write_error: None,
        }
    }

    /// Why writing failed, if it has.
    pub(crate) fn check_writing(&self) -> Result<(), WsErr> {
        self.write_error.clone().map_or(Ok(()), Err)
    }

    fn note<T>(&mut self, written: io::Result<T>, instead: T) -> T {
        written.unwrap_or_else(|error| {
            self.write_error = Some(WsErr::from_transport_io(error));
            instead
        })
    }

    /// What the engine has been given. What was read ahead of it is not in here: a message that has begun
    /// in there has not begun for whoever watches.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// How much payload has come of a data message that is not complete, if there is one.
    pub(crate) fn partial_message(&self) -> Option<u64> {
        self.frames.unfinished()
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Meter<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let Self {
            ahead, io, budget, ..
        } = &mut *self;
        if ahead.is_empty() && *budget == 0 {
            *budget = BYTES_PER_POLL;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let read = ready!(ahead.poll_read(io, cx, buf, budget))?;
        self.received += read as u64;
        self.frames.feed(buf.get(..read).unwrap_or_default());
        Poll::Ready(Ok(read))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Meter<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.write_error.is_some() {
            return Poll::Ready(Ok(buf.len()));
        }
        let written = match ready!(Pin::new(&mut self.io).poll_write(cx, buf)) {
            Ok(0) if !buf.is_empty() => Err(io::ErrorKind::WriteZero.into()),
            written => written,
        };
        let written = self.note(written, buf.len());
        self.is_unflushed = true;
        self.sent += written as u64;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.write_error.is_some() || !self.is_unflushed {
            return Poll::Ready(Ok(()));
        }
        let flushed = ready!(Pin::new(&mut self.io).poll_flush(cx));
        self.note(flushed, ());
        self.is_unflushed = false;
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_close(cx)
    }
}
