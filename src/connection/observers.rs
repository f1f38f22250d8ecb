//! Delivers events to observers, and never waits for one.
//!
//! Each observer has a `Pharos` of its own: one that serves several is held up by the slowest of them,
//! and drops the one that is full.

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

/// Bytes of text that one observer may keep alive, in its queue or taken out of it, before it gets no
/// more. It may get one text more than that.
const MAX_TEXT_BYTES: usize = 256 * 1024;

/// All observers of a connection.
#[derive(Debug, Default)]
pub(super) struct Observers {
    observers: Vec<Observer>,
    closed: bool,
}

impl Observers {
    /// Adds an observer. What kind of channel it asks for cannot be seen from here; it gets a bounded one.
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
        let mut outbox = Observers::default();
        let events = outbox.observe(Channel::Unbounded.into()).unwrap();
        (outbox, events)
    }

    fn next(events: &mut Events<WsEvent>) -> Option<WsEvent> {
        events.next().now_or_never().flatten()
    }

    fn ping(n: usize) -> WsEvent {
        WsEvent::Ping(Bytes::from(n.to_string()))
    }

    #[test]
    fn a_slow_observer_is_told_how_much_it_missed() {
        let (mut outbox, mut events) = observed();
        (0..MAX_EVENTS + 10).for_each(|n| outbox.emit(&ping(n)));
        let taken = std::iter::from_fn(|| next(&mut events)).count();
        assert_eq!(taken, MAX_EVENTS);
        outbox.emit(&ping(0));
        assert!(matches!(next(&mut events), Some(WsEvent::Lagged(10))));
        assert!(matches!(next(&mut events), Some(WsEvent::Ping(_))));
    }

    #[test]
    fn a_slow_observer_holds_up_no_other() {
        let (mut outbox, _slow) = observed();
        let mut fast = outbox.observe(ObserveConfig::default()).unwrap();
        for n in 0..MAX_EVENTS * 3 {
            outbox.emit(&ping(n));
            assert!(matches!(next(&mut fast), Some(WsEvent::Ping(_))));
        }
    }

    #[test]
    fn an_observer_that_went_away_is_forgotten() {
        let (mut outbox, events) = observed();
        drop(events);
        outbox.emit(&ping(0));
        assert!(!outbox.is_observed());
        // Without events, too.
        for _ in 0..3 {
            drop(outbox.observe(ObserveConfig::default()).unwrap());
        }
        assert_eq!(outbox.observers.len(), 1);
    }

    #[test]
    fn texts_that_are_still_held_count_against_an_observer() {
        let (mut outbox, mut events) = observed();
        let text = || WsEvent::Text("x".repeat(100 * 1024).into());
        (0..5).for_each(|_| outbox.emit(&text()));
        let held: Vec<_> = std::iter::from_fn(|| next(&mut events)).collect();
        assert_eq!(held.len(), 3, "two fit, and one more may be on its way");
        drop(held);
        outbox.emit(&text());
        assert!(matches!(next(&mut events), Some(WsEvent::Lagged(2))));
        assert!(matches!(next(&mut events), Some(WsEvent::Text(_))));
    }

    #[test]
    fn texts_that_a_slow_observer_holds_are_not_missed_by_another() {
        let (mut outbox, _slow) = observed();
        let mut quick = outbox.observe(ObserveConfig::default()).unwrap();
        for _ in 0..20 {
            outbox.emit(&WsEvent::Text("x".repeat(60_000).into()));
            assert!(matches!(next(&mut quick), Some(WsEvent::Text(_))));
        }
    }

    #[test]
    fn closed_is_the_last_event_and_ends_the_stream() {
        let (mut outbox, mut events) = observed();
        outbox.emit(&ping(0));
        outbox.close();
        outbox.close();
        outbox.finish();
        assert!(matches!(next(&mut events), Some(WsEvent::Ping(_))));
        assert!(matches!(next(&mut events), Some(WsEvent::Closed)));
        assert!(matches!(events.next().now_or_never(), Some(None)));
    }

    #[test]
    fn closed_reaches_an_observer_that_drains_before_the_view_is_dropped() {
        let (mut outbox, mut events) = observed();
        (0..MAX_EVENTS).for_each(|n| outbox.emit(&ping(n)));
        outbox.close();
        assert_eq!(std::iter::from_fn(|| next(&mut events)).count(), MAX_EVENTS);
        outbox.finish();
        assert!(matches!(next(&mut events), Some(WsEvent::Closed)));
    }

    #[test]
    fn who_never_drained_gets_what_is_queued_and_no_more() {
        let (mut outbox, mut events) = observed();
        (0..MAX_EVENTS + 10).for_each(|n| outbox.emit(&ping(n)));
        outbox.finish();
        let queued: Vec<_> = std::iter::from_fn(|| next(&mut events)).collect();
        assert_eq!(queued.len(), MAX_EVENTS);
        assert!(queued.iter().all(|event| matches!(event, WsEvent::Ping(_))));
        assert!(matches!(events.next().now_or_never(), Some(None)));
    }

    #[test]
    fn who_observes_too_late_learns_that_it_is_over() {
        let mut outbox = Observers::default();
        outbox.finish();
        let mut events = outbox.observe(ObserveConfig::default()).unwrap();
        assert!(matches!(next(&mut events), Some(WsEvent::Closed)));
        assert!(matches!(events.next().now_or_never(), Some(None)));
    }
}
