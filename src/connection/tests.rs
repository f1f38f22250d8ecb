//! What a link does over a scripted transport.

use std::{
    future::Future,
    io,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

use futures::{FutureExt, StreamExt};
use pharos::{Observable, ObserveConfig};

use super::{
    Connection, Mode,
    scripted::{Peer, SECOND, handle, link, read, run, wait, write},
};
use crate::{
    close::{CloseFrame, CloseOutcome},
    config::Config,
    error::WsErr,
    handle::WsHandle,
    message::{ControlPayload, Message},
    time::virtual_time::advance,
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
fn a_buffer_that_one_large_item_has_grown_is_given_back() {
    let (mut link, _) = link(Config::default());
    link.buffer(Mode::Packed, |buffer| {
        buffer.extend_from_slice(&vec![0; 1 << 20]);
        io::Result::Ok(())
    })
    .unwrap();
    assert!(run(|cx| link.poll_flush(cx)).is_ready());
    link.buffer(Mode::Packed, |buffer| {
        buffer.extend_from_slice(b"small");
        io::Result::Ok(())
    })
    .unwrap();
    assert!(link.core.buffer.capacity() < 1 << 18);
}

type Case = fn() -> (Connection<Peer>, Peer);

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
        peer.set(|script| script.partial = Some(1));
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

#[test]
fn what_came_in_time_is_read_after_the_deadline_of_a_close_however_much_lies_before_it() {
    let (mut link, peer) = link(Config::default());
    assert!(run(|cx| link.poll_close(cx, CloseFrame::normal)).is_ready());
    wait(&mut link, 11);
    peer.set(|script| {
        script
            .incoming
            .extend((0..1000).map(|_| Message::Pong(ControlPayload::of_id(0))));
        script.incoming.push_back(Message::Binary("data".into()));
        script.incoming.push_back(Message::Close(None));
    });
    assert!(matches!(read(&mut link), Poll::Ready(Some(Ok(data))) if *data == *b"data"));
    assert!(matches!(read(&mut link), Poll::Ready(None)));
}

#[test]
fn a_peer_that_floods_after_our_close_is_given_up_all_the_same() {
    let (mut link, peer) = link(Config::default());
    peer.set(|script| script.endless = Some(Message::Pong(ControlPayload::of_id(0))));
    assert!(run(|cx| link.poll_close(cx, CloseFrame::normal)).is_ready());
    let cx = &mut Context::from_waker(Waker::noop());
    let mut polls = 0;
    while link.poll_recv(cx, Mode::Packed).is_pending() {
        advance(SECOND / 10);
        polls += 1;
    }
    assert_eq!(link.core.outcome(), CloseOutcome::TimedOut);
    assert!((100..130).contains(&polls), "{polls} polls");
}

type GivingUp = fn(&mut Connection<Peer>) -> Poll<Result<usize, WsErr>>;

/// A peer of one task, which answers before it reads on, is held up by a user who does not read.
#[test]
fn what_came_before_a_writer_gave_up_is_there_for_the_reader() {
    let stuck = |link: &mut Connection<Peer>| {
        while !write(link, &[0; 10]).is_pending() {}
        advance(SECOND * 40);
        write(link, &[0; 10])
    };
    let closing = |link: &mut Connection<Peer>| {
        assert!(run(|cx| link.poll_close(cx, CloseFrame::normal)).is_pending());
        advance(SECOND * 10);
        run(|cx| link.poll_close(cx, CloseFrame::normal)).map_ok(|()| 0)
    };
    let cases: [GivingUp; 2] = [stuck, closing];
    for give_up in cases {
        let (mut link, peer) = link(Config::default().max_send_message_len(10));
        peer.set(|script| {
            script.blocked = true;
            let data = Message::Binary("before".into());
            script.incoming.extend([data.clone(), data]);
        });
        let _ = write(&mut link, &[0; 10]);
        let gave_up = give_up(&mut link);
        assert!(matches!(gave_up, Poll::Ready(Err(WsErr::TimedOut(_)))));
        let closed = handle(&link).closed().now_or_never();
        assert_eq!(closed, Some(CloseOutcome::TimedOut), "handles do not wait");
        assert!(peer.0.borrow().closed, "the peer hears of it");
        for _ in 0..2 {
            assert!(matches!(read(&mut link), Poll::Ready(Some(Ok(_)))));
        }
        let end = read(&mut link);
        assert!(matches!(end, Poll::Ready(Some(Err(WsErr::TimedOut(_))))));
        assert_eq!(link.core.outcome(), CloseOutcome::TimedOut);
    }
}

#[test]
fn a_user_who_reads_slowly_after_his_close_is_not_hurried() {
    let (mut link, peer) = link(Config::default());
    assert!(run(|cx| link.poll_close(cx, CloseFrame::normal)).is_ready());
    for _ in 0..10 {
        wait(&mut link, 0);
        peer.set(|script| script.incoming.push_back(Message::Binary("data".into())));
        assert!(matches!(read(&mut link), Poll::Ready(Some(Ok(_)))));
        advance(SECOND * 8);
    }
    peer.set(|script| script.incoming.push_back(Message::Close(None)));
    assert!(matches!(read(&mut link), Poll::Ready(None)));
}

#[test]
fn a_large_message_under_way_at_our_close_is_waited_for_while_it_comes() {
    let (mut link, peer) = link(Config::default());
    assert!(run(|cx| link.poll_close(cx, CloseFrame::normal)).is_ready());
    for len in 1..10 {
        peer.set(|script| script.partial = Some(len * 1000));
        wait(&mut link, 8);
    }
    peer.set(|script| script.incoming.push_back(Message::Binary("large".into())));
    assert!(matches!(read(&mut link), Poll::Ready(Some(Ok(_)))));
    // One that comes no further is not.
    peer.set(|script| script.partial = Some(7));
    wait(&mut link, 10);
    assert!(matches!(
        read(&mut link),
        Poll::Ready(Some(Err(WsErr::TimedOut(_))))
    ));
}

#[test]
fn a_read_that_gets_nothing_but_control_messages_sends_what_is_gathered() {
    let (mut link, peer) = link(Config::default());
    peer.set(|script| script.endless = Some(Message::Pong(ControlPayload::of_id(0))));
    assert!(write(&mut link, b"request").is_ready());
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(link.poll_recv(cx, Mode::Packed).is_pending());
    let sent = peer.count(|message| matches!(message, Message::Binary(_)));
    assert_eq!(sent, 1);
}

#[test]
fn a_message_that_ended_in_time_is_read_however_long_it_takes_to_go_through_it() {
    let (mut link, peer) = link(Config::default().message_timeout(SECOND));
    peer.set(|script| script.partial = Some(1));
    wait(&mut link, 60);
    for bytes in 2..10 {
        // As an adapter yields that has read as much as it may in one poll.
        peer.set(|script| script.bytes = Some(bytes * 1000));
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(link.poll_recv(cx, Mode::Packed).is_pending());
    }
    peer.set(|script| script.incoming.push_back(Message::Binary("done".into())));
    assert!(matches!(read(&mut link), Poll::Ready(Some(Ok(_)))));
}

#[test]
fn a_message_that_never_ends_is_given_up_though_nothing_can_be_sent() {
    let (mut link, peer) = link(Config::default().message_timeout(SECOND));
    peer.set(|script| {
        script.partial = Some(1);
        script.blocked = true;
    });
    assert!(write(&mut link, b"gathered").is_ready());
    wait(&mut link, 2);
    assert!(matches!(
        read(&mut link),
        Poll::Ready(Some(Err(WsErr::TimedOut(_))))
    ));
}

/// Whoever is woken at once asks for something.
struct Asks(WsHandle);

impl Wake for Asks {
    fn wake(self: Arc<Self>) {
        let _ = self.0.close(CloseFrame::normal());
        drop(self.0.closed());
    }
}

#[test]
fn a_waker_may_ask_the_handle() {
    let (link, _) = link(Config::default());
    let mut handle = handle(&link);
    let waker = Waker::from(Arc::new(Asks(handle.clone())));
    let cx = &mut Context::from_waker(&waker);
    let events = handle.observe(ObserveConfig::default()).now_or_never();
    let mut events = events.unwrap().unwrap();
    assert!(events.poll_next_unpin(cx).is_pending());
    let mut closed = Box::pin(handle.closed());
    assert!(closed.as_mut().poll(cx).is_pending());
    drop(link);
    assert!(closed.as_mut().poll(cx).is_ready());
}
