//! The frame that most codecs share: a `u32`, big-endian, that counts the bytes of the payload
//! behind it.

#[cfg(any(
    feature = "bincode",
    feature = "cbor",
    feature = "json",
    feature = "postcard"
))]
mod serialized;

use asynchronous_codec::BytesMut;

use crate::CodecError;

#[cfg(any(
    feature = "bincode",
    feature = "cbor",
    feature = "json",
    feature = "postcard"
))]
pub(crate) use serialized::{FrameWriter, decode_with};

pub(crate) const PREFIX_LEN: usize = 4;

/// How much room is made for the rest of a frame of which only a part has arrived.
///
/// The prefix is only a claim: four bytes must not cost the whole limit on every connection that
/// sends them. What goes beyond grows with the bytes that arrive.
const MAX_RESERVE: usize = 64 * 1024;

/// The limit that a codec keeps: what the user gave, but not above what a prefix can say.
pub(crate) fn limit(max: usize) -> usize {
    max.min(usize::try_from(u32::MAX).unwrap_or(usize::MAX))
}

/// The prefix of a payload of `len` bytes.
#[inline]
pub(crate) fn prefix(len: usize, max: usize) -> Result<[u8; PREFIX_LEN], CodecError> {
    match u32::try_from(len) {
        Ok(prefix) if len <= max => Ok(prefix.to_be_bytes()),
        _ => Err(CodecError::FrameTooLarge { len, max }),
    }
}

/// The length of the payload of the frame that `src` starts with, once all of it is there.
///
/// Takes nothing from the buffer. While the frame is partial, makes room for more of it.
#[inline]
pub(crate) fn complete(src: &mut BytesMut, max: usize) -> Result<Option<usize>, CodecError> {
    let Some(prefix) = src.first_chunk::<PREFIX_LEN>() else {
        return Ok(None);
    };
    let len = usize::try_from(u32::from_be_bytes(*prefix)).unwrap_or(usize::MAX);
    if len > max {
        return Err(CodecError::FrameTooLarge { len, max });
    }
    match len.saturating_add(PREFIX_LEN).saturating_sub(src.len()) {
        0 => Ok(Some(len)),
        missing => {
            // What earlier frames have grown is used as soon as the rest of this one fits into it: while
            // little of it has arrived, there is little to move.
            if !src.try_reclaim(missing) {
                src.reserve(missing.min(MAX_RESERVE));
            }
            Ok(None)
        }
    }
}
