//! The socket of one end.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use futures::io::{AsyncRead, AsyncWrite};

use super::Network;

/// The socket of one end.
#[derive(Debug)]
pub(in crate::simulation) struct Pipe {
    pub(super) end: usize,
    pub(super) network: Network,
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut wires = self.network.wires();
        wires.pair[1 - self.end].reader.register(cx.waker());
        let read = wires.read(self.end, buf);
        wires
            .agenda
            .trace(|| format!("  socket {} reads: {read:?}", self.end));
        read
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut wires = self.network.wires();
        wires.pair[self.end].writer.register(cx.waker());
        let written = wires.write(self.end, buf);
        wires.agenda.trace(|| {
            let len = buf.len();
            format!("  socket {} writes of {len}: {written:?}", self.end)
        });
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut wires = self.network.wires();
        wires.pair[self.end].writer.register(cx.waker());
        let flushed = wires.flush(self.end);
        wires
            .agenda
            .trace(|| format!("  socket {} flushes: {flushed:?}", self.end));
        flushed
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut wires = self.network.wires();
        wires.pair[self.end].writer.register(cx.waker());
        let closed = wires.close(self.end);
        wires
            .agenda
            .trace(|| format!("  socket {} closes: {closed:?}", self.end));
        closed
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // A simulation that has failed is taken down in any order.
        if let Ok(mut wires) = self.network.0.lock() {
            wires
                .agenda
                .trace(|| format!("  socket {} is dropped", self.end));
            wires.leave(self.end);
        }
    }
}
