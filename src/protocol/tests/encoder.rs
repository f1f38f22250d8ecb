//! The encoder: which bytes leave, in how many slices, copied or not.

use std::io::IoSlice;

use bytes::{Bytes, BytesMut};

use super::{KEY, binary, control, decode_all};
use crate::{
    close::{CloseCode, CloseFrame},
    error::WsErr,
    message::{HEADROOM, Message, Payload},
    protocol::{EncodedHeader, Encoder, OpCode, Role},
};

fn encoder(role: Role) -> Encoder {
    Encoder::new(role, usize::MAX, true)
}

/// The slices of what is queued.
fn slices(encoder: &mut Encoder) -> Vec<Vec<u8>> {
    let mut slices = [IoSlice::new(&[]); 64];
    let len = encoder.queue().slices(&mut slices);
    let slices: Vec<Vec<u8>> = slices[..len].iter().map(|slice| slice.to_vec()).collect();
    let single = encoder.queue().single().map(<[u8]>::to_vec);
    if slices.len() == 1 {
        assert_eq!(single.as_ref(), slices.first());
    } else {
        assert!(single.is_none_or(|single| single.is_empty()));
    }
    assert_eq!(encoder.len(), slices.iter().map(Vec::len).sum::<usize>());
    slices
}

fn with_headroom(payload: &[u8]) -> Message {
    let mut buffer = BytesMut::zeroed(HEADROOM);
    buffer.extend_from_slice(payload);
    Message::Binary(Payload::with_headroom(buffer, HEADROOM))
}

const LENS: [usize; 10] = [0, 1, 125, 126, 2048, 2049, 65535, 65536, 65537, 300_000];

/// Each way of a payload, at each boundary of the length, is what the peer decodes.
#[test]
fn round_trip() {
    for role in [Role::Client, Role::Server] {
        for len in LENS {
            let payload: Vec<u8> = (0..len).map(|at| (at % 253) as u8).collect();
            let text = "t".repeat(len);
            let messages = [
                with_headroom(&payload),
                Message::Binary(BytesMut::from(&*payload).into()),
                Message::Binary(Bytes::from(payload.clone()).into()),
                Message::Text(text),
                Message::Ping(control(b"ping")),
            ];
            for max_frame_len in [usize::MAX, 1000] {
                for is_vectored in [true, false] {
                    let mut encoder = Encoder::new(role, max_frame_len, is_vectored);
                    for message in messages.clone() {
                        encoder.push(message).unwrap();
                    }
                    let input = slices(&mut encoder).concat();
                    assert_eq!(decode_all(role.other(), &input).messages, messages, "{len}");
                }
            }
        }
    }
}

/// A unique buffer with headroom leaves from where it is, in one slice with its header.
#[test]
fn headroom_is_used_in_place() {
    for role in [Role::Client, Role::Server] {
        for len in LENS {
            let mut buffer = BytesMut::zeroed(HEADROOM + len);
            buffer.reserve(100);
            let end = buffer.as_ptr_range().end;
            let mut encoder = encoder(role);
            let payload = Payload::with_headroom(buffer, HEADROOM);
            encoder.push(Message::Binary(payload)).unwrap();
            let single = encoder.queue().single().unwrap();
            assert_eq!(single.as_ptr_range().end, end, "{len}");
        }
    }
}

/// Long payloads of a server, and long unique ones, leave as slices of their own.
#[test]
fn long_payloads_are_not_copied() {
    let shared = Bytes::from(vec![1; 100_000]);
    let mut server = encoder(Role::Server);
    server.push(Message::Binary(shared.clone().into())).unwrap();
    assert_eq!(
        slices(&mut server).iter().map(Vec::len).collect::<Vec<_>>(),
        [10, 100_000]
    );
    let mut list = [IoSlice::new(&[]); 3];
    server.queue().slices(&mut list);
    assert_eq!(list[1].as_ptr(), shared.as_ptr());

    let unique = BytesMut::from(&*shared);
    let start = unique.as_ptr();
    let mut client = encoder(Role::Client);
    client.push(Message::Binary(unique.into())).unwrap();
    client.queue().slices(&mut list);
    assert_eq!((list[0].len(), list[1].as_ptr()), (14, start));

    let mut client = encoder(Role::Client);
    client.push(Message::Binary(shared.clone().into())).unwrap();
    assert_eq!(slices(&mut client).len(), 1, "masked in a copy");
    assert!(
        shared.iter().all(|byte| *byte == 1),
        "what is shared is not masked"
    );
}

/// A shared payload behind its own header leaves with it as one slice, vectored or not, and as if
/// it had none where the header is that of another frame.
#[test]
fn shared_frame_is_one_slice() {
    let payload = vec![1; 10_000];
    let header = EncodedHeader::new(OpCode::Binary, true, payload.len(), None);
    let frame = Bytes::from([header.as_bytes(), &payload].concat());
    let headroom = header.as_bytes().len();
    let message = || Message::Binary(Payload::shared(frame.clone(), headroom));
    for is_vectored in [true, false] {
        let mut server = Encoder::new(Role::Server, usize::MAX, is_vectored);
        server.push(message()).unwrap();
        assert_eq!(
            server.queue().single().map(<[u8]>::as_ptr),
            Some(frame.as_ptr())
        );
        assert_eq!(slices(&mut server).concat(), frame);
    }
    for (role, max_frame_len, headroom) in [
        (Role::Server, 9_999, headroom),
        (Role::Server, usize::MAX, headroom + 1),
        (Role::Client, usize::MAX, headroom),
    ] {
        let mut encoder = Encoder::new(role, max_frame_len, true);
        let expected = &frame[headroom..];
        let message = Message::Binary(Payload::shared(frame.clone(), headroom));
        encoder.push(message).unwrap();
        let decoded = decode_all(role.other(), &slices(&mut encoder).concat());
        assert_eq!(decoded.messages, [binary(expected)]);
    }
}

/// Without vectored writes, a header and its payload are one slice.
#[test]
fn one_slice_without_vectored_writes() {
    for role in [Role::Client, Role::Server] {
        for message in [
            binary(&[1; 100_000]),
            Message::Binary(Bytes::from(vec![1; 100_000]).into()),
        ] {
            let mut encoder = Encoder::new(role, usize::MAX, false);
            encoder.push(message).unwrap();
            assert_eq!(slices(&mut encoder).len(), 1);
        }
    }
}

/// Many messages leave in one list of slices, the short ones together.
#[test]
fn short_messages_leave_together() {
    let mut server = encoder(Role::Server);
    for _ in 0..20 {
        server.push(with_headroom(b"short")).unwrap();
    }
    assert_eq!(
        slices(&mut server).len(),
        2,
        "the first in place, the others copied"
    );
    server.push(with_headroom(&[0; 5000])).unwrap();
    server.push(Message::Pong(control(b""))).unwrap();
    assert_eq!(slices(&mut server).len(), 4);
}

/// Fragments have the length asked for, the opcode once, and the final bit last.
#[test]
fn fragments() {
    let mut server = Encoder::new(Role::Server, 4, true);
    server.push(binary(b"0123456789")).unwrap();
    server.push_slice(b"abcde").unwrap();
    server.push(Message::Text("four".to_owned())).unwrap();
    server.push(Message::Text("sixsix".to_owned())).unwrap();
    server.push(Message::Ping(control(b"control"))).unwrap();
    let expected: [&[u8]; 9] = [
        b"\x02\x040123",
        b"\x00\x044567",
        b"\x80\x0289",
        b"\x02\x04abcd",
        b"\x80\x01e",
        b"\x81\x04four",
        b"\x01\x04sixs",
        b"\x80\x02ix",
        b"\x89\x07control",
    ];
    assert_eq!(slices(&mut server).concat(), expected.concat());
}

/// Clients mask each frame with a key of its own.
#[test]
fn masks() {
    let mut client = encoder(Role::Client);
    client.push(binary(&[0; 4])).unwrap();
    client.push(binary(&[0; 4])).unwrap();
    let bytes = slices(&mut client).concat();
    let (first, second) = bytes.split_at(10);
    assert_eq!(first[..2], [0x82, 0x84]);
    // The mask of zeros is the key.
    assert_eq!(first[2..6], first[6..]);
    assert_eq!(second[2..6], second[6..]);
    assert_ne!(first[2..6], second[2..6]);
    assert_ne!(first[2..6], KEY);
}

/// Close frames carry a code and a reason, or nothing, and no code that may not be sent.
#[test]
fn close_frames() {
    let mut server = encoder(Role::Server);
    server.push(Message::Close(None)).unwrap();
    let frame = CloseFrame::new(CloseCode::GOING_AWAY, "bye").unwrap();
    server.push(Message::Close(Some(frame))).unwrap();
    let longest = CloseFrame::new(CloseCode::NORMAL_CLOSURE, "x".repeat(200)).unwrap();
    server.push(Message::Close(Some(longest))).unwrap();
    let bytes = slices(&mut server).concat();
    assert_eq!(bytes[..11], *b"\x88\0\x88\x05\x03\xe9bye\x88\x7d");
    let invalid = CloseFrame::from_peer(CloseCode::ABNORMAL_CLOSURE, "");
    let result = server.push(Message::Close(Some(invalid)));
    assert!(matches!(result, Err(WsErr::InvalidCloseCode(_))));
    assert_eq!(server.len(), bytes.len(), "nothing was added");
}

/// Whatever parts of it the socket takes, all bytes leave in order.
#[test]
fn partial_writes() {
    for step in [1, 2, 3, 7, 100, 4096, 100_000] {
        let mut server = encoder(Role::Server);
        let messages = [
            with_headroom(b"first"),
            Message::Binary(Bytes::from(vec![2; 5000]).into()),
            Message::Pong(control(b"pong")),
            with_headroom(&[3; 3000]),
            binary(b"tail"),
        ];
        let mut sent = Vec::new();
        for message in messages.clone() {
            server.push(message).unwrap();
            let part = slices(&mut server).concat();
            let part = &part[..part.len().min(step)];
            sent.extend_from_slice(part);
            server.queue().advance(part.len());
        }
        while server.len() > 0 {
            let first = slices(&mut server).concat();
            let part = &first[..first.len().min(step)];
            sent.extend_from_slice(part);
            server.queue().advance(part.len());
        }
        server.queue().release();
        assert_eq!(slices(&mut server), [[0_u8; 0]; 0]);
        assert_eq!(decode_all(Role::Client, &sent).messages, messages, "{step}");
    }
}

/// A slice of the caller: the header in the queue, then what the socket did not take.
#[test]
fn slice_of_caller() {
    assert!(encoder(Role::Server).sends_slice(1));
    assert!(!encoder(Role::Client).sends_slice(1));
    assert!(!Encoder::new(Role::Server, usize::MAX, false).sends_slice(1));
    let mut server = encoder(Role::Server);
    server.push_header(5);
    server.push_rest(b"lo");
    assert_eq!(slices(&mut server).concat(), b"\x82\x05lo");
}
