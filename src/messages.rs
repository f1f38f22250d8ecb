//! The message stream: a WebSocket as a stream and sink of whole messages.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures::{Sink, Stream, stream::FusedStream};
use pharos::{Observable, Observe, ObserveConfig};

#[cfg(feature = "deflate")]
use crate::config::Compression;
use crate::{
    close::{CloseFrame, CloseOutcome},
    connection::Mode,
    error::WsErr,
    event::{WsEvent, WsEvents},
    handle::WsHandle,
    handshake::contract::Contract,
    message::Message,
    split::{WsReceiver, WsSender, split},
    stream::WsStream,
    time::{Task, Timer},
    transport::{BoxTransport, MessageTransport},
};

/// A WebSocket as a stream and sink of whole messages: [`Message::Text`] and [`Message::Binary`],
/// in order and kind.
///
/// For peers that mix both kinds, and for code from the `WebSocketStream` of tungstenite's crates
/// or axum's `WebSocket`. Control messages do not appear: pings are answered, a close is the end of
/// the stream, and [`WsEvent`]s show both. Everything else is as for a [`WsStream`]: limits,
/// keepalive, closing, events, and the [errors](WsStream#reading) of an end that is not clean.
///
/// ```
/// use futures::{SinkExt, TryStreamExt};
/// use ws_framed::{Message, WsErr, WsStream};
///
/// /// Returns each message to its sender, in its kind.
/// async fn echo(stream: WsStream) -> Result<(), WsErr> {
///     let mut messages = stream.messages();
///     while let Some(message) = messages.try_next().await? {
///         match &message {
///             Message::Text(text) => println!("text: {text}"),
///             Message::Binary(data) => println!("{} bytes", data.len()),
///             _ => {}
///         }
///         messages.send(message).await?;
///     }
///     Ok(())
/// }
/// ```
///
/// # Receiving
/// A message of up to [`max_recv_message_len`](crate::Config::max_recv_message_len) is an item, an
/// empty one too, however many WebSocket frames it came in. The
/// [`TextPolicy`](crate::TextPolicy) does not apply. An error is returned once. After it, and after
/// the end, the stream is `None`.
///
/// # Sending
/// A message goes out when the next one is sent, on a flush, and before a `next()` that has to
/// wait. These are errors of the message, after which the sink goes on:
/// - [`WsErr::TooLargeToSend`] above
///   [`max_send_message_len`](crate::Config::max_send_message_len), 64 KiB by default;
/// - [`WsErr::Unsupported`] for a control message. Use [`WsHandle::ping`] and
///   [`close_with`](Self::close_with).
///
/// After the end, or after a close of either side, sending returns [`WsErr::Closed`].
///
/// # From and to bytes
/// [`WsStream::messages`] and [`into_stream`](Self::into_stream) lose no data. Unread bytes become
/// the first item, one binary message, since bytes have no boundary and no kind. So convert at the
/// end of a message. Unflushed data is sent first.
///
/// # Cancel safety
/// Dropping a future over this stream loses no received message. `send` of futures' `SinkExt` waits
/// for room before it passes the message on: a future that is dropped before that drops the message
/// too.
#[derive(Debug)]
pub struct WsMessages<M = BoxTransport> {
    stream: WsStream<M>,
    is_ended: bool,
}

impl<M: MessageTransport> WsStream<M> {
    /// Converts this stream into a stream of whole messages, text and binary. Unread bytes are its
    /// first item, see [`WsMessages`](WsMessages#from-and-to-bytes).
    #[must_use]
    pub fn messages(self) -> WsMessages<M> {
        WsMessages {
            stream: self,
            is_ended: false,
        }
    }
}

impl<M: MessageTransport> WsMessages<M> {
    /// Converts back into the byte stream. Unread messages are its next bytes, and its
    /// [`TextPolicy`](crate::TextPolicy) applies to them.
    #[must_use]
    pub fn into_stream(self) -> WsStream<M> {
        self.stream
    }

    /// Splits into two owned halves for two tasks, in the order of futures' `split`.
    /// [`reunite`](WsSender::reunite) joins them.
    #[must_use]
    pub fn into_split(self) -> (WsSender<Self>, WsReceiver<Self>) {
        split(self)
    }

    /// The transport, see [`WsStream::transport`].
    pub fn transport(&self) -> &M {
        self.stream.transport()
    }

    /// A handle to ping, close, observe and count, that outlives the stream's halves.
    #[must_use]
    pub fn handle(&self) -> WsHandle {
        self.stream.handle()
    }

    /// How messages are compressed, see [`WsStream::compression`].
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
    pub fn compression(&self) -> Option<Compression> {
        self.stream.compression()
    }

    /// The subprotocol of the handshake, see [`WsStream::subprotocol`].
    pub fn subprotocol(&self) -> Option<&str> {
        self.stream.subprotocol()
    }

    /// The contract of the handshake, see [`WsStream::contract`].
    pub fn contract(&self) -> Option<&Contract> {
        self.stream.contract()
    }

    /// Closes the connection, and returns how it ended, as [`WsStream::close_with`] does: messages
    /// that were sent before are flushed, messages that still arrive are discarded.
    ///
    /// # Errors
    /// Those of [`WsStream::close_with`].
    ///
    /// # Cancel safety
    /// See [`WsStream::close_with`].
    pub async fn close_with(&mut self, frame: CloseFrame) -> Result<CloseOutcome, WsErr> {
        self.stream.close_in(Mode::MESSAGES, frame, None).await
    }

    /// Closes the connection in at most `limit` altogether, see [`WsStream::close_within`].
    ///
    /// # Errors
    /// Those of [`WsStream::close_with`].
    ///
    /// # Cancel safety
    /// See [`WsStream::close_within`].
    pub async fn close_within(
        &mut self,
        frame: CloseFrame,
        limit: Duration,
    ) -> Result<CloseOutcome, WsErr> {
        self.stream
            .close_in(Mode::MESSAGES, frame, Some(limit))
            .await
    }

    /// The events of the connection from now on, as from [`WsHandle::events`].
    pub fn events(&self) -> WsEvents {
        self.stream.events()
    }

    /// The headers of the response that opened the connection, see [`WsStream::response_headers`].
    pub fn response_headers(&self) -> Option<&http::HeaderMap> {
        self.stream.response_headers()
    }
}

impl<M: MessageTransport> WsSender<WsMessages<M>> {
    /// Closes the connection, and returns how it ended, as [`WsMessages::close_with`] does. The
    /// receiving half ends, too.
    ///
    /// # Errors
    /// Those of [`WsStream::close_with`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves the connection closing; another `close_with` continues the close.
    pub async fn close_with(&mut self, frame: CloseFrame) -> Result<CloseOutcome, WsErr> {
        poll_fn(|cx| {
            self.lock()
                .stream
                .poll_close_with(Task::Writer, cx, &frame, Mode::MESSAGES, None)
        })
        .await
    }

    /// Closes the connection like [`close_with`](Self::close_with), in at most `limit` altogether,
    /// as [`WsStream::close_within`] does.
    ///
    /// # Errors
    /// Those of [`WsStream::close_with`].
    ///
    /// # Cancel safety
    /// See [`WsStream::close_within`].
    pub async fn close_within(
        &mut self,
        frame: CloseFrame,
        limit: Duration,
    ) -> Result<CloseOutcome, WsErr> {
        let mut limit = Timer::after(limit);
        poll_fn(|cx| {
            let stream = &mut self.lock().stream;
            stream.poll_close_with(Task::Writer, cx, &frame, Mode::MESSAGES, Some(&mut limit))
        })
        .await
    }

    /// A handle to ping, close, observe and count, see [`WsMessages::handle`].
    #[must_use]
    pub fn handle(&self) -> WsHandle {
        self.lock().handle()
    }
}

impl<M: MessageTransport> WsReceiver<WsMessages<M>> {
    /// A handle to ping, close, observe and count, see [`WsMessages::handle`].
    #[must_use]
    pub fn handle(&self) -> WsHandle {
        self.lock().handle()
    }
}

impl<M: MessageTransport> Stream for WsMessages<M> {
    type Item = Result<Message, WsErr>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let unread = this.stream.take_unread();
        if !unread.is_empty() {
            return Poll::Ready(Some(Ok(Message::Binary(unread.into()))));
        }
        let connection = this.stream.connection();
        let item = ready!(connection.poll_recv_message(cx, Mode::MESSAGES));
        this.is_ended = item.is_none();
        Poll::Ready(item)
    }
}

impl<M: MessageTransport> FusedStream for WsMessages<M> {
    fn is_terminated(&self) -> bool {
        self.is_ended
    }
}

impl<M: MessageTransport> Sink<Message> for WsMessages<M> {
    type Error = WsErr;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        let connection = self.get_mut().stream.connection();
        connection.poll_ready(cx, Mode::MESSAGES)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), WsErr> {
        self.get_mut().stream.connection().buffer_message(message)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.get_mut().stream.connection().poll_flush(cx)
    }

    /// Flushes, sends a close frame with code 1000, and is ready when that is flushed. Read until
    /// `None` to wait for the peer's close frame, or use [`WsMessages::close_with`].
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        let connection = self.get_mut().stream.connection();
        connection.poll_close(cx, CloseFrame::normal)
    }
}

impl<M: MessageTransport> Observable<WsEvent> for WsMessages<M> {
    type Error = WsErr;

    /// Observes the connection, as [`WsStream`] does.
    fn observe(&mut self, options: ObserveConfig<WsEvent>) -> Observe<'_, WsEvent, WsErr> {
        self.stream.observe(options)
    }
}
