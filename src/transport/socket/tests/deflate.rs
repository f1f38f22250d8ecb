//! The work of a poll where messages are compressed.

use super::{Read, Script, Socket, binary, next, poll};
use crate::{
    config::{Compression, Config, Deflate},
    message::Message,
    protocol::{Decoder, Role},
    transport::MessageTransport,
};

use bytes::BytesMut;
use std::task::Poll;

const LEN: usize = 4 << 20;

fn socket(script: Script, takes_over: bool) -> Socket<Script> {
    let config = Config::default()
        .max_recv_message_len(LEN)
        .max_send_message_len(LEN)
        .compression(Deflate::default());
    let agreed = Compression {
        send_context: takes_over,
        recv_context: takes_over,
        send_window_bits: 15,
        recv_window_bits: 15,
    };
    Socket::new(script, BytesMut::new(), Role::Server, &config).compressed(&config, Some(agreed))
}

/// What a server writes for these messages.
fn written(messages: impl IntoIterator<Item = Message>) -> Vec<u8> {
    let mut socket = socket(Script::new([]), false);
    for message in messages {
        socket.start_send(message).unwrap();
    }
    let mut bytes = Vec::new();
    while socket.encoder.len() > 0 {
        let part = socket.encoder.queue().front().to_vec();
        socket.encoder.queue().advance(part.len());
        bytes.extend(part);
    }
    bytes
}

/// Counts the polls that yield before each of the messages.
fn yields(bytes: Vec<u8>, messages: usize) -> Vec<usize> {
    let config = Config::default().max_recv_message_len(LEN);
    let mut socket = Socket::new(
        Script::new([Read::Bytes(bytes)]),
        BytesMut::new(),
        Role::Client,
        &config,
    );
    socket.decoder = Decoder::new(Role::Client, LEN, BytesMut::new()).with_deflate(false);
    let mut counts = Vec::new();
    for _ in 0..messages {
        let mut count = 0;
        while next(&mut socket).is_pending() {
            count += 1;
            assert!(count < 100, "the input is there");
        }
        counts.push(count);
    }
    counts
}

/// A message that inflates to much takes several polls, and many that inflate to less do, too.
#[test]
fn inflation_yields() {
    let large = written([binary(vec![0; LEN])]);
    assert!(large.len() < 5_000);
    let counts = yields(large, 1);
    assert!((10..20).contains(&counts[0]), "{counts:?}");
    let many = written((0..50).map(|_| binary(vec![0; 50_000])));
    let total: usize = yields(many, 50).iter().sum();
    assert!((7..12).contains(&total), "{total}");
}

/// A transport that has compressed much yields, although little is to be sent. A flush begins
/// again.
#[test]
fn compression_yields() {
    for takes_over in [false, true] {
        let mut script = Script::new([]);
        script.window = usize::MAX;
        let mut socket = socket(script, takes_over);
        let mut pending = 0;
        for _ in 0..50 {
            while poll(|cx| socket.poll_ready(cx)).is_pending() {
                pending += 1;
            }
            socket.start_send(binary(vec![0; 50_000])).unwrap();
        }
        assert!((7..12).contains(&pending), "{pending}");
        assert!(poll(|cx| socket.poll_flush(cx)).is_ready());
        assert!(matches!(
            poll(|cx| socket.poll_ready(cx)),
            Poll::Ready(Ok(()))
        ));
    }
}
