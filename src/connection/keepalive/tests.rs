//! Keepalive and `message_timeout` over a scripted transport, in virtual time. By default, a ping
//! is sent after 20 s of silence, and the connection ends after 20 s more.

use std::{
    io,
    pin::pin,
    task::{Context, Poll, Waker},
};

use futures::FutureExt;
use ws_framed_test_support::poll_until_idle;

use crate::{
    close::CloseOutcome,
    config::{Config, Keepalive},
    connection::{
        Connection, Mode,
        scripted::{Peer, SECOND, close, handle, pong, read, scripted, scripted_with, wait, write},
    },
    error::WsErr,
    message::Message,
    time::virtual_time::advance,
};

/// Whether the connection has timed out, and the transport is closed.
fn is_timed_out(connection: &mut Connection<Peer>) -> bool {
    let error = match read(connection) {
        Poll::Ready(Some(Err(error))) => error,
        Poll::Pending => return false,
        other @ Poll::Ready(_) => panic!("{other:?}"),
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(
        matches!(read(connection), Poll::Ready(None)),
        "the error is returned once"
    );
    assert_eq!(connection.core.outcome(), CloseOutcome::TimedOut);
    assert!(connection.transport.0.borrow().closed);
    true
}

/// A peer that is silent for `interval` is sent a ping, and times out after `timeout` more.
#[test]
fn silent_peer_times_out() {
    let (mut connection, peer) = scripted(Config::default());
    wait(&mut connection, 19);
    wait(&mut connection, 1);
    assert_eq!(peer.pings(), 0);
    wait(&mut connection, 19);
    assert_eq!(peer.pings(), 1, "after 20 s of silence");
    wait(&mut connection, 1);
    assert!(is_timed_out(&mut connection));
    assert_eq!(peer.pings(), 1);
}

/// Each message restarts the time of silence.
#[test]
fn messages_are_signs_of_life() {
    let (mut connection, peer) = scripted(Config::default());
    for _ in 0..10 {
        wait(&mut connection, 15);
        peer.sends(pong());
    }
    assert_eq!(peer.pings(), 0);
    wait(&mut connection, 20);
    wait(&mut connection, 15);
    assert_eq!(peer.pings(), 1);
    peer.sends(pong());
    wait(&mut connection, 15);
    assert!(read(&mut connection).is_pending(), "the pong arrived");
}

/// Each byte restarts the time of silence where the transport counts bytes.
#[test]
fn bytes_are_signs_of_life() {
    let (mut connection, peer) = scripted(Config::default());
    for byte in 0..10 {
        peer.set(|script| script.bytes = Some(byte));
        wait(&mut connection, 15);
    }
    assert_eq!(peer.pings(), 0);
    wait(&mut connection, 5);
    wait(&mut connection, 20);
    assert!(is_timed_out(&mut connection));
}

/// A caller that pauses its reads does not make the peer time out.
#[test]
fn paused_reader_does_not_time_out() {
    let (mut connection, peer) = scripted(Config::default());
    wait(&mut connection, 1);
    advance(SECOND * 3600);
    peer.sends(Message::Binary("there".into()));
    assert!(matches!(read(&mut connection), Poll::Ready(Some(Ok(_)))));

    // Nor where there was nothing to read: no ping was sent yet.
    wait(&mut connection, 3600);
    assert!(read(&mut connection).is_pending());
    assert_eq!(peer.pings(), 1);
    wait(&mut connection, 20);
    assert!(is_timed_out(&mut connection));
}

/// A caller that pauses its reads after a ping gets one more `timeout`. The pong may follow an
/// incomplete message, and this transport does not count bytes.
#[test]
fn paused_reader_misses_no_pong() {
    let (mut connection, peer) = scripted(Config::default());
    wait(&mut connection, 20);
    wait(&mut connection, 3600);
    assert_eq!(peer.pings(), 1);
    wait(&mut connection, 19);
    peer.sends(pong());
    wait(&mut connection, 20);
    wait(&mut connection, 3600);
    assert_eq!(peer.pings(), 2, "the pong to the first arrived");
    wait(&mut connection, 3600);
    assert!(
        is_timed_out(&mut connection),
        "the extension is granted once"
    );
}

/// A caller that pauses its writes gets one more timeout. The peer may have taken a part of a
/// message, and this transport does not count bytes.
#[test]
fn paused_writer_does_not_time_out() {
    let (mut connection, peer) = scripted(Config::default());
    peer.set(|script| script.blocked = true);
    let big = vec![0; 64 * 1024];
    while write(&mut connection, &big).is_ready() {}
    advance(SECOND * 3600);
    assert!(write(&mut connection, &big).is_pending());
    advance(SECOND * 39);
    assert!(write(&mut connection, &big).is_pending());
    advance(SECOND);
    let Poll::Ready(Err(error)) = write(&mut connection, &big) else {
        panic!("expected a timeout")
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

/// A ping that is not sent does not start the timeout of its pong.
#[test]
fn unsent_ping_starts_no_timeout() {
    let (mut connection, peer) = scripted(Config::default());
    wait(&mut connection, 20);
    peer.set(|script| script.blocked = true);
    wait(&mut connection, 30);
    assert_eq!(peer.pings(), 0);
    peer.set(|script| script.blocked = false);
    wait(&mut connection, 19);
    assert_eq!(peer.pings(), 1);
    wait(&mut connection, 1);
    assert!(is_timed_out(&mut connection));
}

/// A write times out when the peer takes nothing, and so does the reader. Later writes fail with
/// `BrokenPipe`.
#[test]
fn blocked_writer_times_out() {
    let (mut connection, peer) = scripted(Config::default());
    peer.set(|script| script.blocked = true);
    let big = vec![0; 64 * 1024];
    assert!(matches!(write(&mut connection, &big), Poll::Ready(Ok(_))));
    assert!(write(&mut connection, &big).is_pending());
    advance(SECOND * 39);
    assert!(write(&mut connection, &big).is_pending());
    advance(SECOND);
    let Poll::Ready(Err(error)) = write(&mut connection, &big) else {
        panic!("expected an error")
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(
        is_timed_out(&mut connection),
        "the reader learns of the timeout at once"
    );
    let Poll::Ready(Err(error)) = write(&mut connection, &big) else {
        panic!("expected an error")
    };
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
}

/// A write does not time out while the peer takes data now and then.
#[test]
fn slow_progress_does_not_time_out() {
    let (mut connection, peer) = scripted(Config::default());
    let big = vec![0; 64 * 1024];
    for _ in 0..10 {
        peer.set(|script| script.blocked = true);
        while write(&mut connection, &big).is_ready() {}
        advance(SECOND * 30);
        assert!(write(&mut connection, &big).is_pending());
        peer.set(|script| script.blocked = false);
        assert!(write(&mut connection, &big).is_ready());
    }
}

/// A peer that takes some of what had to wait is alive, although it sends nothing: the ping in
/// flight may be behind that.
#[test]
fn slow_receiver_is_alive() {
    for takes_all in [false, true] {
        let (mut connection, peer) = scripted(Config::default());
        peer.set(|script| (script.bytes, script.bytes_sent) = (Some(0), Some(0)));
        wait(&mut connection, 20);
        wait(&mut connection, 10);
        assert_eq!(peer.pings(), 1);
        assert!(write(&mut connection, b"large").is_ready());
        peer.set(|script| script.blocked = true);
        wait(&mut connection, 5);
        peer.set(|script| {
            script.bytes_sent = Some(3);
            script.blocked = !takes_all;
        });
        wait(&mut connection, 1);
        peer.set(|script| script.blocked = false);
        wait(&mut connection, 18);
        assert!(read(&mut connection).is_pending(), "34 s after the ping");
        // From then on, it is silent.
        wait(&mut connection, 20);
        wait(&mut connection, 20);
        assert_eq!(peer.pings(), 2);
        assert!(is_timed_out(&mut connection));
    }
}

/// What the operating system takes at once proves nothing about the peer.
#[test]
fn unblocked_writes_prove_no_life() {
    let (mut connection, peer) = scripted(Config::default());
    peer.set(|script| (script.bytes, script.bytes_sent) = (Some(0), Some(0)));
    for sent in 1..=8 {
        assert!(write(&mut connection, b"status").is_ready());
        peer.set(|script| script.bytes_sent = Some(sent * 10));
        wait(&mut connection, 5);
    }
    assert!(is_timed_out(&mut connection));
}

/// The timeout of a ping that a caller awaits begins when it is sent, and again whenever the peer
/// takes something that had to wait, or sends something.
#[test]
fn ping_timeout_restarts_with_progress() {
    for keepalive in [None, Some(Keepalive::default())] {
        let config = Config::default()
            .keepalive(keepalive)
            .ping_timeout(SECOND * 10);
        let (mut connection, peer) = scripted(config);
        peer.set(|script| (script.bytes, script.bytes_sent) = (Some(0), Some(0)));
        peer.set(|script| script.blocked = true);
        assert!(write(&mut connection, b"large").is_ready());
        let handle = handle(&connection);
        let mut ping = pin!(handle.ping());
        let mut is_waiting = || poll_until_idle(ping.as_mut()).is_pending();
        assert!(is_waiting());
        wait(&mut connection, 9);
        peer.set(|script| script.bytes_sent = Some(3));
        wait(&mut connection, 9);
        assert!(is_waiting(), "the peer took something");
        peer.set(|script| script.blocked = false);
        wait(&mut connection, 9);
        assert_eq!(peer.pings(), 1);
        assert!(is_waiting(), "the ping was sent");
        peer.set(|script| script.bytes = Some(1));
        wait(&mut connection, 9);
        assert!(is_waiting(), "the peer sent something");
        assert!(write(&mut connection, b"status").is_ready());
        wait(&mut connection, 1);
        let Poll::Ready(Err(error)) = poll_until_idle(ping.as_mut()) else {
            panic!("no timeout")
        };
        assert!(error.is_timeout(), "{error:?}");
    }
}

/// Without keepalive, a silent peer never times out and is sent no ping.
#[test]
fn disabled_keepalive_allows_silence() {
    let (mut connection, peer) = scripted(Config::default().keepalive(None));
    wait(&mut connection, u32::MAX);
    assert!(read(&mut connection).is_pending());
    assert_eq!(peer.pings(), 0);
}

/// A silent peer does not time out where the transport cannot send pings.
#[test]
fn transport_without_pings_never_times_out() {
    let (mut connection, peer) =
        scripted_with(Config::default(), |script| script.cannot_ping = true);
    wait(&mut connection, 3600);
    assert!(read(&mut connection).is_pending());
    assert_eq!(peer.pings(), 0);
}

/// After our close frame, only `close_timeout` applies.
#[test]
fn close_timeout_replaces_keepalive() {
    let keepalive = Keepalive::default().interval(SECOND).timeout(SECOND);
    let (mut connection, peer) = scripted(Config::default().keepalive(keepalive));
    assert!(matches!(close(&mut connection), Poll::Ready(Ok(()))));
    wait(&mut connection, 9);
    assert!(read(&mut connection).is_pending());
    assert_eq!(peer.pings(), 0);
    advance(SECOND);
    assert!(is_timed_out(&mut connection));
}

/// A message that does not end within `message_timeout` times out, although bytes and pongs arrive.
#[test]
fn endless_message_times_out() {
    let (mut connection, peer) = scripted(Config::default().message_timeout(SECOND * 60));
    wait(&mut connection, 15);
    for len in 0..4 {
        // A byte, and a pong between fragments.
        peer.set(|script| script.partial = Some(len));
        peer.sends(pong());
        wait(&mut connection, 15);
    }
    assert!(is_timed_out(&mut connection));
}

/// A message that does not end times out although nothing can be sent.
#[test]
fn endless_message_times_out_while_blocked() {
    let (mut connection, peer) = scripted(Config::default().message_timeout(SECOND));
    peer.set(|script| {
        script.partial = Some(1);
        script.blocked = true;
    });
    assert!(write(&mut connection, b"buffered").is_ready());
    wait(&mut connection, 2);
    assert!(matches!(
        read(&mut connection),
        Poll::Ready(Some(Err(WsErr::TimedOut(_))))
    ));
}

/// A message that does not end times out after a close of this end, too, and over a transport that
/// cannot ping.
#[test]
fn endless_message_times_out_without_keepalive() {
    let config = Config::default().message_timeout(SECOND * 60);
    for is_closing in [false, true] {
        let (mut connection, peer) = scripted_with(config.clone(), |script| {
            script.cannot_ping = !is_closing;
        });
        if is_closing {
            assert!(matches!(close(&mut connection), Poll::Ready(Ok(()))));
        }
        let mut seconds = 0;
        while !is_timed_out(&mut connection) {
            // More of the message arrives in time for `close_timeout`.
            peer.set(|script| script.partial = Some(seconds));
            advance(SECOND * 6);
            seconds += 6;
            assert!(seconds <= 78, "{is_closing}");
        }
        assert!(seconds >= 60, "{is_closing}");
    }
}

/// A blocked write does not time out while the peer takes a byte now and then.
#[test]
fn trickling_receiver_blocks_a_write() {
    let (mut connection, peer) = scripted(Config::default());
    peer.set(|script| (script.bytes, script.bytes_sent, script.blocked) = (Some(0), Some(0), true));
    let big = vec![0; 64 * 1024];
    while write(&mut connection, &big).is_ready() {}
    for taken in 1..20 {
        peer.set(|script| script.bytes_sent = Some(taken));
        advance(SECOND * 30);
        assert!(write(&mut connection, &big).is_pending(), "{taken}");
    }
    advance(SECOND * 40);
    let timed_out = |poll| matches!(poll, Poll::Ready(Err(WsErr::TimedOut(_))));
    assert!(timed_out(write(&mut connection, &big)) || timed_out(write(&mut connection, &big)));
}

/// Control frames in parts do not start `message_timeout`.
#[test]
fn control_frames_start_no_message_timeout() {
    let (mut connection, peer) = scripted(Config::default().message_timeout(SECOND * 10));
    for count in 0..20 {
        // In two parts.
        peer.set(|script| script.bytes = Some(count * 14 + 3));
        wait(&mut connection, 1);
        peer.set(|script| script.bytes = Some(count * 14 + 14));
        peer.sends(pong());
        wait(&mut connection, 12);
    }
    assert!(read(&mut connection).is_pending());
}

/// Each message has all of `message_timeout`, also where its beginning arrives with the end of the
/// previous one.
#[test]
fn message_timeout_restarts_per_message() {
    let (mut connection, peer) = scripted(Config::default().message_timeout(SECOND * 60));
    for _ in 0..20 {
        // The next message has begun when this one ends.
        peer.set(|script| script.partial = Some(1));
        wait(&mut connection, 50);
        peer.sends(Message::Binary("done".into()));
        assert!(matches!(read(&mut connection), Poll::Ready(Some(Ok(_)))));
    }
}

/// A message that ended in time is read, however many polls it takes to reach its end.
#[test]
fn late_reader_gets_timely_message() {
    let (mut connection, peer) = scripted(Config::default().message_timeout(SECOND));
    peer.set(|script| script.partial = Some(1));
    wait(&mut connection, 60);
    for bytes in 2..10 {
        // An adapter yields when it has read as much as one poll may.
        peer.set(|script| script.bytes = Some(bytes * 1000));
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(connection.poll_recv(cx, Mode::Packed).is_pending());
    }
    peer.sends(Message::Binary("done".into()));
    assert!(matches!(read(&mut connection), Poll::Ready(Some(Ok(_)))));
}

/// A ping in flight resolves with `Closed` when keepalive ends the connection.
#[test]
fn ping_in_flight_resolves_at_end() {
    let (mut connection, peer) = scripted(Config::default().ping_timeout(SECOND * 3600));
    let handle = handle(&connection);
    let mut ping = Box::pin(handle.ping());
    assert!(ping.as_mut().now_or_never().is_none());
    wait(&mut connection, 20);
    assert_eq!(peer.pings(), 1);
    wait(&mut connection, 20);
    assert!(is_timed_out(&mut connection));
    assert!(matches!(ping.now_or_never(), Some(Err(WsErr::Closed))));
}
