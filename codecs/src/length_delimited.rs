//! Frames of plain bytes.

use std::borrow::Cow;

use asynchronous_codec::{Bytes, BytesMut, Decoder, Encoder};
use bytes::Buf;

use crate::{
    CodecError, EncodeRef, WireFormat,
    length_prefix::{LengthPrefixed, PREFIX_LEN, clamp_limit, encode_prefix, frame_len},
};

/// Byte strings, each behind its length.
///
/// **Wire:** the length of the payload as a `u32`, big-endian, then the payload. An empty one is a
/// frame like any other.
///
/// **Items:** [`Bytes`] both ways. A received item shares the memory of the read buffer and is not
/// copied. An item that is kept for long keeps that memory alive; copy it to release the buffer.
///
/// **Errors:** on sending, [`CodecError::ItemTooLarge`]; on receiving,
/// [`CodecError::FrameTooLarge`]. It is returned as soon as the prefix has arrived, and the buffer
/// is unchanged.
///
/// **Hostile bytes:** a prefix makes the codec reserve at most 64 KiB ahead of the bytes that have
/// arrived, or three times as much as these.
///
/// ```
/// use asynchronous_codec::{Bytes, BytesMut, Decoder, Encoder};
/// use ws_framed_codecs::LengthDelimited;
///
/// # fn main() -> Result<(), ws_framed_codecs::CodecError> {
/// let mut codec = LengthDelimited::new(1024);
/// let mut buffer = BytesMut::new();
/// codec.encode(Bytes::from_static(b"abc"), &mut buffer)?;
/// assert_eq!(&buffer[..], b"\0\0\0\x03abc");
/// assert_eq!(codec.decode(&mut buffer)?, Some(Bytes::from_static(b"abc")));
/// # Ok(())
/// # }
/// ```
///
/// The limit has no default:
///
/// ```compile_fail,E0277
/// fn default<T: Default>() -> T { T::default() }
/// default::<ws_framed_codecs::LengthDelimited>();
/// ```
#[derive(Debug, Clone)]
pub struct LengthDelimited {
    max_frame_len: usize,
}

impl LengthDelimited {
    /// A codec for payloads of at most `max_frame_len` bytes, prefix not counted, in both
    /// directions. Above `u32::MAX` it means `u32::MAX`.
    #[must_use]
    pub fn new(max_frame_len: usize) -> Self {
        Self {
            max_frame_len: clamp_limit(max_frame_len),
        }
    }

    /// The largest payload in bytes, prefix not counted.
    #[must_use]
    pub fn max_frame_len(&self) -> usize {
        self.max_frame_len
    }
}

impl LengthPrefixed for LengthDelimited {}

impl WireFormat for LengthDelimited {
    fn name(&self) -> Cow<'static, str> {
        "length-delimited".into()
    }

    fn max_frame_len(&self) -> usize {
        self.max_frame_len
    }
}

impl Encoder for LengthDelimited {
    type Item<'a> = Bytes;
    type Error = CodecError;

    fn encode(&mut self, item: Bytes, dst: &mut BytesMut) -> Result<(), CodecError> {
        self.encode_ref(&item, dst)
    }
}

impl EncodeRef for LengthDelimited {
    type Ref = [u8];

    fn encode_ref(&mut self, item: &[u8], dst: &mut BytesMut) -> Result<(), CodecError> {
        let prefix = encode_prefix(item.len(), self.max_frame_len)?;
        dst.reserve(PREFIX_LEN + item.len());
        dst.extend_from_slice(&prefix);
        dst.extend_from_slice(item);
        Ok(())
    }
}

impl Decoder for LengthDelimited {
    type Item = Bytes;
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Bytes>, CodecError> {
        let Some(len) = frame_len(src, self.max_frame_len)? else {
            return Ok(None);
        };
        src.advance(PREFIX_LEN);
        Ok(Some(src.split_to(len).freeze()))
    }
}
