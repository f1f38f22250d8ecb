//! The agenda: scheduled wakeups, except the library's own timers.

use std::{
    collections::BTreeMap,
    fmt::Display,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
    time::Duration,
};

use crate::time::virtual_time;

/// The time of an entry, and its number.
type Key = (Duration, u64);

/// The time, and the wakeups of the network and of sleeping users.
///
/// Separate from the library's timers, to detect progress that depends on a timer.
#[derive(Clone, Debug, Default)]
pub(super) struct Agenda(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    now: Duration,
    count: u64,
    waiting: BTreeMap<Key, Waker>,
    is_traced: bool,
}

impl Agenda {
    pub(super) fn new(is_traced: bool) -> Self {
        let agenda = Self::default();
        agenda.entries().is_traced = is_traced;
        agenda
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap()
    }

    /// Since the simulation began.
    pub(super) fn now(&self) -> Duration {
        self.entries().now
    }

    /// Wakes at this time, or at once if it has passed.
    pub(super) fn wake_at(&self, at: Duration, waker: Waker) {
        let _ = self.put(at, waker);
    }

    fn put(&self, at: Duration, waker: Waker) -> Option<Key> {
        let mut entries = self.entries();
        if at <= entries.now {
            drop(entries);
            waker.wake();
            return None;
        }
        entries.count += 1;
        let key = (at, entries.count);
        entries.waiting.insert(key, waker);
        Some(key)
    }

    /// When the next entry is due.
    pub(super) fn next(&self) -> Option<Duration> {
        let entries = self.entries();
        entries.waiting.keys().next().map(|(at, _)| *at)
    }

    /// Advances the time, for the library too.
    pub(super) fn advance_to(&self, at: Duration) {
        let mut entries = self.entries();
        let step = at.saturating_sub(entries.now);
        entries.now += step;
        let later = entries.waiting.split_off(&(at, u64::MAX));
        let due = std::mem::replace(&mut entries.waiting, later);
        drop(entries);
        due.into_values().for_each(Waker::wake);
        virtual_time::advance(step);
    }

    pub(super) fn sleep(&self, time: Duration) -> Sleep {
        Sleep {
            agenda: self.clone(),
            at: self.now() + time,
            key: None,
        }
    }

    pub(super) fn trace<T: Display>(&self, text: impl FnOnce() -> T) {
        let entries = self.entries();
        if entries.is_traced {
            eprintln!("{:>12?} {}", entries.now, text());
        }
    }
}

/// A pause of a user.
#[derive(Debug)]
pub(super) struct Sleep {
    agenda: Agenda,
    at: Duration,
    key: Option<Key>,
}

impl Sleep {
    /// A dropped sleep must not wake a task: that could hide a missing wakeup.
    fn forget(&mut self) {
        if let Some(key) = self.key.take() {
            let waker = self.agenda.entries().waiting.remove(&key);
            drop(waker);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.forget();
        if self.agenda.now() >= self.at {
            return Poll::Ready(());
        }
        self.key = self.agenda.put(self.at, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.forget();
    }
}
