//! The codecs by topic. What they allocate is in the binary `memory`, whose allocator counts.

#[path = "../common/mod.rs"]
mod common;

mod cbor;
mod compressed;
#[cfg(any(
    feature = "bincode",
    feature = "cbor",
    feature = "json",
    feature = "postcard"
))]
mod encoding;
mod errors;
mod framing;
mod json;
mod lines;
#[cfg(any(
    feature = "bincode",
    feature = "cbor",
    feature = "json",
    feature = "postcard"
))]
mod nesting;
mod positional;
mod properties;
mod round_trips;
mod self_describing;
mod streams;
mod types;
