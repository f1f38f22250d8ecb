//! A scripted peer, for unit tests.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use futures::io::{AsyncRead, AsyncWrite};

/// How the input ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Eof,
    Reset,
    Stall,
}

/// A byte stream with prepared input, which keeps its output.
#[derive(Debug)]
pub(super) struct Peer {
    input: Vec<u8>,
    /// The lengths of the reads, the last of which repeats.
    reads: Vec<usize>,
    end: End,
    pub(super) output: Vec<u8>,
}

impl Peer {
    pub(super) fn new(input: impl Into<Vec<u8>>, reads: &[usize], end: End) -> Self {
        Self {
            input: input.into(),
            reads: reads.to_vec(),
            end,
            output: Vec::new(),
        }
    }

    /// Replaces `{a}` in the input by the value that accepts the key in the output.
    fn accept_key(&mut self) {
        let output = String::from_utf8_lossy(&self.output);
        let key = output
            .lines()
            .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        let Some(accept) = key.map(|key| super::key::accept_value(key.as_bytes())) else {
            return;
        };
        while let Some(place) = self.input.windows(3).position(|bytes| bytes == b"{a}") {
            self.input.splice(place..place + 3, accept.bytes());
        }
    }
}

impl AsyncRead for Peer {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.accept_key();
        if self.input.is_empty() {
            return match self.end {
                End::Eof => Poll::Ready(Ok(0)),
                End::Reset => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                End::Stall => Poll::Pending,
            };
        }
        let len = match self.reads[..] {
            [] => usize::MAX,
            [len] => len,
            _ => self.reads.remove(0),
        };
        let len = len.clamp(1, buf.len()).min(self.input.len());
        for (to, from) in buf.iter_mut().zip(self.input.drain(..len)) {
            *to = from;
        }
        Poll::Ready(Ok(len))
    }
}

impl AsyncWrite for Peer {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.output.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
