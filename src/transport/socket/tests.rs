//! The socket over a scripted stream, and over TCP.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::large_stack_arrays,
    clippy::needless_for_each,
    reason = "bytes of a pattern; payloads"
)]

#[cfg(feature = "deflate")]
mod deflate;
mod reading;
mod script;
#[cfg(feature = "tokio")]
mod tcp;
mod writing;

use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures::task::noop_waker;

use self::script::{Read, Script};
use super::Socket;
use crate::{
    config::Config,
    error::WsErr,
    message::{ControlPayload, HEADROOM, Message, Payload},
    protocol::{Encoder, Role},
    transport::MessageTransport,
};

fn socket(role: Role, script: Script) -> Socket<Script> {
    Socket::new(script, BytesMut::new(), role, &Config::default())
}

/// Calls a method of a transport with a waker that does nothing.
fn poll<T>(poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    poll(&mut Context::from_waker(&noop_waker()))
}

fn next(socket: &mut Socket<Script>) -> Poll<Option<Result<Message, WsErr>>> {
    poll(|cx| socket.poll_next(cx))
}

fn flush(socket: &mut Socket<Script>) -> Poll<Result<(), WsErr>> {
    poll(|cx| socket.poll_flush(cx))
}

/// The next message; it is there.
fn message(socket: &mut Socket<Script>) -> Message {
    match next(socket) {
        Poll::Ready(Some(Ok(message))) => message,
        other => panic!("no message: {other:?}"),
    }
}

/// Messages as the peer of `role` sends them.
fn wire(role: Role, messages: impl IntoIterator<Item = Message>) -> Vec<u8> {
    let mut encoder = Encoder::new(role.other(), usize::MAX, false);
    let mut bytes = Vec::new();
    for message in messages {
        encoder.push(message).unwrap();
        while !encoder.queue().is_empty() {
            let part = encoder.queue().single().unwrap().to_vec();
            encoder.queue().advance(part.len());
            bytes.extend(part);
        }
    }
    bytes
}

fn binary(payload: impl Into<Vec<u8>>) -> Message {
    Message::Binary(BytesMut::from(&*payload.into()).into())
}

fn shared(payload: impl Into<Vec<u8>>) -> Message {
    Message::Binary(Bytes::from(payload.into()).into())
}

/// As the connection sends packed data.
fn packed(payload: &[u8]) -> Message {
    let mut buffer = BytesMut::zeroed(HEADROOM);
    buffer.extend_from_slice(payload);
    Message::Binary(Payload::with_headroom(buffer, HEADROOM))
}

fn ping(payload: &[u8]) -> Message {
    Message::Ping(ControlPayload::try_from(payload).unwrap())
}
