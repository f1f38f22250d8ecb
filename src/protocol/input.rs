//! Received bytes that the decoder has not taken.

use bytes::BytesMut;

/// The longest frame that is completed in the input: what a peer of this library sends by default.
pub(crate) const IN_PLACE_LEN: usize = 64 * 1024;

/// Where messages are short, reads are up to this long all the same.
const MIN_STREAMING_LEN: usize = 8 * 1024;

/// The largest input that is kept while nothing arrives.
const IDLE_CAPACITY: usize = 512;

/// The buffer that the socket is read into, unless the payload of a long frame is read straight
/// into its message.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) bytes: BytesMut,
    /// Capacity of the allocation behind the bytes, which `BytesMut` does not tell.
    capacity: usize,
    /// The longest read, unless a frame that is completed here is longer.
    streaming_len: usize,
}

impl Input {
    /// `bytes` is what has already arrived.
    pub(super) fn new(bytes: BytesMut, max_message_len: usize) -> Self {
        Self {
            capacity: bytes.capacity(),
            bytes,
            streaming_len: max_message_len.clamp(MIN_STREAMING_LEN, IN_PLACE_LEN),
        }
    }

    #[inline]
    pub(super) fn streaming_len(&self) -> usize {
        self.streaming_len
    }

    /// Capacity for further bytes.
    #[inline]
    pub(super) fn spare(&self) -> usize {
        self.bytes.capacity() - self.bytes.len()
    }

    #[inline]
    pub(super) fn reserve(&mut self, additional: usize) {
        if self.spare() < additional && !self.bytes.try_reclaim(additional) {
            self.replace(additional);
        }
    }

    #[cold]
    fn replace(&mut self, additional: usize) {
        // While data streams in, a partial frame can always be moved to the front of the input
        // without overlap, so `BytesMut` reuses the allocation.
        let needed = self.bytes.len() + additional;
        let capacity = if needed < self.streaming_len {
            needed
        } else {
            needed.max(2 * (self.streaming_len + 1024))
        };
        let mut bytes = BytesMut::with_capacity(capacity);
        bytes.extend_from_slice(&self.bytes);
        self.bytes = bytes;
        self.capacity = capacity;
    }

    /// Gives a large buffer back.
    #[inline]
    pub(super) fn release(&mut self) {
        if self.capacity > IDLE_CAPACITY && self.bytes.len() <= IDLE_CAPACITY {
            self.capacity = self.bytes.len();
            self.bytes = BytesMut::from(&*self.bytes);
        }
    }

    /// Drops the bytes and the buffer.
    pub(super) fn discard(&mut self) {
        self.bytes = BytesMut::new();
        self.capacity = 0;
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.capacity.max(self.bytes.capacity())
    }
}
