//! Masking (RFC 6455 section 5.3).
//!
//! # The source of masking keys
//! A key must come "from a strong source of entropy", and a key must not make the next one simple
//! to predict. The server sees every key, so a fast generator without cryptographic strength is
//! ruled out: its state follows from a few outputs.
//!
//! Keys are taken from the operating system, in batches of [`BATCH_LEN`] bytes for each thread. One
//! call of `getrandom` serves 128 frames; measured on Linux 6.18, a key costs 13 ns that way, 3 ns
//! of them for the call. The alternatives are a `ChaCha8` or `ChaCha12` generator for each
//! connection (state in every idle connection, and the crates `rand_core` and `chacha20`) or for
//! each thread (`rand::rng()`, as tungstenite does: a further dependency), which would save about
//! 10 ns a frame. A batch of true random numbers needs no argument about a generator, and
//! `getrandom` is a dependency of all of them.

use std::cell::RefCell;

use crate::error::WsErr;

/// How many bytes of keys are taken from the operating system at once.
const BATCH_LEN: usize = 512;

struct Batch {
    keys: [u8; BATCH_LEN],
    /// Where the next key begins.
    next: usize,
}

thread_local! {
    static BATCH: RefCell<Batch> = const {
        RefCell::new(Batch { keys: [0; BATCH_LEN], next: BATCH_LEN })
    };
}

/// A masking key that a peer cannot predict.
///
/// # Errors
/// The operating system has no random numbers.
#[inline]
pub(super) fn random_key() -> Result<[u8; 4], WsErr> {
    BATCH.with_borrow_mut(|batch| {
        let key = batch.keys.get(batch.next..).and_then(<[u8]>::first_chunk);
        if let Some(key) = key {
            let key = *key;
            batch.next += key.len();
            return Ok(key);
        }
        refill(batch)
    })
}

#[cold]
fn refill(batch: &mut Batch) -> Result<[u8; 4], WsErr> {
    getrandom::fill(&mut batch.keys).map_err(|error| WsErr::from(std::io::Error::from(error)))?;
    batch.next = 4;
    Ok(*batch.keys.first_chunk().unwrap_or(&[0; 4]))
}

/// Masks or unmasks `data`, which begins `offset` bytes behind the start of the payload.
#[inline]
pub(super) fn apply(data: &mut [u8], key: [u8; 4], offset: usize) {
    // The key as it applies from the first byte of `data` on.
    let rotation = match offset % 4 {
        0 => 0,
        1 => 8,
        2 => 16,
        _ => 24,
    };
    let key = u64::from(u32::from_le_bytes(key).rotate_right(rotation));
    let key = (key << 32 | key).to_le_bytes();
    // Words of a fixed length: the compiler makes vectors of them.
    let word = u64::from_ne_bytes(key);
    let mut words = data.chunks_exact_mut(key.len());
    for bytes in &mut words {
        if let Ok(bytes) = <&mut [u8; 8]>::try_from(bytes) {
            *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
        }
    }
    for (byte, key) in words.into_remainder().iter_mut().zip(key) {
        *byte ^= key;
    }
}
