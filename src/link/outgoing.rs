//! What is gathered to be sent.

use std::fmt;

use bytes::{Bytes, BytesMut};

/// What is gathered to be sent: bytes for the byte view, whole encoded items for the item view.
#[derive(Default)]
pub(super) struct Outgoing {
    pub(super) buffer: BytesMut,
    /// Bytes that others hold too, behind those in the buffer. They go out without being copied, unless
    /// something comes behind them before they have.
    shared: Bytes,
    /// The most that was in the buffer since it was empty.
    peak: usize,
    /// Grows whenever the transport takes something.
    pub(super) progress: u64,
    /// Messages handed to the transport wait for a flush.
    pub(super) unflushed: bool,
    /// Data among them, or still gathered: lost if the link ends now.
    pub(super) undelivered: bool,
    /// Data was lost, and no flush or close has said so yet.
    pub(super) lost: bool,
}

/// How much, never what: a view that is logged tells nothing of what its user sends.
impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("len", &self.len())
            .field("unflushed", &self.unflushed)
            .field("undelivered", &self.undelivered)
            .field("lost", &self.lost)
            .finish_non_exhaustive()
    }
}

impl Outgoing {
    pub(super) fn len(&self) -> usize {
        self.buffer.len() + self.shared.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lets `put` append. When it fails, nothing was.
    pub(super) fn append<E>(
        &mut self,
        put: impl FnOnce(&mut BytesMut) -> Result<(), E>,
    ) -> Result<(), E> {
        if !self.shared.is_empty() {
            // Less than a message, for whoever waited for room.
            let shared = std::mem::take(&mut self.shared);
            self.buffer.extend_from_slice(&shared);
        }
        let before = self.buffer.len();
        let result = put(&mut self.buffer);
        if result.is_err() {
            self.buffer.truncate(before);
        }
        self.undelivered |= self.buffer.len() > before;
        self.peak = self.peak.max(self.buffer.len());
        result
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        let put = |buffer: &mut BytesMut| {
            buffer.extend_from_slice(bytes);
            Ok::<_, std::convert::Infallible>(())
        };
        let Ok(()) = self.append(put);
    }

    /// Appends bytes that others hold too. Where they fit into one message of `max` bytes together with
    /// what is there, they are copied: a message more costs more than that.
    pub(super) fn share(&mut self, bytes: Bytes, max: usize) {
        let fits = self.len().saturating_add(bytes.len()) <= max;
        if !self.is_empty() && fits {
            return self.extend(&bytes);
        }
        // What was shared before goes into the buffer.
        self.extend(&[]);
        self.undelivered |= !bytes.is_empty();
        self.shared = bytes;
    }

    /// Takes the next message off the front.
    pub(super) fn cut(&mut self, max: usize) -> Bytes {
        if self.buffer.is_empty() {
            return self.shared.split_to(self.shared.len().min(max));
        }
        if self.buffer.len() > max {
            return self.buffer.split_to(max).freeze();
        }
        let last = self.buffer.split().freeze();
        // A buffer that one large item has grown is not kept for the small ones that follow.
        if self.peak > max.saturating_mul(2) {
            self.buffer = BytesMut::new();
        }
        self.peak = 0;
        last
    }
}
