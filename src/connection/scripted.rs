//! A transport that follows a script, for connections in virtual time.

use std::{
    cell::RefCell,
    collections::VecDeque,
    future::poll_fn,
    pin::pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use ws_framed_test_support::poll_until_idle;

use super::{Connection, Mode};
use crate::{
    close::CloseFrame,
    config::Config,
    error::WsErr,
    handle::WsHandle,
    message::{ControlPayload, Message, Payload},
    time::virtual_time::advance,
    trace::Trace,
    transport::{MessageTransport, Progress, Properties},
};

pub(super) const SECOND: Duration = Duration::from_secs(1);

/// What a test sets and sees of the transport of a connection.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(super) struct Script {
    pub(super) incoming: VecDeque<Message>,
    /// The transport ends once nothing is incoming.
    pub(super) ends: bool,
    /// Received again and again when nothing else is.
    pub(super) endless: Option<Message>,
    pub(super) sent: Vec<Message>,
    /// The transport takes nothing.
    pub(super) blocked: bool,
    /// The number of reads to come that yield without looking for a message.
    pub(super) yields: usize,
    /// The next read panics.
    pub(super) panics: bool,
    pub(super) closed: bool,
    /// The number of closes to come that must wait.
    pub(super) slow_to_close: usize,
    pub(super) cannot_ping: bool,
    /// See [`Properties`].
    pub(super) batch_len: usize,
    /// How many bytes of data the transport has taken after each time it was ready.
    pub(super) batches: Vec<usize>,
    /// It replies to pings and closes by itself.
    pub(super) replies: bool,
    /// How many bytes were received and sent, if the transport can tell.
    pub(super) bytes: Option<u64>,
    pub(super) bytes_sent: Option<u64>,
    pub(super) partial: Option<u64>,
}

/// The transport, and the handle by which a test controls it.
#[derive(Clone, Default)]
pub(super) struct Peer(pub(super) Rc<RefCell<Script>>);

impl Peer {
    pub(super) fn count(&self, is: impl Fn(&Message) -> bool) -> usize {
        self.0
            .borrow()
            .sent
            .iter()
            .filter(|message| is(message))
            .count()
    }

    pub(super) fn pings(&self) -> usize {
        self.count(|message| matches!(message, Message::Ping(_)))
    }

    /// The peer sends a message.
    pub(super) fn sends(&self, message: Message) {
        self.0.borrow_mut().incoming.push_back(message);
    }

    /// Whether the connection has closed the transport.
    pub(super) fn is_closed(&self) -> bool {
        self.0.borrow().closed
    }

    pub(super) fn set(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.0.borrow_mut());
    }

    fn blocked<T>(&self, otherwise: T) -> Poll<T> {
        if self.0.borrow().blocked {
            Poll::Pending
        } else {
            Poll::Ready(otherwise)
        }
    }
}

impl MessageTransport for Peer {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        let mut script = self.0.borrow_mut();
        assert!(!std::mem::take(&mut script.panics), "as scripted");
        if script.yields > 0 {
            script.yields -= 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let next = script.incoming.pop_front();
        match next.or_else(|| script.endless.clone()) {
            Some(message) => Poll::Ready(Some(Ok(message))),
            None if script.ends => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.0.borrow_mut().batches.push(0);
        self.blocked(Ok(()))
    }

    fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
        assert!(!self.is_closed(), "{message:?} after the close");
        let mut script = self.0.borrow_mut();
        if let Some(batch) = script.batches.last_mut() {
            *batch += message.data_len();
        }
        script.sent.push(message);
        Ok(())
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        assert!(!self.is_closed(), "a flush after the close");
        self.blocked(Ok(()))
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        let mut script = self.0.borrow_mut();
        assert!(!script.closed, "closed twice");
        if script.slow_to_close > 0 {
            script.slow_to_close -= 1;
            return Poll::Pending;
        }
        script.closed = true;
        Poll::Ready(Ok(()))
    }

    fn progress(&self) -> Progress {
        let script = self.0.borrow();
        let mut progress = Progress::default().partial_message(script.partial);
        progress.received = script.bytes;
        progress.sent = script.bytes_sent;
        progress
    }

    fn properties(&self) -> Properties {
        let script = self.0.borrow();
        let mut properties = Properties::default()
            .can_ping(!script.cannot_ping)
            .replies(script.replies);
        properties.batch_len = script.batch_len;
        properties
    }
}

/// A connection over a scripted transport. By default, it sends a ping after 20 s of silence, and
/// ends after 20 s more.
pub(super) fn scripted(config: Config) -> (Connection<Peer>, Peer) {
    scripted_with(config, |_| {})
}

/// The same over a transport with other properties.
pub(super) fn scripted_with(
    config: Config,
    change: impl FnOnce(&mut Script),
) -> (Connection<Peer>, Peer) {
    let peer = Peer::default();
    peer.set(change);
    let connection = Connection::new(peer.clone(), config, Trace::unknown());
    (connection, peer)
}

/// A pong that replies to no ping of the connection.
pub(super) fn pong() -> Message {
    Message::Pong(ControlPayload::of_id(0))
}

pub(super) fn handle(connection: &Connection<Peer>) -> WsHandle {
    WsHandle::new(Arc::clone(connection.shared()))
}

/// Polls as an executor does: again whenever the task was woken.
pub(super) fn run<T>(poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    poll_until_idle(pin!(poll_fn(poll)))
}

pub(super) fn read(connection: &mut Connection<Peer>) -> Poll<Option<Result<Payload, WsErr>>> {
    run(|cx| connection.poll_recv(cx, Mode::Packed))
}

pub(super) fn write(connection: &mut Connection<Peer>, data: &[u8]) -> Poll<Result<usize, WsErr>> {
    run(|cx| connection.poll_write(cx, [data]))
}

pub(super) fn close(connection: &mut Connection<Peer>) -> Poll<Result<(), WsErr>> {
    run(|cx| connection.poll_close(cx, CloseFrame::normal))
}

/// Reads, finds nothing, and advances the clock.
pub(super) fn wait(connection: &mut Connection<Peer>, seconds: u32) {
    assert!(read(connection).is_pending());
    advance(SECOND * seconds);
}
