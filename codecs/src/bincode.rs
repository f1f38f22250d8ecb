//! Values in bincode 2's format.

#[cfg(feature = "bincode")]
mod codec;
#[cfg(not(feature = "bincode"))]
mod disabled;

use std::marker::PhantomData;

use crate::{LengthPrefixed, typed::typed_codec};

/// Values in the format of bincode 2, each behind its length: reads `In`, writes `Out`.
///
/// The type is always there. Its constructor and what makes it a codec come with the feature
/// `bincode`.
///
/// **Take it for compatibility only.** bincode is no longer maintained
/// ([RUSTSEC-2025-0141](https://rustsec.org/advisories/RUSTSEC-2025-0141.html)) and 2.0.1, which
/// this crate uses, is its last release. For a new protocol, `Postcard` does the same with a
/// maintained format.
///
/// **Wire:** the length of the payload as a `u32`, big-endian, then the payload: the value through
/// serde in the encoding of `bincode::config::standard()` (little-endian, variable-length
/// integers). The format does not describe itself: both sides need the same types, without those of
/// serde's attributes that depend on names of fields or on skipping (see below).
///
/// **Errors**, on sending:
/// - [`CodecError::ItemTooLarge`], with the true length of the value.
/// - [`CodecError::Unencodable`] when bincode or the type's `Serialize` refuses, such as a sequence
///   of unknown length or a field that is left out.
///
/// On receiving:
/// - [`CodecError::FrameTooLarge`], as soon as the prefix is there. The buffer stays as it is.
/// - [`CodecError::Malformed`] for a payload that is no `In`, or has bytes after it. Exactly that
///   frame is removed.
///
/// **Hostile bytes:** for any frame, memory and time are bounded: see the [crate's
/// documentation](crate). Nesting is limited to 128 levels. A payload has at most as many elements
/// as bytes, so a long `Vec<()>` is an error.
///
#[cfg_attr(feature = "bincode", doc = "```")]
#[cfg_attr(not(feature = "bincode"), doc = "```text")]
/// use asynchronous_codec::{BytesMut, Decoder, Encoder};
/// use ws_framed_codecs::Bincode;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Request { path: String }
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Response { status: u16 }
///
/// # fn main() -> Result<(), ws_framed_codecs::CodecError> {
/// let mut server = Bincode::<Request, Response>::new(64 * 1024);
/// let mut client = Bincode::<Response, Request>::new(64 * 1024);
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
/// default::<ws_framed_codecs::Bincode<u8>>();
/// ```
#[doc = include_str!("positional.md")]
///
/// [`CodecError::FrameTooLarge`]: crate::CodecError::FrameTooLarge
/// [`CodecError::ItemTooLarge`]: crate::CodecError::ItemTooLarge
/// [`CodecError::Malformed`]: crate::CodecError::Malformed
/// [`CodecError::Unencodable`]: crate::CodecError::Unencodable
pub struct Bincode<In, Out = In> {
    max_frame_len: usize,
    // A function of the types rather than the types: a codec holds no value, so it is `Send`,
    // `Sync` and `Unpin` whatever they are.
    types: PhantomData<fn(Out) -> In>,
}

typed_codec!(Bincode, "bincode2");

impl<In, Out> LengthPrefixed for Bincode<In, Out> {}
