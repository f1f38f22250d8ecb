//! What is gathered to be sent.

use bytes::{Bytes, BytesMut};

/// What is gathered to be sent: bytes for the byte view, whole encoded items for the item view.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    pub(super) buffer: BytesMut,
    /// The most that was gathered since the buffer was empty.
    peak: usize,
    /// Grows whenever the transport takes something.
    pub(super) progress: u64,
    /// Messages handed to the transport wait for a flush.
    pub(super) unflushed: bool,
    /// Data among them, or still in the buffer: lost if the link ends now.
    pub(super) undelivered: bool,
    /// Data was lost, and no flush or close has said so yet.
    pub(super) lost: bool,
}

impl Outgoing {
    pub(super) fn grew(&mut self) {
        self.undelivered = true;
        self.peak = self.peak.max(self.buffer.len());
    }

    /// Takes the next message off the front.
    pub(super) fn cut(&mut self, max: usize) -> Bytes {
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
