//! One open connection: the poll loop between the views above and the transport below.
//!
//! | phase | a read polls | a write, flush or close polls |
//! |---|---|---|
//! | `Open` | what handles asked for; the next message; before it parks, everything that is to be sent | what fits; everything; everything and then the close frame |
//! | `Closing` | the next message; the close deadline | the flush of the close frame |
//! | `Leaving` | our close frame if it is still to be sent; the shutdown of the transport; after a failure, whatever still arrives; the close deadline | a close, the flush of close frames; else nothing: `BrokenPipe`, once, if bytes were lost |
//! | `Ended` | the error, once; then the end | the same |
//!
//! Only reads receive. A read never waits for a write while there is something to read, so two peers that
//! both send more than the network holds get unstuck by their readers.

mod closing;
mod keepalive;
mod leaving;
mod life;
pub(crate) mod observers;
mod pings;
mod recv;
#[cfg(test)]
mod scripted;
mod send;
#[cfg(test)]
mod tests;
mod write_buffer;

use std::{
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use self::{
    keepalive::{Verdict, Watch},
    life::{Life, Phase},
    pings::Pings,
    write_buffer::WriteBuffer,
};
use crate::{
    close::CloseFrame,
    config::Config,
    error::WsErr,
    handle::Shared,
    time::{Deadline, Side},
    trace::Trace,
    transport::MessageTransport,
};

/// How many messages without data one poll takes before it lets others run: a peer that floods with
/// pings or empty messages must not hold the task.
const MESSAGES_PER_POLL: usize = 128;

/// How what a view sends and receives is cut into data messages. Each poll says it anew, so that a link can
/// change from one view to another at any time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Where a message ends is of no concern.
    #[default]
    Packed,
    /// Each message is an item, without the prefix of its frame.
    PerMessage {
        /// Items go out as text, and come as text whatever the [`TextPolicy`](crate::TextPolicy).
        is_text: bool,
    },
}

impl Mode {
    fn takes_text(self) -> bool {
        self == Self::PerMessage { is_text: true }
    }
}

/// An open connection. The views hold it and are the only ones that poll it.
#[derive(Debug)]
pub(crate) struct Connection<M> {
    transport: M,
    config: Config,
    /// The longest data message that we make: the least of what the user and the transport allow.
    max_send: usize,
    outgoing: WriteBuffer,
    life: Life,
    /// The close frame that was asked for and waits for what is written before it.
    goodbye: Option<CloseFrame>,
    deadline: Option<Deadline>,
    /// The transport has closed what lies below it.
    is_shut: bool,
    /// Nothing more comes from the transport.
    is_dry: bool,
    /// Data that comes is thrown away: once some was, what follows would have a hole before it.
    discards: bool,
    pings: Pings,
    watch: Watch,
    /// Messages of any kind that came.
    messages: u64,
    /// How much of a message under way had come when the close deadline was looked at.
    under_way: u64,
    /// Writing failed. Reading goes on: what the peer sent before is still there.
    write_error: Option<WsErr>,
    /// At most so many bytes of pongs wait for a flush.
    pongs_owed: usize,
    waker: Waker,
    /// Which task polls.
    side: Side,
    ended: Ended,
}

/// Tells the handles and observers when the link is dropped. A type of its own, so that a link can be
/// taken apart.
#[derive(Debug)]
struct Ended {
    shared: Arc<Shared>,
    trace: Trace,
}

impl Drop for Ended {
    fn drop(&mut self) {
        self.shared.finish(&self.trace);
    }
}

impl<M: MessageTransport> Connection<M> {
    pub(crate) fn new(transport: M, config: Config, trace: Trace) -> Self {
        let shared = Shared::new(transport.can_ping(), config.ping_timeout);
        Self {
            max_send: config
                .max_send_message_len
                .min(transport.max_send_len().unwrap_or(usize::MAX))
                .max(1),
            transport,
            watch: Watch::new(&config),
            messages: 0,
            under_way: 0,
            config,
            outgoing: WriteBuffer::default(),
            life: Life::new(),
            goodbye: None,
            deadline: None,
            is_shut: false,
            is_dry: false,
            discards: false,
            pings: Pings::default(),
            write_error: None,
            pongs_owed: 0,
            waker: Waker::from(Arc::clone(&shared)),
            side: Side::Reader,
            ended: Ended { shared, trace },
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.ended.shared
    }

    fn trace(&self) -> &Trace {
        &self.ended.trace
    }

    /// Keepalive is for a link that neither side has closed, over a transport that can do it.
    fn is_kept_alive(&self) -> bool {
        let is_open = self.life.phase() == Phase::Open && self.goodbye.is_none();
        is_open && self.write_error.is_none() && self.transport.can_ping()
    }

    /// Something cannot go on until the peer does something. Ready, with the reason, when the link has
    /// been given up because it did not.
    fn poll_stuck(&mut self, cx: &mut Context<'_>) -> Poll<WsErr> {
        let error = if self.poll_deadline(cx).is_ready() {
            self.lateness()
        } else if self.is_kept_alive() {
            let sent = self.sent();
            match ready!(self.watch.poll_sending(cx, self.side, sent)) {
                Verdict::Dead(why) => WsErr::TimedOut(why),
                Verdict::Ping => return Poll::Pending,
            }
        } else {
            return Poll::Pending;
        };
        match self.side {
            Side::Reader => self.give_up(cx, error.clone()),
            Side::Writer => self.give_up_writing(cx, &error),
        }
        Poll::Ready(error)
    }

    /// Changes with whatever comes or goes.
    fn progress(&self) -> u64 {
        let received = self.transport.bytes_received().unwrap_or(0);
        // What was received may still be gone through, a message at a time.
        received
            .wrapping_add(self.messages)
            .wrapping_add(self.sent())
    }

    /// Grows with whatever the transport takes.
    fn sent(&self) -> u64 {
        let told = self.transport.bytes_sent();
        told.unwrap_or(self.outgoing.progress)
    }

    /// Every poll begins like this: what wakes the transport's waker wakes the task from now on, and what
    /// handles asked for is heard. Gives that waker.
    fn enter(&mut self, side: Side, task: &Context<'_>) -> Waker {
        self.side = side;
        match side {
            Side::Reader => self.shared().reader.register(task.waker()),
            Side::Writer => self.shared().writer.register(task.waker()),
        }
        self.take_requests();
        self.waker.clone()
    }

    fn take_requests(&mut self) {
        if let Some(requests) = self.shared().take_requests() {
            if let Some(frame) = requests.close {
                self.ask_to_close(|| frame);
            }
            if self.check_writable().is_ok() {
                self.pings.ask(requests.pings);
            }
        }
    }

    pub(crate) fn transport(&self) -> &M {
        &self.transport
    }

    /// Ends the link, and gives back what lies below.
    pub(crate) fn into_transport(self) -> M {
        self.transport
    }

    /// The same link over another type of transport.
    pub(crate) fn map_transport<N>(self, map: impl FnOnce(M) -> N) -> Connection<N> {
        Connection {
            transport: map(self.transport),
            config: self.config,
            max_send: self.max_send,
            outgoing: self.outgoing,
            life: self.life,
            goodbye: self.goodbye,
            deadline: self.deadline,
            is_shut: self.is_shut,
            is_dry: self.is_dry,
            discards: self.discards,
            pings: self.pings,
            watch: self.watch,
            messages: self.messages,
            under_way: self.under_way,
            write_error: self.write_error,
            pongs_owed: self.pongs_owed,
            waker: self.waker,
            side: self.side,
            ended: self.ended,
        }
    }
}
