//! What the encoder has made and the socket has not taken.

use std::{collections::VecDeque, io::IoSlice};

use bytes::{Buf, Bytes, BytesMut};

/// The largest copy buffer that is kept while nothing is sent, in bytes.
const IDLE_CAPACITY: usize = 512;

/// The longest list of segments that is kept while nothing is sent.
const IDLE_SEGMENTS: usize = 4;

/// Bytes to send: segments that were not copied, and a copy buffer for all else behind them.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// Empty only if `rest` is empty.
    first: Bytes,
    rest: VecDeque<Bytes>,
    tail: BytesMut,
    len: usize,
    /// How many bytes the copy buffer has taken since the queue was empty, and the time before: it
    /// is allocated at once with the capacity that it had.
    copied: usize,
    copied_before: usize,
}

impl Queue {
    /// How many bytes are to be sent.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends a segment that is not copied.
    #[inline]
    pub(super) fn push(&mut self, segment: Bytes) {
        self.len += segment.len();
        if !self.tail.is_empty() {
            let tail = self.tail.split().freeze();
            self.push_segment(tail);
        }
        self.push_segment(segment);
    }

    #[inline]
    fn push_segment(&mut self, segment: Bytes) {
        if self.first.is_empty() {
            self.first = segment;
        } else {
            self.rest.push_back(segment);
        }
    }

    /// Appends a copy of two slices, and returns the copy of the second.
    #[inline]
    pub(super) fn copy(&mut self, header: &[u8], payload: &[u8]) -> &mut [u8] {
        let added = header.len() + payload.len();
        self.len += added;
        self.copied += added;
        if self.tail.capacity() == 0 {
            let usual = self.copied_before.min(64 * 1024);
            self.tail = BytesMut::with_capacity(added.max(usual).max(IDLE_CAPACITY));
        }
        self.tail.reserve(added);
        self.tail.extend_from_slice(header);
        let start = self.tail.len();
        self.tail.extend_from_slice(payload);
        self.tail.get_mut(start..).unwrap_or_default()
    }

    /// The bytes to send, if they are in one piece.
    #[inline]
    pub(crate) fn single(&self) -> Option<&[u8]> {
        if self.first.is_empty() {
            return Some(&self.tail);
        }
        (self.first.len() == self.len).then_some(&self.first)
    }

    /// The first piece of the bytes to send.
    pub(crate) fn front(&self) -> &[u8] {
        if self.first.is_empty() {
            &self.tail
        } else {
            &self.first
        }
    }

    /// Fills `slices` from the front with the bytes to send, and returns how many it filled.
    pub(crate) fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let first = [&*self.first].into_iter();
        let parts = first
            .chain(self.rest.iter().map(|part| &**part))
            .chain([&*self.tail]);
        let mut filled = 0;
        for (slice, part) in slices.iter_mut().zip(parts.filter(|part| !part.is_empty())) {
            *slice = IoSlice::new(part);
            filled += 1;
        }
        filled
    }

    /// Removes `written` bytes from the front.
    #[inline]
    pub(crate) fn advance(&mut self, mut written: usize) {
        self.len = self.len.saturating_sub(written);
        while !self.first.is_empty() {
            if written < self.first.len() {
                self.first.advance(written);
                return;
            }
            written -= self.first.len();
            self.first = self.rest.pop_front().unwrap_or_default();
        }
        self.tail.advance(written.min(self.tail.len()));
        if self.len == 0 && self.copied > 0 {
            self.copied_before = std::mem::take(&mut self.copied);
        }
    }

    /// Gives large buffers back, when everything has been sent.
    #[inline]
    pub(crate) fn release(&mut self) {
        if !self.is_empty() {
            return;
        }
        if self.copied_before > IDLE_CAPACITY {
            self.tail = BytesMut::new();
        }
        if self.rest.capacity() > IDLE_SEGMENTS {
            self.rest = VecDeque::new();
        }
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.tail.capacity()
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
