//! What has arrived of a message that is not complete.

use bytes::BytesMut;

#[cfg(feature = "deflate")]
use super::deflate::Inflation;
use super::{
    frame::{MAX_HEADER_LEN, OpCode},
    mask,
    utf8::Text,
};

/// From this length on, what a frame still lacks is read straight into the message that it belongs
/// to. Below, one read into the input brings the next header too.
pub(super) const DIRECT_LEN: usize = 16 * 1024;

/// A frame whose header has been taken off the input, and whose payload is not complete.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) opcode: OpCode,
    pub(super) is_final: bool,
    pub(super) mask: Option<[u8; 4]>,
    pub(super) len: usize,
    /// Length of the message before this frame.
    pub(super) start: usize,
    /// How many bytes of the payload are unmasked, and, unless the frame is completed in the input,
    /// appended to the message.
    pub(super) done: usize,
}

/// The message that a data frame belongs to, unless the frame is completed in the input.
#[derive(Debug)]
pub(super) enum Partial {
    Binary(BytesMut),
    Text(Text),
    #[cfg(feature = "deflate")]
    Compressed(Box<Inflation>),
}

impl Partial {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Binary(buffer) => buffer.len(),
            Self::Text(text) => text.len(),
            #[cfg(feature = "deflate")]
            Self::Compressed(inflation) => inflation.received(),
        }
    }

    pub(super) fn is_compressed(&self) -> bool {
        !matches!(self, Self::Binary(_) | Self::Text(_))
    }
}

impl Frame {
    #[inline]
    pub(super) fn unmask(&mut self, part: &mut [u8]) {
        if let Some(key) = self.mask {
            mask::apply(part, key, self.done);
        }
        self.done += part.len();
    }

    pub(super) fn missing(&self) -> usize {
        self.len - self.done
    }

    /// Whether the rest is read straight into `message`: much of it, or what is left of much, if
    /// the next header can be read with it.
    pub(super) fn is_direct(&self, message: &BytesMut) -> bool {
        let missing = self.missing();
        let room = message.capacity() - message.len();
        let takes_header = self.len >= DIRECT_LEN && room >= missing.saturating_add(MAX_HEADER_LEN);
        !self.opcode.is_control() && (missing >= DIRECT_LEN || takes_header)
    }
}
