//! Values in CBOR.

mod de;
mod error;
mod reader;
mod ser;

use std::marker::PhantomData;

use asynchronous_codec::{BytesMut, Decoder};
use serde::{
    de::{DeserializeOwned, DeserializeSeed},
    ser::Serialize,
};

use self::{reader::PayloadReader, ser::Serializer};
use crate::{
    CodecError, EncodeRef, LengthPrefixed,
    bounded::Budget,
    length_prefix::{FrameWriter, decode_with},
    typed::{typed_codec, typed_encoder},
};

/// Values in CBOR (RFC 8949), each behind its length: reads `In`, writes `Out`.
///
/// For peers in any language, where JSON is too large or bytes are to be carried.
///
/// **Wire:** the length of the payload as a `u32`, big-endian, then the payload: one CBOR data
/// item.
/// - Structs are maps with the names of their fields; variants are a text, or a map of one entry.
/// - `None`, `()` and unit structs are null.
/// - Integers and lengths are written in their shortest form, those above 64 bits as bignums.
///   Floating-point numbers have the width of their type. Sequences of unknown length are
///   indefinite.
/// - The format reports itself to serde as human-readable, since serde treats values that it
///   buffers for tagged types as such. So addresses, and ids and times of most crates, are texts.
///
/// **On reading**, more is accepted, since encoders of other languages write it:
/// - Undefined is null. The empty array, which earlier versions wrote, is a unit.
/// - Integers have any width (RFC 8949 section 4.1), and may be bignums or floating-point numbers
///   without a fraction, as JavaScript's encoders write those above 32 bits.
/// - Floating-point numbers have any width (16 bits too), and may be integers.
/// - A byte string is read as a list or an array of bytes, and a list of integers as bytes.
/// - A byte string is read as a text where a type asks for one, if it is UTF-8: serde's texts
///   accept bytes in every format, and encoders of languages without a type of their own for texts
///   write them.
/// - Texts, bytes, arrays and maps may have an indefinite length.
/// - Tags are skipped: typed arrays of bytes (64, 68), dates (0, 1), 55799 and most others. A tag
///   that makes another value of what follows is an error: fractions (4, 5, 30), references (25,
///   29), typed arrays of wider numbers (65 to 87).
///
/// A number out of the range of its type is an error, and so is one with a fraction for an integer.
///
/// **Errors**, on sending: [`CodecError::ItemTooLarge`], with the true length of the value;
/// [`CodecError::Unencodable`] when the type's `Serialize` refuses, or writes another number of
/// elements than it announces. On receiving: [`CodecError::FrameTooLarge`], as soon as the prefix
/// is there, which leaves the buffer as it is; [`CodecError::Malformed`], which takes exactly that
/// frame, for a payload that is no `In` or goes on behind it.
///
/// **Hostile bytes:** for any frame, memory and time are bounded: see the [crate's
/// documentation](crate). Nesting is limited to 128 levels, and to as many in skipped values. A
/// payload has at most as many elements as bytes, which every valid value fulfils, because even
/// `()` takes a byte.
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
#[doc = include_str!("buffered.md")]
pub struct Cbor<In, Out = In> {
    max_frame_len: usize,
    // A function of the types rather than the types: a codec holds no value, so it is `Send`,
    // `Sync` and `Unpin` whatever they are.
    types: PhantomData<fn(Out) -> In>,
}

/// 2^127: a floating-point number below it without a fraction is that very integer.
const EXACT: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;

typed_codec!(Cbor, "cbor");
typed_encoder!(Cbor, "cbor");

impl<In, Out> LengthPrefixed for Cbor<In, Out> {}

impl<In, Out: Serialize> EncodeRef for Cbor<In, Out> {
    type Ref = Out;

    fn encode_ref(&mut self, item: &Out, dst: &mut BytesMut) -> Result<(), CodecError> {
        let mut frame = FrameWriter::new(dst, self.max_frame_len);
        item.serialize(Serializer(&mut frame))
            .map_err(|error| CodecError::Unencodable(error.into()))?;
        frame.finish()
    }
}

impl<In: DeserializeOwned, Out> Decoder for Cbor<In, Out> {
    type Item = In;
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<In>, CodecError> {
        decode_with(src, self.max_frame_len, |payload| {
            let budget = Budget::new(payload.len()).with_whole_floats(EXACT);
            let mut reader = PayloadReader::new(payload);
            let value = budget
                .seed()
                .deserialize(&mut reader)
                .map_err(|error| budget.into_error(error))?;
            Ok((value, reader.left()))
        })
    }
}
