//! One open connection: the poll loop between the public streams and the transport.
//!
//! [`state`] says how a connection ends, and what each task does in each state. `recv` is the loop
//! of a read, `send` that of a write or flush, `close` the steps of ending and the deadline that
//! they have.
//!
//! Reads receive. A write that must wait receives too, as little as keeps the connection alive. A
//! read never waits for a write while there is something to read, so two peers that both send more
//! than the network holds make progress by their readers.

mod close;
mod keepalive;
mod observers;
mod pings;
mod recv;
#[cfg(test)]
mod scripted;
mod send;
mod shared;
mod state;
#[cfg(test)]
mod tests;
mod write_buffer;

use std::{
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use self::{
    keepalive::{Action, Keepalive},
    pings::Pings,
    state::{Input, State},
    write_buffer::WriteBuffer,
};
pub(crate) use self::{send::NewItem, shared::Shared};
use crate::{
    close::{CloseOutcome, LossCause},
    config::Config,
    error::WsErr,
    message::{ControlPayload, Message},
    time::{Deadline, Task},
    trace::Trace,
    transport::{MESSAGES_PER_POLL, MessageTransport, Properties},
};

/// How data maps to WebSocket messages. Passed to each poll, because a stream can be converted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Message boundaries have no meaning.
    #[default]
    Packed,
    /// Each message is an item, without the length prefix of its encoding.
    PerMessage {
        /// Items are sent as text, and received as text whatever the
        /// [`TextPolicy`](crate::TextPolicy) says.
        is_text: bool,
    },
}

impl Mode {
    /// Whole messages of either kind.
    pub(crate) const MESSAGES: Self = Self::PerMessage { is_text: true };

    fn takes_text(self) -> bool {
        self == Self::PerMessage { is_text: true }
    }
}

/// An open connection. The public streams own it, and only they poll it.
#[derive(Debug)]
pub(crate) struct Connection<M> {
    transport: M,
    /// In a box: futures hold streams by value, and often twice.
    core: Box<Core>,
}

/// What does not depend on the type of the transport.
#[derive(Debug)]
struct Core {
    config: Config,
    properties: Properties,
    /// The longest data message that is sent: the lesser of what the caller and the transport
    /// allow.
    max_send: usize,
    state: State,
    buffer: WriteBuffer,
    /// The transport has taken messages since its last flush, or is to reply to one.
    unflushed: bool,
    /// The transport has a reply of its own to flush.
    reply_unflushed: bool,
    /// Messages that the transport took, and flushes.
    sent: u64,
    /// Messages of any kind that were received.
    received: u64,
    /// A data message that a writer received while it waited. The reader gets it first.
    early: Option<Message>,
    /// The pong to send: the reply to the latest ping, which stands for all before it (RFC 6455
    /// section 5.5.3).
    pong: Option<ControlPayload>,
    pings: Pings,
    keepalive: Keepalive,
    deadline: Option<Deadline>,
    /// Size of the incomplete message, and what was sent, when the deadline was last polled.
    partial_message: u64,
    sent_before: u64,
    /// What [`record_life`](Connection::record_life) found last.
    life: u64,
    /// The waker of the transport. A poll takes it, and puts it back unless it panics.
    waker: Option<Waker>,
    /// The task that polls.
    task: Task,
    guard: DropGuard,
}

/// Tells handles and observers when the connection is dropped. A type of its own, so that a
/// connection can be taken apart.
#[derive(Debug)]
struct DropGuard {
    shared: Arc<Shared>,
    trace: Trace,
}

impl Drop for DropGuard {
    fn drop(&mut self) {
        self.shared.finish(&self.trace);
    }
}

impl Core {
    fn new(properties: Properties, config: Config, trace: Trace) -> Self {
        let shared = Shared::new(properties.can_ping, config.ping_timeout);
        Self {
            max_send: config
                .max_send_message_len
                .min(properties.max_send_len)
                .max(1),
            properties,
            state: State::new(),
            buffer: WriteBuffer::default(),
            unflushed: false,
            reply_unflushed: false,
            sent: 0,
            received: 0,
            early: None,
            pong: None,
            pings: Pings::default(),
            keepalive: Keepalive::new(&config),
            deadline: None,
            partial_message: 0,
            sent_before: 0,
            life: 0,
            config,
            waker: None,
            task: Task::Reader,
            guard: DropGuard { shared, trace },
        }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.guard.shared
    }

    fn trace(&self) -> &Trace {
        &self.guard.trace
    }

    /// Whether keepalive runs: until either side closes, over a transport that can ping.
    fn is_kept_alive(&self) -> bool {
        self.state.is_open() && self.properties.can_ping
    }

    /// From now on, whatever wakes the transport's waker wakes `task`.
    #[inline]
    fn begin_poll(&mut self, task: Task, cx: &Context<'_>) {
        self.task = task;
        match task {
            Task::Reader => self.shared().reader.register(cx.waker()),
            Task::Writer => self.shared().writer.register(cx.waker()),
        }
        self.take_requests();
    }

    fn take_requests(&mut self) {
        if let Some(requests) = self.shared().take_requests() {
            if let Some(frame) = requests.close {
                self.apply(Input::CloseRequested(frame));
            }
            if self.state.check_writable().is_ok() {
                self.pings.queue(requests.pings);
            }
        }
    }

    /// Applies an input to the state, and does what follows from the transition. The deadline of
    /// closing is restarted here only.
    fn apply(&mut self, input: Input) {
        let transition = self.state.on(input);
        if transition.is_caused {
            self.pings = Pings::default();
            self.pong = None;
            // There is no room to wait for any more.
            self.shared().writer.wake();
        }
        if !self.state.is_pending() && !self.buffer.is_empty() {
            self.buffer = WriteBuffer::default();
        }
        if transition.restarts_deadline {
            self.restart_deadline();
        }
        if transition.wakes_reader {
            self.shared().reader.wake();
        }
        if transition.is_concluded {
            let (outcome, error) = match self.state.end() {
                Some(end) => (end.outcome.clone(), end.error.clone()),
                None => (CloseOutcome::Lost(LossCause::Dropped), None),
            };
            self.shared().end(outcome, error.as_ref(), self.trace());
            self.shared().writer.wake();
        }
    }

    fn outcome(&self) -> CloseOutcome {
        let outcome = self.state.end().map(|end| end.outcome.clone());
        outcome.unwrap_or(CloseOutcome::Lost(LossCause::Dropped))
    }
}

impl<M: MessageTransport> Connection<M> {
    pub(crate) fn new(transport: M, config: Config, trace: Trace) -> Self {
        let core = Box::new(Core::new(transport.properties(), config, trace));
        Self { transport, core }
    }

    /// Every poll of a task goes through this.
    #[inline]
    fn poll_as<T>(
        &mut self,
        task: Task,
        cx: &Context<'_>,
        poll: impl FnOnce(&mut Self, &mut Context<'_>) -> T,
    ) -> T {
        self.core.begin_poll(task, cx);
        self.with_waker(poll)
    }

    /// Polls with the waker of the transport.
    #[inline]
    fn with_waker<T>(&mut self, poll: impl FnOnce(&mut Self, &mut Context<'_>) -> T) -> T {
        let core = &mut self.core;
        let waker = core.waker.take();
        let waker = waker.unwrap_or_else(|| Waker::from(Arc::clone(core.shared())));
        let polled = poll(self, &mut Context::from_waker(&waker));
        self.core.waker = Some(waker);
        polled
    }

    /// Something cannot go on until the peer acts. Ready, with the reason, when the peer did not in
    /// time, and has been given up.
    fn poll_timeouts(&mut self, cx: &mut Context<'_>) -> Poll<WsErr> {
        let error = if self.poll_deadline(cx).is_ready() {
            self.core.timeout_error()
        } else if self.core.is_kept_alive() {
            let sent = self.sent();
            let task = self.core.task;
            let blocked = self.core.keepalive.poll_sending(cx, task, sent);
            self.record_life();
            match ready!(blocked) {
                Action::TimedOut(why) => WsErr::TimedOut(why),
                Action::SendPing => return Poll::Pending,
            }
        } else {
            return Poll::Pending;
        };
        match self.core.task {
            Task::Reader => self.core.give_up(error.clone()),
            Task::Writer => self.give_up_writing(cx, &error),
        }
        Poll::Ready(error)
    }

    /// Restarts the deadlines of pings in flight if the peer has shown life: it sent something, it
    /// took some of what had to wait, or the ping itself is sent.
    fn record_life(&mut self) {
        if !self.core.pings.is_awaited() {
            return;
        }
        let received = self.transport.progress().received.unwrap_or(0);
        let life = received
            .wrapping_add(self.core.received)
            .wrapping_add(self.core.keepalive.taken())
            .wrapping_add(self.core.pings.sent());
        if std::mem::replace(&mut self.core.life, life) != life {
            self.core.shared().record_life();
        }
    }

    /// Changes with everything that is received or sent.
    fn progress(&self) -> u64 {
        let received = self.transport.progress().received.unwrap_or(0);
        // What was received may still be handled a message at a time.
        received
            .wrapping_add(self.core.received)
            .wrapping_add(self.sent())
    }

    /// Grows with everything that the transport takes.
    fn sent(&self) -> u64 {
        self.transport.progress().sent.unwrap_or(self.core.sent)
    }
}

impl<M> Connection<M> {
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        self.core.shared()
    }

    pub(crate) fn transport(&self) -> &M {
        &self.transport
    }

    /// Ends the connection, and gives the transport back.
    pub(crate) fn into_transport(self) -> M {
        self.transport
    }

    /// The same connection over another type of transport.
    pub(crate) fn map_transport<N>(self, map: impl FnOnce(M) -> N) -> Connection<N> {
        Connection {
            transport: map(self.transport),
            core: self.core,
        }
    }
}
