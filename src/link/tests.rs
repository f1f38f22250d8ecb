//! What a link does over a scripted transport.

use std::{future::Future, io, task::Poll};

use futures::FutureExt;

use super::{
    Link,
    scripted::{Peer, SECOND, handle, link, read, run, wait, write},
};
use crate::{
    clock::virtual_time::advance, close::CloseFrame, config::Config, error::WsErr, message::Message,
};

#[test]
fn a_ping_of_the_user_has_a_deadline_of_its_own() {
    let (link, _) = link(Config::default().ping_timeout(SECOND * 5));
    let handle = handle(&link);
    let mut ping = Box::pin(handle.ping());
    assert!(ping.as_mut().now_or_never().is_none());
    advance(SECOND * 5);
    assert!(matches!(
        run(|cx| ping.as_mut().poll(cx)),
        Poll::Ready(Err(WsErr::TimedOut(_)))
    ));
}

#[test]
fn a_close_that_was_asked_for_goes_out_though_only_writes_are_polled() {
    let (mut link, peer) = link(Config::default());
    let handle = handle(&link);
    assert!(matches!(write(&mut link, b"gathered"), Poll::Ready(Ok(8))));
    handle.close(CloseFrame::normal()).unwrap();
    let Poll::Ready(Err(error)) = write(&mut link, b"more") else {
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

#[test]
fn pings_whose_callers_gave_up_do_not_pile_up_while_nothing_can_be_sent() {
    let (mut link, peer) = link(Config::default().keepalive(None));
    let handle = handle(&link);
    peer.set(|script| script.blocked = true);
    for _ in 0..100 {
        assert!(handle.ping().now_or_never().is_none());
        wait(&mut link, 0);
    }
    let mut patient = Box::pin(handle.ping());
    assert!(patient.as_mut().now_or_never().is_none());
    wait(&mut link, 0);
    peer.set(|script| script.blocked = false);
    wait(&mut link, 0);
    assert_eq!(peer.pings(), 1, "that of the caller who waits");
}

#[test]
fn a_shutdown_that_could_not_be_done_at_the_end_is_done_by_a_later_read() {
    let (mut link, peer) = link(Config::default());
    peer.set(|script| {
        script.slow_to_shut = 2;
        script.incoming.push_back(Message::Binary(
            vec![0; Config::default().max_recv_message_len + 1].into(),
        ));
    });
    assert!(read(&mut link).is_pending(), "it still leaves");
    advance(SECOND * 10);
    assert!(matches!(read(&mut link), Poll::Ready(Some(Err(_)))));
    while !peer.0.borrow().shut {
        assert!(matches!(read(&mut link), Poll::Ready(None)));
    }
}

#[test]
fn a_buffer_that_one_large_item_has_grown_is_given_back() {
    let (mut link, _) = link(Config::default());
    link.gather(|buffer| {
        buffer.extend_from_slice(&vec![0; 1 << 20]);
        io::Result::Ok(())
    })
    .unwrap();
    assert!(run(|cx| link.poll_flush(cx)).is_ready());
    link.gather(|buffer| {
        buffer.extend_from_slice(b"small");
        io::Result::Ok(())
    })
    .unwrap();
    assert!(link.outgoing.buffer.capacity() < 1 << 18);
}

type Case = fn() -> (Link<Peer>, Peer);

#[test]
fn a_transport_that_yields_when_a_deadline_is_over_is_asked_again() {
    let closed = || {
        let (mut link, peer) = link(Config::default());
        assert!(run(|cx| link.poll_close(cx, CloseFrame::normal)).is_ready());
        (link, peer)
    };
    let pinged = || {
        let (mut link, peer) = link(Config::default());
        wait(&mut link, 20);
        (link, peer)
    };
    let receiving = || {
        let (link, peer) = link(Config::default().message_timeout(SECOND));
        peer.set(|script| script.bytes = Some(1));
        (link, peer)
    };
    let cases: [Case; 3] = [closed, pinged, receiving];
    for case in cases {
        let (mut link, peer) = case();
        wait(&mut link, 3600);
        peer.set(|script| {
            script.yields = 1;
            script.incoming.push_back(Message::Binary("late".into()));
        });
        assert!(matches!(read(&mut link), Poll::Ready(Some(Ok(_)))));
    }
}
