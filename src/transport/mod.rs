//! The `MessageTransport` trait: sends and receives whole WebSocket messages.

mod boxed;
#[cfg(target_arch = "wasm32")]
pub(crate) mod browser;
#[cfg(all(test, not(target_arch = "wasm32")))]
pub(crate) mod forwarding;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod io;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod socket;
mod stream_sink;
#[cfg(all(feature = "tokio-tungstenite", not(target_arch = "wasm32")))]
pub(crate) mod tokio_tungstenite;
#[cfg(all(feature = "async-tungstenite", not(target_arch = "wasm32")))]
pub(crate) mod tungstenite;

use std::task::{Context, Poll, ready};

use bytes::BytesMut;

pub use self::{
    boxed::{BoxTransport, MaybeSend},
    stream_sink::StreamSink,
};
use crate::{
    error::WsErr,
    message::{Message, Payload, SharedMessage},
};

/// Messages that one poll handles, for short ones cost more than their bytes: a flood of pings or
/// empty messages, or of data that is discarded, cannot starve other tasks.
pub(crate) const MESSAGES_PER_POLL: usize = 128;

/// Sends and receives whole WebSocket messages: what a [`WsStream`](crate::WsStream) is built on.
///
/// Implement it for a WebSocket implementation of your own. Over anything that is a `Stream` and a
/// `Sink` of messages, [`StreamSink`] is a ready-made one. The page
/// [Custom transports](crate::guide::custom_transport) of the guide shows both.
///
/// # What a transport does
/// - **One waker.** All methods are called with the same waker, which wakes every task that uses
///   the connection. A transport keeps the last one that it was given; one per direction is not
///   needed.
/// - **The protocol.** A violation, text that is not UTF-8, or a message over a limit of the
///   transport is an error of [`poll_next`](Self::poll_next): [`WsErr::Protocol`] or
///   [`WsErr::MessageTooLarge`].
/// - **Bounded memory.** [`poll_ready`](Self::poll_ready) is `Pending` while much is unsent.
/// - **Independent directions.** [`poll_next`](Self::poll_next) does not fail because a write has
///   failed.
///
/// # What the connection does
/// The connection calls [`start_send`](Self::start_send) once after each ready
/// [`poll_ready`](Self::poll_ready), with data messages of at most
/// [`max_send_len`](Properties::max_send_len) bytes, valid control messages, and nothing after a
/// [`Message::Close`]. It replies to pings and to the peer's close frame, unless the transport
/// [does so itself](Properties::replies). It calls [`poll_close`](Self::poll_close) until that is
/// ready, and not again.
///
/// Limits, keepalive, packing, deadlines and events are implemented in the connection.
pub trait MessageTransport {
    /// Receives the next message. `None` is the end of the transport, with or without a close frame
    /// before it.
    ///
    /// After an error, and after a close frame, it discards what still arrives, and returns `None`
    /// at the end. So a socket is read until the peer has closed it, and a reset does not destroy
    /// the close frame that the peer has not read yet.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>>;

    /// Ready when there is room for one more message.
    ///
    /// # Errors
    /// Writing has failed. The same holds for the methods below.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>>;

    /// Takes a message. It may stay in a buffer until [`poll_flush`](Self::poll_flush).
    ///
    /// # Errors
    /// See [`poll_ready`](Self::poll_ready).
    fn start_send(&mut self, message: Message) -> Result<(), WsErr>;

    /// Takes a message that other connections send, too. By default, it is one of
    /// [`start_send`](Self::start_send).
    ///
    /// It is called where messages are [compressed](crate::guide::compression) without context. A
    /// transport that wraps another one passes it on, so that such a message is compressed once.
    ///
    /// # Errors
    /// See [`poll_ready`](Self::poll_ready).
    fn start_send_shared(&mut self, message: SharedMessage) -> Result<(), WsErr> {
        self.start_send(message.into_message())
    }

    /// Takes what is in `buffer` behind the first `headroom` bytes, whose values mean nothing, as a
    /// binary message, and leaves the buffer empty. By default, it is one of
    /// [`start_send`](Self::start_send).
    ///
    /// It is called where nothing else is buffered, mostly before a flush. After an error, what is
    /// left in the buffer is lost. A transport may build its frame in the buffer, write from there,
    /// and copy only what the socket does not take.
    ///
    /// # Errors
    /// See [`poll_ready`](Self::poll_ready).
    fn start_send_buffer(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut BytesMut,
        headroom: usize,
    ) -> Result<(), WsErr> {
        let _ = cx;
        let headroom = headroom.min(buffer.len());
        let payload = Payload::with_headroom(buffer.split(), headroom);
        self.start_send(Message::Binary(payload))
    }

    /// Ready when everything that was taken has been handed to the underlying stream, and that is
    /// flushed.
    ///
    /// # Errors
    /// See [`poll_ready`](Self::poll_ready).
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>>;

    /// Flushes, then closes the writing half of the underlying stream. Reading may go on.
    ///
    /// # Errors
    /// See [`poll_ready`](Self::poll_ready).
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>>;

    /// Sends a part of `data`, at least one byte of it, as one binary message, and returns the
    /// length of that part. By default it copies at most [`max_send_len`](Properties::max_send_len)
    /// bytes; a transport that writes from the slice itself copies only what the socket does not
    /// take.
    ///
    /// # Errors
    /// See [`poll_ready`](Self::poll_ready).
    fn poll_send_slice(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize, WsErr>> {
        ready!(self.poll_ready(cx))?;
        let len = data.len().min(self.properties().max_send_len);
        let part = BytesMut::from(data.get(..len).unwrap_or(data));
        self.start_send(Message::Binary(part.into()))?;
        Poll::Ready(Ok(len))
    }

    /// Provides a buffer for the payload of the next data message, in place of one that the
    /// transport allocates. The buffer replaces one that was provided before and is not in use.
    ///
    /// If the payload fits into the spare capacity of the buffer, the transport may append the
    /// payload and return the buffer as the message. So the parts of a large item, which spans
    /// messages, need no copy to become one. By default the buffer is dropped.
    fn provide_buffer(&mut self, buffer: BytesMut) {
        drop(buffer);
    }

    /// How far the transport has got, below whole messages. By default nothing is known.
    fn progress(&self) -> Progress {
        Progress::default()
    }

    /// What the transport can do. It does not change.
    fn properties(&self) -> Properties {
        Properties::default()
    }
}

/// How far a transport has got, as far as it can tell.
///
/// ```
/// use ws_framed::Progress;
///
/// let progress = Progress::default().received(1024).sent(10);
/// assert_eq!(progress.received, Some(1024));
/// assert_eq!(progress.partial_message, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes received so far. Each is a sign of life for
    /// [keepalive](crate::Config::keepalive), which otherwise counts messages.
    pub received: Option<u64>,
    /// Bytes sent so far. Each shows that the peer takes what is written; otherwise messages are
    /// counted.
    pub sent: Option<u64>,
    /// Bytes of payload received of a data message that is not complete, if there is one. Without
    /// it, [`Config::message_timeout`](crate::Config::message_timeout) has no effect.
    pub partial_message: Option<u64>,
}

impl Progress {
    /// Sets the number of bytes received.
    #[must_use]
    pub fn received(mut self, bytes: u64) -> Self {
        self.received = Some(bytes);
        self
    }

    /// Sets the number of bytes sent.
    #[must_use]
    pub fn sent(mut self, bytes: u64) -> Self {
        self.sent = Some(bytes);
        self
    }

    /// Sets the number of bytes of a message that is not complete; `None` if there is none.
    #[must_use]
    pub fn partial_message(mut self, bytes: Option<u64>) -> Self {
        self.partial_message = bytes;
        self
    }
}

/// What a transport can do.
///
/// ```
/// use ws_framed::Properties;
///
/// let properties = Properties::default().max_send_len(64 * 1024).replies(true);
/// assert!(properties.can_ping);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Properties {
    /// The longest data message that [`start_send`](MessageTransport::start_send) takes, in bytes.
    /// Default: any length.
    pub max_send_len: usize,
    /// Whether the transport can send pings. Default: it can.
    pub can_ping: bool,
    /// Whether the transport replies to pings and to the peer's close frame by itself, with the
    /// next [`poll_flush`](MessageTransport::poll_flush). Default: the connection replies.
    pub replies: bool,
    /// From which length on an encoded item is a message of its own, for
    /// [`start_send_shared`](MessageTransport::start_send_shared).
    pub(crate) min_shared_len: Option<usize>,
    /// How many bytes of messages [`start_send`](MessageTransport::start_send) takes after one
    /// [`poll_ready`](MessageTransport::poll_ready), where they are in memory anyway. After each one
    /// that follows in the same poll, it takes twice as many, up to a limit of the connection.
    pub(crate) batch_len: usize,
}

impl Default for Properties {
    fn default() -> Self {
        Self {
            max_send_len: usize::MAX,
            can_ping: true,
            replies: false,
            min_shared_len: None,
            batch_len: 0,
        }
    }
}

impl Properties {
    /// Sets the longest data message that may be sent, in bytes.
    #[must_use]
    pub fn max_send_len(mut self, bytes: usize) -> Self {
        self.max_send_len = bytes;
        self
    }

    /// Sets whether the transport can send pings.
    #[must_use]
    pub fn can_ping(mut self, can_ping: bool) -> Self {
        self.can_ping = can_ping;
        self
    }

    /// Sets whether the transport replies to pings and to the peer's close frame by itself.
    #[must_use]
    pub fn replies(mut self, replies: bool) -> Self {
        self.replies = replies;
        self
    }
}

/// What [`WsStream::new`](crate::WsStream::new) takes: a [`MessageTransport`], or a WebSocket of a
/// crate that this library knows, which is wrapped in one.
///
/// | socket | feature | transport |
/// |---|---|---|
/// | `async_tungstenite::WebSocketStream`, version 0.35 | `async-tungstenite` | [`Tungstenite`](crate::Tungstenite) |
/// | `tokio_tungstenite::WebSocketStream`, version 0.30 | `tokio-tungstenite` | [`TokioTungstenite`](crate::TokioTungstenite) |
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a `MessageTransport` nor a WebSocket that ws-framed wraps",
    label = "not a transport",
    note = "an `async_tungstenite::WebSocketStream` must be of version 0.35, with the feature `async-tungstenite` of ws-framed",
    note = "a `tokio_tungstenite::WebSocketStream` must be of version 0.30, with the feature `tokio-tungstenite` of ws-framed",
    note = "anything that is a `Stream` and a `Sink` of `ws_framed::Message` can be wrapped in `ws_framed::StreamSink`"
)]
pub trait IntoTransport {
    /// The transport.
    type Transport: MessageTransport;

    /// Wraps the socket.
    fn into_transport(self) -> Self::Transport;
}

impl<M: MessageTransport> IntoTransport for M {
    type Transport = M;

    fn into_transport(self) -> M {
        self
    }
}
