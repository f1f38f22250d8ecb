//! What codecs allocate: ceilings for hostile frames, and the steady state.
//!
//! The counters of the allocator are those of the process, so each test begins with
//! [`exclusive`](ws_framed_test_support::alloc::exclusive).

use ws_framed_test_support::alloc::CountingAlloc;

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

#[path = "../common/mod.rs"]
mod common;

mod compressed;
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
