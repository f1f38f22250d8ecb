//! The checks of the fuzz targets: one function for each, so that the seeds can be replayed without
//! a fuzzer.
//!
//! Everything is a function of the input alone, including how it is split into pieces: see
//! [`Chunks`].

mod codec;
mod connection;
mod decoder;
mod frames;
mod handshake;
mod script;
mod split;
mod values;

pub use codec::{
    codec_bincode, codec_cbor, codec_compressed, codec_json, codec_length_delimited, codec_lines,
    codec_postcard,
};
pub use connection::{connection_client, connection_server};
pub use decoder::{decoder, inflation};
pub use frames::HEAD_END;
pub use handshake::{ANY_ACCEPT, accept, connect, extensions};
pub use split::{split_bytes, split_items};
pub use support::Frame;
pub use values::Value;

use script::{Chunks, Script, drive};

#[global_allocator]
static ALLOC: support::alloc::CountingAlloc = support::alloc::CountingAlloc;

/// A fuzz target: its name, and its check of an input.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 16] = [
    ("codec_length_delimited", codec_length_delimited),
    ("codec_lines", codec_lines),
    ("codec_bincode", codec_bincode),
    ("codec_postcard", codec_postcard),
    ("codec_json", codec_json),
    ("codec_cbor", codec_cbor),
    ("codec_compressed", codec_compressed),
    ("decoder", decoder),
    ("inflation", inflation),
    ("extensions", extensions),
    ("connection_server", connection_server),
    ("connection_client", connection_client),
    ("split_bytes", split_bytes),
    ("split_items", split_items),
    ("accept", accept),
    ("connect", connect),
];
