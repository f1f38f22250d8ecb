//! The network: a pipe of bytes for each direction, with delays, losses and faults.

mod pipe;
mod wire;

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard},
    task::Poll,
    time::Duration,
};

pub(super) use self::pipe::Pipe;
use self::wire::Wire;
use super::{agenda::Agenda, rng::Rng};

/// How one direction behaves.
#[derive(Clone, Debug)]
pub(super) struct Conditions {
    /// How many bytes are in flight at most.
    pub(super) capacity: usize,
    /// The largest write, and the largest read.
    pub(super) max_write: usize,
    pub(super) max_read: usize,
    /// One call in so many is `Pending` without a cause. Zero for none.
    pub(super) spurious_pending: usize,
    /// The longest delay of bytes in flight, and of a wakeup.
    pub(super) delay: Duration,
    /// Bytes stay with the sender until it flushes, as those of TLS and of buffered writers do.
    pub(super) is_buffered: bool,
}

/// A fault of the network, after `at` bytes in one direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    pub(super) direction: usize,
    pub(super) at: u64,
}

impl Fault {
    /// Whether this end detects the fault only by keepalive.
    pub(super) fn is_hidden_from(self, end: usize) -> bool {
        match self.kind {
            FaultKind::Silence { .. } => true,
            FaultKind::WriteError => end != self.direction,
            FaultKind::Reset { .. } | FaultKind::Eof => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// Both ends get an error at once. Bytes in flight arrive, or are lost.
    Reset { is_lossy: bool },
    /// Neither end gets an error. Bytes in flight arrive, or are lost.
    Silence { is_lossy: bool },
    /// Writes fail at both ends, and reads are pending forever.
    WriteError,
    /// This direction ends as if it had been closed. Later writes to it fail.
    Eof,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Up,
    Reset,
    Silent,
    WriteError,
}

#[derive(Debug)]
struct Wires {
    pair: [Wire; 2],
    fault: Option<Fault>,
    state: State,
    agenda: Agenda,
}

/// The network between two ends. An end writes to `pair[end]`.
#[derive(Clone, Debug)]
pub(super) struct Network(Arc<Mutex<Wires>>);

impl Network {
    pub(super) fn new(
        conditions: [Conditions; 2],
        fault: Option<Fault>,
        agenda: &Agenda,
        rng: &mut Rng,
    ) -> Self {
        let pair = conditions.map(|conditions| Wire::new(conditions, rng.fork()));
        Self(Arc::new(Mutex::new(Wires {
            pair,
            fault,
            state: State::Up,
            agenda: agenda.clone(),
        })))
    }

    fn wires(&self) -> MutexGuard<'_, Wires> {
        self.0.lock().unwrap()
    }

    pub(super) fn pipe(&self, end: usize) -> Pipe {
        Pipe {
            end,
            network: self.clone(),
        }
    }

    /// How many bytes this end has sent.
    pub(super) fn accepted(&self, end: usize) -> u64 {
        self.wires().pair[end].accepted
    }

    /// Appends these bytes to those that this end has written, without a limit. Returns whether
    /// they are in flight.
    pub(super) fn inject(&self, end: usize, bytes: &[u8]) -> bool {
        let mut wires = self.wires();
        let is_up = wires.state == State::Up && wires.pair[end].ends_at.is_none();
        if is_up {
            wires
                .agenda
                .trace(|| format!("  socket {end} sends a violation: {bytes:?}"));
            wires.accept(end, bytes);
            let Wires { pair, agenda, .. } = &mut *wires;
            pair[end].transmit(agenda);
        }
        is_up
    }

    /// Whether the connection was reset, by a fault or by an end that was dropped with unread data.
    pub(super) fn was_reset(&self) -> bool {
        self.wires().state == State::Reset
    }
}

impl Wires {
    fn read(&mut self, end: usize, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let now = self.agenda.now();
        let wire = &mut self.pair[1 - end];
        let has_arrived = |at: Option<Duration>| at.is_some_and(|at| at <= now);
        let has_bytes = has_arrived(wire.in_flight.front().map(|(at, _)| *at));
        let is_empty = wire.in_flight.is_empty();
        let is_over = is_empty
            && match self.state {
                State::Up => has_arrived(wire.ends_at),
                State::Reset => true,
                State::Silent | State::WriteError => false,
            };
        let reader = Arc::clone(&wire.reader);
        if !(has_bytes || is_over) || wire.spurious_pending(&self.agenda, &reader) {
            return Poll::Pending;
        }
        if has_bytes {
            let taken = wire.take(buf);
            let writer = Arc::clone(&wire.writer);
            wire.wake_soon(&self.agenda, &writer);
            return Poll::Ready(Ok(taken));
        }
        Poll::Ready(if wire.ends_at.is_some() {
            Ok(0)
        } else {
            Err(io::ErrorKind::ConnectionReset.into())
        })
    }

    fn write(&mut self, end: usize, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.bytes_to_fault(end) == Some(0) {
            self.break_down();
        }
        let wire = &mut self.pair[end];
        let fails =
            wire.ends_at.is_some() || matches!(self.state, State::Reset | State::WriteError);
        let room = wire.conditions.capacity.saturating_sub(wire.held);
        let writer = Arc::clone(&wire.writer);
        if !fails && room == 0 {
            if self.state == State::Up {
                wire.transmit(&self.agenda);
            }
            return Poll::Pending;
        }
        if wire.spurious_pending(&self.agenda, &writer) {
            return Poll::Pending;
        }
        if fails {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let most = wire.rng.size(1, wire.conditions.max_write);
        let taken = most.min(buf.len()).min(room);
        let taken = taken.min(self.bytes_to_fault(end).unwrap_or(taken));
        self.accept(end, &buf[..taken]);
        Poll::Ready(Ok(taken))
    }

    fn accept(&mut self, end: usize, bytes: &[u8]) {
        let wire = &mut self.pair[end];
        wire.accepted += bytes.len() as u64;
        wire.held += bytes.len();
        if wire.is_unread {
            let is_lossy = wire.rng.one_in(2);
            self.reset(is_lossy);
        } else if self.state == State::Up {
            wire.staged.extend_from_slice(bytes);
            if !wire.conditions.is_buffered {
                wire.transmit(&self.agenda);
            }
        }
    }

    fn bytes_to_fault(&self, end: usize) -> Option<usize> {
        let fault = self.fault.filter(|fault| fault.direction == end)?;
        let left = fault.at.saturating_sub(self.pair[end].accepted);
        Some(usize::try_from(left).unwrap())
    }

    fn break_down(&mut self) {
        let Some(fault) = self.fault.take() else {
            return;
        };
        self.agenda.trace(|| format!("network: {fault:?}"));
        match fault.kind {
            FaultKind::Reset { is_lossy } => self.reset(is_lossy),
            FaultKind::Silence { is_lossy } => {
                self.state = State::Silent;
                if is_lossy {
                    self.pair.iter_mut().for_each(Wire::lose);
                }
            }
            FaultKind::WriteError => {
                self.state = State::WriteError;
                self.pair.iter_mut().for_each(Wire::lose);
                // The writer that ran into the fault gets its error already.
                let other = &mut self.pair[1 - fault.direction];
                let writer = Arc::clone(&other.writer);
                other.wake_soon(&self.agenda, &writer);
            }
            FaultKind::Eof => self.pair[fault.direction].finish(&self.agenda),
        }
    }

    fn reset(&mut self, is_lossy: bool) {
        if self.state != State::Up {
            return;
        }
        self.agenda.trace(|| "network: reset");
        self.state = State::Reset;
        for wire in &mut self.pair {
            if is_lossy {
                wire.lose();
            } else {
                wire.transmit(&self.agenda);
            }
        }
        self.wake_all();
    }

    fn wake_all(&mut self) {
        for wire in &mut self.pair {
            let slots = [Arc::clone(&wire.reader), Arc::clone(&wire.writer)];
            for slot in slots {
                wire.wake_soon(&self.agenda, &slot);
            }
        }
    }

    fn flush(&mut self, end: usize) -> Poll<io::Result<()>> {
        let wire = &mut self.pair[end];
        let slot = Arc::clone(&wire.writer);
        if wire.spurious_pending(&self.agenda, &slot) {
            return Poll::Pending;
        }
        if self.state == State::Up {
            wire.transmit(&self.agenda);
        }
        Poll::Ready(Ok(()))
    }

    fn close(&mut self, end: usize) -> Poll<io::Result<()>> {
        let wire = &mut self.pair[end];
        let slot = Arc::clone(&wire.writer);
        if wire.spurious_pending(&self.agenda, &slot) {
            return Poll::Pending;
        }
        match self.state {
            State::Up => wire.finish(&self.agenda),
            State::Silent | State::WriteError => {}
            State::Reset => return Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
        Poll::Ready(Ok(()))
    }

    /// Drops an end. With unread data, this resets the connection, as in TCP.
    fn leave(&mut self, end: usize) {
        if self.state == State::Up {
            let incoming = &mut self.pair[1 - end];
            incoming.is_unread = true;
            if incoming.held > 0 {
                let is_lossy = incoming.rng.one_in(2);
                self.reset(is_lossy);
            } else {
                self.pair[end].staged.clear();
                self.pair[end].finish(&self.agenda);
            }
        }
    }
}
