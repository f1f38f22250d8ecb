//! How connections end, over a scripted transport in virtual time.

use std::{
    io,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use futures::{FutureExt, StreamExt};
use ws_framed_test_support::{WakeFlag, poll_until_idle};

use super::super::{
    Connection, Mode,
    scripted::{
        Peer, SECOND, close, handle, pong, read, run, scripted, scripted_with, wait, write,
    },
};
use crate::{
    Lines, WsStream,
    close::{CloseFrame, CloseOutcome},
    config::Config,
    error::WsErr,
    message::{ControlPayload, Message},
    time::{Task, virtual_time::advance},
};

/// A close that a handle requested is sent after the buffered data, though only writes are polled.
#[test]
fn handle_close_leaves_with_writes() {
    let (mut connection, peer) = scripted(Config::default());
    let handle = handle(&connection);
    assert!(matches!(
        write(&mut connection, b"buffered"),
        Poll::Ready(Ok(8))
    ));
    handle.close(CloseFrame::normal()).unwrap();
    let Poll::Ready(Err(error)) = write(&mut connection, b"more") else {
        panic!("the write was accepted")
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

/// Reads after the end of the connection go on closing the transport until that is done.
#[test]
fn later_reads_close_the_transport() {
    let (mut connection, peer) = scripted(Config::default());
    peer.set(|script| {
        script.slow_to_close = 2;
        script.incoming.push_back(Message::Binary(
            vec![0; Config::default().max_recv_message_len + 1].into(),
        ));
    });
    assert!(
        read(&mut connection).is_pending(),
        "the transport is not closed"
    );
    advance(SECOND * 10);
    assert!(matches!(read(&mut connection), Poll::Ready(Some(Err(_)))));
    while !peer.is_closed() {
        assert!(matches!(read(&mut connection), Poll::Ready(None)));
    }
}

/// Polls of an item stream that has ended go on closing the transport.
#[test]
fn ended_items_close_the_transport() {
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
    assert!(peer.is_closed());
}

/// A `close_within` that is dropped leaves the connection closing, without the limit:
/// `close_timeout` applies.
#[test]
fn dropped_close_within_leaves_no_limit() {
    let peer = Peer::default();
    let mut stream = WsStream::new(peer.clone());
    {
        let mut closing = pin!(stream.close_within(CloseFrame::normal(), SECOND));
        assert!(poll_until_idle(closing.as_mut()).is_pending());
    }
    advance(SECOND * 9);
    let mut closing = pin!(stream.close_with(CloseFrame::normal()));
    assert!(poll_until_idle(closing.as_mut()).is_pending());
    peer.sends(Message::Close(Some(CloseFrame::normal())));
    peer.set(|script| script.ends = true);
    let Poll::Ready(Ok(outcome)) = poll_until_idle(closing.as_mut()) else {
        panic!("the close goes on")
    };
    assert!(outcome.is_clean(), "{outcome:?}");
}

/// The end of the connection does not wait for the transport to close, and `poll_close` does.
#[test]
fn close_waits_for_the_transport() {
    let (mut connection, peer) = scripted(Config::default());
    peer.set(|script| {
        script.slow_to_close = 3;
        script.incoming.push_back(Message::Close(None));
    });
    assert!(matches!(read(&mut connection), Poll::Ready(None)));
    assert!(matches!(
        connection.core.outcome(),
        CloseOutcome::Clean { .. }
    ));
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(connection.poll_close(cx, CloseFrame::normal).is_pending());
    let closed = connection.poll_close(cx, CloseFrame::normal);
    assert!(matches!(closed, Poll::Ready(Ok(()))));
    assert!(peer.is_closed());
}

/// After keepalive ended the connection, `poll_close` waits for the transport at most
/// `close_timeout`.
#[test]
fn close_after_timeout_is_bounded() {
    let (mut connection, peer) = scripted(Config::default());
    peer.set(|script| script.slow_to_close = usize::MAX);
    wait(&mut connection, 20);
    wait(&mut connection, 20);
    assert!(matches!(
        read(&mut connection),
        Poll::Ready(Some(Err(WsErr::TimedOut(_))))
    ));
    assert!(close(&mut connection).is_pending());
    advance(SECOND * 11);
    assert!(close(&mut connection).is_ready());
}

/// After the peer's close frame, `poll_close` is ready once the reply is flushed.
#[test]
fn close_waits_for_the_reply() {
    let (mut connection, peer) = scripted(Config::default());
    peer.set(|script| {
        script.blocked = true;
        script.incoming.push_back(Message::Close(None));
    });
    assert!(read(&mut connection).is_pending());
    assert!(close(&mut connection).is_pending());
    peer.set(|script| script.blocked = false);
    let closed = close(&mut connection);
    assert!(matches!(closed, Poll::Ready(Ok(()))));
}

/// A pong that the peer does not take after our close frame leaves the outcome clean.
#[test]
fn unsent_pong_keeps_the_outcome() {
    let (mut connection, peer) = scripted_with(Config::default(), |script| script.replies = true);
    let closed = close(&mut connection);
    assert!(matches!(closed, Poll::Ready(Ok(()))));
    let answer = CloseFrame::from_peer(1000.into(), "");
    peer.set(|script| {
        script.blocked = true;
        script.incoming = [
            Message::Ping(ControlPayload::of_id(0)),
            Message::Close(Some(answer)),
        ]
        .into();
    });
    assert!(read(&mut connection).is_pending());
    advance(SECOND * 11);
    assert!(matches!(read(&mut connection), Poll::Ready(None)));
    assert!(matches!(
        connection.core.outcome(),
        CloseOutcome::Clean { .. }
    ));
}

/// After a violation, the reply of the transport to the peer's close frame takes the place of ours.
#[test]
fn transport_reply_replaces_our_close() {
    for closes in [false, true] {
        let (mut connection, peer) =
            scripted_with(Config::default(), |script| script.replies = true);
        peer.set(|script| {
            script.blocked = true;
            script.incoming.push_back(Message::Text("text".into()));
            script
                .incoming
                .extend(closes.then_some(Message::Close(None)));
        });
        assert!(read(&mut connection).is_pending());
        peer.set(|script| script.blocked = false);
        assert!(
            read(&mut connection).is_pending(),
            "the transport has not ended"
        );
        let ours = peer.count(|message| matches!(message, Message::Close(_)));
        assert_eq!(ours, usize::from(!closes));
        advance(SECOND * 10);
        let Poll::Ready(Some(Err(WsErr::ReceivedText))) = read(&mut connection) else {
            panic!("expected the violation")
        };
    }
}

/// A blocked write is woken when the reader receives a close frame or a violation, and fails with
/// `Closed`.
#[test]
fn blocked_writer_wakes_at_end() {
    let text = || Message::Text("text".into());
    for ending in [Message::Close(None), text()] {
        let (mut connection, peer) = scripted(Config::default());
        peer.set(|script| script.blocked = true);
        let big = vec![0; 64 * 1024];
        assert!(write(&mut connection, &big).is_ready());
        let written = Arc::new(WakeFlag::default());
        let waker = Waker::from(Arc::clone(&written));
        let writer = &mut Context::from_waker(&waker);
        assert!(connection.poll_write(writer, [&*big]).is_pending());
        assert!(!written.take());
        peer.set(|script| script.incoming.push_back(ending));
        let _ = connection.poll_recv(&mut Context::from_waker(Waker::noop()), Mode::Packed);
        assert!(written.take(), "the writer was not woken");
        assert!(matches!(
            write(&mut connection, &big),
            Poll::Ready(Err(WsErr::Closed))
        ));
    }
}

/// Data that arrived before the deadline of a close is read after it, however many messages precede
/// it.
#[test]
fn close_deadline_keeps_earlier_data() {
    let (mut connection, peer) = scripted(Config::default());
    assert!(close(&mut connection).is_ready());
    wait(&mut connection, 11);
    peer.set(|script| {
        script.incoming.extend((0..1000).map(|_| pong()));
        script.incoming.push_back(Message::Binary("data".into()));
        script.incoming.push_back(Message::Close(None));
    });
    assert!(matches!(read(&mut connection), Poll::Ready(Some(Ok(data))) if *data == *b"data"));
    assert!(matches!(read(&mut connection), Poll::Ready(None)));
}

/// Each message that a slow reader receives after a close restarts the deadline.
#[test]
fn slow_reader_restarts_close_deadline() {
    let (mut connection, peer) = scripted(Config::default());
    assert!(close(&mut connection).is_ready());
    for _ in 0..10 {
        wait(&mut connection, 0);
        peer.sends(Message::Binary("data".into()));
        assert!(matches!(read(&mut connection), Poll::Ready(Some(Ok(_)))));
        advance(SECOND * 8);
    }
    peer.sends(Message::Close(None));
    assert!(matches!(read(&mut connection), Poll::Ready(None)));
}

/// A message that is incomplete at our close restarts the deadline while more of it arrives.
#[test]
fn growing_message_restarts_close_deadline() {
    let (mut connection, peer) = scripted(Config::default());
    assert!(close(&mut connection).is_ready());
    for len in 1..10 {
        peer.set(|script| script.partial = Some(len * 1000));
        wait(&mut connection, 8);
    }
    peer.sends(Message::Binary("large".into()));
    assert!(matches!(read(&mut connection), Poll::Ready(Some(Ok(_)))));
    // A message that does not grow does not.
    peer.set(|script| script.partial = Some(7));
    wait(&mut connection, 10);
    assert!(matches!(
        read(&mut connection),
        Poll::Ready(Some(Err(WsErr::TimedOut(_))))
    ));
}

/// A peer that takes slowly what precedes our close frame restarts the deadline with each part.
#[test]
fn slow_receiver_restarts_close_deadline() {
    let (mut connection, peer) = scripted(Config::default());
    peer.set(|script| (script.blocked, script.bytes_sent) = (true, Some(0)));
    assert!(write(&mut connection, b"large").is_ready());
    assert!(close(&mut connection).is_pending());
    for sent in 1..=5 {
        advance(SECOND * 9);
        peer.set(|script| script.bytes_sent = Some(sent));
        assert!(close(&mut connection).is_pending());
    }
    advance(SECOND * 10);
    let Poll::Ready(Err(error)) = close(&mut connection) else {
        panic!("no timeout")
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

/// A flood of pongs after our close does not prevent the timeout.
#[test]
fn flood_does_not_delay_close_deadline() {
    let (mut connection, peer) = scripted(Config::default());
    peer.set(|script| script.endless = Some(pong()));
    assert!(close(&mut connection).is_ready());
    let cx = &mut Context::from_waker(Waker::noop());
    let mut polls = 0;
    while connection.poll_recv(cx, Mode::Packed).is_pending() {
        advance(SECOND / 10);
        polls += 1;
    }
    assert_eq!(connection.core.outcome(), CloseOutcome::TimedOut);
    assert!((100..130).contains(&polls), "{polls} polls");
}

type GivingUp = fn(&mut Connection<Peer>) -> Poll<Result<usize, WsErr>>;

/// A reader receives what arrived before a writer timed out, and then the error. The peer may reply
/// before it reads on, and so be blocked by a caller that does not read.
#[test]
fn reader_outlasts_writer_timeout() {
    let stuck = |connection: &mut Connection<Peer>| {
        while !write(connection, &[0; 10]).is_pending() {}
        advance(SECOND * 40);
        write(connection, &[0; 10])
    };
    let closing = |connection: &mut Connection<Peer>| {
        assert!(close(connection).is_pending());
        advance(SECOND * 10);
        close(connection).map_ok(|()| 0)
    };
    let cases: [GivingUp; 2] = [stuck, closing];
    for give_up in cases {
        let (mut connection, peer) = scripted(Config::default().max_send_message_len(10));
        peer.set(|script| {
            script.blocked = true;
            let data = Message::Binary("before".into());
            script.incoming.extend([data.clone(), data]);
        });
        let _ = write(&mut connection, &[0; 10]);
        let gave_up = give_up(&mut connection);
        assert!(matches!(gave_up, Poll::Ready(Err(WsErr::TimedOut(_)))));
        let closed = handle(&connection).closed().now_or_never();
        assert_eq!(
            closed,
            Some(CloseOutcome::TimedOut),
            "a handle sees the end at once"
        );
        assert!(peer.is_closed(), "the transport is closed");
        for _ in 0..2 {
            assert!(matches!(read(&mut connection), Poll::Ready(Some(Ok(_)))));
        }
        let end = read(&mut connection);
        assert!(matches!(end, Poll::Ready(Some(Err(WsErr::TimedOut(_))))));
        assert_eq!(connection.core.outcome(), CloseOutcome::TimedOut);
    }
}

/// A reply of the transport that is unflushed at its end is not flushed after the close.
#[test]
fn closed_transport_is_not_flushed() {
    let (mut connection, peer) = scripted_with(Config::default(), |script| script.replies = true);
    peer.set(|script| {
        script.blocked = true;
        script.ends = true;
    });
    peer.sends(Message::Ping(ControlPayload::of_id(0)));
    let end = read(&mut connection);
    assert!(matches!(end, Poll::Ready(Some(Err(WsErr::UnexpectedEof)))));
    assert!(peer.is_closed());
    assert!(matches!(read(&mut connection), Poll::Ready(None)));
}

/// Data that `close_with` discards does not extend its time, and data that a reader gets does.
#[test]
fn discarded_data_does_not_restart_the_deadline() {
    for discards in [true, false] {
        let (mut connection, peer) = scripted(Config::default());
        assert!(close(&mut connection).is_ready());
        let frame = CloseFrame::normal();
        let mut seconds = 0;
        while seconds < 60 {
            peer.sends(Message::Binary("data".into()));
            let is_done = if discards {
                run(|cx| connection.poll_close_with(Task::Reader, cx, &frame, Mode::Packed))
                    .is_ready()
            } else {
                while matches!(read(&mut connection), Poll::Ready(Some(Ok(_)))) {}
                connection.core.state.end().is_some()
            };
            if is_done {
                break;
            }
            advance(SECOND * 3);
            seconds += 3;
        }
        if discards {
            assert!((10..=15).contains(&seconds), "{seconds}");
            assert_eq!(connection.core.outcome(), CloseOutcome::TimedOut);
        } else {
            assert_eq!(seconds, 60);
        }
    }
}
