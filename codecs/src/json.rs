//! Values in JSON.

use std::{io, marker::PhantomData};

use asynchronous_codec::{BytesMut, Decoder};
use serde::{
    de::{DeserializeOwned, DeserializeSeed},
    ser::Serialize,
};

use crate::{
    CodecError, EncodeRef, LengthPrefixed,
    bounded::Budget,
    checked::{Checked, OfJson},
    length_prefix::{FrameWriter, decode_with},
    typed::{typed_codec, typed_encoder},
};

/// Values in JSON (RFC 8259), each behind its length: reads `In`, writes `Out`.
///
/// For peers in any language, and for people who want to read what goes over the wire.
///
/// **Wire:** the length of the payload as a `u32`, big-endian, then the payload: one JSON value in
/// UTF-8, as `serde_json` writes it, without spaces. On reading, white space around the value and
/// in it is skipped. Where a type asks for an integer of up to 64 bits, a number such as `2.0` or
/// `1e3` is read as one. It must have no fraction and be below 2<sup>53</sup>.
///
/// One frame, or one message, is one value, as for JavaScript's `JSON.parse`. Peers that put
/// several into a message, a line each or behind a record separator as `SignalR` does, are read
/// with [`Text`](crate::Text).
///
/// **What JSON cannot say:** `NaN` and the infinities are an error on sending. Keys of a map are
/// texts, numbers, booleans or variants without fields; others are an error. Bytes are an array of
/// numbers. Integers keep their value up to 128 bits here, but JavaScript's are exact up to
/// 2<sup>53</sup> only.
///
/// **Errors**, on sending:
/// - [`CodecError::ItemTooLarge`], with the true length of the value.
/// - [`CodecError::Unencodable`] when `serde_json` or the type's `Serialize` refuses, such as
///   `NaN`, or a list as the key of a map.
///
/// On receiving:
/// - [`CodecError::FrameTooLarge`], as soon as the prefix is there. The buffer stays as it is.
/// - [`CodecError::Malformed`] for a payload that is no `In`, or has bytes after it. Exactly that
///   frame is removed.
///
/// **Hostile bytes:** for any frame, memory and time are bounded: see the [crate's
/// documentation](crate). Nesting is limited to 128 levels. An unknown field is skipped, at the
/// cost of its bytes. The number of elements is bounded too, by a limit that no valid JSON text
/// reaches.
///
/// ```
/// use asynchronous_codec::{BytesMut, Decoder, Encoder};
/// use ws_framed_codecs::Json;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Request { path: String }
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Response { status: u16 }
///
/// # fn main() -> Result<(), ws_framed_codecs::CodecError> {
/// let mut server = Json::<Request, Response>::new(64 * 1024);
/// let mut client = Json::<Response, Request>::new(64 * 1024);
///
/// let mut buffer = BytesMut::new();
/// client.encode(Request { path: "/".to_owned() }, &mut buffer)?;
/// assert_eq!(&buffer[..], b"\0\0\0\x0c{\"path\":\"/\"}");
/// assert!(server.decode(&mut buffer)?.is_some_and(|request| request.path == "/"));
/// # Ok(())
/// # }
/// ```
///
/// The limit has no default:
///
/// ```compile_fail,E0277
/// fn default<T: Default>() -> T { T::default() }
/// default::<ws_framed_codecs::Json<u8>>();
/// ```
#[doc = include_str!("buffered.md")]
pub struct Json<In, Out = In> {
    max_frame_len: usize,
    // A function of the types rather than the types: a codec holds no value, so it is `Send`,
    // `Sync` and `Unpin` whatever they are.
    types: PhantomData<fn(Out) -> In>,
}

/// 2^53: from there on, the number that a text says may not be the one that it is read as.
const EXACT: f64 = 9_007_199_254_740_992.0;

typed_codec!(Json, "json");
typed_encoder!(Json, "json");

impl<In, Out> LengthPrefixed for Json<In, Out> {
    /// Returns `true`: JSON is text.
    fn is_text(&self) -> bool {
        true
    }
}

/// It never fails: what is over the limit is found out at the end.
impl io::Write for FrameWriter<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        FrameWriter::write(self, bytes);
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        FrameWriter::write(self, bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<In, Out: Serialize> EncodeRef for Json<In, Out> {
    type Ref = Out;

    fn encode_ref(&mut self, item: &Out, dst: &mut BytesMut) -> Result<(), CodecError> {
        let mut frame = FrameWriter::new(dst, self.max_frame_len);
        serde_json::to_writer(&mut frame, &Checked::<_, OfJson>::new(item))
            .map_err(|error| CodecError::Unencodable(error.into()))?;
        frame.finish()
    }
}

impl<In: DeserializeOwned, Out> Decoder for Json<In, Out> {
    type Item = In;
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<In>, CodecError> {
        decode_with(src, self.max_frame_len, |payload| {
            let budget = Budget::new(payload.len()).with_whole_floats(EXACT);
            let mut deserializer = serde_json::Deserializer::from_slice(payload);
            // The budget counts the levels, in the same way for every format. What a type skips is
            // not seen by it, and costs no stack: serde_json skips with a stack of its own.
            deserializer.disable_recursion_limit();
            let value = budget
                .seed()
                .deserialize(&mut deserializer)
                .map_err(|error| budget.into_error(error))?;
            deserializer.end()?;
            Ok((value, 0))
        })
    }
}
