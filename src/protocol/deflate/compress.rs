//! Compression of what is sent (RFC 7692 section 7.2.1).

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};
use zlib_rs::{Deflate, DeflateConfig, DeflateFlush};

use super::{SCRATCH, STEP_LEN, TAIL, WORK_PER_POLL, pool::Pool};
use crate::{
    config::{self, Compression},
    message::{HEADROOM, SharedMessage},
};

/// The most compressors that are kept for all connections.
const MAX_IDLE: usize = 16;

static POOL: Pool<Compressor> = Pool::new(MAX_IDLE);

/// The parameters that the compressed bytes of a message without context depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parameters {
    level: u8,
    window_bits: u8,
}

/// How many symbols a block has at most: 64 for level 0, and twice as many for each level above.
/// The table of symbols is cleared for each block, which takes longer than a short message itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TableLevel(u8);

impl TableLevel {
    /// For messages that are compressed alone, and shorter than `SHORT_LEN` bytes.
    const SHORT: Self = Self(6);
    /// For longer ones.
    const LONG: Self = Self(8);
    /// Where each connection holds a table. `Deflate::max_memory` computes its size. Shorter blocks
    /// make long messages longer by half a percent.
    const CONTEXT: Self = Self(7);

    /// As many symbols as fit into a short table. A message has no more symbols than bytes, so that
    /// its blocks are the same with either table.
    const SHORT_LEN: usize = (64 << Self::SHORT.0) - 1;

    /// For a message that is compressed alone.
    fn for_message(len: usize, parameters: Parameters) -> Self {
        if len < Self::SHORT_LEN {
            Self::SHORT.within(parameters)
        } else {
            Self::LONG.within(parameters)
        }
    }

    /// The table has at most half as many symbols as the window has bytes.
    fn within(self, parameters: Parameters) -> Self {
        let max = parameters.window_bits.saturating_sub(7).max(1);
        Self(self.0.min(max))
    }
}

struct Compressor {
    deflate: Deflate,
    parameters: Parameters,
    table_level: TableLevel,
    /// Nothing is left of what was compressed.
    is_fresh: bool,
}

impl Compressor {
    /// One without context.
    fn take(parameters: Parameters, table_level: TableLevel) -> Self {
        let pooled = POOL.take(|compressor| {
            compressor.parameters == parameters && compressor.table_level == table_level
        });
        pooled.unwrap_or_else(|| Self::new(parameters, table_level))
    }

    fn new(parameters: Parameters, table_level: TableLevel) -> Self {
        let config = DeflateConfig {
            // Negative for a stream without a header.
            window_bits: -i32::from(parameters.window_bits),
            mem_level: table_level.0.into(),
            ..DeflateConfig::new(parameters.level.into())
        };
        Self {
            deflate: Deflate::new_with_config(config),
            parameters,
            table_level,
            is_fresh: true,
        }
    }

    /// Drops it if it was stopped within a message: `Deflate::reset` leaves parts of its state.
    fn give_back(self) {
        if self.is_fresh {
            POOL.give(self);
        }
    }

    /// The compressed payload behind `HEADROOM` bytes, unless it has more than `max` bytes. A full
    /// flush forgets the message, at less cost than a reset.
    fn compress(&mut self, mut input: &[u8], max: usize, flush: DeflateFlush) -> Option<BytesMut> {
        let max = max.saturating_add(HEADROOM + TAIL.len());
        let mut output = BytesMut::new();
        self.is_fresh = false;
        SCRATCH.with_borrow_mut(|scratch| {
            loop {
                let (read, made) = (self.deflate.total_in(), self.deflate.total_out());
                self.deflate.compress(input, scratch, flush).ok()?;
                let read = usize::try_from(self.deflate.total_in() - read).ok()?;
                let made = usize::try_from(self.deflate.total_out() - made).ok()?;
                input = input.get(read..)?;
                if output.is_empty() {
                    output = BytesMut::with_capacity(HEADROOM + made);
                    output.extend_from_slice(&[0; HEADROOM]);
                }
                let is_flushed = made < STEP_LEN;
                self.is_fresh = is_flushed && flush == DeflateFlush::FullFlush;
                if output.len() + made > max {
                    return None;
                }
                output.extend_from_slice(scratch.get(..made)?);
                if is_flushed {
                    break;
                }
            }
            let len = output.len() - TAIL.len();
            let is_whole = input.is_empty() && output.ends_with(&TAIL);
            output.truncate(len);
            is_whole.then_some(output)
        })
    }
}

/// The compression of one connection's messages.
pub(crate) struct Deflater {
    parameters: Parameters,
    min_len: usize,
    takes_over: bool,
    /// With context, from the first message on.
    kept: Option<Compressor>,
    /// Bytes compressed since the driver last yielded.
    work: usize,
}

impl Deflater {
    pub(crate) fn new(settings: &config::Deflate, agreed: Compression) -> Self {
        Self {
            parameters: Parameters {
                level: settings.level,
                window_bits: agreed.send_window_bits,
            },
            min_len: settings.min_len.max(1),
            takes_over: agreed.send_context,
            kept: None,
            work: 0,
        }
    }

    /// The compressed payload behind `HEADROOM` bytes, or `None` if the message is to be sent as it
    /// is: it is short, or, without context, does not become shorter.
    pub(crate) fn compress(&mut self, payload: &[u8]) -> Option<BytesMut> {
        if payload.len() < self.min_len {
            return None;
        }
        self.work = self.work.saturating_add(payload.len());
        if !self.takes_over {
            let table_level = TableLevel::for_message(payload.len(), self.parameters);
            let mut compressor = Compressor::take(self.parameters, table_level);
            let max = payload.len() - 1;
            let compressed = compressor.compress(payload, max, DeflateFlush::FullFlush);
            compressor.give_back();
            return compressed;
        }
        let mut compressor = self.kept.take().unwrap_or_else(|| {
            let table_level = TableLevel::CONTEXT.within(self.parameters);
            Compressor::take(self.parameters, table_level)
        });
        // The compressor has seen the message, and refers to it from now on: it is sent compressed
        // even if that is longer.
        let compressed = compressor.compress(payload, usize::MAX, DeflateFlush::SyncFlush)?;
        self.kept = Some(compressor);
        Some(compressed)
    }

    /// From which length on messages are compressed, if they are without context.
    pub(crate) fn min_shared_len(&self) -> Option<usize> {
        (!self.takes_over).then_some(self.min_len)
    }

    /// The compressed payload of a message that other connections send, too, as of
    /// [`compress`](Self::compress), from the connection that came first.
    pub(crate) fn compress_shared(&mut self, message: &SharedMessage) -> Option<Bytes> {
        let Parameters { level, window_bits } = self.parameters;
        let is_cached = !self.takes_over && message.payload().len() >= self.min_len;
        let mut compress = |payload: &[u8]| {
            let mut compressed = self.compress(payload)?;
            compressed.advance(HEADROOM);
            Some(compressed.freeze())
        };
        if is_cached {
            message.compressed([level, window_bits], compress)
        } else {
            compress(message.payload())
        }
    }

    /// Whether a poll has done enough. It counts from zero after that.
    pub(crate) fn has_worked_enough(&mut self) -> bool {
        let is_enough = self.work >= WORK_PER_POLL;
        if is_enough {
            self.work = 0;
        }
        is_enough
    }

    /// Counts from zero.
    pub(crate) fn rest(&mut self) {
        self.work = 0;
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater")
            .field("parameters", &self.parameters)
            .field("takes_over", &self.takes_over)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// JSON-like text, different for each seed.
    fn text(seed: u64, len: usize) -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut text = Vec::new();
        while text.len() < len {
            let (name, price) = (random.u8(..), random.u16(..));
            text.extend(format!("{{\"name\":\"{name}\",\"price\":{price}}},").bytes());
        }
        text.truncate(len);
        text
    }

    fn random(len: usize) -> Vec<u8> {
        let mut random = vec![0; len];
        fastrand::Rng::with_seed(1).fill(&mut random);
        random
    }

    /// What a message becomes does not depend on messages before it, whose compressor it gets from
    /// the pool, even if the compression of one was given up.
    #[test]
    fn pooled_compressors_forget() {
        for level in 1..=9 {
            for send_window_bits in [9, 12, 15] {
                let agreed = Compression {
                    send_context: false,
                    recv_context: false,
                    send_window_bits,
                    recv_window_bits: 15,
                };
                let settings = config::Deflate::default().level(level).min_len(0);
                let mut deflater = Deflater::new(&settings, agreed);
                let messages = [text(1, 3_000), text(1, 9_000)];
                let expected: Vec<_> = messages
                    .iter()
                    .map(|message| deflater.compress(message))
                    .collect();
                for other in [text(2, 3_000), text(2, 9_000), random(400_000), random(40)] {
                    deflater.compress(&other);
                    for (message, expected) in messages.iter().zip(&expected) {
                        assert_eq!(&deflater.compress(message), expected, "at level {level}");
                    }
                }
            }
        }
    }

    /// Long messages that do not become shorter are compressed all the same with context, at each
    /// level.
    #[test]
    fn incompressible_messages_have_context() {
        for level in 1..=9 {
            for send_window_bits in [9, 15] {
                let agreed = Compression {
                    send_context: true,
                    recv_context: true,
                    send_window_bits,
                    recv_window_bits: 15,
                };
                let settings = config::Deflate::default().level(level);
                let mut deflater = Deflater::new(&settings, agreed);
                for message in [random(400_000), text(1, 9_000), random(400_000)] {
                    assert!(deflater.compress(&message).is_some(), "at level {level}");
                }
            }
        }
    }

    /// A short message becomes the same with the small table as with the large one.
    #[test]
    fn small_tables_suffice() {
        let parameters = Parameters {
            level: 4,
            window_bits: 15,
        };
        // Each byte of random data is a symbol.
        let len = TableLevel::SHORT_LEN - 1;
        for message in [text(1, len), random(len)] {
            let [short, long] = [TableLevel::SHORT, TableLevel::LONG].map(|table| {
                let flush = DeflateFlush::FullFlush;
                Compressor::new(parameters, table).compress(&message, usize::MAX, flush)
            });
            assert!(short.is_some());
            assert_eq!(short, long);
        }
    }
}
