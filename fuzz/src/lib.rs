//! What the fuzz targets check. One function a target, so that the seeds can be replayed without a fuzzer.
//!
//! Everything is a function of the input alone: also how it is cut into pieces, see [`Chunks`].

mod codec;
mod decoder;
mod frames;
mod handshake;
mod link;
mod script;
mod split;
mod values;

pub use codec::{
    codec_bincode, codec_cbor, codec_compressed, codec_json, codec_length_delimited, codec_lines,
    codec_postcard,
};
pub use decoder::decoder;
pub use frames::HEAD_END;
pub use handshake::{ANY_ACCEPT, accept, connect};
pub use link::{link_client, link_server};
pub use split::{split_bytes, split_items};
pub use values::Value;

use script::{Chunks, Script, drive};

#[global_allocator]
static ALLOC: ws_framed_test_support::alloc::CountingAlloc =
    ws_framed_test_support::alloc::CountingAlloc;

/// A fuzz target: its name, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 14] = [
    ("codec_length_delimited", codec_length_delimited),
    ("codec_lines", codec_lines),
    ("codec_bincode", codec_bincode),
    ("codec_postcard", codec_postcard),
    ("codec_json", codec_json),
    ("codec_cbor", codec_cbor),
    ("codec_compressed", codec_compressed),
    ("decoder", decoder),
    ("link_server", link_server),
    ("link_client", link_client),
    ("split_bytes", split_bytes),
    ("split_items", split_items),
    ("accept", accept),
    ("connect", connect),
];
