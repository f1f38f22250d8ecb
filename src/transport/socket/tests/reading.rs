//! Reading: sizes, memory, the work of a poll, and ends.

use std::{
    io::ErrorKind,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake},
};

use super::{Read, Script, Socket, binary, message, next, ping, socket, wire};
use crate::{
    config::Config,
    error::WsErr,
    message::Message,
    protocol::Role,
    transport::{MESSAGES_PER_POLL, MessageTransport, socket::BYTES_PER_POLL},
};

/// A waker that counts.
#[derive(Default)]
struct CountingWaker(AtomicUsize);

impl Wake for CountingWaker {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// Messages in any reads arrive in order, then the end.
#[test]
fn messages_in_pieces() {
    for role in [Role::Client, Role::Server] {
        let messages = [
            binary("first"),
            ping(b"1"),
            Message::Text("text".repeat(1000)),
            binary(vec![1; 100_000]),
            binary(""),
        ];
        let bytes = wire(role, messages.clone());
        for step in [1, 2, 100, 5000, 1_000_000] {
            let reads = bytes
                .chunks(step)
                .flat_map(|piece| [Read::Pending, Read::Bytes(piece.to_vec())]);
            let mut socket = socket(role, Script::new(reads));
            let mut received = Vec::new();
            loop {
                match next(&mut socket) {
                    Poll::Ready(Some(message)) => received.push(message.unwrap()),
                    Poll::Ready(None) => break,
                    Poll::Pending => {}
                }
            }
            assert_eq!(received, messages, "{step}");
            assert_eq!(socket.progress().received, Some(bytes.len() as u64));
            assert!(matches!(next(&mut socket), Poll::Ready(None)));
        }
    }
}

/// Reads begin small, grow while they are filled, and shrink when little arrives.
#[test]
fn read_sizes_adapt() {
    let role = Role::Client;
    let burst = wire(role, (0..1000).map(|_| binary(vec![1; 200])));
    let few = wire(role, [binary("few")]);
    let mut reads = vec![Read::Bytes(burst), Read::Pending];
    for _ in 0..10 {
        reads.extend([Read::Bytes(few.clone()), Read::Pending]);
    }
    let mut socket = socket(role, Script::new(reads));
    let mut left = 1000 + 10;
    while left > 0 {
        if next(&mut socket).is_ready() {
            left -= 1;
        }
    }
    let rooms = &socket.io.rooms;
    let growing = [512, 2048, 8192, 32768, 65536];
    assert!(rooms.starts_with(&growing), "{rooms:?}");
    assert_eq!(rooms.last(), Some(&512), "{rooms:?}");
}

/// Of a frame of known length, all that it lacks is offered to one read.
#[test]
fn long_frames_are_read_at_once() {
    let role = Role::Client;
    let bytes = wire(role, [binary(vec![1; 200_000])]);
    let mut socket = socket(role, Script::new([Read::Bytes(bytes)]));
    assert_eq!(message(&mut socket), binary(vec![1; 200_000]));
    assert_eq!(socket.io.rooms, [512, 200_000 + 10 - 512]);
}

/// A read that waits keeps 512 bytes at most, whatever came before.
#[test]
fn idle_buffers_are_small() {
    let role = Role::Client;
    let burst = wire(role, (0..50).map(|_| binary(vec![1; 2000])));
    let few = wire(role, [binary("few")]);
    let waits = (0..8).map(|_| Read::Pending);
    let reads = [Read::Bytes(burst)].into_iter().chain(waits);
    let mut socket = socket(role, Script::new(reads.chain([Read::Bytes(few)])));
    for _ in 0..50 {
        message(&mut socket);
    }
    assert!(socket.io.capacities.iter().any(|capacity| *capacity > 512));
    for _ in 0..8 {
        assert!(next(&mut socket).is_pending());
    }
    message(&mut socket);
    assert_eq!(socket.io.capacities.last(), Some(&512));
}

/// One poll takes a bounded number of messages and of bytes, then count its task.
#[test]
fn work_of_a_poll_is_bounded() {
    let role = Role::Client;
    let count = Arc::new(CountingWaker::default());
    let waker = count.clone().into();
    let cx = &mut Context::from_waker(&waker);
    let many = wire(role, (0..10_000).map(|_| binary("short")));
    let mut short = socket(role, Script::new([Read::Bytes(many)]));
    let mut taken = 0;
    while short.poll_next(cx).is_ready() {
        taken += 1;
    }
    assert_eq!((taken, count.0.load(Relaxed)), (MESSAGES_PER_POLL, 1));
    assert!(short.poll_next(cx).is_ready(), "and goes on");

    // Empty fragments make no message.
    let fragments = [&[2, 0][..], &[0, 0].repeat(1 << 20)].concat();
    let mut endless = socket(role, Script::new([Read::Bytes(fragments)]));
    assert!(endless.poll_next(cx).is_pending());
    let received = usize::try_from(endless.progress().received.unwrap()).unwrap();
    let expected = BYTES_PER_POLL - 65536..=BYTES_PER_POLL;
    assert!(expected.contains(&received), "{received}");
    assert_eq!(count.0.load(Relaxed), 2);
}

/// After a violation everything is discarded, and the end is the end, however it comes.
#[test]
fn discards_after_violation() {
    let role = Role::Client;
    for end in [None, Some(ErrorKind::ConnectionReset)] {
        let good = wire(role, [binary("good")]);
        let reads = [
            Read::Bytes([&good[..], &[0x83, 0], &good].concat()),
            Read::Pending,
            Read::Bytes(good.repeat(1000)),
        ];
        let reads = reads.into_iter().chain(end.map(Read::Error));
        let mut socket = socket(role, Script::new(reads));
        assert_eq!(message(&mut socket), binary("good"));
        let error = next(&mut socket);
        let is_violation = matches!(error, Poll::Ready(Some(Err(WsErr::Protocol(_)))));
        assert!(is_violation, "{error:?}");
        assert!(next(&mut socket).is_pending());
        for _ in 0..3 {
            assert!(matches!(next(&mut socket), Poll::Ready(None)), "no error");
        }
    }
}

/// A read error is reported once.
#[test]
fn read_error() {
    let script = Script::new([Read::Error(ErrorKind::ConnectionReset)]);
    let mut socket = socket(Role::Server, script);
    let error = next(&mut socket);
    assert!(
        matches!(error, Poll::Ready(Some(Err(WsErr::Io(_))))),
        "{error:?}"
    );
    assert!(matches!(next(&mut socket), Poll::Ready(None)));
}

/// What arrived behind the handshake is decoded before anything is read.
#[test]
fn leftover_of_handshake() {
    let role = Role::Server;
    let leftover = bytes::BytesMut::from(&*wire(role, [binary("early")]));
    let mut socket = Socket::new(Script::new([]), leftover, role, &Config::default());
    assert_eq!(message(&mut socket), binary("early"));
    assert!(matches!(next(&mut socket), Poll::Ready(None)));
}
