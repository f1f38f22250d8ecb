//! Pings, buffers, deadlines and wakers of a connection over a scripted transport.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

use futures::{FutureExt, StreamExt};
use pharos::{Observable, ObserveConfig};

use super::{
    Connection, Mode,
    scripted::{
        Peer, SECOND, close, handle, pong, read, run, scripted, scripted_with, wait, write,
    },
    write_buffer::WriteBuffer,
};
use crate::{
    close::CloseFrame, config::Config, error::WsErr, handle::WsHandle, message::Message,
    time::virtual_time::advance,
};

/// A ping of the caller fails with `TimedOut` after `ping_timeout`, whatever the settings of
/// keepalive.
#[test]
fn callers_ping_has_a_deadline() {
    let (connection, _) = scripted(Config::default().ping_timeout(SECOND * 5));
    let handle = handle(&connection);
    let mut ping = Box::pin(handle.ping());
    assert!(ping.as_mut().now_or_never().is_none());
    advance(SECOND * 5);
    assert!(matches!(
        run(|cx| ping.as_mut().poll(cx)),
        Poll::Ready(Err(WsErr::TimedOut(_)))
    ));
}

/// Pings whose callers gave up are dropped while the transport takes nothing.
#[test]
fn abandoned_pings_do_not_accumulate() {
    let (mut connection, peer) = scripted(Config::default().keepalive(None));
    let handle = handle(&connection);
    peer.set(|script| script.blocked = true);
    for _ in 0..100 {
        assert!(handle.ping().now_or_never().is_none());
        wait(&mut connection, 0);
    }
    let mut patient = Box::pin(handle.ping());
    assert!(patient.as_mut().now_or_never().is_none());
    wait(&mut connection, 0);
    peer.set(|script| script.blocked = false);
    wait(&mut connection, 0);
    assert_eq!(peer.pings(), 1, "the one whose caller still waits");
}

/// The pong to a ping of keepalive sets the round-trip time of the statistics.
#[test]
fn keepalive_ping_measures_round_trip() {
    let (mut connection, peer) = scripted(Config::default());
    wait(&mut connection, 20);
    wait(&mut connection, 3);
    let Message::Ping(payload) = peer.0.borrow().sent[0].clone() else {
        panic!("no ping")
    };
    peer.sends(Message::Pong(payload));
    wait(&mut connection, 0);
    assert_eq!(
        connection.shared().counters.snapshot().last_round_trip,
        Some(SECOND * 3)
    );
}

/// The memory that one large item has taken in the write buffer is released once the item is sent.
#[test]
fn large_write_buffer_is_released() {
    let (mut connection, _) = scripted(Config::default());
    put_item(&mut connection, &vec![0; 1 << 20]);
    assert!(run(|cx| connection.poll_flush(cx)).is_ready());
    put_item(&mut connection, b"small");
    assert!(connection.core.buffer.capacity() < 1 << 18);
}

/// Large items of one length are encoded into the same memory, whatever rest each leaves for the
/// message of the next.
#[test]
fn large_items_are_encoded_into_the_same_memory() {
    const MAX: usize = 1000;
    for len in [3 * MAX + 1, 4 * MAX - 1, 10 * MAX + 501] {
        let mut buffer = WriteBuffer::default();
        let mut addresses = Vec::new();
        // Fewer than MAX, so that none ends where a message does.
        for _ in 0..MAX - 1 {
            buffer.extend(&vec![7; len]);
            addresses.push(buffer.bytes().as_ptr());
            while buffer.has_message(MAX) {
                drop(buffer.next_message(MAX));
            }
            buffer.reclaim(MAX, true);
        }
        // The first item takes what it needs. Where a rest goes with the next, both need more.
        let [.., last] = addresses[..] else {
            unreachable!()
        };
        assert!(addresses[1..].iter().all(|&at| at == last), "{len}");
    }
}

/// Messages that small items fill are made in the same memory, once each has been written. While the
/// transport holds one, no other memory is taken.
#[test]
fn full_messages_are_made_in_the_same_memory() {
    const MAX: usize = 1000;
    for item in [7, 64, 300, 900] {
        let mut buffer = WriteBuffer::default();
        let mut memory = Vec::new();
        for _ in 0..100 {
            while !buffer.has_message(MAX) {
                buffer.extend(&vec![7; item]);
            }
            memory.push((buffer.bytes().as_ptr(), buffer.capacity()));
            drop(buffer.next_message(MAX));
            buffer.reclaim(MAX, true);
        }
        assert!(memory.iter().all(|at| *at == memory[0]), "{item}");
        buffer.extend(&vec![7; MAX + 1]);
        let held = buffer.next_message(MAX);
        let capacity = buffer.capacity();
        buffer.reclaim(MAX, false);
        assert_eq!(buffer.capacity(), capacity, "{item}");
        buffer.reclaim(MAX, true);
        assert!(buffer.capacity() > MAX, "{item}");
        drop(held);
    }
}

/// A transport that takes batches is asked for room behind a full message, which makes it write. Any
/// other is asked for as many messages as it gets.
#[test]
fn full_message_is_written_at_once() {
    for (batch_len, asked) in [(1000, vec![100, 0]), (0, vec![100])] {
        let config = Config::default().max_send_message_len(100);
        let (mut connection, peer) = scripted_with(config, |script| script.batch_len = batch_len);
        put_item(&mut connection, &[7; 100]);
        assert!(run(|cx| connection.poll_ready(cx, Mode::Packed)).is_ready());
        assert_eq!(peer.0.borrow().batches, asked);
    }
}

/// The messages of a large item go to the transport in batches, each twice as long as the one that
/// the transport has just taken, until it has to wait.
#[test]
fn batches_grow_while_the_transport_takes_them() {
    const KIB: usize = 1024;
    let config = Config::default().max_send_message_len(64 * KIB);
    let (mut connection, peer) = scripted_with(config, |script| script.batch_len = 256 * KIB);
    for (blocked, expected) in [
        (false, vec![256 * KIB, 512 * KIB, 1024 * KIB, 1024 * KIB]),
        (true, vec![0]),
        (false, vec![256 * KIB, 512 * KIB, 1024 * KIB, 1024 * KIB]),
    ] {
        peer.set(|script| {
            script.blocked = blocked;
            script.batches.clear();
        });
        if connection.core.buffer.is_empty() {
            put_item(&mut connection, &vec![0; 4096 * KIB]);
        }
        let flushed = run(|cx| connection.poll_flush(cx));
        assert_eq!(flushed.is_pending(), blocked);
        assert!(peer.0.borrow().batches.starts_with(&expected));
    }
}

/// A read that receives only control messages, without end, sends the buffered data.
#[test]
fn read_sends_buffered_data() {
    let (mut connection, peer) = scripted(Config::default());
    peer.set(|script| script.endless = Some(pong()));
    assert!(write(&mut connection, b"request").is_ready());
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(connection.poll_recv(cx, Mode::Packed).is_pending());
    let sent = peer.count(|message| matches!(message, Message::Binary(_)));
    assert_eq!(sent, 1);
}

/// Puts an encoded item behind what is buffered.
fn put_item(connection: &mut Connection<Peer>, bytes: &[u8]) {
    let mut item = connection.begin_item(Mode::Packed).unwrap();
    item.bytes().extend_from_slice(bytes);
    item.finish().unwrap();
}

type Case = fn() -> (Connection<Peer>, Peer);

/// A deadline that is over gives a transport that yields one more poll before it fires.
#[test]
fn yielding_transport_gets_another_poll() {
    let closed = || {
        let (mut connection, peer) = scripted(Config::default());
        assert!(close(&mut connection).is_ready());
        (connection, peer)
    };
    let pinged = || {
        let (mut connection, peer) = scripted(Config::default());
        wait(&mut connection, 20);
        (connection, peer)
    };
    let receiving = || {
        let (connection, peer) = scripted(Config::default().message_timeout(SECOND));
        peer.set(|script| script.partial = Some(1));
        (connection, peer)
    };
    let cases: [Case; 3] = [closed, pinged, receiving];
    for case in cases {
        let (mut connection, peer) = case();
        wait(&mut connection, 3600);
        peer.set(|script| {
            script.yields = 1;
            script.incoming.push_back(Message::Binary("late".into()));
        });
        assert!(matches!(read(&mut connection), Poll::Ready(Some(Ok(_)))));
    }
}

/// After a panic of the transport, its waker still wakes the task.
#[test]
fn panic_of_the_transport_leaves_a_waker() {
    let (mut connection, peer) = scripted(Config::default());
    peer.set(|script| script.panics = true);
    assert!(catch_unwind(AssertUnwindSafe(|| read(&mut connection))).is_err());
    peer.set(|script| {
        script.yields = 1;
        script.incoming.push_back(Message::Binary("late".into()));
    });
    // It polls again only if it is woken.
    assert!(matches!(read(&mut connection), Poll::Ready(Some(Ok(_)))));
}

/// A waker that makes requests of a handle when it wakes.
struct Asks(WsHandle);

impl Wake for Asks {
    fn wake(self: Arc<Self>) {
        let _ = self.0.close(CloseFrame::normal());
        drop(self.0.closed());
    }
}

/// A waker that the connection calls may make requests of the handle at once: no lock is held.
#[test]
fn waker_may_use_the_handle() {
    let (connection, _) = scripted(Config::default());
    let mut handle = handle(&connection);
    let waker = Waker::from(Arc::new(Asks(handle.clone())));
    let cx = &mut Context::from_waker(&waker);
    let events = handle.observe(ObserveConfig::default()).now_or_never();
    let mut events = events.unwrap().unwrap();
    assert!(events.poll_next_unpin(cx).is_pending());
    let mut closed = Box::pin(handle.closed());
    assert!(closed.as_mut().poll(cx).is_pending());
    drop(connection);
    assert!(closed.as_mut().poll(cx).is_ready());
}
