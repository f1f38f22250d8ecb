//! Compressed messages (RFC 7692). Those of the peer are built by hand here.

#[cfg(feature = "__property-tests")]
mod properties;
mod sending;

use bytes::BytesMut;

use super::{Decoded, binary, control, decode_by, frame, raw_frame};
use crate::{
    close::CloseCode,
    config::{self, Compression},
    message::Message,
    protocol::{Decoder, Deflater, Encoder, Role, frame::OpCode},
};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// "Hello" in a block with fixed codes (RFC 7692 section 7.2.3.1).
const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];

/// The same, referring to a "Hello" before it (section 7.2.3.2).
const HELLO_AGAIN: [u8; 5] = [0xf2, 0x00, 0x11, 0x00, 0x00];

/// The same, not compressed (section 7.2.3.3).
const HELLO_STORED: [u8; 11] = [
    0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
];

/// The same in a final block, and a byte behind it (section 7.2.3.4).
const HELLO_FINAL: [u8; 8] = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];

/// The same in two blocks (section 7.2.3.5).
const HELLO_IN_TWO: [u8; 13] = [
    0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
];

fn agreed(takes_over: bool, window_bits: u8) -> Compression {
    Compression {
        send_context: takes_over,
        recv_context: takes_over,
        send_window_bits: window_bits,
        recv_window_bits: window_bits,
    }
}

fn encoder(role: Role, settings: config::Deflate) -> Encoder {
    let agreed = agreed(settings.send_context, settings.send_window_bits);
    Encoder::new(role, usize::MAX, true).with_deflate(Deflater::new(&settings, agreed))
}

fn decoder(role: Role, takes_over: bool, max: usize) -> Decoder {
    Decoder::new(role, max, BytesMut::new()).with_deflate(takes_over)
}

fn compressed(role: Role, payload: &[u8]) -> Vec<u8> {
    frame(role, OpCode::CompressedBinary, true, payload)
}

fn queued(encoder: &mut Encoder) -> Vec<u8> {
    let mut all = Vec::new();
    while encoder.len() > 0 {
        let part = encoder.queue().front().to_vec();
        encoder.queue().advance(part.len());
        all.extend(part);
    }
    all
}

/// Not compressible.
fn noise(len: usize) -> Vec<u8> {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random.to_le_bytes()[3]
    };
    (0..len).map(|_| next()).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "as in `Decoded`")]
fn broken() -> Option<(CloseCode, String)> {
    let why = "the peer violated the WebSocket protocol: a compressed message is broken (RFC 7692 \
               section 7.2.2)";
    Some((CloseCode::INVALID_PAYLOAD_DATA, why.to_owned()))
}

/// The examples of the RFC, whole and in any two parts, between messages that are not compressed.
#[test]
fn examples_of_the_rfc() {
    for role in ROLES {
        for payload in [&HELLO[..], &HELLO_STORED, &HELLO_FINAL, &HELLO_IN_TWO] {
            let input = [
                compressed(role, payload),
                frame(role, OpCode::Binary, true, b"plain"),
                frame(role, OpCode::CompressedText, false, &payload[..2]),
                frame(role, OpCode::Ping, true, b"p"),
                frame(role, OpCode::Continuation, true, &payload[2..]),
                compressed(role, &[0]),
            ]
            .concat();
            let expected = Decoded {
                messages: vec![
                    binary(b"Hello"),
                    binary(b"plain"),
                    Message::Ping(control(b"p")),
                    Message::Text("Hello".to_owned()),
                    binary(b""),
                ],
                ..Decoded::default()
            };
            for takes_over in [false, true] {
                for cut in 0..input.len() {
                    let (a, b) = input.split_at(cut);
                    let decoded = decode_by(decoder(role, takes_over, 5), [a, b]);
                    assert_eq!(decoded, expected, "{cut}");
                }
            }
        }
    }
}

/// A final block may be the end of a message: nothing has to follow it, whether it is compressed or
/// stored, and whether or not the context is kept.
#[test]
fn final_block_ends_a_message() {
    for payload in [&HELLO_FINAL[..7], b"\x01\x05\0\xfa\xffHello"] {
        let input = compressed(Role::Client, payload).repeat(2);
        for keeps_context in [false, true] {
            let decoded = decode_by(decoder(Role::Client, keeps_context, 5), [&*input]);
            assert_eq!(decoded.messages, [binary(b"Hello"), binary(b"Hello")]);
        }
    }
}

/// A message refers to an earlier one with context only.
#[test]
fn context_is_kept_as_agreed() {
    let input = [
        compressed(Role::Client, &HELLO),
        compressed(Role::Client, &HELLO_AGAIN),
    ]
    .concat();
    let decoded = decode_by(decoder(Role::Client, true, 5), [&*input]);
    assert_eq!(decoded.messages, [binary(b"Hello"), binary(b"Hello")]);
    let decoded = decode_by(decoder(Role::Client, false, 5), [&*input]);
    assert_eq!(decoded.messages, [binary(b"Hello")]);
    assert_eq!(decoded.error, broken());
}

/// RSV1 is allowed on the first frame of a message, and only there; the others never.
#[test]
fn reserved_bits_are_refused_elsewhere() {
    for role in ROLES {
        for first in 0..=u8::MAX {
            let input = raw_frame(role, first, &[]);
            let decoded = decode_by(decoder(role, false, 5), [&*input]);
            let is_refused = decoded
                .error
                .as_ref()
                .is_some_and(|(_, why)| why.contains("reserved bits"));
            let is_data = matches!(first & 0x0f, 1 | 2);
            let is_known = is_data || matches!(first & 0x0f, 0 | 8 | 9 | 10);
            let expected = first & 0x30 != 0 || first & 0x40 != 0 && is_known && !is_data;
            assert_eq!(is_refused, expected, "{first:x}: {decoded:?}");
        }
        let begun = frame(role, OpCode::CompressedBinary, false, &HELLO[..2]);
        for first in [0xc0, 0x40, 0xc1, 0x42] {
            let input = [&*begun, &raw_frame(role, first, &HELLO[2..])].concat();
            let decoded = decode_by(decoder(role, false, 5), [&*input]);
            let (code, why) = decoded.error.unwrap();
            assert_eq!(code, CloseCode::PROTOCOL_ERROR);
            let is_new_message = first & 0x0f != 0;
            assert_eq!(why.contains("reserved bits"), !is_new_message, "{why}");
        }
    }
}

/// Without compression, RSV1 is reserved.
#[test]
fn compressed_messages_must_be_negotiated() {
    let input = compressed(Role::Client, &HELLO);
    let plain = Decoder::new(Role::Client, 100, BytesMut::new());
    let (code, why) = decode_by(plain, [&*input]).error.unwrap();
    assert_eq!(code, CloseCode::PROTOCOL_ERROR);
    assert!(why.contains("reserved bits"));
}

/// What a compressor makes of `payload`, without the frame.
fn deflated(payload: &[u8], level: u8) -> Vec<u8> {
    let settings = config::Deflate::default().level(level).min_len(0);
    let compression = agreed(true, 15);
    let mut deflater = Deflater::new(&settings, compression);
    deflater.compress(payload).unwrap()[crate::message::HEADROOM..].to_vec()
}

/// A message that is cut anywhere is broken, whatever kind of block it is cut in, with and without
/// context.
#[test]
fn truncated_messages_are_broken() {
    let text = "the quick brown fox jumps over the lazy dog, and so on and so forth; ".repeat(3);
    let dynamic: Vec<u8> = (0..3000_u32)
        .map(|at| (at * at % 61 % 17) as u8 + b'a')
        .collect();
    let first = deflated(&dynamic, 6);
    let two = [&*first, &[0, 0, 0xff, 0xff], &deflated(text.as_bytes(), 6)].concat();
    // With the lengths at which a block ends: there, a message may end.
    let payloads = [
        (HELLO.to_vec(), vec![]),
        (HELLO_STORED.to_vec(), vec![1]),
        (HELLO_IN_TWO.to_vec(), vec![4]),
        (deflated(text.as_bytes(), 6), vec![]),
        (deflated(&dynamic, 9), vec![]),
        (deflated(&dynamic, 1), vec![]),
        (deflated(&noise(300), 6), vec![1]),
        (two, vec![first.len()]),
    ];
    for (payload, ends) in payloads {
        for takes_over in [false, true] {
            let decoder = || decoder(Role::Client, takes_over, 1 << 20);
            let whole = compressed(Role::Client, &payload);
            assert_eq!(decode_by(decoder(), [&*whole]).error, None);
            for end in 0..payload.len() {
                let input = compressed(Role::Client, &payload[..end]);
                let decoded = decode_by(decoder(), [&*input]);
                let expected = if ends.contains(&end) { None } else { broken() };
                assert_eq!(decoded.error, expected, "{end} of {}", payload.len());
                assert_eq!(decoded.messages.is_empty(), expected.is_some());
            }
        }
    }
}

/// Neither reserved blocks nor stored blocks with a wrong length nor distances out of bounds.
#[test]
fn invalid_blocks_are_broken() {
    for payload in [
        &[0x06][..],
        &[0x00, 0x05, 0x00, 0xfa, 0xfe, 0x48],
        &HELLO_AGAIN,
        &[0xff; 20],
        &[],
    ] {
        let input = compressed(Role::Client, payload);
        let decoded = decode_by(decoder(Role::Client, false, 100), [&*input]);
        assert_eq!(decoded.error, broken(), "{payload:x?}");
        let again = [&*input, &compressed(Role::Client, &HELLO)].concat();
        let decoded = decode_by(decoder(Role::Client, true, 100), [&*again]);
        assert_eq!(decoded.error, broken(), "{payload:x?}");
        assert_eq!(decoded.messages, []);
    }
}

/// Text is checked as it is inflated: invalid text is refused before its message is complete.
#[test]
fn inflated_text_is_checked_early() {
    let payload = deflated(&[b"valid \xff".as_slice(), &[b'x'; 500]].concat(), 6);
    let input = frame(Role::Client, OpCode::CompressedText, true, &payload);
    let decoded = decode_by(
        decoder(Role::Client, false, 1000),
        [&input[..input.len() - 3]],
    );
    let (code, why) = decoded.error.unwrap();
    assert_eq!(code, CloseCode::INVALID_PAYLOAD_DATA);
    assert!(why.contains("UTF-8"));
    let payload = deflated(b"ends within \xc3", 6);
    let input = frame(Role::Client, OpCode::CompressedText, true, &payload);
    let decoded = decode_by(decoder(Role::Client, false, 1000), [&*input]);
    assert!(decoded.error.unwrap().1.contains("UTF-8"));
}

/// The limit counts inflated bytes. A message at the limit is received, and one above it refused as
/// soon as the limit is passed, with code 1009.
#[test]
fn inflation_stops_at_the_limit() {
    let bomb = deflated(&vec![0; 10 << 20], 9);
    for takes_over in [false, true] {
        let max = 10 << 20;
        let input = compressed(Role::Server, &bomb);
        let decoded = decode_by(decoder(Role::Server, takes_over, max), [&*input]);
        assert_eq!(decoded.messages, [binary(&vec![0; max])]);
        let decoded = decode_by(decoder(Role::Server, takes_over, max - 1), [&*input]);
        assert_eq!(decoded.error.unwrap().0, CloseCode::MESSAGE_TOO_BIG);
        assert_eq!(decoded.messages, []);
        let small = decode_by(
            decoder(Role::Server, takes_over, 1000),
            [&input[..input.len() / 50]],
        );
        assert_eq!(small.error.unwrap().0, CloseCode::MESSAGE_TOO_BIG);
    }
}

/// One call inflates a bounded number of bytes, and says that there is more.
#[test]
fn work_of_one_call_is_bounded() {
    let max = 10 << 20;
    let input = compressed(Role::Client, &deflated(&vec![7; max], 9));
    let mut decoder = decoder(Role::Client, false, max);
    let mut calls = 0;
    let mut input = &*input;
    let message = loop {
        let (buffer, room) = decoder.room(64 * 1024);
        let (part, rest) = input.split_at(input.len().min(room));
        input = rest;
        buffer.extend_from_slice(part);
        let message = loop {
            let message = decoder.decode().unwrap();
            calls += 1;
            assert!(decoder.take_inflated() <= 300 * 1024);
            if message.is_some() || !decoder.is_inflating() {
                break message;
            }
        };
        if let Some(message) = message {
            break message;
        }
    };
    assert_eq!(message.data_len(), max);
    assert!(calls >= 35, "{calls}");
}

/// Empty blocks without end are no message, take no memory, and count as work.
#[test]
fn endless_empty_blocks_are_bounded() {
    for block in [&[0, 0, 0, 0xff, 0xff][..], &[3, 0], &[1, 0, 0, 0xff, 0xff]] {
        let payload = block.repeat(60_000 / block.len());
        let mut input = frame(Role::Client, OpCode::CompressedBinary, false, &payload);
        let decoded = decode_by(decoder(Role::Client, false, 10), [&*input]);
        assert_eq!(decoded.messages, []);
        assert_eq!(decoded.error, None);
        input.extend(frame(Role::Client, OpCode::Continuation, true, &HELLO));
        let decoded = decode_by(decoder(Role::Client, true, 10), [&*input]);
        assert_eq!(decoded.messages, [binary(b"Hello")]);
    }
    let mut decoder = decoder(Role::Client, false, 10);
    let input = frame(
        Role::Client,
        OpCode::CompressedBinary,
        false,
        &[3, 0].repeat(30_000),
    );
    decoder.room(65 * 1024).0.extend_from_slice(&input);
    assert_eq!(decoder.decode().unwrap(), None);
    assert!(decoder.is_inflating(), "more is left than one call does");
}
