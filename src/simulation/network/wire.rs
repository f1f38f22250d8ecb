//! One direction of the network.

use std::{
    collections::VecDeque,
    io,
    sync::Arc,
    task::{Wake, Waker},
    time::Duration,
};

use futures::task::AtomicWaker;

use super::{Agenda, Rng, Weather};

/// The bytes on their way from one end to the other.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) weather: Weather,
    pub(super) rng: Rng,
    /// Written and not flushed, in buffered weather.
    pub(super) staged: Vec<u8>,
    pub(super) under_way: VecDeque<(Duration, VecDeque<u8>)>,
    /// Bytes in both.
    pub(super) held: usize,
    pub(super) accepted: u64,
    pub(super) last_arrival: Duration,
    /// The sender closed, and its peer sees that from this time on.
    pub(super) ends_at: Option<Duration>,
    /// The receiver is gone.
    pub(super) is_unread: bool,
    pub(super) reader: Arc<Slot>,
    pub(super) writer: Arc<Slot>,
}

/// The waker of the task that polled last, as in a socket.
#[derive(Debug, Default)]
pub(super) struct Slot(AtomicWaker);

impl Slot {
    pub(super) fn register(&self, waker: &Waker) {
        self.0.register(waker);
    }
}

impl Wake for Slot {
    fn wake(self: Arc<Self>) {
        self.0.wake();
    }
}

impl Wire {
    pub(super) fn new(weather: Weather, rng: Rng) -> Self {
        Self {
            weather,
            rng,
            staged: Vec::new(),
            under_way: VecDeque::new(),
            held: 0,
            accepted: 0,
            last_arrival: Duration::ZERO,
            ends_at: None,
            is_unread: false,
            reader: Arc::default(),
            writer: Arc::default(),
        }
    }

    /// Whether the call is to be `Pending` for no reason, with a wakeup on its way.
    pub(super) fn hiccups(&mut self, agenda: &Agenda, slot: &Arc<Slot>) -> bool {
        let hiccups = self.rng.one_in(self.weather.hiccups);
        if hiccups {
            self.wake_soon(agenda, slot);
        }
        hiccups
    }

    pub(super) fn wake_soon(&mut self, agenda: &Agenda, slot: &Arc<Slot>) {
        let delay = self.delay();
        agenda.wake_at(agenda.now() + delay, Waker::from(Arc::clone(slot)));
    }

    fn delay(&mut self) -> Duration {
        self.rng.time(self.weather.delay)
    }

    fn arrival(&mut self, agenda: &Agenda) -> Duration {
        let delay = self.delay();
        self.last_arrival = self.last_arrival.max(agenda.now() + delay);
        self.last_arrival
    }

    /// Sends off what was kept back.
    pub(super) fn transmit(&mut self, agenda: &Agenda) {
        if !self.staged.is_empty() {
            let at = self.arrival(agenda);
            self.under_way
                .push_back((at, std::mem::take(&mut self.staged).into()));
            agenda.wake_at(at, Waker::from(Arc::clone(&self.reader)));
        }
    }

    pub(super) fn finish(&mut self, agenda: &Agenda) {
        self.transmit(agenda);
        if self.ends_at.is_none() {
            let at = self.arrival(agenda);
            self.ends_at = Some(at);
            agenda.wake_at(at, Waker::from(Arc::clone(&self.reader)));
        }
    }

    pub(super) fn lose(&mut self) {
        self.staged.clear();
        self.under_way.clear();
        self.held = 0;
    }

    /// Reads the first bytes in flight.
    pub(super) fn take(&mut self, buf: &mut [u8]) -> usize {
        let most = self.rng.size(1, self.weather.max_read).min(buf.len());
        let (_, bytes) = self.under_way.front_mut().unwrap();
        let taken = io::Read::read(bytes, &mut buf[..most]).unwrap();
        if bytes.is_empty() {
            self.under_way.pop_front();
        }
        self.held -= taken;
        taken
    }
}
