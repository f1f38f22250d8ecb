//! Random numbers from a seed.

use std::time::Duration;

/// Splitmix64: small, good enough, and the same on every machine.
#[derive(Clone, Debug)]
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Another sequence of numbers, so that an additional number here changes nothing there.
    pub(super) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// From zero to `end`, exclusive.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap()
    }

    /// From `low` to `high`, inclusive.
    pub(super) fn within(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// From `low` to `high`, small numbers as likely as large ones.
    pub(super) fn size(&mut self, low: usize, high: usize) -> usize {
        let bits = usize::BITS - high.saturating_sub(low).leading_zeros();
        let bits = self.within(0, bits as usize);
        let top = if bits == 0 { 0 } else { 1 << (bits - 1) };
        (low + top + self.below(top)).min(high)
    }

    pub(super) fn one_in(&mut self, n: usize) -> bool {
        n > 0 && self.below(n) == 0
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Short times as likely as long ones.
    pub(super) fn time(&mut self, longest: Duration) -> Duration {
        let longest = usize::try_from(longest.as_micros()).unwrap();
        Duration::from_micros(self.size(0, longest) as u64)
    }
}

/// Spreads the bits of a number.
pub(super) fn mix(number: u64) -> u64 {
    let z = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
