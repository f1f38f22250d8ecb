//! Keepalive and its kin over a scripted transport, in virtual time.

use std::{io, task::Poll};

use futures::FutureExt;

use crate::{
    close::{CloseFrame, CloseOutcome},
    config::{Config, Keepalive},
    connection::{
        Connection,
        scripted::{Peer, SECOND, handle, link, link_over, read, run, wait, write},
    },
    error::WsErr,
    message::{ControlPayload, Message},
    time::virtual_time::advance,
};

fn is_given_up(link: &mut Connection<Peer>) -> bool {
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
    assert_eq!(link.core.outcome(), CloseOutcome::TimedOut);
    assert!(link.transport.0.borrow().closed);
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
        peer.set(|script| {
            script
                .incoming
                .push_back(Message::Pong(ControlPayload::of_id(0)));
        });
    }
    assert_eq!(peer.pings(), 0);
    wait(&mut link, 20);
    wait(&mut link, 15);
    assert_eq!(peer.pings(), 1);
    peer.set(|script| {
        script
            .incoming
            .push_back(Message::Pong(ControlPayload::of_id(0)));
    });
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

/// The pong may be behind a message of which a part is there, and this transport does not count bytes.
#[test]
fn a_user_who_does_not_read_while_a_pong_comes_is_not_a_dead_peer() {
    let (mut link, peer) = link(Config::default());
    wait(&mut link, 20);
    wait(&mut link, 3600);
    assert_eq!(peer.pings(), 1);
    wait(&mut link, 19);
    peer.set(|script| {
        script
            .incoming
            .push_back(Message::Pong(ControlPayload::of_id(0)));
    });
    wait(&mut link, 20);
    wait(&mut link, 3600);
    assert_eq!(peer.pings(), 2, "the first was answered");
    wait(&mut link, 3600);
    assert!(is_given_up(&mut link), "a user may hardly ever look");
}

/// It may have taken a part of a message, and this transport does not count bytes.
#[test]
fn a_user_who_does_not_write_on_is_no_peer_that_takes_nothing() {
    let (mut link, peer) = link(Config::default());
    peer.set(|script| script.blocked = true);
    let big = vec![0; 64 * 1024];
    while write(&mut link, &big).is_ready() {}
    advance(SECOND * 3600);
    assert!(write(&mut link, &big).is_pending());
    advance(SECOND * 39);
    assert!(write(&mut link, &big).is_pending());
    advance(SECOND);
    let Poll::Ready(Err(error)) = write(&mut link, &big) else {
        panic!("still waits")
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
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
    let big = vec![0; 64 * 1024];
    assert!(matches!(write(&mut link, &big), Poll::Ready(Ok(_))));
    assert!(write(&mut link, &big).is_pending());
    advance(SECOND * 39);
    assert!(write(&mut link, &big).is_pending());
    advance(SECOND);
    let Poll::Ready(Err(error)) = write(&mut link, &big) else {
        panic!("still waits")
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(is_given_up(&mut link), "the reader learns of it at once");
    let Poll::Ready(Err(error)) = write(&mut link, &big) else {
        panic!("still waits")
    };
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
}

#[test]
fn a_peer_that_takes_little_is_not_given_up() {
    let (mut link, peer) = link(Config::default());
    let big = vec![0; 64 * 1024];
    for _ in 0..10 {
        peer.set(|script| script.blocked = true);
        while write(&mut link, &big).is_ready() {}
        advance(SECOND * 30);
        assert!(write(&mut link, &big).is_pending());
        peer.set(|script| script.blocked = false);
        assert!(write(&mut link, &big).is_ready());
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
    let (mut link, peer) = link_over(Config::default(), |script| script.cannot_ping = true);
    wait(&mut link, 3600);
    assert!(read(&mut link).is_pending());
    assert_eq!(peer.pings(), 0);
}

#[test]
fn after_our_close_only_the_close_timeout_counts() {
    let keepalive = Keepalive::default().interval(SECOND).timeout(SECOND);
    let (mut link, peer) = link(Config::default().keepalive(keepalive));
    assert!(matches!(
        run(|cx| link.poll_close(cx, CloseFrame::normal)),
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
    let (mut link, peer) = link(Config::default().message_timeout(SECOND * 60));
    wait(&mut link, 15);
    for len in 0..4 {
        // A byte now and then, and a pong between fragments.
        peer.set(|script| script.partial = Some(len));
        peer.set(|script| {
            script
                .incoming
                .push_back(Message::Pong(ControlPayload::of_id(0)));
        });
        wait(&mut link, 15);
    }
    assert!(is_given_up(&mut link));
}

#[test]
fn a_link_without_a_message_under_way_is_not_given_up_for_one() {
    let (mut link, peer) = link(Config::default().message_timeout(SECOND * 10));
    for pong in 0..20 {
        // In two pieces.
        peer.set(|script| script.bytes = Some(pong * 14 + 3));
        wait(&mut link, 1);
        peer.set(|script| script.bytes = Some(pong * 14 + 14));
        peer.set(|script| {
            script
                .incoming
                .push_back(Message::Pong(ControlPayload::of_id(0)));
        });
        wait(&mut link, 12);
    }
    assert!(read(&mut link).is_pending());
}

#[test]
fn a_message_that_ends_in_time_gives_the_next_one_as_much() {
    let (mut link, peer) = link(Config::default().message_timeout(SECOND * 60));
    for _ in 0..20 {
        // The next one has begun when this one ends.
        peer.set(|script| script.partial = Some(1));
        wait(&mut link, 50);
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
fn a_ping_on_its_way_is_resolved_when_the_peer_is_given_up() {
    let (mut link, peer) = link(Config::default().ping_timeout(SECOND * 3600));
    let handle = handle(&link);
    let mut ping = Box::pin(handle.ping());
    assert!(ping.as_mut().now_or_never().is_none());
    wait(&mut link, 20);
    assert_eq!(peer.pings(), 1);
    wait(&mut link, 20);
    assert!(is_given_up(&mut link));
    assert!(matches!(ping.now_or_never(), Some(Err(WsErr::Closed))));
}
