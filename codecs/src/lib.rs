//! Codecs that turn a stream of bytes into a stream of values and back.
//!
//! Each one implements [`asynchronous_codec::Encoder`] and [`asynchronous_codec::Decoder`], so it
//! works in [`asynchronous_codec::Framed`] over any byte stream. There is no I/O in here. Each one
//! is [`EncodeRef`] as well, and has a stable name: [`WireFormat`].
//!
//! | codec | item | one frame on the wire | feature |
//! |---|---|---|---|
//! | [`LengthDelimited`] | `Bytes` | length, then the bytes | |
//! | [`Lines`] | `String` | UTF-8, then `\n` | |
//! | [`Text`] | `String` | length, then UTF-8 | |
//! | [`Bincode`] | any type with serde's traits | length, then bincode | `bincode` |
#![cfg_attr(
    feature = "postcard",
    doc = "| [`Postcard`] | any type with serde's traits | length, then postcard | `postcard` |"
)]
#![cfg_attr(
    not(feature = "postcard"),
    doc = "| `Postcard` | any type with serde's traits | length, then postcard | `postcard` |"
)]
#![cfg_attr(
    feature = "json",
    doc = "| [`Json`] | any type with serde's traits | length, then JSON | `json` |"
)]
#![cfg_attr(
    not(feature = "json"),
    doc = "| `Json` | any type with serde's traits | length, then JSON | `json` |"
)]
#![cfg_attr(
    feature = "cbor",
    doc = "| [`Cbor`] | any type with serde's traits | length, then CBOR | `cbor` |"
)]
#![cfg_attr(
    not(feature = "cbor"),
    doc = "| `Cbor` | any type with serde's traits | length, then CBOR | `cbor` |"
)]
#![cfg_attr(
    feature = "compress",
    doc = "| [`Compressed`] | the inner codec's | length, then the inner codec's frame or an LZ4 block of it | `compress` |"
)]
#![cfg_attr(
    not(feature = "compress"),
    doc = "| `Compressed` | the inner codec's | length, then the inner codec's frame or an LZ4 block of it | `compress` |"
)]
//!
//! A length is a `u32`, big-endian, and counts the bytes that follow it. The type that a codec
//! reads and the type that it writes may differ: `Bincode<Request, Response>` is what a server
//! holds.
//!
//! # Example
//!
//! ```
//! use asynchronous_codec::Framed;
//! use futures::{SinkExt, TryStreamExt, executor::block_on, io::Cursor};
//! use ws_framed_codecs::Lines;
//!
//! # fn main() -> Result<(), ws_framed_codecs::CodecError> {
//! block_on(async {
//!     // A line may be 80 bytes long.
//!     let mut written = Framed::new(Cursor::new(Vec::new()), Lines::new(80));
//!     written.send("hello".to_owned()).await?;
//!     written.send("world".to_owned()).await?;
//!
//!     let bytes = written.into_inner().into_inner();
//!     assert_eq!(bytes, b"hello\nworld\n");
//!
//!     let mut read = Framed::new(Cursor::new(bytes), Lines::new(80));
//!     assert_eq!(read.try_next().await?, Some("hello".to_owned()));
//!     assert_eq!(read.try_next().await?, Some("world".to_owned()));
//!     assert_eq!(read.try_next().await?, None);
//!     Ok(())
//! })
//! # }
//! ```
//!
//! # The limit
//!
//! Every constructor takes the largest frame that the codec sends or accepts, in bytes. There is no
//! default, since the right limit depends on the messages of a protocol. It counts the payload
//! only, without the four bytes of its length or the end of a line. A limit above `u32::MAX` means
//! `u32::MAX`.
//!
//! # Guarantees
//!
//! - **Encoding is all or nothing.** If an item cannot be encoded, the output buffer is unchanged,
//!   and the next item can be sent.
//! - **Decoding takes whole frames.** A frame is removed from the buffer with its item, or with
//!   [`CodecError::Malformed`]. Then the next frame can be decoded. [`CodecError::FrameTooLarge`]
//!   removes no bytes, and this codec cannot continue. A partial frame stays in the buffer until
//!   more bytes arrive, or for another codec.
//! - **A value comes back equal**, or its sender gets an error. A table in the docs of each codec
//!   lists the exceptions, which are due to serde.
//! - **A frame holds one value.** Remaining bytes are an error.
//! - **Hostile bytes cost little.** No frame makes a bundled codec panic or overflow the stack.
//!   Time and memory are linear in the length of the frame, plus at most 1 MiB for each level of
//!   nesting. A byte on the wire may be an element in memory, however large its type. A
//!   `Deserialize` that is written by hand and trusts its input can break this bound. The serde
//!   codecs have two restrictions for it. With `Compressed`, the length is that of the inflated
//!   frame, which is never longer than its limit.
//!
//! # What the serde codecs refuse to read
//!
//! Both are errors of the kind [`CodecError::Malformed`]. Writing is not restricted, so do not
//! send such values:
//!
//! - **More than 128 levels of nesting** (the limit of `serde_json`). A level is a struct, a
//!   newtype, a tuple, an enum, a sequence, a map, or a `Some`, inside another; `Box` is none. A
//!   linked list `struct Node { next: Option<Box<Node>> }` thus ends at 64 nodes, since each takes
//!   two levels. A level costs stack, up to some 4 KiB in a debug build and more for types that
//!   are themselves large: a recursive type of many kilobytes belongs on a thread with more than
//!   the usual 2 MiB.
//! - **More elements than the frame has bytes**, all its sequences, sets and maps taken together.
//!   Elements of at least one byte never exceed this. `Vec<()>`, and collections of any other type
//!   that encodes to no bytes, may: a `Vec` of a thousand units would be a frame of three bytes.
//!
//! # Which one?
//!
//! [`Text`] is for messages that are plain text, [`Lines`] for protocols that end a text with a
//! line feed, and [`LengthDelimited`] for bytes.
//!
//! For a new protocol between Rust programs, take `Postcard`: it is maintained, compact, and has a
//! [specified wire format](https://postcard.jamesmunns.com). `Json` and `Cbor` describe themselves.
//! Use them with programs in other languages, and to add fields to a protocol without breaking it.
//! Types with serde's `flatten`, `tag`, `untagged` or `skip_serializing_if` need them, too. CBOR is
//! smaller and carries bytes as they are; JSON is readable. [`Bincode`] is for protocols that use
//! it already: bincode itself is no longer maintained
//! ([RUSTSEC-2025-0141](https://rustsec.org/advisories/RUSTSEC-2025-0141.html)), and 2.0.1, which
//! this crate uses, is its last release.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing,
    clippy::todo,
    clippy::unimplemented
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod bincode;
#[cfg(any(
    feature = "bincode",
    feature = "cbor",
    feature = "json",
    feature = "postcard"
))]
mod bounded;
#[cfg(feature = "cbor")]
mod cbor;
#[cfg(any(feature = "bincode", feature = "json", feature = "postcard"))]
mod checked;
#[cfg(feature = "compress")]
mod compressed;
mod encode_ref;
mod error;
#[cfg(feature = "json")]
mod json;
mod length_delimited;
mod length_prefix;
mod lines;
#[cfg(feature = "postcard")]
mod postcard;
mod text;
mod typed;
mod wire_format;

pub use crate::bincode::Bincode;
#[cfg(feature = "cbor")]
#[cfg_attr(docsrs, doc(cfg(feature = "cbor")))]
pub use crate::cbor::Cbor;
#[cfg(feature = "compress")]
#[cfg_attr(docsrs, doc(cfg(feature = "compress")))]
pub use crate::compressed::Compressed;
pub use crate::encode_ref::EncodeRef;
pub use crate::error::CodecError;
#[cfg(feature = "json")]
#[cfg_attr(docsrs, doc(cfg(feature = "json")))]
pub use crate::json::Json;
pub use crate::length_delimited::LengthDelimited;
pub use crate::length_prefix::LengthPrefixed;
pub use crate::lines::Lines;
#[cfg(feature = "postcard")]
#[cfg_attr(docsrs, doc(cfg(feature = "postcard")))]
pub use crate::postcard::Postcard;
pub use crate::text::Text;
pub use crate::wire_format::WireFormat;
