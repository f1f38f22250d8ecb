//! The data that the ends send, which follows from a seed, and its framing.

use asynchronous_codec::{Decoder, Encoder};
use bytes::{Bytes, BytesMut};

use super::rng::{Rng, mix};
use crate::{CodecError, LengthDelimited, LengthPrefixed, Lines};

/// The data of one end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content {
    pub(super) seed: u64,
    /// The longest item.
    pub(super) max_item: usize,
    /// Bytes are ASCII, so that they may be sent as text.
    pub(super) is_ascii: bool,
}

impl Content {
    /// The byte at this position, in the stages that send bytes.
    pub(super) fn byte(self, at: usize) -> u8 {
        let word = mix(self.seed.wrapping_add(at as u64 / 8));
        let byte = word.to_le_bytes()[at % 8];
        if self.is_ascii { byte & 0x7F } else { byte }
    }

    pub(super) fn bytes(self, from: usize, len: usize) -> Vec<u8> {
        (from..from + len).map(|at| self.byte(at)).collect()
    }

    /// The item with this number.
    pub(super) fn item(self, number: usize) -> String {
        let mut rng = Rng::new(mix(self.seed ^ (number as u64 + 1)));
        let len = rng.size(0, self.max_item);
        (0..len)
            .map(|_| char::from(b'a' + u8::try_from(rng.below(26)).unwrap()))
            .collect()
    }
}

/// How items are framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length,
    Lines,
    /// Each item is a message.
    Messages,
}

/// One of several codecs for the same items.
#[derive(Debug)]
pub(super) enum AnyCodec {
    Length(LengthDelimited),
    Lines(Lines),
    Messages(LengthDelimited),
}

impl AnyCodec {
    pub(super) fn new(framing: Framing, max_item: usize) -> Self {
        match framing {
            Framing::Length => Self::Length(LengthDelimited::new(max_item)),
            Framing::Lines => Self::Lines(Lines::new(max_item)),
            Framing::Messages => Self::Messages(LengthDelimited::new(max_item)),
        }
    }

    /// How long the frame of this item is.
    pub(super) fn frame_len(&self, item: &str) -> usize {
        match self {
            Self::Length(_) => item.len() + 4,
            Self::Lines(_) => item.len() + 1,
            Self::Messages(_) => item.len(),
        }
    }
}

impl LengthPrefixed for AnyCodec {}

impl Encoder for AnyCodec {
    type Item<'a> = String;
    type Error = CodecError;

    fn encode(&mut self, item: String, into: &mut BytesMut) -> Result<(), CodecError> {
        match self {
            Self::Length(codec) | Self::Messages(codec) => codec.encode(Bytes::from(item), into),
            Self::Lines(codec) => codec.encode(item, into),
        }
    }
}

impl Decoder for AnyCodec {
    type Item = String;
    type Error = CodecError;

    fn decode(&mut self, from: &mut BytesMut) -> Result<Option<String>, CodecError> {
        match self {
            Self::Length(codec) | Self::Messages(codec) => {
                codec.decode(from).map(|item| item.as_ref().map(text))
            }
            Self::Lines(codec) => codec.decode(from),
        }
    }

    fn decode_eof(&mut self, from: &mut BytesMut) -> Result<Option<String>, CodecError> {
        match self {
            Self::Length(codec) | Self::Messages(codec) => {
                codec.decode_eof(from).map(|item| item.as_ref().map(text))
            }
            Self::Lines(codec) => codec.decode_eof(from),
        }
    }
}

/// Bytes that are not UTF-8 fail the comparison later.
fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
