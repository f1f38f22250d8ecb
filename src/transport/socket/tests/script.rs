//! A byte stream that follows a script, and records what a socket does with it.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    task::{Context, Poll},
};

use bytes::BytesMut;

use crate::transport::io::Io;

/// What one read finds.
#[derive(Debug)]
pub(super) enum Read {
    Bytes(Vec<u8>),
    Pending,
    Error(io::ErrorKind),
}

#[derive(Debug)]
pub(super) struct Script {
    /// Without any left, reads are at the end of the stream.
    pub(super) reads: VecDeque<Read>,
    /// The room that each read offered.
    pub(super) rooms: Vec<usize>,
    /// Capacity of the buffer that each read filled.
    pub(super) capacities: Vec<usize>,
    pub(super) is_vectored: bool,
    /// How much more the stream takes.
    pub(super) window: usize,
    pub(super) write_error: Option<io::ErrorKind>,
    /// Writes take no byte.
    pub(super) takes_nothing: bool,
    /// What each write took, slice by slice.
    pub(super) writes: Vec<Vec<Vec<u8>>>,
    /// Where the slices of the last write were; they are compared only.
    pub(super) addresses: Vec<*const u8>,
    pub(super) flushes: usize,
    pub(super) is_closed: bool,
}

impl Script {
    pub(super) fn new(reads: impl IntoIterator<Item = Read>) -> Self {
        Self {
            reads: reads.into_iter().collect(),
            rooms: Vec::new(),
            capacities: Vec::new(),
            is_vectored: true,
            window: usize::MAX,
            write_error: None,
            takes_nothing: false,
            writes: Vec::new(),
            addresses: Vec::new(),
            flushes: 0,
            is_closed: false,
        }
    }

    /// All that was written.
    pub(super) fn written(&self) -> Vec<u8> {
        self.writes.concat().concat()
    }
}

impl Io for Script {
    fn poll_read_buf(
        &mut self,
        _: &mut Context<'_>,
        buf: &mut BytesMut,
        max: usize,
    ) -> Poll<io::Result<usize>> {
        assert!(max > 0, "a read of nothing looks like the end");
        match self.reads.pop_front() {
            None => Poll::Ready(Ok(0)),
            Some(Read::Pending) => Poll::Pending,
            Some(Read::Error(kind)) => Poll::Ready(Err(kind.into())),
            Some(Read::Bytes(mut bytes)) => {
                self.rooms.push(max);
                let rest = bytes.split_off(bytes.len().min(max));
                if !rest.is_empty() {
                    self.reads.push_front(Read::Bytes(rest));
                }
                let capacity = buf.capacity();
                buf.extend_from_slice(&bytes);
                assert_eq!(buf.capacity(), capacity, "the room was there");
                self.capacities.push(capacity);
                Poll::Ready(Ok(bytes.len()))
            }
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        &mut self,
        _: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        assert!(self.is_vectored || bufs.len() == 1, "one slice");
        if let Some(kind) = self.write_error {
            return Poll::Ready(Err(kind.into()));
        }
        if self.takes_nothing {
            return Poll::Ready(Ok(0));
        }
        if self.window == 0 {
            return Poll::Pending;
        }
        let mut write = Vec::new();
        self.addresses.clear();
        for buf in bufs {
            let len = buf.len().min(self.window);
            self.window -= len;
            write.push(buf[..len].to_vec());
            self.addresses.push(buf.as_ptr());
        }
        let len = write.iter().map(Vec::len).sum();
        self.writes.push(write);
        Poll::Ready(Ok(len))
    }

    fn is_write_vectored(&self) -> bool {
        self.is_vectored
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.flushes += 1;
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.is_closed = true;
        Poll::Ready(Ok(()))
    }
}
