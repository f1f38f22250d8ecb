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

struct Compressor {
    deflate: Deflate,
    parameters: Parameters,
}

impl Compressor {
    /// One without context.
    fn take(parameters: Parameters) -> Self {
        let pooled = POOL.take(|compressor| compressor.parameters == parameters);
        pooled.unwrap_or_else(|| {
            let window_bits = i32::from(parameters.window_bits);
            let config = DeflateConfig {
                // Negative for a stream without a header.
                window_bits: -window_bits,
                // The table of symbols has the length of the window.
                mem_level: (window_bits - 7).clamp(1, 8),
                ..DeflateConfig::new(parameters.level.into())
            };
            Self {
                deflate: Deflate::new_with_config(config),
                parameters,
            }
        })
    }

    fn give_back(mut self) {
        self.deflate.reset();
        POOL.give(self);
    }

    /// The compressed payload behind `HEADROOM` bytes, unless it has more than `max` bytes.
    fn compress(&mut self, mut input: &[u8], max: usize) -> Option<BytesMut> {
        let max = max.saturating_add(HEADROOM + TAIL.len());
        let mut output = BytesMut::new();
        SCRATCH.with_borrow_mut(|scratch| {
            loop {
                let (read, made) = (self.deflate.total_in(), self.deflate.total_out());
                let flush = DeflateFlush::SyncFlush;
                self.deflate.compress(input, scratch, flush).ok()?;
                let read = usize::try_from(self.deflate.total_in() - read).ok()?;
                let made = usize::try_from(self.deflate.total_out() - made).ok()?;
                input = input.get(read..)?;
                if output.is_empty() {
                    output = BytesMut::with_capacity(HEADROOM + made);
                    output.extend_from_slice(&[0; HEADROOM]);
                }
                if output.len() + made > max {
                    return None;
                }
                output.extend_from_slice(scratch.get(..made)?);
                if made < STEP_LEN {
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
        let kept = self.kept.take();
        let mut compressor = kept.unwrap_or_else(|| Compressor::take(self.parameters));
        if !self.takes_over {
            let compressed = compressor.compress(payload, payload.len() - 1);
            compressor.give_back();
            return compressed;
        }
        // The compressor has seen the message, and refers to it from now on: it is sent compressed
        // even if that is longer.
        let compressed = compressor.compress(payload, usize::MAX)?;
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
