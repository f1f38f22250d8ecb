//! One LZ4 block out of bytes, and back.
//!
//! LZ4 is fast enough for fast networks, needs no state between frames nor a window for each
//! connection, and has a frozen format. `lz4_flex` is maintained. With the features that are
//! selected here, it has no `unsafe` and checks every offset. It inflates into a slice, so the
//! input does not determine how much memory is allocated.

use std::fmt;

use asynchronous_codec::BytesMut;
use lz4_flex::block::{
    CompressTable, compress_into_with_table, decompress_into, get_maximum_output_size,
};

use crate::CodecError;

/// Below this, a block is hardly ever shorter, and never by much.
const MIN_LEN: usize = 32;

/// How much memory is kept for the blocks that follow.
const MAX_KEPT: usize = 64 * 1024;

/// A byte of a block stands for no more than this many.
const MAX_RATIO: usize = 255;

/// What compressing needs memory for. A clone has none of it.
#[derive(Default)]
pub(super) struct Compressor {
    table: Option<CompressTable>,
    block: Vec<u8>,
}

impl Compressor {
    /// A block that is shorter than `bytes`, with its length before it, if there is one.
    pub(super) fn compress(&mut self, bytes: &[u8]) -> Option<&[u8]> {
        if bytes.len() < MIN_LEN {
            return None;
        }
        if self.block.len() > MAX_KEPT {
            self.block = Vec::new();
        }
        let room = get_maximum_output_size(bytes.len());
        if self.block.len() < room {
            self.block.resize(room, 0);
        }
        let table = self.table.get_or_insert_default();
        let len = compress_into_with_table(bytes, &mut self.block, table).ok()?;
        if len + size_of::<u32>() < bytes.len() {
            self.block.get(..len)
        } else {
            None
        }
    }
}

impl Clone for Compressor {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor").finish_non_exhaustive()
    }
}

/// A block does not hold what it says.
#[derive(Debug, thiserror::Error)]
enum BadBlock {
    #[error("a block of {block} bytes cannot hold {inflated} bytes")]
    Impossible { block: usize, inflated: usize },
    #[error("the block holds {held} bytes and not {inflated}")]
    OtherLength { held: usize, inflated: usize },
    #[error("the block is not LZ4")]
    NotLz4(#[source] lz4_flex::block::DecompressError),
}

/// The `inflated_len` bytes that a block holds. The caller has checked that it wants so many.
pub(super) fn inflate(block: &[u8], inflated_len: usize) -> Result<BytesMut, CodecError> {
    inflate_exactly(block, inflated_len).map_err(|error| CodecError::Malformed(error.into()))
}

fn inflate_exactly(block: &[u8], inflated: usize) -> Result<BytesMut, BadBlock> {
    if inflated / MAX_RATIO > block.len() {
        let block = block.len();
        return Err(BadBlock::Impossible { block, inflated });
    }
    // Zeroed, so that whatever a block does, it cannot be handed what was in that memory before.
    let mut bytes = BytesMut::zeroed(inflated);
    match decompress_into(block, &mut bytes) {
        Ok(held) if held == inflated => Ok(bytes),
        Ok(held) => Err(BadBlock::OtherLength { held, inflated }),
        Err(error) => Err(BadBlock::NotLz4(error)),
    }
}
