//! What cbor4ii reads a payload through.
//!
//! Why cbor4ii: it is maintained, has no `unsafe` and no dependency that must be, lends texts and
//! bytes out of the payload, and lets the caller be the reader and the writer. Of the others,
//! ciborium keeps its `Deserializer` to itself, so that nothing can be put around it to bound what
//! it reads, and copies texts through a buffer of fixed size; minicbor writes a `char` as a number and
//! has a licence that is rare on lists of allowed ones.

use cbor4ii::core::dec::{Read, Reference};

/// A level of our own budget takes up to two of these, and a value inside of it one. So for what a
/// type reads, this never is the limit; it is for what it skips, on which cbor4ii recurses without
/// anybody in between.
const MAX_STEPS: usize = 512;

/// The payload ends before what it says that follows.
#[derive(Debug, thiserror::Error)]
#[error("the payload ends within a value")]
pub(super) struct Incomplete;

/// A payload that is all there.
///
/// `cbor4ii`'s own reader hands out what is left when more is asked for, and the caller then makes
/// room for what was claimed, up to 16 KiB, before it finds out that there is no more.
#[derive(Debug)]
pub(super) struct PayloadReader<'p> {
    payload: &'p [u8],
    steps: usize,
}

impl<'p> PayloadReader<'p> {
    pub(super) fn new(payload: &'p [u8]) -> Self {
        Self {
            payload,
            steps: MAX_STEPS,
        }
    }

    /// How many bytes have not been read.
    pub(super) fn left(&self) -> usize {
        self.payload.len()
    }
}

impl<'p> Read<'p> for PayloadReader<'p> {
    type Error = Incomplete;

    #[inline]
    fn fill<'short>(&'short mut self, want: usize) -> Result<Reference<'p, 'short>, Incomplete> {
        match self.payload.get(..want) {
            Some(wanted) => Ok(Reference::Long(wanted)),
            None => Err(Incomplete),
        }
    }

    #[inline]
    fn advance(&mut self, n: usize) {
        self.payload = self.payload.get(n..).unwrap_or_default();
    }

    #[inline]
    fn step_in(&mut self) -> bool {
        match self.steps.checked_sub(1) {
            Some(steps) => {
                self.steps = steps;
                true
            }
            None => false,
        }
    }

    #[inline]
    fn step_out(&mut self) {
        self.steps += 1;
    }
}
