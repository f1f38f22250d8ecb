//! permessage-deflate (RFC 7692): the payloads of messages, compressed and inflated.
//!
//! | file | what it does | section |
//! |---|---|---|
//! | `compress.rs` | the payload of a message that is sent | 7.2.1 |
//! | `inflate.rs` | the payload of a message that is received, as it arrives | 7.2.2 |
//! | `pool.rs` | what connections without context takeover share | 7.1.1 |
//!
//! # The choice of the crate
//! `flate2` has the same backend, but no way to stop at the end of a block. Without that, a message
//! that is cut within a block cannot be distinguished from a whole one where the context is taken
//! over. Nor does it size the table of symbols, which is a third of a compressor.
//!
//! `zlib_rs` cannot compress with a window of 8. The negotiation refuses it.

mod compress;
mod inflate;
mod pool;

use std::cell::RefCell;

pub(crate) use self::compress::Deflater;
pub(super) use self::inflate::{Inflated, Inflater, Inflation};

/// What ends a compressed message and is not sent (RFC 7692 section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Bytes that are compressed or inflated at once.
const STEP_LEN: usize = 16 * 1024;

/// Bytes that are compressed or inflated before a poll yields.
const WORK_PER_POLL: usize = 256 * 1024;

thread_local! {
    /// Where the output of a step goes first: the length of what it makes is not known before.
    static SCRATCH: RefCell<[u8; STEP_LEN]> = const { RefCell::new([0; STEP_LEN]) };
}
