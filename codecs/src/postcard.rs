//! Values in postcard's format.

use std::marker::PhantomData;

use asynchronous_codec::{BytesMut, Decoder};
use postcard::{Deserializer, ser_flavors::Flavor, serialize_with_flavor};
use serde::{
    de::{DeserializeOwned, DeserializeSeed},
    ser::Serialize,
};

use crate::{
    CodecError, EncodeRef, LengthPrefixed,
    bounded::Budget,
    checked::{Checked, Positional},
    length_prefix::{FrameWriter, decode_with},
    typed::{typed_codec, typed_encoder},
};

/// Values in the format of postcard 1, each behind its length: reads `In`, writes `Out`.
///
/// The codec that we recommend to a new protocol between Rust programs.
///
/// **Wire:** the length of the payload as a `u32`, big-endian, then the payload: the value through
/// serde in [postcard's format](https://postcard.jamesmunns.com/wire-format). The format does not
/// describe itself: both sides need the same types, without those of serde's attributes that depend
/// on names of fields or on skipping (see below).
///
/// **Errors**, on sending:
/// - [`CodecError::ItemTooLarge`], with the true length of the value.
/// - [`CodecError::Unencodable`] when postcard or the type's `Serialize` refuses, such as a
///   sequence of unknown length or a field that is left out.
///
/// On receiving:
/// - [`CodecError::FrameTooLarge`], as soon as the prefix is there. The buffer stays as it is.
/// - [`CodecError::Malformed`] for a payload that is no `In`, or has bytes after it. Exactly that
///   frame is removed.
///
/// postcard's errors do not carry the message of a type's own `Serialize` or `Deserialize`.
///
/// **Hostile bytes:** for any frame, memory and time are bounded: see the [crate's
/// documentation](crate). Nesting is limited to 128 levels. A payload has at most as many elements
/// as bytes, so a long `Vec<()>` is an error.
///
/// ```
/// use asynchronous_codec::{BytesMut, Decoder, Encoder};
/// use ws_framed_codecs::Postcard;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Request { path: String }
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Response { status: u16 }
///
/// # fn main() -> Result<(), ws_framed_codecs::CodecError> {
/// let mut server = Postcard::<Request, Response>::new(64 * 1024);
/// let mut client = Postcard::<Response, Request>::new(64 * 1024);
///
/// let mut buffer = BytesMut::new();
/// client.encode(Request { path: "/".to_owned() }, &mut buffer)?;
/// assert_eq!(&buffer[..], b"\0\0\0\x02\x01/");
/// assert!(server.decode(&mut buffer)?.is_some_and(|request| request.path == "/"));
/// # Ok(())
/// # }
/// ```
///
/// The limit has no default:
///
/// ```compile_fail,E0277
/// fn default<T: Default>() -> T { T::default() }
/// default::<ws_framed_codecs::Postcard<u8>>();
/// ```
#[doc = include_str!("positional.md")]
pub struct Postcard<In, Out = In> {
    max_frame_len: usize,
    // A function of the types rather than the types: a codec holds no value, so it is `Send`,
    // `Sync` and `Unpin` whatever they are.
    types: PhantomData<fn(Out) -> In>,
}

typed_codec!(Postcard, "postcard");
typed_encoder!(Postcard, "postcard");

impl<In, Out> LengthPrefixed for Postcard<In, Out> {}

impl Flavor for &mut FrameWriter<'_> {
    type Output = ();

    #[inline]
    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.write(data);
        Ok(())
    }

    #[inline]
    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.write(&[data]);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

impl<In, Out: Serialize> EncodeRef for Postcard<In, Out> {
    type Ref = Out;

    fn encode_ref(&mut self, item: &Out, dst: &mut BytesMut) -> Result<(), CodecError> {
        let mut frame = FrameWriter::new(dst, self.max_frame_len);
        serialize_with_flavor(&Checked::<_, Positional>::new(item), &mut frame)
            .map_err(|error| CodecError::Unencodable(error.into()))?;
        frame.finish()
    }
}

impl<In: DeserializeOwned, Out> Decoder for Postcard<In, Out> {
    type Item = In;
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<In>, CodecError> {
        decode_with(src, self.max_frame_len, |payload| {
            let budget = Budget::new(payload.len());
            let mut deserializer = Deserializer::from_bytes(payload);
            let value = budget
                .seed()
                .deserialize(&mut deserializer)
                .map_err(|error| budget.into_error(error))?;
            Ok((value, deserializer.finalize()?.len()))
        })
    }
}
