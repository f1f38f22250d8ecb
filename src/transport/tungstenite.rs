//! `Tungstenite`: a transport over a `WebSocketStream` of `async-tungstenite`, and what it shares
//! with the one over `tokio-tungstenite`, which is built on the same protocol implementation.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use async_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Error,
        error::{CapacityError, ProtocolError},
        protocol::{CloseFrame as TungsteniteCloseFrame, WebSocketConfig},
    },
};
use futures::{
    Sink, Stream,
    io::{AsyncRead, AsyncWrite},
};

use super::{IntoTransport, MessageTransport, Properties};
use crate::{
    close::CloseFrame,
    error::{Violation, WsErr},
    message::{ControlPayload, Message},
};

/// The longest header of a WebSocket frame, mask included (RFC 6455 section 5.2).
const MAX_HEADER_LEN: usize = 14;

/// The longest control frame.
const MAX_CONTROL_LEN: usize = MAX_HEADER_LEN + ControlPayload::MAX_LEN;

/// Bytes that are discarded in one poll.
const MAX_DISCARDED_PER_POLL: usize = 64 * 1024;

/// Bytes of pongs, but for the last, that may be unflushed while more is read. tungstenite keeps a
/// pong for each ping, so a peer that sends pings and does not read would grow its buffer without
/// bound.
const MAX_UNFLUSHED_PONGS: usize = 16 * 1024;

/// Size of a pong besides its payload, at most.
const PONG_OVERHEAD: usize = 16;

/// A [`MessageTransport`] over an `async_tungstenite::WebSocketStream` that the caller opened.
///
/// [`WsStream::new`](crate::WsStream::new) wraps the bare socket in it;
/// [`WsStream::into_transport`](crate::WsStream::into_transport) gives it back.
///
/// Differences from a connection of [`connect`](crate::connect) or [`accept`](crate::accept):
/// - Signs of life are whole messages.
/// - [`message_timeout`](crate::Config::message_timeout) has no effect.
/// - The limits and the memory of the socket are those of its own settings. A header that breaks a
///   rule and announces more than the limit gets close code 1009 instead of 1002.
/// - The close frame with the code of an error may be missing, if tungstenite has accepted the
///   message: refused text, a smaller limit, an error of the codec. This happens if the close frame
///   has to wait because the peer does not read. Then tungstenite first replies to a close frame of
///   the peer, or finds the end of its stream, and sends nothing more.
#[derive(Debug)]
pub struct Tungstenite<S>(Adapter<WebSocketStream<S>>);

impl<S> Tungstenite<S> {
    /// The socket.
    pub fn get_ref(&self) -> &WebSocketStream<S> {
        &self.0.socket
    }

    /// The socket. Messages sent or received through it are not seen by the connection.
    pub fn get_mut(&mut self) -> &mut WebSocketStream<S> {
        &mut self.0.socket
    }

    /// Gives the socket back.
    pub fn into_inner(self) -> WebSocketStream<S> {
        self.0.socket
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> IntoTransport for WebSocketStream<S> {
    type Transport = Tungstenite<S>;

    fn into_transport(self) -> Tungstenite<S> {
        Tungstenite(Adapter::new(self))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> From<WebSocketStream<S>> for Tungstenite<S> {
    fn from(socket: WebSocketStream<S>) -> Self {
        socket.into_transport()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket for WebSocketStream<S> {
    fn config(&self) -> &WebSocketConfig {
        self.get_config()
    }

    fn poll_read_below(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(self.get_mut()).poll_read(cx, buf)
    }

    fn poll_flush_below(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.get_mut()).poll_flush(cx)
    }

    fn poll_close_below(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.get_mut()).poll_close(cx)
    }
}

/// A WebSocket stream of tungstenite's family, and the byte stream below it.
pub(super) trait Socket:
    Stream<Item = Result<tungstenite::Message, Error>>
    + Sink<tungstenite::Message, Error = Error>
    + Unpin
{
    fn config(&self) -> &WebSocketConfig;

    fn poll_read_below(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;

    fn poll_flush_below(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    fn poll_close_below(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// What a transport over tungstenite does, whichever crate does the I/O.
#[derive(Debug)]
pub(super) struct Adapter<W> {
    pub(super) socket: W,
    receives: Receives,
    /// Bytes of pongs that tungstenite has queued since the last flush.
    unflushed_pongs: usize,
    /// tungstenite is flushed, and the stream below it may not be.
    flushes_below: bool,
}

/// What a read of an [`Adapter`] receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Receives {
    Messages,
    /// Bytes, which are discarded: tungstenite cannot be read after an error, and a server of
    /// tungstenite reports the end once its reply to a close frame is out.
    Discards,
    Nothing,
}

impl<W: Socket> Adapter<W> {
    pub(super) fn new(socket: W) -> Self {
        Self {
            socket,
            receives: Receives::Messages,
            unflushed_pongs: 0,
            flushes_below: false,
        }
    }

    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        if self.unflushed_pongs >= MAX_UNFLUSHED_PONGS {
            // Where writing has failed, tungstenite keeps no pongs.
            let _ = ready!(Pin::new(&mut self.socket).poll_flush(cx));
            self.unflushed_pongs = 0;
        }
        let message = match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
            Some(Ok(message)) => from_tungstenite(message).ok_or_else(unexpected_frame),
            Some(Err(error)) => match receive_error(error) {
                Some(error) => Err(error),
                None => return Poll::Ready(None),
            },
            None => return Poll::Ready(None),
        };
        if let Ok(Message::Ping(payload)) = &message {
            self.unflushed_pongs += payload.as_bytes().len() + PONG_OVERHEAD;
        }
        Poll::Ready(Some(message))
    }

    /// Reads and discards bytes until the end of the stream.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut scratch = [0; 4096];
        for _ in 0..MAX_DISCARDED_PER_POLL / scratch.len() {
            match ready!(self.socket.poll_read_below(cx, &mut scratch)) {
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(_) => {}
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    pub(super) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Message, WsErr>>> {
        match self.receives {
            Receives::Messages => {
                let next = ready!(self.poll_message(cx));
                self.receives = match &next {
                    Some(Ok(Message::Close(_)) | Err(_)) => Receives::Discards,
                    Some(Ok(_)) => Receives::Messages,
                    None => Receives::Nothing,
                };
                Poll::Ready(next)
            }
            Receives::Discards => {
                ready!(self.poll_drain(cx));
                self.receives = Receives::Nothing;
                Poll::Ready(None)
            }
            Receives::Nothing => Poll::Ready(None),
        }
    }

    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        if self.unflushed_pongs > 0 {
            // They may have taken the room that tungstenite had, so they go first.
            ready!(self.poll_flush(cx))?;
        }
        Pin::new(&mut self.socket)
            .poll_ready(cx)
            .map_err(send_error)
    }

    pub(super) fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
        self.flushes_below = false;
        Pin::new(&mut self.socket)
            .start_send(into_tungstenite(message))
            .map_err(send_error)
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        if !self.flushes_below {
            ready!(Pin::new(&mut self.socket).poll_flush(cx)).map_err(send_error)?;
            self.unflushed_pongs = 0;
        }
        if self.receives != Receives::Messages {
            // The last flush of a server of tungstenite does not reach the stream below it.
            self.flushes_below = true;
            ready!(self.socket.poll_flush_below(cx)).map_err(WsErr::from_transport_io)?;
            self.flushes_below = false;
        }
        Poll::Ready(Ok(()))
    }

    pub(super) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        ready!(self.socket.poll_flush_below(cx))?;
        self.socket.poll_close_below(cx).map_err(WsErr::from)
    }

    pub(super) fn properties(&self) -> Properties {
        Properties::default()
            .max_send_len(max_send_len(self.socket.config()))
            .replies(true)
    }
}

/// Implements `MessageTransport` for a struct around an [`Adapter`].
macro_rules! delegate_transport {
    ($transport:ty, $io:ident: $($bound:tt)+) => {
        impl<$io: $($bound)+> MessageTransport for $transport {
            fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
                self.0.poll_next(cx)
            }

            fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
                self.0.poll_ready(cx)
            }

            fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
                self.0.start_send(message)
            }

            fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
                self.0.poll_flush(cx)
            }

            fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
                self.0.poll_close(cx)
            }

            fn properties(&self) -> Properties {
                self.0.properties()
            }
        }
    };
}
#[cfg(feature = "tokio-tungstenite")]
pub(super) use delegate_transport;

delegate_transport!(Tungstenite<S>, S: AsyncRead + AsyncWrite + Unpin);

/// One end of a connection as a caller may open it, with `room` bytes of write buffer.
#[cfg(test)]
pub(crate) fn opened_by_caller<S: AsyncRead + AsyncWrite + Unpin>(
    io: S,
    is_client: bool,
    room: usize,
) -> Tungstenite<S> {
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .write_buffer_size(0)
        .max_write_buffer_size(room);
    opened(io, is_client, config).into_transport()
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

/// The longest message that tungstenite takes with these settings.
fn max_send_len(config: &WebSocketConfig) -> usize {
    let room = config
        .max_write_buffer_size
        .saturating_sub(config.write_buffer_size);
    // A control frame of tungstenite's own fits besides.
    room.saturating_sub(MAX_HEADER_LEN + MAX_CONTROL_LEN)
}

fn from_tungstenite(message: tungstenite::Message) -> Option<Message> {
    use tungstenite::Message as Foreign;
    Some(match message {
        Foreign::Binary(data) => Message::Binary(data.into()),
        Foreign::Text(text) => Message::Text(text.as_str().to_owned()),
        Foreign::Ping(data) => Message::Ping(data.as_ref().try_into().ok()?),
        Foreign::Pong(data) => Message::Pong(data.as_ref().try_into().ok()?),
        Foreign::Close(frame) => Message::Close(frame.map(|frame| {
            CloseFrame::from_peer(u16::from(frame.code).into(), frame.reason.as_str())
        })),
        Foreign::Frame(_) => return None,
    })
}

/// tungstenite yields no raw frames, and no control frames of more than 125 bytes.
fn unexpected_frame() -> WsErr {
    WsErr::Protocol(Violation::new("a frame that is not a message"))
}

fn into_tungstenite(message: Message) -> tungstenite::Message {
    use tungstenite::Message as Foreign;
    match message {
        Message::Binary(data) => Foreign::Binary(data.into_bytes()),
        Message::Text(text) => Foreign::Text(text.into()),
        Message::Ping(payload) => Foreign::Ping(payload.into()),
        Message::Pong(payload) => Foreign::Pong(payload.into()),
        Message::Close(frame) => Foreign::Close(frame.map(|frame| TungsteniteCloseFrame {
            code: u16::from(frame.code()).into(),
            reason: frame.reason().into(),
        })),
    }
}

/// Converts an error of the receiving side; `None` for an end without a close frame, which the
/// connection interprets.
fn receive_error(error: Error) -> Option<WsErr> {
    Some(match error {
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return None,
        Error::Io(error) => WsErr::from_transport_io(error),
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

fn send_error(error: Error) -> WsErr {
    match error {
        Error::Io(error) => WsErr::from_transport_io(error),
        Error::WriteBufferFull(_) => WsErr::Io(std::sync::Arc::new(std::io::Error::other(
            "the transport's write buffer is full",
        ))),
        _ => WsErr::Closed,
    }
}
