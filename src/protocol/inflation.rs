//! Compressed input of any kind, for the fuzzer.

#![allow(
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a broken promise is a panic"
)]

use bytes::BytesMut;

use super::{Decoder, Deflater, Encoder, Role};
use crate::{
    config::{Compression, Deflate},
    message::Message,
};

/// Messages, and the error at their end.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    messages: Vec<Message>,
    error: Option<String>,
}

/// Decodes WebSocket frames, compressed or not. The first byte holds the role, whether the context
/// is taken over, and the limit on messages.
///
/// # Panics
/// A message exceeds the limit, a split of the input makes a difference, or a message that is
/// compressed again is not the same.
pub fn check(input: &[u8]) {
    let Some((settings, input)) = input.split_first() else {
        return;
    };
    let (role, peer) = match settings & 1 {
        0 => (Role::Server, Role::Client),
        _ => (Role::Client, Role::Server),
    };
    let takes_over = settings & 2 != 0;
    let max = 16 << (settings >> 2 & 15);
    let decoder = || Decoder::new(role, max, BytesMut::new()).with_deflate(takes_over);
    let whole = decode(decoder(), input, usize::MAX);
    for len in [1, 7] {
        assert_eq!(decode(decoder(), input, len), whole, "in pieces of {len}");
    }
    for message in &whole.messages {
        assert!(message.data_len() <= max, "over the limit of {max}");
    }
    let agreed = Compression {
        send_context: takes_over,
        recv_context: takes_over,
        send_window_bits: 9 + (settings >> 2) % 7,
        recv_window_bits: 15,
    };
    let deflater = Deflater::new(&Deflate::default().min_len(0), agreed);
    let mut encoder = Encoder::new(peer, usize::MAX, false).with_deflate(deflater);
    let mut sent = Vec::new();
    for message in &whole.messages {
        // An invalid close code is not sent.
        if encoder.push(message.clone()).is_err() {
            return;
        }
    }
    while encoder.len() > 0 {
        let part = encoder.queue().front().to_vec();
        encoder.queue().advance(part.len());
        sent.extend(part);
    }
    let again = decode(decoder(), &sent, usize::MAX);
    assert_eq!(again.messages, whole.messages);
    assert_eq!(again.error, None);
}

fn decode(mut decoder: Decoder, mut input: &[u8], piece: usize) -> Seen {
    let mut seen = Seen::default();
    while !input.is_empty() {
        let (buffer, room) = decoder.room(512);
        let len = room.min(piece).min(input.len());
        let (part, rest) = input.split_at(len);
        buffer.extend_from_slice(part);
        input = rest;
        loop {
            match decoder.decode() {
                Ok(Some(message)) => seen.messages.push(message),
                Ok(None) if decoder.is_inflating() => {}
                Ok(None) => break,
                Err(error) => seen.error = Some(error.to_string()),
            }
        }
    }
    seen
}
