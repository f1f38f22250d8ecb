//! What the decoder and the encoder hold, seen by the addresses and capacities of their buffers.

use bytes::{Bytes, BytesMut};

use super::{binary, frame};
use crate::{
    message::Message,
    protocol::{Decoder, Encoder, Role, buffer, frame::OpCode, input::IN_PLACE_LEN},
};

const READ_LEN: usize = 512;

fn decoder(max: usize) -> Decoder {
    Decoder::new(Role::Server, max, BytesMut::new())
}

/// Appends one read.
fn feed(decoder: &mut Decoder, input: &[u8]) -> usize {
    let (buffer, room) = decoder.room(READ_LEN);
    let (part, _) = input.split_at(input.len().min(room));
    buffer.extend_from_slice(part);
    part.len()
}

/// Small messages, each taken before the next arrives, share one small input.
#[test]
fn input_is_reused() {
    let mut decoder = decoder(1 << 20);
    let input = frame(Role::Server, OpCode::Binary, true, &[1; 100]);
    let mut addresses = Vec::new();
    for _ in 0..100 {
        assert_eq!(feed(&mut decoder, &input), input.len());
        let Some(Message::Binary(payload)) = decoder.decode().unwrap() else {
            panic!("a message")
        };
        addresses.push(payload.as_ptr() as usize);
        drop(payload);
        decoder.release();
    }
    let range = addresses.iter().max().unwrap() - addresses.iter().min().unwrap();
    assert!(range < READ_LEN, "{range}");
}

/// Frames of the longest length that is completed in place, in reads of any length, in one
/// allocation.
#[test]
fn streaming_input_is_reused() {
    let mut decoder = decoder(1 << 20);
    let message = frame(Role::Server, OpCode::Binary, true, &[1; IN_PLACE_LEN]);
    let input = message.repeat(20);
    let mut input = &*input;
    let mut addresses = Vec::new();
    let mut step = 1000;
    while !input.is_empty() {
        let (buffer, room) = decoder.room(65 * 1024);
        step = step * 7 % 60_013;
        let (part, rest) = input.split_at(input.len().min(room).min(step));
        input = rest;
        buffer.extend_from_slice(part);
        while let Some(message) = decoder.decode().unwrap() {
            let Message::Binary(payload) = message else {
                panic!("binary")
            };
            assert!(payload.iter().all(|byte| *byte == 1));
            addresses.push(payload.as_ptr() as usize);
        }
    }
    assert_eq!(addresses.len(), 20);
    let range = addresses.iter().max().unwrap() - addresses.iter().min().unwrap();
    assert!(range < 2 * 65 * 1024, "{range}");
}

/// Of a stream of long frames, in reads that are as long as they may be, little is moved.
#[test]
fn long_parts_are_not_moved() {
    let mut decoder = decoder(1 << 20);
    let message = frame(Role::Server, OpCode::Binary, true, &[1; IN_PLACE_LEN]);
    let stream = message.repeat(50);
    let mut input = &*stream;
    let mut moved = 0;
    while !input.is_empty() {
        let (start, len) = (decoder.input().as_ptr(), decoder.input().len());
        let (buffer, room) = decoder.room(IN_PLACE_LEN);
        if buffer.as_ptr() != start {
            moved += len;
        }
        let capacity = buffer.capacity();
        let (part, rest) = input.split_at(input.len().min(room));
        input = rest;
        buffer.extend_from_slice(part);
        assert_eq!(buffer.capacity(), capacity, "the room was there");
        while decoder.decode().unwrap().is_some() {}
    }
    assert!(moved < stream.len() / 20, "{moved}");
}

/// A long frame is read straight into its message, for which room is made once.
#[test]
fn long_frames_are_read_in_place() {
    for is_final in [true, false] {
        let mut decoder = decoder(1 << 20);
        let input = frame(Role::Server, OpCode::Binary, is_final, &[1; 500_000]);
        let mut input = &*input;
        input = &input[feed(&mut decoder, input)..];
        assert!(decoder.decode().unwrap().is_none());
        let mut addresses = Vec::new();
        while input.len() > 20_000 {
            let (buffer, room) = decoder.room(READ_LEN);
            assert_eq!(room, input.len(), "all that the frame lacks");
            addresses.push(buffer.as_ptr());
            let (part, rest) = input.split_at(10_000);
            input = rest;
            buffer.extend_from_slice(part);
            assert!(decoder.decode().unwrap().is_none());
        }
        addresses.dedup();
        assert_eq!(addresses.len(), 1);
        while !input.is_empty() {
            input = &input[feed(&mut decoder, input)..];
            let message = decoder.decode().unwrap();
            assert!(message.is_none_or(|message| message == binary(&[1; 500_000])));
        }
        let expected = if is_final { None } else { Some(500_000) };
        assert_eq!(decoder.partial_message(), expected);
    }
}

/// A decoder that waits keeps a small input, whatever it held before.
#[test]
fn idle_input_is_small() {
    let mut decoder = decoder(1 << 20);
    let input = frame(Role::Server, OpCode::Binary, true, &[1; 40_000]);
    decoder.room(65 * 1024).0.extend_from_slice(&input[..100]);
    decoder.decode().unwrap();
    decoder.release();
    assert!(decoder.input_capacity() <= 512, "a partial frame moves");
    assert_eq!(decoder.partial_message(), Some(100 - 8));
    decoder.room(512).0.extend_from_slice(&input[100..]);
    assert_eq!(decoder.decode().unwrap(), Some(binary(&[1; 40_000])));
    decoder.release();
    assert_eq!(decoder.input_capacity(), 0);
}

/// Fragments grow their message by doubling, and not beyond the limit.
#[test]
fn growth_is_bounded() {
    assert_eq!(buffer::grown(0, 0, 100, 1000), Some(100));
    assert_eq!(buffer::grown(100, 100, 1, 1000), Some(200));
    assert_eq!(buffer::grown(600, 600, 1, 1000), Some(1000));
    assert_eq!(buffer::grown(100, 200, 100, 1000), None);
    let mib = 1 << 20;
    assert_eq!(buffer::grown(0, 0, usize::MAX, usize::MAX), Some(4 * mib));
    assert_eq!(
        buffer::grown(4 * mib, 4 * mib, 1 << 40, usize::MAX),
        Some(8 * mib)
    );
}

/// The copy buffer of an encoder is reused, and a large one is given back.
#[test]
fn copy_buffer_is_reused() {
    let mut encoder = Encoder::new(Role::Client, usize::MAX, true);
    let mut addresses = Vec::new();
    let mut send = |encoder: &mut Encoder, len| {
        encoder
            .push(Message::Binary(Bytes::from(vec![1; len]).into()))
            .unwrap();
        addresses.push(encoder.queue().single().unwrap().as_ptr() as usize);
        let len = encoder.len();
        encoder.queue().advance(len);
        encoder.queue().release();
    };
    for _ in 0..100 {
        send(&mut encoder, 100);
    }
    let range = addresses.iter().max().unwrap() - addresses.iter().min().unwrap();
    assert!(range < 512, "{range}");
    let send_large = |encoder: &mut Encoder| {
        encoder
            .push(Message::Binary(Bytes::from(vec![1; 5000]).into()))
            .unwrap();
        let len = encoder.len();
        encoder.queue().advance(len);
        encoder.queue().release();
    };
    send_large(&mut encoder);
    assert_eq!(encoder.queue().capacity(), 0);
}

/// Payloads that follow one another in a provided buffer become one without a copy, and each read
/// brings the next header.
#[test]
fn provided_buffer_is_filled() {
    const LEN: usize = 64 * 1024;
    let mut decoder = decoder(1 << 20);
    let wire = frame(Role::Server, OpCode::Binary, true, &[1; LEN]).repeat(4);
    let (first, mut wire) = wire.split_at(1);
    let mut item = BytesMut::with_capacity(5 * LEN);
    let address = item.as_ptr();
    feed(&mut decoder, first);
    let mut reads = 0;
    while !wire.is_empty() {
        decoder.provide_buffer(item.split_off(item.len()));
        let message = loop {
            if let Some(message) = decoder.decode().unwrap() {
                break message;
            }
            let (buffer, room) = decoder.room(READ_LEN);
            let (part, rest) = wire.split_at(wire.len().min(room));
            wire = rest;
            buffer.extend_from_slice(part);
            reads += 1;
        };
        let Message::Binary(payload) = message else {
            panic!("{message:?}")
        };
        item.unsplit(payload.try_into_mut().unwrap());
    }
    assert_eq!(item, [1; 4 * LEN][..]);
    assert_eq!(item.as_ptr(), address, "no other allocation");
    assert_eq!(item.capacity(), 5 * LEN, "the room comes back");
    assert_eq!(reads, 1 + 4, "the first read brings the first header only");
}

/// A provided buffer that the next message does not fit into, or is not worth, is given back.
#[test]
fn unused_buffer_is_given_back() {
    for (opcode, is_final, len) in [
        (OpCode::Binary, true, 100),
        (OpCode::Binary, true, 40_000),
        (OpCode::Binary, false, 20_000),
    ] {
        let mut decoder = decoder(1 << 20);
        let mut item = BytesMut::with_capacity(30_000);
        let wire = frame(Role::Server, opcode, is_final, &vec![1; len]);
        let (first, rest) = wire.split_at(1);
        feed(&mut decoder, first);
        decoder.provide_buffer(item.split_off(0));
        feed(&mut decoder, rest);
        let message = decoder.decode().unwrap();
        drop(message);
        assert!(item.try_reclaim(30_000), "{len}");
    }
}

/// A provided buffer is not kept for a message of which nothing has arrived, nor while nothing
/// arrives.
#[test]
fn provided_buffer_is_not_kept_idle() {
    let mut decoder = decoder(1 << 20);
    let mut item = BytesMut::with_capacity(30_000);
    decoder.provide_buffer(item.split_off(0));
    assert!(item.try_reclaim(30_000), "nothing has arrived");
    feed(&mut decoder, &[0x82]);
    decoder.provide_buffer(item.split_off(0));
    assert!(!item.try_reclaim(30_000), "a part of a header has arrived");
    decoder.release();
    assert!(item.try_reclaim(30_000));
}
