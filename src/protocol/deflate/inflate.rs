//! Inflation of what is received (RFC 7692 section 7.2.2).
//!
//! A message is inflated as it arrives, at most [`WORK_PER_POLL`] bytes and one step at once. What
//! it inflates to is checked and counted step by step, so a message over the limit takes no memory
//! beyond it.

use std::fmt;

use bytes::BytesMut;
use zlib_rs::{Inflate, InflateFlush, Status};

use super::{SCRATCH, STEP_LEN, TAIL, WORK_PER_POLL, pool::Pool};
use crate::{
    error::{Violation, WsErr},
    message::Message,
    protocol::{buffer, utf8::Text},
};

/// The most decompressors that are kept for all connections.
const MAX_IDLE: usize = 64;

/// What a block costs beside its bytes: an endless row of empty ones is work, too.
const BLOCK_WORK: usize = 64;

/// Any sender's window fits into it.
const WINDOW_BITS: u8 = 15;

static POOL: Pool<Inflate> = Pool::new(MAX_IDLE);

/// The decompressor of a connection.
pub(in crate::protocol) struct Inflater {
    takes_over: bool,
    /// With context, between messages.
    kept: Option<Inflate>,
}

impl Inflater {
    pub(in crate::protocol) fn new(takes_over: bool) -> Self {
        let kept = None;
        Self { takes_over, kept }
    }

    /// Begins a message.
    pub(in crate::protocol) fn begin(&mut self, message: Inflated) -> Inflation {
        let kept = self.kept.take().or_else(|| POOL.take(|_| true));
        Inflation {
            inflate: kept.unwrap_or_else(|| Inflate::new(false, WINDOW_BITS)),
            message,
            received: 0,
            unread: 0,
            has_output: false,
            is_after_end: false,
        }
    }

    /// Ends a message, all of which has been inflated.
    ///
    /// # Errors
    /// [`WsErr::Protocol`] if it ends within a block, or within a character.
    pub(in crate::protocol) fn end(&mut self, mut inflation: Inflation) -> Result<Message, WsErr> {
        inflation.check_end()?;
        let Inflation {
            mut inflate,
            message,
            ..
        } = inflation;
        if self.takes_over {
            self.kept = Some(inflate);
        } else {
            inflate.reset(false);
            POOL.give(inflate);
        }
        Ok(match message {
            Inflated::Binary(buffer) => Message::Binary(buffer.into()),
            Inflated::Text(text) => Message::Text(text.finish()?),
        })
    }
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater")
            .field("takes_over", &self.takes_over)
            .finish_non_exhaustive()
    }
}

/// What a message inflates to.
#[derive(Debug)]
pub(in crate::protocol) enum Inflated {
    Binary(BytesMut),
    Text(Text),
}

impl Inflated {
    fn len(&self) -> usize {
        match self {
            Self::Binary(buffer) => buffer.len(),
            Self::Text(text) => text.len(),
        }
    }

    fn push(&mut self, part: &[u8], max: usize) -> Result<(), WsErr> {
        // What fits is checked first, so that the error does not depend on how the input is split.
        let room = max.saturating_sub(self.len());
        let part_that_fits = part.get(..room).unwrap_or(part);
        match self {
            Self::Binary(buffer) => {
                buffer::reserve(buffer, part_that_fits.len(), max);
                buffer.extend_from_slice(part_that_fits);
            }
            Self::Text(text) => {
                text.reserve(part_that_fits.len(), max);
                text.push(part_that_fits)?;
            }
        }
        if part.len() > room {
            let len = max.saturating_add(1);
            return Err(WsErr::MessageTooLarge { len, max });
        }
        Ok(())
    }
}

/// A message that is not complete.
pub(in crate::protocol) struct Inflation {
    inflate: Inflate,
    message: Inflated,
    /// How many compressed bytes have been inflated.
    received: usize,
    /// How many compressed bytes have been unmasked and not inflated.
    pub(in crate::protocol) unread: usize,
    /// The decompressor may have more output without further input.
    has_output: bool,
    /// The last block was a final one (RFC 7692 section 7.2.3.4), and nothing came behind it.
    is_after_end: bool,
}

impl Inflation {
    /// How many compressed bytes have arrived.
    pub(in crate::protocol) fn received(&self) -> usize {
        self.received.saturating_add(self.unread)
    }

    /// Whether there is something to do without further input.
    pub(in crate::protocol) fn has_more(&self) -> bool {
        self.unread > 0 || self.has_output
    }

    /// Inflates `input`, to a message of at most `max` bytes. Returns the work that it was, in
    /// bytes. What it did not get to is [`unread`](Self::unread).
    ///
    /// # Errors
    /// [`WsErr::MessageTooLarge`]; [`WsErr::Protocol`] if the input is not valid, or the text not
    /// UTF-8.
    pub(in crate::protocol) fn push(
        &mut self,
        mut input: &[u8],
        max: usize,
    ) -> Result<usize, WsErr> {
        let mut work = 0;
        self.has_output |= !input.is_empty();
        while self.has_output && work < WORK_PER_POLL {
            let step = self.step(input, max, InflateFlush::NoFlush)?;
            input = input.get(step.read..).unwrap_or_default();
            self.received = self.received.saturating_add(step.read);
            self.is_after_end &= step.read == 0;
            work += step.made;
            self.has_output = step.made == STEP_LEN;
            if step.status == Status::StreamEnd {
                // The next block begins a stream, as the sender's compressor has done.
                self.inflate.reset(false);
                self.is_after_end = true;
                self.has_output = !input.is_empty();
                work += BLOCK_WORK;
            } else if !input.is_empty() {
                if step.read == 0 && step.made == 0 {
                    return Err(broken());
                }
                self.has_output = true;
            }
        }
        self.unread = input.len();
        Ok(work)
    }

    /// Checks that the message ends where a block does.
    fn check_end(&mut self) -> Result<(), WsErr> {
        if self.is_after_end {
            return Ok(());
        }
        // The stored block whose end the sender has left out; and a byte more, which is left over
        // if, and only if, a block ends before it.
        let [a, b, c, d] = TAIL;
        let step = self.step(&[a, b, c, d, 0], usize::MAX, InflateFlush::Block);
        match step {
            Ok(step) if step.read == TAIL.len() && step.made == 0 => Ok(()),
            _ => Err(broken()),
        }
    }

    fn step(&mut self, input: &[u8], max: usize, flush: InflateFlush) -> Result<Step, WsErr> {
        SCRATCH.with_borrow_mut(|scratch| {
            let (read, made) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self.inflate.decompress(input, scratch, flush);
            let read = usize::try_from(self.inflate.total_in() - read).unwrap_or(0);
            let made = usize::try_from(self.inflate.total_out() - made).unwrap_or(0);
            // What precedes an error counts first, however the input is split.
            self.message
                .push(scratch.get(..made).unwrap_or_default(), max)?;
            let status = status.map_err(|_| broken())?;
            Ok(Step { read, made, status })
        })
    }
}

impl fmt::Debug for Inflation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflation")
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

/// What one call of the decompressor did.
struct Step {
    read: usize,
    made: usize,
    status: Status,
}

#[cold]
fn broken() -> WsErr {
    WsErr::Protocol(Violation::invalid_deflate())
}
