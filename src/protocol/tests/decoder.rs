//! The decoder: fragments, limits, close payloads.

use bytes::BytesMut;

use super::{Decoded, binary, control, decode, decode_all, frame, raw_frame};
use crate::{
    close::{CloseCode, CloseFrame},
    message::Message,
    protocol::{Decoder, Role, frame::OpCode},
};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

fn assert_fails(role: Role, input: &[u8], code: u16, section: &str) {
    let decoded = decode_all(role, input);
    let (found, text) = decoded.error.expect("an error");
    assert_eq!(found, CloseCode::new(code), "{text}");
    assert!(
        text.contains(&format!("RFC 6455 section {section})")),
        "{text}"
    );
    assert_eq!(decoded.messages, [], "no messages before it");
    assert_eq!(decoded.partial, None, "nothing is kept");
}

/// Payloads of every boundary length, whole, as both roles.
#[test]
fn lengths() {
    for role in ROLES {
        for len in [0, 1, 125, 126, 127, 65535, 65536, 65537, 200_000] {
            let payload: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
            let decoded = decode_all(role, &frame(role, OpCode::Binary, true, &payload));
            assert_eq!(decoded.messages, [binary(&payload)], "{len}");
            let text = "x".repeat(len);
            let decoded = decode_all(role, &frame(role, OpCode::Text, true, text.as_bytes()));
            assert_eq!(decoded.messages, [Message::Text(text)], "{len}");
        }
    }
}

/// Control frames between the fragments of a message arrive before it.
#[test]
fn control_within_fragments() {
    for role in ROLES {
        let input = [
            frame(
                role,
                OpCode::Text,
                false,
                "gr\u{fc}".as_bytes().split_last().unwrap().1,
            ),
            frame(role, OpCode::Ping, true, b"1"),
            frame(role, OpCode::Continuation, false, b""),
            frame(role, OpCode::Pong, true, b""),
            frame(role, OpCode::Continuation, true, b"\xbcn"),
            frame(role, OpCode::Binary, false, b"a"),
            frame(role, OpCode::Continuation, true, b"b"),
        ];
        let messages = [
            Message::Ping(control(b"1")),
            Message::Pong(control(b"")),
            Message::Text("gr\u{fc}n".to_owned()),
            binary(b"ab"),
        ];
        assert_eq!(decode_all(role, &input.concat()).messages, messages);
    }
}

/// Fragments out of order.
#[test]
fn fragment_order() {
    for role in ROLES {
        for is_final in [true, false] {
            let input = frame(role, OpCode::Continuation, is_final, b"a");
            assert_fails(role, &input, 1002, "5.4");
            for second in [OpCode::Text, OpCode::Binary] {
                let input = [
                    frame(role, OpCode::Binary, false, b"a"),
                    frame(role, second, is_final, b"b"),
                ];
                assert_fails(role, &input.concat(), 1002, "5.4");
            }
        }
        let after = [
            frame(role, OpCode::Binary, false, b"a"),
            frame(role, OpCode::Continuation, true, b"b"),
            frame(role, OpCode::Continuation, true, b"c"),
        ];
        let decoded = decode_all(role, &after.concat());
        assert_eq!(decoded.messages, [binary(b"ab")]);
        assert!(decoded.error.is_some(), "the message has ended");
    }
}

/// Every close code up to 5000 and the last one, and every payload length.
#[test]
fn close_payloads() {
    for role in ROLES {
        for code in (0..=5000).chain([u16::MAX]) {
            let input = frame(role, OpCode::Close, true, &code.to_be_bytes());
            // The connection checks the code.
            let close = CloseFrame::from_peer(CloseCode::new(code), "");
            assert_eq!(
                decode_all(role, &input).messages,
                [Message::Close(Some(close))]
            );
        }
        for len in 0..=125 {
            let payload = [&1000_u16.to_be_bytes()[..], &[b'x'; 123]].concat();
            let input = frame(role, OpCode::Close, true, &payload[..len]);
            let close = |len| CloseFrame::from_peer(CloseCode::NORMAL_CLOSURE, "x".repeat(len));
            match len {
                0 => assert_eq!(decode_all(role, &input).messages, [Message::Close(None)]),
                1 => assert_fails(role, &input, 1002, "5.5.1"),
                _ => {
                    let message = Message::Close(Some(close(len - 2)));
                    assert_eq!(decode_all(role, &input).messages, [message]);
                }
            }
        }
        let reason = frame(role, OpCode::Close, true, b"\x03\xe8\xff");
        assert_fails(role, &reason, 1007, "8.1");
    }
}

/// Control frames: 125 bytes, in one frame.
#[test]
fn control_frames() {
    for role in ROLES {
        for opcode in [OpCode::Ping, OpCode::Pong] {
            let input = frame(role, opcode, true, &[7; 125]);
            let payload = control(&[7; 125]);
            let message = match opcode {
                OpCode::Ping => Message::Ping(payload),
                _ => Message::Pong(payload),
            };
            assert_eq!(decode_all(role, &input).messages, [message]);
        }
        for opcode in [OpCode::Close, OpCode::Ping, OpCode::Pong] {
            assert_fails(role, &frame(role, opcode, true, &[7; 126]), 1002, "5.5");
            assert_fails(role, &frame(role, opcode, false, b""), 1002, "5.5");
        }
    }
}

/// Reserved bits and opcodes, and masks of the wrong end.
#[test]
fn header_violations() {
    for role in ROLES {
        for bit in [0x10, 0x20, 0x40] {
            assert_fails(role, &raw_frame(role, 0x82 | bit, b"a"), 1002, "5.2");
        }
        for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
            assert_fails(role, &raw_frame(role, 0x80 | opcode, b"a"), 1002, "5.2");
        }
    }
    let (client, server) = (Role::Client, Role::Server);
    assert_fails(
        server,
        &frame(client, OpCode::Binary, true, b"a"),
        1002,
        "5.1",
    );
    assert_fails(
        client,
        &frame(server, OpCode::Binary, true, b"a"),
        1002,
        "5.1",
    );
}

/// A header that breaks a rule fails for that, although it announces more than the limit.
#[test]
fn rules_come_before_the_limit() {
    let role = Role::Server;
    let begun = frame(role, OpCode::Binary, false, b"a");
    let rows: [(&[u8], u8, u8, &str); 6] = [
        (&[], 0x82 | 0x20, 0x80, "5.2"),
        (&[], 0x83, 0x80, "5.2"),
        (&[], 0x82, 0, "5.1"),
        (&[], 0x89, 0x80, "5.5"),
        (&[], 0x80, 0x80, "5.4"),
        (&begun, 0x82, 0x80, "5.4"),
    ];
    for (before, first, mask_bit, section) in rows {
        let mut input = before.to_vec();
        input.extend([first, mask_bit | 0x7f]);
        input.extend((1_u64 << 40).to_be_bytes());
        input.extend([0; 4]);
        assert_fails(role, &input, 1002, section);
    }
}

/// The limit holds for whole messages and for the sum of fragments, with the header alone.
#[test]
fn message_limit() {
    let fragments = |first: usize, second: usize| {
        let role = Role::Server;
        let mut second = frame(role, OpCode::Continuation, true, &vec![b'x'; second]);
        let end = second.len().min(6);
        [
            frame(role, OpCode::Text, false, &vec![b'x'; first]),
            second.drain(..end).collect(),
        ]
        .concat()
    };
    let cases = [
        (frame(Role::Server, OpCode::Binary, true, &[0; 10]), None),
        (
            frame(Role::Server, OpCode::Binary, true, &[0; 11])[..6].to_vec(),
            Some(11),
        ),
        (
            frame(Role::Server, OpCode::Text, true, &[0; 11])[..6].to_vec(),
            Some(11),
        ),
        (fragments(10, 0), None),
        (fragments(5, 6), Some(11)),
        (fragments(10, 1), Some(11)),
        (frame(Role::Server, OpCode::Ping, true, &[0; 125]), None),
    ];
    for (input, too_large) in cases {
        let error = decode(Role::Server, 10, [&*input]).error;
        let expected = too_large.map(|len| {
            (
                CloseCode::MESSAGE_TOO_BIG,
                format!("a message of {len} bytes exceeds the limit of 10 bytes"),
            )
        });
        assert_eq!(error, expected, "{input:?}");
    }
}

/// The longest length that a header can announce, without a limit: nothing is allocated for it.
#[test]
fn announced_length() {
    for opcode in [0x81, 0x82] {
        let input = [&[opcode, 127][..], &[0x7f; 8], b"abc"].concat();
        let decoded = decode(Role::Client, usize::MAX, [&*input]);
        assert_eq!(
            decoded,
            Decoded {
                partial: Some(3),
                ..Decoded::default()
            }
        );
    }
}

/// Text is refused while the rest of its frame is missing.
#[test]
fn text_fails_fast() {
    for role in ROLES {
        let mut input = frame(
            role,
            OpCode::Text,
            true,
            b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80edited",
        );
        input.truncate(input.len() - 8);
        assert_fails(role, &input, 1007, "8.1");
        let whole = [
            frame(role, OpCode::Text, false, b"\xf0\x9f"),
            frame(role, OpCode::Continuation, true, b"\x98"),
        ];
        assert_fails(role, &whole.concat(), 1007, "8.1");
    }
}

/// After an error, and after a close frame, nothing is decoded or kept.
#[test]
fn discards_after_end() {
    for role in ROLES {
        let ends = [
            raw_frame(role, 0x83, b""),
            frame(role, OpCode::Close, true, b""),
        ];
        for end in ends {
            let mut decoder = Decoder::new(role, 100, BytesMut::from(&*end));
            assert!(!matches!(decoder.decode(), Ok(None)));
            assert!(decoder.is_discarding());
            for _ in 0..3 {
                let message = frame(role, OpCode::Binary, true, b"late");
                decoder.room(512).0.extend_from_slice(&message);
                assert!(matches!(decoder.decode(), Ok(None)));
                assert_eq!(decoder.partial_message(), None);
            }
        }
    }
}

/// The bytes of a message that has begun are counted, and those of a control frame are not.
#[test]
fn partial_message() {
    let role = Role::Server;
    let partial = |input: &[u8]| decode_all(role, input).partial;
    for opcode in [OpCode::Text, OpCode::Binary] {
        let whole = frame(role, opcode, true, b"abc");
        assert_eq!(partial(&whole[..5]), None, "the header is not complete");
        assert_eq!(partial(&whole[..6]), Some(0));
        assert_eq!(partial(&whole[..8]), Some(2));
        assert_eq!(partial(&whole), None);
        let mut input = frame(role, opcode, false, b"abc");
        assert_eq!(partial(&input), Some(3));
        input.extend(&frame(role, OpCode::Ping, true, b"ping")[..8]);
        assert_eq!(partial(&input), Some(3));
        input.extend(&frame(role, OpCode::Ping, true, b"ping")[8..]);
        input.extend(&frame(role, OpCode::Continuation, true, b"def")[..7]);
        assert_eq!(partial(&input), Some(4));
    }
    assert_eq!(partial(&frame(role, OpCode::Ping, true, b"abc")[..8]), None);
}
