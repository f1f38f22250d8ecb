//! Lines of text.

use std::{borrow::Cow, str};

use asynchronous_codec::{BytesMut, Decoder, Encoder};
use bytes::Buf;
use memchr::memchr;

use crate::{CodecError, EncodeRef, WireFormat, length_prefix::clamp_limit};

/// Lines of UTF-8 text.
///
/// **Wire:** the text, then `\n`. On reading, `\r\n` ends a line as well. Text after the last `\n`
/// is an item, if it is not empty, when the stream ends cleanly (`decode_eof`). As in
/// [`str::lines`], a `\r` without `\n` behind it is text.
///
/// **Items:** [`String`] both ways, without the end of the line.
///
/// **Errors**, on sending: [`CodecError::ItemTooLarge`]; [`CodecError::Unencodable`] for an item
/// that holds `\n` or ends in `\r`, since it would not arrive as it was sent. On receiving:
/// [`CodecError::FrameTooLarge`], as soon as it is certain, which leaves the buffer as it is;
/// [`CodecError::Malformed`] for a line that is not UTF-8, which takes exactly that line and its
/// end.
///
/// **Hostile bytes:** no byte is searched twice for the end of a line, even if bytes arrive one by
/// one.
///
/// The codec stores how far it has searched the buffer, so no other code may remove bytes from the
/// buffer. To decode lines again after another codec, use a clone, which starts without a position.
///
/// ```
/// use asynchronous_codec::{BytesMut, Decoder};
/// use ws_framed_codecs::Lines;
///
/// # fn main() -> Result<(), ws_framed_codecs::CodecError> {
/// let mut codec = Lines::new(80);
/// let mut buffer = BytesMut::from("one\r\ntwo\nthr");
/// assert_eq!(codec.decode(&mut buffer)?.as_deref(), Some("one"));
/// assert_eq!(codec.decode(&mut buffer)?.as_deref(), Some("two"));
/// assert_eq!(codec.decode(&mut buffer)?, None);
/// assert_eq!(codec.decode_eof(&mut buffer)?.as_deref(), Some("thr"));
/// # Ok(())
/// # }
/// ```
///
/// The limit has no default:
///
/// ```compile_fail,E0277
/// fn default<T: Default>() -> T { T::default() }
/// default::<ws_framed_codecs::Lines>();
/// ```
#[derive(Debug)]
pub struct Lines {
    max_line_len: usize,
    /// This many bytes at the start of the buffer hold no `\n`.
    searched: usize,
}

impl Lines {
    /// A codec for lines of at most `max_line_len` bytes, their end not counted, in both
    /// directions. Above `u32::MAX` it means `u32::MAX`.
    #[must_use]
    pub fn new(max_line_len: usize) -> Self {
        Self {
            max_line_len: clamp_limit(max_line_len),
            searched: 0,
        }
    }

    /// The longest line in bytes, its end not counted.
    #[must_use]
    pub fn max_line_len(&self) -> usize {
        self.max_line_len
    }

    /// Where the first `\n` is.
    fn find_end(&mut self, src: &BytesMut) -> Option<usize> {
        // A buffer that got shorter is not the one that was searched; that it never fails is all
        // this does.
        self.searched = self.searched.min(src.len());
        let found = memchr(b'\n', src.get(self.searched..)?).map(|at| self.searched + at);
        self.searched = found.unwrap_or(src.len());
        found
    }

    /// Takes a line from the buffer: `len` bytes of text in `whole` bytes with its end.
    fn take(&mut self, src: &mut BytesMut, len: usize, whole: usize) -> Result<String, CodecError> {
        self.check(len)?;
        let line = str::from_utf8(src.get(..len).unwrap_or_default())
            .map(str::to_owned)
            .map_err(|error| CodecError::Malformed(error.into()));
        src.advance(whole);
        self.searched = 0;
        line
    }

    fn check(&self, len: usize) -> Result<(), CodecError> {
        let max = self.max_line_len;
        if len > max {
            Err(CodecError::FrameTooLarge { len, max })
        } else {
            Ok(())
        }
    }
}

/// The length of a line without a `\r` at its end.
fn without_return(line: &[u8]) -> usize {
    line.strip_suffix(b"\r").unwrap_or(line).len()
}

impl Clone for Lines {
    fn clone(&self) -> Self {
        Self::new(self.max_line_len)
    }
}

impl WireFormat for Lines {
    fn name(&self) -> Cow<'static, str> {
        "lines".into()
    }

    fn max_frame_len(&self) -> usize {
        self.max_line_len
    }
}

impl Encoder for Lines {
    type Item<'a> = String;
    type Error = CodecError;

    fn encode(&mut self, item: String, dst: &mut BytesMut) -> Result<(), CodecError> {
        self.encode_ref(&item, dst)
    }
}

impl EncodeRef for Lines {
    type Ref = str;

    fn encode_ref(&mut self, item: &str, dst: &mut BytesMut) -> Result<(), CodecError> {
        let (len, max) = (item.len(), self.max_line_len);
        if len > max {
            return Err(CodecError::ItemTooLarge { len, max });
        }
        if memchr(b'\n', item.as_bytes()).is_some() {
            return Err(CodecError::Unencodable(
                "a line cannot hold a line feed".into(),
            ));
        }
        if item.ends_with('\r') {
            return Err(CodecError::Unencodable(
                "a line cannot end in a carriage return".into(),
            ));
        }
        dst.reserve(item.len() + 1);
        dst.extend_from_slice(item.as_bytes());
        dst.extend_from_slice(b"\n");
        Ok(())
    }
}

impl Decoder for Lines {
    type Item = String;
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<String>, CodecError> {
        if let Some(end) = self.find_end(src) {
            let len = without_return(src.get(..end).unwrap_or_default());
            return self.take(src, len, end + 1).map(Some);
        }
        // A `\r` in the last place may turn out to belong to the end of the line.
        self.check(without_return(src))?;
        Ok(None)
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<String>, CodecError> {
        match self.decode(src)? {
            None if !src.is_empty() => self.take(src, src.len(), src.len()).map(Some),
            line => Ok(line),
        }
    }
}
