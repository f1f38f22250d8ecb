//! Tests of the protocol. Frames are built by hand here, so that no fault of the encoder hides one
//! of the decoder.

#![allow(
    clippy::similar_names,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::large_stack_arrays,
    reason = "a decoder and what it decoded; bytes of a pattern; payloads"
)]

mod decoder;
#[cfg(feature = "deflate")]
mod deflate;
#[cfg(all(feature = "async-tungstenite", feature = "__property-tests"))]
mod differential;
mod encoder;
mod frame;
mod mask;
mod memory;
#[cfg(feature = "__property-tests")]
mod properties;
mod utf8;

use bytes::BytesMut;

use super::{Decoder, Role, frame::OpCode};
use crate::{
    close::CloseCode,
    error::WsErr,
    message::{ControlPayload, Message},
};

const KEY: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

/// A frame to `role`, with any first byte.
fn raw_frame(role: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    let mask_bit = if role == Role::Server { 0x80 } else { 0 };
    let mut frame = vec![first];
    match payload.len() {
        len @ ..126 => frame.push(mask_bit | u8::try_from(len).unwrap()),
        len @ ..=0xffff => {
            frame.push(mask_bit | 0x7e);
            frame.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
        len => {
            frame.push(mask_bit | 0x7f);
            frame.extend(u64::try_from(len).unwrap().to_be_bytes());
        }
    }
    match role {
        Role::Client => frame.extend(payload),
        Role::Server => {
            frame.extend(KEY);
            frame.extend(
                payload
                    .iter()
                    .zip(KEY.iter().cycle())
                    .map(|(byte, key)| byte ^ key),
            );
        }
    }
    frame
}

fn frame(role: Role, opcode: OpCode, is_final: bool, payload: &[u8]) -> Vec<u8> {
    raw_frame(role, opcode as u8 | u8::from(is_final) << 7, payload)
}

/// What a decoder made of its input.
#[derive(Debug, Default, PartialEq, Eq)]
struct Decoded {
    messages: Vec<Message>,
    error: Option<(CloseCode, String)>,
    partial: Option<u64>,
}

/// Decodes pieces of input as a driver does.
fn decode<'a>(role: Role, max: usize, pieces: impl IntoIterator<Item = &'a [u8]>) -> Decoded {
    decode_by(Decoder::new(role, max, BytesMut::new()), pieces)
}

fn decode_by<'a>(decoder: Decoder, pieces: impl IntoIterator<Item = &'a [u8]>) -> Decoded {
    decode_into(decoder, pieces, &[])
}

/// The same, with a buffer of each of these capacities provided in turn.
fn decode_into<'a>(
    mut decoder: Decoder,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    capacities: &[usize],
) -> Decoded {
    let mut decoded = Decoded::default();
    let mut capacities = capacities.iter().cycle();
    for mut piece in pieces {
        while !piece.is_empty() {
            if let Some(&capacity) = capacities.next() {
                decoder.provide_buffer(BytesMut::with_capacity(capacity));
            }
            let (buffer, room) = decoder.room(16);
            let (part, rest) = piece.split_at(piece.len().min(room));
            piece = rest;
            buffer.extend_from_slice(part);
            drain(&mut decoder, &mut decoded);
        }
        decoder.release();
    }
    decoded.partial = decoder.partial_message();
    decoded
}

fn drain(decoder: &mut Decoder, decoded: &mut Decoded) {
    loop {
        match decoder.decode() {
            Ok(Some(message)) => decoded.messages.push(message),
            #[cfg(feature = "deflate")]
            Ok(None) if decoder.is_inflating() => {}
            Ok(None) => break,
            Err(error) => {
                assert!(decoded.error.is_none(), "one error");
                decoded.error = Some((close_code(&error), error.to_string()));
            }
        }
    }
}

fn close_code(error: &WsErr) -> CloseCode {
    match error {
        WsErr::Protocol(violation) => violation.code(),
        WsErr::MessageTooLarge { .. } => CloseCode::MESSAGE_TOO_BIG,
        error => panic!("not an error of the peer: {error}"),
    }
}

fn decode_all(role: Role, input: &[u8]) -> Decoded {
    decode(role, 1 << 20, [input])
}

fn control(payload: &[u8]) -> ControlPayload {
    ControlPayload::try_from(payload).unwrap()
}

fn binary(payload: &[u8]) -> Message {
    Message::Binary(BytesMut::from(payload).into())
}
