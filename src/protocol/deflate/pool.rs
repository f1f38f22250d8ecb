//! What connections share while they do not use it.

use std::sync::{Mutex, PoisonError};

/// Values that are expensive to make, at most `max` of them. The one that was used last is used
/// first.
pub(super) struct Pool<T> {
    idle: Mutex<Vec<T>>,
    max: usize,
}

impl<T> Pool<T> {
    pub(super) const fn new(max: usize) -> Self {
        let idle = Mutex::new(Vec::new());
        Self { idle, max }
    }

    /// Takes a value that is suitable, if there is one.
    pub(super) fn take(&self, is_suitable: impl Fn(&T) -> bool) -> Option<T> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let place = idle.iter().rposition(is_suitable)?;
        Some(idle.remove(place))
    }

    /// Keeps a value, in place of the one that has not been used for longest if there are too many.
    pub(super) fn give(&self, value: T) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = (idle.len() >= self.max && !idle.is_empty()).then(|| idle.remove(0));
        idle.push(value);
        // What it frees is large, and no reason for others to wait.
        drop(idle);
        drop(oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No more than the maximum is kept, and what is kept is what was used last.
    #[test]
    fn pools_are_bounded() {
        let pool = Pool::new(2);
        for value in [1, 2, 3] {
            pool.give(value);
        }
        assert_eq!(pool.take(|value| *value == 1), None);
        assert_eq!(pool.take(|_| true), Some(3));
        assert_eq!(pool.take(|_| true), Some(2));
        assert_eq!(pool.take(|_| true), None);
    }
}
