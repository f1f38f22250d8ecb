//! Delivers events to observers, and never waits for one.
//!
//! Each observer has a `Pharos` of its own: one that serves several is held up by the slowest of
//! them, and drops the one that is full.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll, Waker},
};

use futures::{FutureExt, Sink};
use pharos::{Channel, Events, Observable, ObserveConfig, Pharos};

use crate::{error::WsErr, event::WsEvent};

/// Events that may wait for one observer.
const MAX_EVENTS: usize = 128;

/// Bytes of text that one observer may keep alive, in its queue or taken out of it, before it gets
/// no more. It may get one text more than that.
const MAX_TEXT_BYTES: usize = 256 * 1024;

/// All observers of a connection.
#[derive(Debug, Default)]
pub(super) struct Observers {
    observers: Vec<Observer>,
    closed: bool,
}

impl Observers {
    /// Adds an observer. What kind of channel it asks for cannot be seen from here; it gets a
    /// bounded one.
    pub(super) fn observe(
        &mut self,
        options: ObserveConfig<WsEvent>,
    ) -> Result<Events<WsEvent>, WsErr> {
        let mut pharos = Pharos::new(1);
        let events = pharos
            .observe(options.channel(Channel::Bounded(MAX_EVENTS)))
            .now_or_never()
            .and_then(Result::ok)
            .ok_or(WsErr::Closed)?;
        let mut observer = Observer {
            pharos,
            missed: 0,
            texts: VecDeque::new(),
        };
        if self.closed {
            observer.send(&WsEvent::Closed);
        } else {
            // Without events, nothing else would find the observers that were dropped.
            self.observers.retain_mut(|observer| !observer.is_gone());
            self.observers.push(observer);
        }
        Ok(events)
    }

    /// Whether there is an observer for an event. After the end there is none.
    pub(super) fn is_observed(&self) -> bool {
        !self.closed && !self.observers.is_empty()
    }

    pub(super) fn emit(&mut self, event: &WsEvent) {
        self.observers
            .retain_mut(|observer| observer.send(event) != Delivery::Closed);
    }

    /// Sends `Closed` to all observers. One whose queue is full is kept, so that
    /// [`finish`](Self::finish) can try once more.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.observers
            .retain_mut(|observer| observer.send(&WsEvent::Closed) == Delivery::Full);
    }

    /// The connection is dropped: sends `Closed` to those that still wait, and ends their streams.
    pub(super) fn finish(&mut self) {
        self.close();
        self.observers.clear();
    }
}

#[derive(PartialEq, Eq)]
enum Delivery {
    Delivered,
    Full,
    Closed,
}

struct Observer {
    pharos: Pharos<WsEvent>,
    missed: u64,
    /// The texts that this observer was given and that are still alive.
    texts: VecDeque<Weak<str>>,
}

impl Observer {
    fn send(&mut self, event: &WsEvent) -> Delivery {
        if self.is_gone() {
            return Delivery::Closed;
        }
        let mut fits = self.has_room() && self.has_room_for_text(event);
        if fits && self.missed > 0 {
            self.put(WsEvent::Lagged(self.missed));
            self.missed = 0;
            fits = self.has_room();
        }
        if !fits {
            // A missed `Closed` is sent again, not counted.
            self.missed += u64::from(!matches!(event, WsEvent::Closed));
            return Delivery::Full;
        }
        let event = match event {
            WsEvent::Text(text) => {
                // A copy of its own: what another observer keeps does not count against this one.
                let text = Arc::from(&**text);
                self.texts.push_back(Arc::downgrade(&text));
                WsEvent::Text(text)
            }
            event => event.clone(),
        };
        self.put(event);
        Delivery::Delivered
    }

    fn is_gone(&mut self) -> bool {
        self.pharos.num_observers() == 0
    }

    fn has_room(&mut self) -> bool {
        let ready = Pin::new(&mut self.pharos).poll_ready(&mut Context::from_waker(Waker::noop()));
        matches!(ready, Poll::Ready(Ok(())))
    }

    fn has_room_for_text(&mut self, event: &WsEvent) -> bool {
        if !matches!(event, WsEvent::Text(_)) {
            return true;
        }
        self.texts.retain(|text| text.strong_count() > 0);
        let held: usize = self
            .texts
            .iter()
            .filter_map(Weak::upgrade)
            .map(|text| text.len())
            .sum();
        held < MAX_TEXT_BYTES && self.texts.len() < MAX_EVENTS
    }

    /// An error means that the observer was dropped, which the next event finds too.
    fn put(&mut self, event: WsEvent) {
        let _ = Pin::new(&mut self.pharos).start_send(event);
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer")
            .field("missed", &self.missed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use futures::StreamExt;

    fn observed() -> (Observers, Events<WsEvent>) {
        let mut observers = Observers::default();
        let events = observers.observe(Channel::Unbounded.into()).unwrap();
        (observers, events)
    }

    fn next(events: &mut Events<WsEvent>) -> Option<WsEvent> {
        events.next().now_or_never().flatten()
    }

    fn ping(n: usize) -> WsEvent {
        WsEvent::Ping(Bytes::from(n.to_string()))
    }

    /// A slow observer receives `Lagged` with the number of events that it missed.
    #[test]
    fn slow_observer_learns_of_losses() {
        let (mut observers, mut events) = observed();
        (0..MAX_EVENTS + 10).for_each(|n| observers.emit(&ping(n)));
        let taken = std::iter::from_fn(|| next(&mut events)).count();
        assert_eq!(taken, MAX_EVENTS);
        observers.emit(&ping(0));
        assert!(matches!(next(&mut events), Some(WsEvent::Lagged(10))));
        assert!(matches!(next(&mut events), Some(WsEvent::Ping(_))));
    }

    /// A slow observer does not delay another.
    #[test]
    fn slow_observer_delays_no_other() {
        let (mut observers, _slow) = observed();
        let mut fast = observers.observe(ObserveConfig::default()).unwrap();
        for n in 0..MAX_EVENTS * 3 {
            observers.emit(&ping(n));
            assert!(matches!(next(&mut fast), Some(WsEvent::Ping(_))));
        }
    }

    /// A dropped observer is removed by the next event, and by the next observer.
    #[test]
    fn dropped_observer_is_removed() {
        let (mut observers, events) = observed();
        drop(events);
        observers.emit(&ping(0));
        assert!(!observers.is_observed());
        // Without events, the next observer removes it.
        for _ in 0..3 {
            drop(observers.observe(ObserveConfig::default()).unwrap());
        }
        assert_eq!(observers.observers.len(), 1);
    }

    /// Short texts that an observer holds are counted, too.
    #[test]
    fn held_texts_are_counted() {
        let (mut observers, mut events) = observed();
        let mut held = Vec::new();
        for n in 0..=MAX_EVENTS {
            observers.emit(&WsEvent::Text(n.to_string().into()));
            held.extend(next(&mut events));
        }
        assert_eq!(held.len(), MAX_EVENTS);
        held.clear();
        observers.emit(&WsEvent::Text("again".into()));
        assert!(matches!(next(&mut events), Some(WsEvent::Lagged(1))));
        assert!(matches!(next(&mut events), Some(WsEvent::Text(_))));
    }

    /// Texts that an observer holds count against its bound.
    #[test]
    fn held_texts_count_against_observer() {
        let (mut observers, mut events) = observed();
        let text = || WsEvent::Text("x".repeat(100 * 1024).into());
        (0..5).for_each(|_| observers.emit(&text()));
        let held: Vec<_> = std::iter::from_fn(|| next(&mut events)).collect();
        assert_eq!(held.len(), 3, "two fit, and one more may be in flight");
        drop(held);
        observers.emit(&text());
        assert!(matches!(next(&mut events), Some(WsEvent::Lagged(2))));
        assert!(matches!(next(&mut events), Some(WsEvent::Text(_))));
    }

    /// Texts that a slow observer holds do not count against another.
    #[test]
    fn held_texts_spare_other_observers() {
        let (mut observers, _slow) = observed();
        let mut quick = observers.observe(ObserveConfig::default()).unwrap();
        for _ in 0..20 {
            observers.emit(&WsEvent::Text("x".repeat(60_000).into()));
            assert!(matches!(next(&mut quick), Some(WsEvent::Text(_))));
        }
    }

    /// `Closed` is sent once, as the last event, and ends the stream.
    #[test]
    fn closed_is_the_last_event() {
        let (mut observers, mut events) = observed();
        observers.emit(&ping(0));
        observers.close();
        observers.close();
        observers.finish();
        assert!(matches!(next(&mut events), Some(WsEvent::Ping(_))));
        assert!(matches!(next(&mut events), Some(WsEvent::Closed)));
        assert!(matches!(events.next().now_or_never(), Some(None)));
    }

    /// An observer whose queue was full receives `Closed` after it has read the queue.
    #[test]
    fn closed_follows_a_full_queue() {
        let (mut observers, mut events) = observed();
        (0..MAX_EVENTS).for_each(|n| observers.emit(&ping(n)));
        observers.close();
        assert_eq!(std::iter::from_fn(|| next(&mut events)).count(), MAX_EVENTS);
        observers.finish();
        assert!(matches!(next(&mut events), Some(WsEvent::Closed)));
    }

    /// An observer that does not read its full queue before the end receives the queue and no more.
    #[test]
    fn full_queue_ends_without_closed() {
        let (mut observers, mut events) = observed();
        (0..MAX_EVENTS + 10).for_each(|n| observers.emit(&ping(n)));
        observers.finish();
        let queued: Vec<_> = std::iter::from_fn(|| next(&mut events)).collect();
        assert_eq!(queued.len(), MAX_EVENTS);
        assert!(queued.iter().all(|event| matches!(event, WsEvent::Ping(_))));
        assert!(matches!(events.next().now_or_never(), Some(None)));
    }

    /// An observer of a connection that has ended receives `Closed`.
    #[test]
    fn late_observer_receives_closed() {
        let mut observers = Observers::default();
        observers.finish();
        let mut events = observers.observe(ObserveConfig::default()).unwrap();
        assert!(matches!(next(&mut events), Some(WsEvent::Closed)));
        assert!(matches!(events.next().now_or_never(), Some(None)));
    }
}
