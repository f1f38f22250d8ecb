//! A transport that does what a test says, for links in virtual time.

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

use bytes::Bytes;
use ws_framed_test_support::poll_until_idle;

use super::{Connection, Mode};
use crate::{
    config::Config, error::WsErr, handle::WsHandle, message::Message, time::virtual_time::advance,
    trace::Trace, transport::MessageTransport,
};

pub(super) const SECOND: Duration = Duration::from_secs(1);

/// What a test sets and sees of the transport below a link.
#[derive(Default)]
pub(super) struct Script {
    pub(super) incoming: VecDeque<Message>,
    /// Comes again and again when nothing else does.
    pub(super) endless: Option<Message>,
    pub(super) sent: Vec<Message>,
    /// The peer takes nothing.
    pub(super) blocked: bool,
    /// So many reads more yield, and find nothing though there may be something.
    pub(super) yields: usize,
    pub(super) shut: bool,
    /// So many shutdowns more have to wait.
    pub(super) slow_to_shut: usize,
    pub(super) cannot_ping: bool,
    pub(super) bytes: Option<u64>,
    pub(super) unfinished: Option<u64>,
}

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
        if script.yields > 0 {
            script.yields -= 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let next = script.incoming.pop_front();
        match next.or_else(|| script.endless.clone()) {
            Some(message) => Poll::Ready(Some(Ok(message))),
            None => Poll::Pending,
        }
    }

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.blocked(Ok(()))
    }

    fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
        self.0.borrow_mut().sent.push(message);
        Ok(())
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.blocked(Ok(()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        let mut script = self.0.borrow_mut();
        if script.slow_to_shut > 0 {
            script.slow_to_shut -= 1;
            return Poll::Pending;
        }
        script.shut = true;
        Poll::Ready(Ok(()))
    }

    fn bytes_received(&self) -> Option<u64> {
        self.0.borrow().bytes
    }

    fn unfinished_message(&self) -> Option<u64> {
        self.0.borrow().unfinished
    }

    fn can_ping(&self) -> bool {
        !self.0.borrow().cannot_ping
    }
}

/// A link over a scripted transport. By default, it pings after 20 s of silence, and gives up after
/// 20 s more.
pub(super) fn link(config: Config) -> (Connection<Peer>, Peer) {
    let peer = Peer::default();
    (
        Connection::new(peer.clone(), config, Trace::unknown()),
        peer,
    )
}

pub(super) fn handle(link: &Connection<Peer>) -> WsHandle {
    WsHandle::new(Arc::clone(link.shared()))
}

/// Polls as an executor does: again whenever it was woken.
pub(super) fn run<T>(poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    poll_until_idle(pin!(poll_fn(poll)))
}

pub(super) fn read(link: &mut Connection<Peer>) -> Poll<Option<Result<Bytes, WsErr>>> {
    run(|cx| link.poll_recv(cx, Mode::Packed))
}

pub(super) fn write(link: &mut Connection<Peer>, data: &[u8]) -> Poll<Result<usize, WsErr>> {
    run(|cx| link.poll_write(cx, [data]))
}

/// Reads, finds nothing, and lets time go by.
pub(super) fn wait(link: &mut Connection<Peer>, seconds: u32) {
    assert!(read(link).is_pending());
    advance(SECOND * seconds);
}
