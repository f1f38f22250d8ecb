//! `async_tungstenite::WebSocketStream` as a [`MessageTransport`].

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use async_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Error,
        error::{CapacityError, ProtocolError},
        protocol::{CloseFrame as EngineCloseFrame, WebSocketConfig},
    },
};
use futures::{
    Sink, Stream,
    io::{AsyncRead, AsyncWrite},
};

use super::{
    MAX_PONGS_OWED, MessageTransport,
    meter::{ENGINE_READ, Meter},
};
use crate::{
    close::CloseFrame,
    error::{Violation, WsErr},
    message::{ControlPayload, Message},
};

/// The longest header of a WebSocket frame, mask included (RFC 6455 section 5.2).
const MAX_HEADER_LEN: usize = 14;

/// The longest control frame.
const MAX_CONTROL_LEN: usize = MAX_HEADER_LEN + ControlPayload::MAX_LEN;

/// How much of small messages the engine gathers before it writes them without a flush.
const MAX_GATHERED: usize = 4 * 1024;

/// How much is thrown away in one poll.
pub(super) const DISCARDED_PER_POLL: usize = 64 * 1024;

/// For sockets that the user opened. What [`connect`](crate::connect) and [`accept`](crate::accept) make
/// knows more about the life of its peer, and bounds the work of one poll.
impl<S: AsyncRead + AsyncWrite + Unpin> MessageTransport for WebSocketStream<S> {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        match ready!(Stream::poll_next(Pin::new(self), cx)) {
            Some(Ok(message)) => {
                Poll::Ready(Some(from_engine(message).ok_or_else(unexpected_frame)))
            }
            Some(Err(error)) => Poll::Ready(receive_error(error).map(Err)),
            None => Poll::Ready(None),
        }
    }

    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        poll_discard(self.get_mut(), cx).map(|()| None)
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Sink::poll_ready(Pin::new(self), cx).map_err(send_error)
    }

    fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
        Sink::start_send(Pin::new(self), into_engine(message)).map_err(send_error)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Sink::poll_flush(Pin::new(self), cx).map_err(send_error)
    }

    fn poll_flush_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        // The last flush of a server's engine stops short of what lies below it.
        Pin::new(self.get_mut())
            .poll_flush(cx)
            .map_err(WsErr::of_transport)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        let io = self.get_mut();
        ready!(Pin::new(&mut *io).poll_flush(cx))?;
        Pin::new(io).poll_close(cx).map_err(WsErr::from)
    }

    fn max_send_len(&self) -> Option<usize> {
        Some(max_send_len(self.get_config()))
    }
}

/// A connection that we opened: metered between the engine and the socket.
#[derive(Debug)]
pub(crate) struct Metered<S>(WebSocketStream<Meter<S>>);

impl<S> Metered<S> {
    pub(crate) fn new(stream: WebSocketStream<Meter<S>>) -> Self {
        Self(stream)
    }
}

#[cfg(test)]
impl<S: AsyncRead + AsyncWrite + Unpin> Metered<S> {
    /// One end of a connection whose handshake is over, as `connect` and `accept` make it.
    pub(crate) fn opened(io: S, is_client: bool, config: &crate::config::Config) -> Self {
        let io = Meter::new(io, config.max_recv_message_len, &[]);
        Self(opened(io, is_client, engine_config(config)))
    }
}

/// The same as a user may make it, with so much room to write.
#[cfg(test)]
pub(crate) fn opened_by_user<S: AsyncRead + AsyncWrite + Unpin>(
    io: S,
    is_client: bool,
    room: usize,
) -> WebSocketStream<S> {
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .write_buffer_size(0)
        .max_write_buffer_size(room);
    opened(io, is_client, config)
}

#[cfg(test)]
fn opened<S: AsyncRead + AsyncWrite + Unpin>(
    io: S,
    is_client: bool,
    config: WebSocketConfig,
) -> WebSocketStream<S> {
    use futures::FutureExt;
    let role = if is_client {
        tungstenite::protocol::Role::Client
    } else {
        tungstenite::protocol::Role::Server
    };
    WebSocketStream::from_raw_socket(io, role, Some(config))
        .now_or_never()
        .expect("it waits for nothing")
}

impl<S: AsyncRead + AsyncWrite + Unpin> MessageTransport for Metered<S> {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        MessageTransport::poll_next(&mut self.0, cx)
    }

    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        self.0.poll_discard(cx)
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        ready!(MessageTransport::poll_ready(&mut self.0, cx))?;
        Poll::Ready(self.0.get_ref().check_writing())
    }

    fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
        MessageTransport::start_send(&mut self.0, message)?;
        self.0.get_ref().check_writing()
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        ready!(MessageTransport::poll_flush(&mut self.0, cx))?;
        Poll::Ready(self.0.get_ref().check_writing())
    }

    fn poll_flush_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        ready!(self.0.poll_flush_answer(cx))?;
        Poll::Ready(self.0.get_ref().check_writing())
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.0.poll_shutdown(cx)
    }

    fn bytes_received(&self) -> Option<u64> {
        Some(self.0.get_ref().received())
    }

    fn unfinished_message(&self) -> Option<u64> {
        self.0.get_ref().unfinished()
    }

    fn bytes_sent(&self) -> Option<u64> {
        Some(self.0.get_ref().sent())
    }

    fn max_send_len(&self) -> Option<usize> {
        self.0.max_send_len()
    }
}

/// The engine's settings for a connection that we open.
pub(crate) fn engine_config(config: &crate::config::Config) -> WebSocketConfig {
    // So that many small messages make one write. Not more than a message: what is packed has no use for it.
    let gathered = config.max_send_message_len.min(MAX_GATHERED);
    // Where the answer to a close frame does not fit, the engine may end without it. So there is room for all that
    // may come before: what is gathered, a message, the pongs with the last of them, and a ping.
    let max_write = config
        .max_send_message_len
        .saturating_add(gathered + MAX_HEADER_LEN + MAX_PONGS_OWED + 3 * MAX_CONTROL_LEN);
    WebSocketConfig::default()
        .read_buffer_size(ENGINE_READ)
        .write_buffer_size(gathered)
        .max_write_buffer_size(max_write)
        .max_message_size(Some(config.max_recv_message_len))
        // It holds for control frames too, which have a limit of their own.
        .max_frame_size(Some(
            config.max_recv_message_len.max(ControlPayload::MAX_LEN),
        ))
}

/// What one message may carry out of an engine with these settings.
pub(super) fn max_send_len(config: &WebSocketConfig) -> usize {
    let room = config
        .max_write_buffer_size
        .saturating_sub(config.write_buffer_size);
    // Room is kept for a control frame of the engine's own.
    room.saturating_sub(MAX_HEADER_LEN + MAX_CONTROL_LEN)
}

/// Reads, for nobody, until the connection ends.
fn poll_discard(io: &mut (impl AsyncRead + Unpin), cx: &mut Context<'_>) -> Poll<()> {
    let mut waste = [0; 4096];
    for _ in 0..DISCARDED_PER_POLL / waste.len() {
        match ready!(Pin::new(&mut *io).poll_read(cx, &mut waste)) {
            Ok(0) | Err(_) => return Poll::Ready(()),
            Ok(_) => {}
        }
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

pub(super) fn from_engine(message: tungstenite::Message) -> Option<Message> {
    use tungstenite::Message as Engine;
    Some(match message {
        Engine::Binary(data) => Message::Binary(data.into()),
        Engine::Text(text) => Message::Text(text.as_str().to_owned()),
        Engine::Ping(data) => Message::Ping(data.as_ref().try_into().ok()?),
        Engine::Pong(data) => Message::Pong(data.as_ref().try_into().ok()?),
        Engine::Close(frame) => Message::Close(frame.map(|frame| {
            CloseFrame::from_peer(u16::from(frame.code).into(), frame.reason.as_str())
        })),
        Engine::Frame(_) => return None,
    })
}

/// The engine hands out no raw frames, nor control frames of more than 125 bytes.
pub(super) fn unexpected_frame() -> WsErr {
    WsErr::Protocol(Violation::new("a frame that is not a message"))
}

pub(super) fn into_engine(message: Message) -> tungstenite::Message {
    use tungstenite::Message as Engine;
    match message {
        Message::Binary(data) => Engine::Binary(data.into_bytes()),
        Message::Text(text) => Engine::Text(text.into()),
        Message::Ping(payload) => Engine::Ping(payload.into()),
        Message::Pong(payload) => Engine::Pong(payload.into()),
        Message::Close(frame) => Engine::Close(frame.map(|frame| EngineCloseFrame {
            code: u16::from(frame.code()).into(),
            reason: frame.reason().into(),
        })),
    }
}

/// What an error of the engine's receiving side means; `None` for an end without a close frame, which is
/// not the transport's to judge.
pub(super) fn receive_error(error: Error) -> Option<WsErr> {
    Some(match error {
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return None,
        Error::Io(error) => WsErr::of_transport(error),
        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
            WsErr::MessageTooLarge {
                len: size,
                max: max_size,
            }
        }
        Error::Utf8(_) => WsErr::Protocol(Violation::invalid_utf8()),
        error => WsErr::Protocol(Violation::new(error.to_string())),
    })
}

pub(super) fn send_error(error: Error) -> WsErr {
    match error {
        Error::Io(error) => WsErr::of_transport(error),
        Error::WriteBufferFull(_) => WsErr::Io(std::sync::Arc::new(std::io::Error::other(
            "the transport's write buffer is full",
        ))),
        _ => WsErr::Closed,
    }
}
