//! What codecs allocate: ceilings for hostile frames, and the steady state.

use ws_framed_test_support::alloc::CountingAlloc;

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

#[path = "../common/mod.rs"]
mod common;

mod compressed;
#[cfg(any(
    feature = "bincode",
    feature = "cbor",
    feature = "json",
    feature = "postcard"
))]
mod cost;
#[cfg(any(
    feature = "bincode",
    feature = "cbor",
    feature = "json",
    feature = "postcard"
))]
mod lengths;
#[cfg(any(
    feature = "bincode",
    feature = "cbor",
    feature = "json",
    feature = "postcard"
))]
mod nesting;
mod prefixes;
mod steady_state;
mod units;
