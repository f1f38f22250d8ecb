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

/// A codec whose frames are a `u32`, big-endian, that counts the bytes of the payload, and then the
/// payload.
///
/// Where something else tells how long a payload is, as a WebSocket message does, it can travel
/// without the prefix. All codecs of this crate are like this but [`Lines`](crate::Lines).
///
/// To make a codec of your own fit, say so; what it encodes and decodes stays as it is:
///
/// ```
/// use asynchronous_codec::{BytesMut, Encoder};
/// use ws_framed_codecs::{CodecError, LengthPrefixed};
///
/// /// Texts of at most 255 bytes.
/// struct Names;
///
/// impl Encoder for Names {
///     type Item<'a> = String;
///     type Error = CodecError;
///
///     fn encode(&mut self, item: String, dst: &mut BytesMut) -> Result<(), CodecError> {
///         let len = item.len();
///         let short = u8::try_from(len).map_err(|_| CodecError::ItemTooLarge { len, max: 255 })?;
///         dst.extend_from_slice(&u32::from(short).to_be_bytes());
///         dst.extend_from_slice(item.as_bytes());
///         Ok(())
///     }
/// }
///
/// impl LengthPrefixed for Names {
///     fn is_text(&self) -> bool {
///         true
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "the frames of `{Self}` are not known to be a length and a payload",
    note = "implement `LengthPrefixed` for it if they are a `u32`, big-endian, and as many bytes as it says"
)]
pub trait LengthPrefixed {
    /// Whether payloads are text: always UTF-8, and to be marked as text where there is such a
    /// mark.
    fn is_text(&self) -> bool {
        false
    }
}

/// How much room is made for the rest of a frame of which only a part has arrived. Beyond that,
/// three times as much as has arrived.
///
/// The prefix is only a claim: four bytes must not cost the whole limit on every connection that
/// sends them. With a factor of four, growing copies at most four thirds of
/// the frame.
const MIN_RESERVE: usize = 64 * 1024;

/// The limit that a codec keeps: what the user gave, but not above what a prefix can say.
pub(crate) fn clamp_limit(max: usize) -> usize {
    max.min(usize::try_from(u32::MAX).unwrap_or(usize::MAX))
}

/// The prefix of a payload of `len` bytes.
#[inline]
pub(crate) fn encode_prefix(len: usize, max: usize) -> Result<[u8; PREFIX_LEN], CodecError> {
    match u32::try_from(len) {
        Ok(prefix) if len <= max => Ok(prefix.to_be_bytes()),
        _ => Err(CodecError::ItemTooLarge { len, max }),
    }
}

/// The length of the payload of the frame that `src` starts with, once all of it is there.
///
/// Takes nothing from the buffer. While the frame is partial, makes room for more of it.
#[inline]
pub(crate) fn frame_len(src: &mut BytesMut, max: usize) -> Result<Option<usize>, CodecError> {
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
            // What earlier frames have grown is used as soon as the rest of this one fits into it:
            // while little of it has arrived, there is little to move.
            let spare = src.capacity() - src.len();
            if !src.try_reclaim(missing) && spare < missing.min(MIN_RESERVE) {
                let arrived = src.len().saturating_mul(3);
                src.reserve(missing.min(arrived.max(MIN_RESERVE)));
            }
            Ok(None)
        }
    }
}
