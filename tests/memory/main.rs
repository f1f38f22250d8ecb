//! What a connection allocates, and how much one poll does: ceilings, floods, allocations. The
//! counters of the allocator are those of the process, so each test begins with
//! [`exclusive`](support::alloc::exclusive).
//!
//! Floods are twenty times as large in a release build: `cargo test --release -p memory`.

use support::alloc::CountingAlloc;

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

mod after_violation;
mod ceilings;
mod encoded;
mod floods;
mod handshakes;
mod per_message;
mod polls;
mod pongs;
