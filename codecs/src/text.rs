//! Frames of text.

use std::{borrow::Cow, str};

use asynchronous_codec::{BytesMut, Decoder, Encoder};

use crate::{CodecError, EncodeRef, LengthDelimited, WireFormat, length_prefix::LengthPrefixed};

/// Texts, each behind its length: one item is one string, whatever is in it.
///
/// For peers that exchange text messages which are no JSON, or several values in one; and for text
/// that may hold line feeds, which [`Lines`](crate::Lines) cannot.
///
/// **Wire:** the length of the payload in bytes as a `u32`, big-endian, then the payload: the text
/// in UTF-8. An empty one is a frame like any other. Where each item is a WebSocket message of its
/// own, it is a text message without the length, as a browser's `socket.send("…")` sends it.
///
/// **Items:** [`String`] both ways.
///
/// **Errors**, on sending: [`CodecError::ItemTooLarge`]. On receiving:
/// [`CodecError::FrameTooLarge`], as soon as the prefix is there, which leaves the buffer as it is;
/// [`CodecError::Malformed`] for a payload that is not UTF-8, which takes exactly that frame.
///
/// **Hostile bytes:** a prefix makes the codec reserve at most 64 KiB ahead of the bytes that have
/// arrived, or three times as much as these.
///
/// ```
/// use asynchronous_codec::{BytesMut, Decoder, Encoder};
/// use ws_framed_codecs::Text;
///
/// # fn main() -> Result<(), ws_framed_codecs::CodecError> {
/// let mut codec = Text::new(1024);
/// let mut buffer = BytesMut::new();
/// codec.encode("two\nlines".to_owned(), &mut buffer)?;
/// assert_eq!(&buffer[..], b"\0\0\0\x09two\nlines");
/// assert_eq!(codec.decode(&mut buffer)?.as_deref(), Some("two\nlines"));
/// # Ok(())
/// # }
/// ```
///
/// The limit has no default:
///
/// ```compile_fail,E0277
/// fn default<T: Default>() -> T { T::default() }
/// default::<ws_framed_codecs::Text>();
/// ```
#[derive(Debug, Clone)]
pub struct Text {
    frames: LengthDelimited,
}

impl Text {
    /// A codec for texts of at most `max_frame_len` bytes, prefix not counted, in both directions.
    /// Above `u32::MAX` it means `u32::MAX`.
    #[must_use]
    pub fn new(max_frame_len: usize) -> Self {
        Self {
            frames: LengthDelimited::new(max_frame_len),
        }
    }

    /// The longest text in bytes, prefix not counted.
    #[must_use]
    pub fn max_frame_len(&self) -> usize {
        self.frames.max_frame_len()
    }
}

impl LengthPrefixed for Text {
    /// Returns `true`: a payload is a text.
    fn is_text(&self) -> bool {
        true
    }
}

impl WireFormat for Text {
    fn name(&self) -> Cow<'static, str> {
        "text".into()
    }

    fn max_frame_len(&self) -> usize {
        self.frames.max_frame_len()
    }
}

impl Encoder for Text {
    type Item<'a> = String;
    type Error = CodecError;

    fn encode(&mut self, item: String, dst: &mut BytesMut) -> Result<(), CodecError> {
        self.encode_ref(&item, dst)
    }
}

impl EncodeRef for Text {
    type Ref = str;

    fn encode_ref(&mut self, item: &str, dst: &mut BytesMut) -> Result<(), CodecError> {
        self.frames.encode_ref(item.as_bytes(), dst)
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<String>, CodecError> {
        let Some(frame) = self.frames.decode(src)? else {
            return Ok(None);
        };
        str::from_utf8(&frame)
            .map(|text| Some(text.to_owned()))
            .map_err(|error| CodecError::Malformed(error.into()))
    }
}
