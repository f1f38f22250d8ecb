//! What a connection allocates, and how much one poll does: ceilings, floods, limits, items.
//!
//! Floods are twenty times as large in a release build: `cargo test --release -p memory`.

use support::alloc::CountingAlloc;

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

mod after_violation;
mod ceilings;
mod compression;
mod floods;
mod items;
mod limits;
mod polls;
mod pongs;

use ws_framed::Config;

/// The limit of [`small_limits`].
const LIMIT: usize = 4 * 1024;

/// A bound for the memory of a connection with [`small_limits`], its buffers and its scripted peer.
/// Each flood carries far more.
const MAX_PEAK: usize = 96 * 1024;

fn small_limits() -> Config {
    Config::default()
        .max_send_message_len(LIMIT)
        .max_recv_message_len(LIMIT)
}
