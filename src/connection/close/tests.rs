//! How links end over a scripted transport.

use std::{
    sync::Arc,
    task::{Context, Poll, Waker},
};

use futures::StreamExt;
use ws_framed_test_support::WakeFlag;

use super::super::{
    Mode,
    scripted::{Peer, SECOND, link, link_over, read, run, wait, write},
};
use crate::{
    Lines, WsStream,
    close::{CloseFrame, CloseOutcome},
    config::Config,
    error::WsErr,
    message::{ControlPayload, Message},
    time::virtual_time::advance,
};

#[test]
fn a_shutdown_that_could_not_be_done_at_the_end_is_done_by_a_later_read() {
    let (mut link, peer) = link(Config::default());
    peer.set(|script| {
        script.slow_to_close = 2;
        script.incoming.push_back(Message::Binary(
            vec![0; Config::default().max_recv_message_len + 1].into(),
        ));
    });
    assert!(read(&mut link).is_pending(), "it still leaves");
    advance(SECOND * 10);
    assert!(matches!(read(&mut link), Poll::Ready(Some(Err(_)))));
    while !peer.0.borrow().closed {
        assert!(matches!(read(&mut link), Poll::Ready(None)));
    }
}

#[test]
fn a_stream_of_items_that_has_ended_goes_on_with_the_shutdown_as_bytes_do() {
    let peer = Peer::default();
    peer.set(|script| {
        script.slow_to_close = 5;
        script.incoming.push_back(Message::Close(None));
    });
    let mut items = WsStream::new(peer.clone()).framed(Lines::new(8));
    for _ in 0..5 {
        let end = run(|cx| items.poll_next_unpin(cx));
        assert!(matches!(end, Poll::Ready(None)));
    }
    assert!(peer.0.borrow().closed);
}

#[test]
fn a_pong_that_the_peer_does_not_take_behind_our_close_changes_nothing_of_how_it_ends() {
    let (mut link, peer) = link_over(Config::default(), |script| script.replies = true);
    let closed = run(|cx| link.poll_close(cx, CloseFrame::normal));
    assert!(matches!(closed, Poll::Ready(Ok(()))));
    let answer = CloseFrame::from_peer(1011.into(), "");
    peer.set(|script| {
        script.blocked = true;
        script.incoming = [
            Message::Ping(ControlPayload::of_id(0)),
            Message::Close(Some(answer)),
        ]
        .into();
    });
    assert!(read(&mut link).is_pending());
    advance(SECOND * 11);
    assert!(matches!(read(&mut link), Poll::Ready(None)));
    assert!(matches!(link.core.outcome(), CloseOutcome::Clean { .. }));
}

#[test]
fn a_close_after_a_peer_was_given_up_waits_for_the_transport_but_not_for_ever() {
    let (mut link, peer) = link(Config::default());
    peer.set(|script| script.slow_to_close = usize::MAX);
    wait(&mut link, 20);
    wait(&mut link, 20);
    assert!(matches!(
        read(&mut link),
        Poll::Ready(Some(Err(WsErr::TimedOut(_))))
    ));
    assert!(run(|cx| link.poll_close(cx, CloseFrame::normal)).is_pending());
    advance(SECOND * 11);
    assert!(run(|cx| link.poll_close(cx, CloseFrame::normal)).is_ready());
}

#[test]
fn the_end_does_not_wait_for_the_transport_and_a_close_does() {
    let (mut link, peer) = link(Config::default());
    peer.set(|script| {
        script.slow_to_close = 3;
        script.incoming.push_back(Message::Close(None));
    });
    assert!(matches!(read(&mut link), Poll::Ready(None)));
    assert!(matches!(link.core.outcome(), CloseOutcome::Clean { .. }));
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(link.poll_close(cx, CloseFrame::normal).is_pending());
    let closed = link.poll_close(cx, CloseFrame::normal);
    assert!(matches!(closed, Poll::Ready(Ok(()))));
    assert!(peer.0.borrow().closed);
}

#[test]
fn a_close_after_the_peer_s_is_ready_when_the_answer_is_flushed() {
    let (mut link, peer) = link(Config::default());
    peer.set(|script| {
        script.blocked = true;
        script.incoming.push_back(Message::Close(None));
    });
    assert!(read(&mut link).is_pending());
    assert!(run(|cx| link.poll_close(cx, CloseFrame::normal)).is_pending());
    peer.set(|script| script.blocked = false);
    let closed = run(|cx| link.poll_close(cx, CloseFrame::normal));
    assert!(matches!(closed, Poll::Ready(Ok(()))));
}

#[test]
fn a_writer_that_waits_is_woken_when_the_reader_finds_the_close_or_a_violation() {
    let text = || Message::Text("text".into());
    for ending in [Message::Close(None), text()] {
        let (mut link, peer) = link(Config::default());
        peer.set(|script| script.blocked = true);
        let big = vec![0; 64 * 1024];
        assert!(write(&mut link, &big).is_ready());
        let written = Arc::new(WakeFlag::default());
        let waker = Waker::from(Arc::clone(&written));
        let writer = &mut Context::from_waker(&waker);
        assert!(link.poll_write(writer, [&*big]).is_pending());
        assert!(!written.take());
        peer.set(|script| script.incoming.push_back(ending));
        let _ = link.poll_recv(&mut Context::from_waker(Waker::noop()), Mode::Packed);
        assert!(written.take(), "it was not woken");
        assert!(matches!(
            write(&mut link, &big),
            Poll::Ready(Err(WsErr::Closed))
        ));
    }
}

#[test]
fn a_close_of_the_peers_that_a_transport_answers_behind_what_we_refuse_takes_the_place_of_ours() {
    for closes in [false, true] {
        let (mut link, peer) = link_over(Config::default(), |script| script.replies = true);
        peer.set(|script| {
            script.blocked = true;
            script.incoming.push_back(Message::Text("text".into()));
            script
                .incoming
                .extend(closes.then_some(Message::Close(None)));
        });
        assert!(read(&mut link).is_pending());
        peer.set(|script| script.blocked = false);
        assert!(read(&mut link).is_pending(), "it waits for the peer's end");
        let ours = peer.count(|message| matches!(message, Message::Close(_)));
        assert_eq!(ours, usize::from(!closes));
        advance(SECOND * 10);
        let Poll::Ready(Some(Err(WsErr::ReceivedText))) = read(&mut link) else {
            panic!("no error")
        };
    }
}
