//! Values in CBOR.

mod reader;

use std::convert::Infallible;
use std::marker::PhantomData;

use asynchronous_codec::{BytesMut, Decoder};
use cbor4ii::core::enc::Write;
use cbor4ii::serde::{Deserializer, Serializer};
use serde::de::{DeserializeOwned, DeserializeSeed};
use serde::ser::Serialize;

use self::reader::PayloadReader;
use crate::bounded::Budget;
use crate::length_prefix::{FrameWriter, decode_with};
use crate::typed::{typed_codec, typed_encoder};
use crate::{CodecError, EncodeRef, LengthPrefixed};

/// Values in CBOR (RFC 8949), each behind its length: reads `In`, writes `Out`.
///
/// For peers in any language, where JSON is too large or bytes are to be carried.
///
/// **Wire:** the length of the payload as a `u32`, big-endian, then the payload: one CBOR data item.
/// Structs are maps with the names of their fields, variants are a text or a map of one entry, `None`
/// is null, `()` is an empty array, whole numbers above 64 bits are bignums. Whole numbers and
/// lengths are written in their shortest form, floating-point numbers in the width of their type,
/// sequences of unknown length with indefinite length. On reading, a floating-point number may have
/// any width (16 bits too) and may be a whole number, since many encoders shorten them; texts and
/// bytes may come in pieces; a whole number must fit into its type and be written no wider than it.
/// Tags other than those of bignums are an error, except in what a type skips. `Some(None)` is
/// written as null, which is read as `None`.
///
/// **Errors**, on sending: [`CodecError::FrameTooLarge`], with the true length of the value;
/// [`CodecError::Unencodable`] when the type's `Serialize` refuses. On receiving:
/// [`CodecError::FrameTooLarge`], as soon as the prefix is there, which leaves the buffer as it is;
/// [`CodecError::Malformed`], which takes exactly that frame, for a payload that is no `In` or goes
/// on behind it.
///
/// **Hostile bytes:** for any frame, memory and time are bounded as the [crate's
/// documentation](crate) says, and so are nesting (128 levels; 512 in what a type skips) and the
/// number of elements (not more than the payload has bytes, which no honest value meets: even `()`
/// takes a byte).
///
/// ```
/// use asynchronous_codec::{BytesMut, Decoder, Encoder};
/// use ws_framed_codecs::Cbor;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Request { path: String }
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Response { status: u16 }
///
/// # fn main() -> Result<(), ws_framed_codecs::CodecError> {
/// let mut server = Cbor::<Request, Response>::new(64 * 1024);
/// let mut client = Cbor::<Response, Request>::new(64 * 1024);
///
/// let mut buffer = BytesMut::new();
/// client.encode(Request { path: "/".to_owned() }, &mut buffer)?;
/// assert_eq!(&buffer[..], b"\0\0\0\x08\xa1\x64path\x61/");
/// assert!(server.decode(&mut buffer)?.is_some_and(|request| request.path == "/"));
/// # Ok(())
/// # }
/// ```
///
/// The limit has no default:
///
/// ```compile_fail,E0277
/// fn default<T: Default>() -> T { T::default() }
/// default::<ws_framed_codecs::Cbor<u8>>();
/// ```
pub struct Cbor<In, Out = In> {
    max_frame_len: usize,
    // A function of the types rather than the types: a codec holds no value, so it is `Send`,
    // `Sync` and `Unpin` whatever they are.
    types: PhantomData<fn(Out) -> In>,
}

typed_codec!(Cbor, "cbor");
typed_encoder!(Cbor, "cbor");

impl<In, Out> LengthPrefixed for Cbor<In, Out> {}

impl Write for FrameWriter<'_> {
    type Error = Infallible;

    #[inline]
    fn push(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.write(bytes);
        Ok(())
    }
}

impl<In, Out: Serialize> EncodeRef for Cbor<In, Out> {
    type Ref = Out;

    fn encode_ref(&mut self, item: &Out, dst: &mut BytesMut) -> Result<(), CodecError> {
        let mut frame = FrameWriter::new(dst, self.max_frame_len);
        item.serialize(&mut Serializer::new(&mut frame))
            .map_err(|error| CodecError::Unencodable(error.into()))?;
        frame.finish()
    }
}

impl<In: DeserializeOwned, Out> Decoder for Cbor<In, Out> {
    type Item = In;
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<In>, CodecError> {
        decode_with(src, self.max_frame_len, |payload| {
            let budget = Budget::new(payload.len()).with_any_number();
            let mut deserializer = Deserializer::new(PayloadReader::new(payload));
            let value = budget
                .seed()
                .deserialize(&mut deserializer)
                .map_err(|error| budget.explain(error))?;
            Ok((value, deserializer.into_inner().left()))
        })
    }
}
