//! Keepalive and its kin over a scripted transport, in virtual time.

use std::{
    cell::RefCell,
    collections::VecDeque,
    io,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use futures::FutureExt;

use super::Link;
use crate::{
    clock::virtual_time::advance,
    close::{CloseFrame, CloseOutcome},
    config::{Config, Keepalive},
    error::WsErr,
    message::Message,
    transport::MessageTransport,
};

const SECOND: Duration = Duration::from_secs(1);

/// What a test sets and sees of the transport below a link.
#[derive(Default)]
struct Script {
    incoming: VecDeque<Message>,
    sent: Vec<Message>,
    /// The peer takes nothing.
    blocked: bool,
    shut: bool,
    cannot_ping: bool,
    bytes: Option<u64>,
}

#[derive(Clone, Default)]
struct Peer(Rc<RefCell<Script>>);

impl Peer {
    fn count(&self, is: impl Fn(&Message) -> bool) -> usize {
        self.0
            .borrow()
            .sent
            .iter()
            .filter(|message| is(message))
            .count()
    }

    fn pings(&self) -> usize {
        self.count(|message| matches!(message, Message::Ping(_)))
    }

    fn set(&self, change: impl FnOnce(&mut Script)) {
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
    fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        match self.0.borrow_mut().incoming.pop_front() {
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
        self.0.borrow_mut().shut = true;
        Poll::Ready(Ok(()))
    }

    fn bytes_received(&self) -> Option<u64> {
        self.0.borrow().bytes
    }

    fn can_ping(&self) -> bool {
        !self.0.borrow().cannot_ping
    }
}

/// Pings after 20 s of silence, gives up after 20 s more.
fn link(config: Config) -> (Link<Peer>, Peer) {
    let peer = Peer::default();
    (Link::new(peer.clone(), config), peer)
}

fn read(link: &mut Link<Peer>) -> Poll<Option<Result<Bytes, WsErr>>> {
    link.poll_recv(&mut Context::from_waker(Waker::noop()))
}

/// Reads, finds nothing, and lets time go by.
fn wait(link: &mut Link<Peer>, seconds: u32) {
    assert!(read(link).is_pending());
    advance(SECOND * seconds);
}

fn is_given_up(link: &mut Link<Peer>) -> bool {
    let error = match read(link) {
        Poll::Ready(Some(Err(error))) => error,
        Poll::Pending => return false,
        other @ Poll::Ready(_) => panic!("{other:?}"),
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(
        matches!(read(link), Poll::Ready(None)),
        "the error comes once"
    );
    assert_eq!(link.outcome(), CloseOutcome::TimedOut);
    assert!(link.transport.0.borrow().shut);
    true
}

#[test]
fn a_silent_peer_is_pinged_and_then_given_up() {
    let (mut link, peer) = link(Config::default());
    wait(&mut link, 19);
    wait(&mut link, 1);
    assert_eq!(peer.pings(), 0);
    wait(&mut link, 19);
    assert_eq!(peer.pings(), 1, "after 20 s of silence");
    wait(&mut link, 1);
    assert!(is_given_up(&mut link));
    assert_eq!(peer.pings(), 1);
}

#[test]
fn any_message_is_a_sign_of_life() {
    let (mut link, peer) = link(Config::default());
    for _ in 0..10 {
        wait(&mut link, 15);
        peer.set(|script| script.incoming.push_back(Message::Pong(0.into())));
    }
    assert_eq!(peer.pings(), 0);
    wait(&mut link, 20);
    wait(&mut link, 15);
    assert_eq!(peer.pings(), 1);
    peer.set(|script| script.incoming.push_back(Message::Pong(0.into())));
    wait(&mut link, 15);
    assert!(read(&mut link).is_pending(), "the ping was answered");
}

#[test]
fn any_byte_is_a_sign_of_life_where_the_transport_can_tell() {
    let (mut link, peer) = link(Config::default());
    for byte in 0..10 {
        peer.set(|script| script.bytes = Some(byte));
        wait(&mut link, 15);
    }
    assert_eq!(peer.pings(), 0);
    wait(&mut link, 5);
    wait(&mut link, 20);
    assert!(is_given_up(&mut link));
}

#[test]
fn a_user_who_does_not_read_is_not_a_dead_peer() {
    let (mut link, peer) = link(Config::default());
    wait(&mut link, 1);
    advance(SECOND * 3600);
    peer.set(|script| script.incoming.push_back(Message::Binary("there".into())));
    assert!(matches!(read(&mut link), Poll::Ready(Some(Ok(_)))));

    // Neither if there was nothing to read: the peer has not been asked yet.
    wait(&mut link, 3600);
    assert!(read(&mut link).is_pending());
    assert_eq!(peer.pings(), 1);
    wait(&mut link, 20);
    assert!(is_given_up(&mut link));
}

#[test]
fn a_ping_that_cannot_leave_does_not_start_the_countdown_of_its_pong() {
    let (mut link, peer) = link(Config::default());
    wait(&mut link, 20);
    peer.set(|script| script.blocked = true);
    wait(&mut link, 30);
    assert_eq!(peer.pings(), 0);
    peer.set(|script| script.blocked = false);
    wait(&mut link, 19);
    assert_eq!(peer.pings(), 1);
    wait(&mut link, 1);
    assert!(is_given_up(&mut link));
}

#[test]
fn a_peer_that_takes_nothing_is_given_up() {
    let (mut link, peer) = link(Config::default());
    peer.set(|script| script.blocked = true);
    let cx = &mut Context::from_waker(Waker::noop());
    let big = vec![0; 64 * 1024];
    assert!(matches!(link.poll_write(cx, [&*big]), Poll::Ready(Ok(_))));
    assert!(link.poll_write(cx, [&*big]).is_pending());
    advance(SECOND * 39);
    assert!(link.poll_write(cx, [&*big]).is_pending());
    advance(SECOND);
    let Poll::Ready(Err(error)) = link.poll_write(cx, [&*big]) else {
        panic!("still waits")
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(is_given_up(&mut link), "the reader learns it too");
    let Poll::Ready(Err(error)) = link.poll_write(cx, [&*big]) else {
        panic!("still waits")
    };
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
}

#[test]
fn a_peer_that_takes_little_is_not_given_up() {
    let (mut link, peer) = link(Config::default());
    let cx = &mut Context::from_waker(Waker::noop());
    let big = vec![0; 64 * 1024];
    for _ in 0..10 {
        peer.set(|script| script.blocked = true);
        while link.poll_write(cx, [&*big]).is_ready() {}
        advance(SECOND * 30);
        assert!(link.poll_write(cx, [&*big]).is_pending());
        peer.set(|script| script.blocked = false);
        assert!(link.poll_write(cx, [&*big]).is_ready());
    }
}

#[test]
fn without_keepalive_silence_lasts_for_ever() {
    let (mut link, peer) = link(Config::default().keepalive(None));
    wait(&mut link, u32::MAX);
    assert!(read(&mut link).is_pending());
    assert_eq!(peer.pings(), 0);
}

#[test]
fn a_transport_that_cannot_ping_is_left_in_peace() {
    let (mut link, peer) = link(Config::default());
    peer.set(|script| script.cannot_ping = true);
    wait(&mut link, 3600);
    assert!(read(&mut link).is_pending());
    assert_eq!(peer.pings(), 0);
}

#[test]
fn after_our_close_only_the_close_timeout_counts() {
    let keepalive = Keepalive::default().interval(SECOND).timeout(SECOND);
    let (mut link, peer) = link(Config::default().keepalive(keepalive));
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(matches!(
        link.poll_close(cx, CloseFrame::normal),
        Poll::Ready(Ok(()))
    ));
    wait(&mut link, 9);
    assert!(read(&mut link).is_pending());
    assert_eq!(peer.pings(), 0);
    advance(SECOND);
    assert!(is_given_up(&mut link));
}

#[test]
fn a_message_that_never_ends_is_given_up_if_that_is_asked_for() {
    let timeout = Config::default().message_timeout(SECOND * 60);
    let (mut link, peer) = link(timeout);
    peer.set(|script| script.bytes = Some(0));
    wait(&mut link, 15);
    for byte in 1..=4 {
        // A byte now and then, and a pong between fragments.
        peer.set(|script| script.bytes = Some(byte * 2));
        wait(&mut link, 0);
        peer.set(|script| script.bytes = Some(byte * 2 + 1));
        peer.set(|script| script.incoming.push_back(Message::Pong(0.into())));
        wait(&mut link, 15);
    }
    assert!(is_given_up(&mut link));
}

#[test]
fn a_message_that_ends_in_time_gives_the_next_one_as_much() {
    let (mut link, peer) = link(Config::default().message_timeout(SECOND * 60));
    for byte in 1..20 {
        peer.set(|script| script.bytes = Some(byte * 2));
        wait(&mut link, 15);
        peer.set(|script| script.bytes = Some(byte * 2 + 1));
        peer.set(|script| script.incoming.push_back(Message::Binary("done".into())));
        assert!(matches!(read(&mut link), Poll::Ready(Some(Ok(_)))));
    }
}

#[test]
fn a_keepalive_ping_tells_the_round_trip_time() {
    let (mut link, peer) = link(Config::default());
    wait(&mut link, 20);
    wait(&mut link, 3);
    let Message::Ping(payload) = peer.0.borrow().sent[0].clone() else {
        panic!("no ping")
    };
    peer.set(|script| script.incoming.push_back(Message::Pong(payload)));
    wait(&mut link, 0);
    assert_eq!(
        link.shared().counters.snapshot().last_round_trip,
        Some(SECOND * 3)
    );
}

#[test]
fn a_ping_of_the_user_has_a_deadline_of_its_own() {
    let (link, _) = link(Config::default().ping_timeout(SECOND * 5));
    let handle = crate::handle::WsHandle::new(std::sync::Arc::clone(link.shared()));
    let mut ping = Box::pin(handle.ping());
    assert!(ping.as_mut().now_or_never().is_none());
    advance(SECOND * 5);
    assert!(matches!(ping.now_or_never(), Some(Err(WsErr::TimedOut(_)))));
}

#[test]
fn a_ping_on_its_way_is_resolved_when_the_peer_is_given_up() {
    let (mut link, peer) = link(Config::default().ping_timeout(SECOND * 3600));
    let handle = crate::handle::WsHandle::new(std::sync::Arc::clone(link.shared()));
    let mut ping = Box::pin(handle.ping());
    assert!(ping.as_mut().now_or_never().is_none());
    wait(&mut link, 20);
    assert_eq!(peer.pings(), 1);
    wait(&mut link, 20);
    assert!(is_given_up(&mut link));
    assert!(matches!(ping.now_or_never(), Some(Err(WsErr::Closed))));
}

#[test]
fn a_close_that_was_asked_for_goes_out_though_only_writes_are_polled() {
    let (mut link, peer) = link(Config::default());
    let handle = crate::handle::WsHandle::new(std::sync::Arc::clone(link.shared()));
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(matches!(
        link.poll_write(cx, [&b"gathered"[..]]),
        Poll::Ready(Ok(8))
    ));
    handle.close(CloseFrame::normal()).unwrap();
    let Poll::Ready(Err(error)) = link.poll_write(cx, [&b"more"[..]]) else {
        panic!("taken")
    };
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(
        peer.count(|message| matches!(message, Message::Binary(_))),
        1
    );
    assert_eq!(
        peer.count(|message| matches!(message, Message::Close(_))),
        1
    );
}
