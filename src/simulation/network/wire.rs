//! One direction of the network.

use std::{
    collections::VecDeque,
    io,
    sync::Arc,
    task::{Wake, Waker},
    time::Duration,
};

use futures::task::AtomicWaker;

use super::{Agenda, Conditions, Rng};

/// The bytes on their way from one end to the other.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) conditions: Conditions,
    pub(super) rng: Rng,
    /// Unflushed data, if the wire is buffered.
    pub(super) staged: Vec<u8>,
    pub(super) in_flight: VecDeque<(Duration, VecDeque<u8>)>,
    /// Bytes in both.
    pub(super) held: usize,
    pub(super) accepted: u64,
    pub(super) last_arrival: Duration,
    /// When the end of the direction arrives at the receiver.
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
    pub(super) fn new(conditions: Conditions, rng: Rng) -> Self {
        Self {
            conditions,
            rng,
            staged: Vec::new(),
            in_flight: VecDeque::new(),
            held: 0,
            accepted: 0,
            last_arrival: Duration::ZERO,
            ends_at: None,
            is_unread: false,
            reader: Arc::default(),
            writer: Arc::default(),
        }
    }

    /// Whether the call is `Pending` without a cause. Then a wakeup follows.
    pub(super) fn spurious_pending(&mut self, agenda: &Agenda, slot: &Arc<Slot>) -> bool {
        let spurious_pending = self.rng.one_in(self.conditions.spurious_pending);
        if spurious_pending {
            self.wake_soon(agenda, slot);
        }
        spurious_pending
    }

    pub(super) fn wake_soon(&mut self, agenda: &Agenda, slot: &Arc<Slot>) {
        let delay = self.delay();
        agenda.wake_at(agenda.now() + delay, Waker::from(Arc::clone(slot)));
    }

    fn delay(&mut self) -> Duration {
        self.rng.time(self.conditions.delay)
    }

    fn arrival(&mut self, agenda: &Agenda) -> Duration {
        let delay = self.delay();
        self.last_arrival = self.last_arrival.max(agenda.now() + delay);
        self.last_arrival
    }

    /// Sends the staged data.
    pub(super) fn transmit(&mut self, agenda: &Agenda) {
        if !self.staged.is_empty() {
            let at = self.arrival(agenda);
            self.in_flight
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
        self.in_flight.clear();
        self.held = 0;
    }

    /// Reads the first bytes in flight.
    pub(super) fn take(&mut self, buf: &mut [u8]) -> usize {
        let most = self.rng.size(1, self.conditions.max_read).min(buf.len());
        let (_, bytes) = self.in_flight.front_mut().unwrap();
        let taken = io::Read::read(bytes, &mut buf[..most]).unwrap();
        if bytes.is_empty() {
            self.in_flight.pop_front();
        }
        self.held -= taken;
        taken
    }
}
