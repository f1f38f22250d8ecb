//! `WsFramed`: typed messages over a WebSocket.

mod recv;
mod send;
mod split;

use std::{
    fmt,
    future::poll_fn,
    marker::PhantomData,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use asynchronous_codec::Decoder;
use bytes::{Buf, BytesMut};
use pharos::{Observable, Observe, ObserveConfig};
use ws_framed_codecs::{Bincode, LengthPrefixed};

#[cfg(feature = "deflate")]
use crate::config::Compression;
use crate::{
    close::{CloseFrame, CloseOutcome},
    connection::Mode,
    error::WsErr,
    event::{WsEvent, WsEvents},
    handle::WsHandle,
    handshake::contract::Contract,
    stream::WsStream,
    time::{Task, Timer},
    transport::{BoxTransport, MessageTransport},
};

/// The length before the payload of a frame.
const PREFIX_LEN: usize = size_of::<u32>();

/// A WebSocket as a stream and sink of items.
///
/// `T` is the type that is received, `C` the codec, `M` the transport. The defaults make
/// `WsFramed<Chat>` a type for a struct field: `Chat` in both directions, in bincode, over any
/// transport. With a type for each direction, it is
/// `WsFramed<ServerMsg, Bincode<ServerMsg, ClientMsg>>`.
///
/// [`framed`](WsStream::framed) packs items into messages, for peers with this library.
/// [`per_message`](WsStream::per_message) sends each item as one WebSocket message without a
/// prefix, for other peers.
///
/// ```
/// use futures::{SinkExt, TryStreamExt};
/// use ws_framed::{CodecError, Lines, WsFramed, WsStream};
///
/// /// Returns each line to its sender.
/// async fn echo(stream: WsStream) -> Result<(), CodecError> {
///     let mut lines: WsFramed<String, Lines> = stream.framed(Lines::new(1024));
///     while let Some(line) = lines.try_next().await? {
///         lines.send(line).await?;
///     }
///     Ok(())
/// }
/// ```
///
/// # Sending
/// Items are encoded into one buffer. It is sent when it is full, on a flush, and before a `next()`
/// that waits, in messages of at most
/// [`max_send_message_len`](crate::Config::max_send_message_len). So `feed` many items and `flush`
/// once. If an item cannot be encoded, no part of it is sent, and the sink can still be used.
///
/// [`into_split`](Self::into_split) returns halves for two tasks. The sending half of futures'
/// `split` buffers one more item until its next `feed`, `send` or `flush`. With it, call `flush`
/// before waiting for a reply.
///
/// # Receiving
/// The stream ends with `None` after a clean close. Any other end is an error, once, as for the
/// [byte stream](WsStream#reading). After an error of the decoder:
/// - If it consumed bytes, the next item follows: one malformed item does not end the connection.
/// - If it consumed none, it cannot continue, so the connection fails. The close frame has code
///   1009 for [`FrameTooLarge`](crate::CodecError::FrameTooLarge), and 1007 for other errors. The
///   error is returned when the peer has ended the transport, or after
///   [`close_timeout`](crate::Config::close_timeout). The decoder is then called a second time, and
///   the error of that call is the one that is returned.
///
/// # Cancel safety
/// Dropping a future over this stream loses no received item, and none that the sink has taken.
/// `send` of futures' `SinkExt` waits for room before it passes the item on: a future that is
/// dropped before that drops the item too.
pub struct WsFramed<T, C = Bincode<T>, M = BoxTransport> {
    stream: WsStream<M>,
    codec: C,
    /// At most one frame if each item is one message.
    buffer: BytesMut,
    /// Whether the buffer is a part of the transport's, which reuses the allocation once this is
    /// dropped.
    is_lent: bool,
    mode: Mode,
    /// The contract that the codec belongs to, if it is one of several.
    contract: Option<Arc<Contract>>,
    recv: RecvState,
    item: PhantomData<fn() -> T>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RecvState {
    Open,
    /// Open, and the decoder needs more bytes than there are.
    Incomplete,
    /// The decoder cannot go on, and the peer gets a close frame.
    Failed,
    /// Received data is discarded, and the decoder is no longer called.
    Draining,
    Ended,
}

/// No field is ever pinned.
impl<T, C, M> Unpin for WsFramed<T, C, M> {}

/// `T` need not be `Debug`, since no item is stored. Shows the number of buffered bytes, not the
/// bytes.
impl<T, C: fmt::Debug, M: fmt::Debug> fmt::Debug for WsFramed<T, C, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WsFramed")
            .field("stream", &self.stream)
            .field("codec", &self.codec)
            .field("mode", &self.mode)
            .field("recv", &self.recv)
            .field("buffered", &self.buffer.len())
            .finish_non_exhaustive()
    }
}

/// The parts of a [`WsFramed`], from [`into_parts`](WsFramed::into_parts).
#[derive(Debug)]
#[non_exhaustive]
pub struct WsFramedParts<C, M = BoxTransport> {
    /// The byte stream. Unflushed items are still in it.
    pub stream: WsStream<M>,
    /// The codec.
    pub codec: C,
    /// The bytes that were received and not decoded.
    pub read_buffer: BytesMut,
    mode: Mode,
    contract: Option<Arc<Contract>>,
}

impl<C, M> WsFramedParts<C, M> {
    /// Parts with an empty read buffer.
    #[must_use]
    pub fn new(stream: WsStream<M>, codec: C) -> Self {
        Self {
            stream,
            codec,
            read_buffer: BytesMut::new(),
            mode: Mode::Packed,
            contract: None,
        }
    }
}

impl<M: MessageTransport> WsStream<M> {
    /// Converts this stream into an item stream: typed messages in the frames of `codec`. Unread
    /// bytes are decoded first, and unflushed bytes are sent first.
    #[must_use]
    pub fn framed<C: Decoder>(self, codec: C) -> WsFramed<C::Item, C, M> {
        WsFramed::new(self, codec)
    }

    /// Converts this stream into an item stream in which each item is one message, without a length
    /// prefix. The messages are text with a codec that [is text](LengthPrefixed::is_text), and
    /// binary with any other.
    ///
    /// For peers without this library: a page's own `WebSocket`, Python's `websockets`, Node's
    /// `ws`.
    ///
    /// ```
    /// use futures::{SinkExt, StreamExt};
    /// use ws_framed::{CodecError, Json, WsStream};
    ///
    /// #[derive(serde::Serialize)]
    /// struct Request { op: &'static str, channel: &'static str }
    ///
    /// #[derive(serde::Deserialize)]
    /// struct News { headline: String }
    ///
    /// async fn subscribe(stream: WsStream) -> Result<(), CodecError> {
    ///     let mut api = stream.per_message(Json::<News, Request>::new(64 * 1024));
    ///     api.send(Request { op: "subscribe", channel: "news" }).await?;
    ///     while let Some(news) = api.next().await {
    ///         println!("{}", news?.headline);
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Sending
    /// An item is sent with the next one, on a flush, and before a `next()` that waits. These are
    /// errors of the item, after which the next one can be sent:
    /// - [`CodecError::ItemTooLarge`](crate::CodecError::ItemTooLarge) above
    ///   [`max_send_message_len`](crate::Config::max_send_message_len), 64 KiB by default;
    /// - [`CodecError::Unencodable`](crate::CodecError::Unencodable) with a [`WsErr::NotOneFrame`]
    ///   inside, if the encoded item is not a length and a payload, or is not UTF-8 in a text
    ///   message.
    ///
    /// The error of another codec is made from an `io::Error` that holds the `CodecError`.
    ///
    /// # Receiving
    /// Each message is an item, an empty one too. A text codec accepts text and binary messages.
    /// For any other codec, the [`TextPolicy`](crate::TextPolicy) applies to text messages.
    ///
    /// Errors of the codec are [those of `WsFramed`](WsFramed#receiving): the stream continues
    /// after a malformed item, and an item above the codec's limit fails the connection with code
    /// 1009. If the codec needs less or more than one message, the error is [`WsErr::NotOneFrame`],
    /// and the next message is decoded from its start.
    ///
    /// Bytes that were received and not read before the conversion count as one message. So convert
    /// at the end of a message. Unflushed bytes are sent first, in messages of their own.
    #[must_use]
    pub fn per_message<C: Decoder + LengthPrefixed>(self, codec: C) -> WsFramed<C::Item, C, M> {
        WsFramed::per_message(self, codec)
    }
}

impl<T, C: Decoder<Item = T>, M: MessageTransport> WsFramed<T, C, M> {
    /// Creates an item stream over `stream`, in the frames of `codec`: see [`WsStream::framed`].
    #[must_use]
    pub fn new(stream: WsStream<M>, codec: C) -> Self {
        Self::from_parts(WsFramedParts::new(stream, codec))
    }

    /// Creates an item stream with one message for each item: see [`WsStream::per_message`].
    #[must_use]
    pub fn per_message(stream: WsStream<M>, codec: C) -> Self
    where
        C: LengthPrefixed,
    {
        let is_text = codec.is_text();
        Self::from_parts(WsFramedParts {
            mode: Mode::PerMessage { is_text },
            ..WsFramedParts::new(stream, codec)
        })
    }

    /// Creates an item stream by a contract, with its codec and mode.
    pub(crate) fn by_contract(
        stream: WsStream<M>,
        codec: C,
        mode: Mode,
        contract: Arc<Contract>,
    ) -> Self {
        Self::from_parts(WsFramedParts {
            mode,
            contract: Some(contract),
            ..WsFramedParts::new(stream, codec)
        })
    }

    /// Creates an item stream from its parts. Whether each item is [one message](Self::per_message)
    /// is kept.
    #[must_use]
    pub fn from_parts(parts: WsFramedParts<C, M>) -> Self {
        Self {
            stream: parts.stream,
            codec: parts.codec,
            buffer: parts.read_buffer,
            is_lent: false,
            mode: parts.mode,
            contract: parts.contract,
            recv: RecvState::Open,
            item: PhantomData,
        }
    }
}

impl<T, C, M: MessageTransport> WsFramed<T, C, M> {
    /// Converts into the parts, without loss: undecoded bytes are in the read buffer, unflushed
    /// items in the stream.
    #[must_use]
    pub fn into_parts(self) -> WsFramedParts<C, M> {
        WsFramedParts {
            stream: self.stream,
            codec: self.codec,
            read_buffer: self.buffer,
            mode: self.mode,
            contract: self.contract,
        }
    }

    /// Converts back into the byte stream. It starts with the bytes that were received and not
    /// decoded.
    #[must_use]
    pub fn into_stream(self) -> WsStream<M> {
        let Self {
            mut stream,
            mut buffer,
            mode,
            ..
        } = self;
        if mode != Mode::Packed {
            // `append` added the prefix of the buffered frame; the peer did not send it.
            buffer.advance(PREFIX_LEN.min(buffer.len()));
        }
        stream.unread_bytes(buffer);
        stream
    }

    /// Changes the codec in mid-stream: items that were sent keep their encoding, undecoded bytes
    /// are decoded by the new codec. A codec may keep a position in the buffer, which is wrong when
    /// it is used again later. For [`Lines`](ws_framed_codecs::Lines), use a clone then.
    ///
    /// If each item is [one message](Self::per_message), this is kept, and so is the kind of the
    /// messages, text or binary. For a codec of the other kind, or one that is not
    /// [`LengthPrefixed`](ws_framed_codecs::LengthPrefixed), convert by
    /// [`into_stream`](Self::into_stream).
    #[must_use]
    pub fn map_codec<D: Decoder>(self, map: impl FnOnce(C) -> D) -> WsFramed<D::Item, D, M> {
        let parts = self.into_parts();
        WsFramed::from_parts(WsFramedParts {
            stream: parts.stream,
            codec: map(parts.codec),
            read_buffer: parts.read_buffer,
            mode: parts.mode,
            contract: None,
        })
    }

    /// The codec.
    pub fn codec(&self) -> &C {
        &self.codec
    }

    /// The codec, to change its settings.
    pub fn codec_mut(&mut self) -> &mut C {
        if self.recv == RecvState::Incomplete {
            // With other settings, the bytes that are there may be enough.
            self.recv = RecvState::Open;
        }
        &mut self.codec
    }

    /// The transport, see [`WsStream::transport`].
    pub fn transport(&self) -> &M {
        self.stream.transport()
    }

    /// A handle to ping, close, observe and count, that outlives `split`.
    #[must_use]
    pub fn handle(&self) -> WsHandle {
        self.stream.handle()
    }

    /// The events of the connection from now on, as from [`WsHandle::events`].
    pub fn events(&self) -> WsEvents {
        self.stream.events()
    }

    /// The headers of the response that opened the connection, see [`WsStream::response_headers`].
    pub fn response_headers(&self) -> Option<&http::HeaderMap> {
        self.stream.response_headers()
    }

    /// How messages are compressed, see [`WsStream::compression`].
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
    pub fn compression(&self) -> Option<Compression> {
        self.stream.compression()
    }

    /// The subprotocol that both sides agreed on, see [`WsStream::subprotocol`].
    pub fn subprotocol(&self) -> Option<&str> {
        self.stream.subprotocol()
    }

    /// The contract that both sides agreed on, see [`WsStream::contract`].
    pub fn contract(&self) -> Option<&Contract> {
        self.stream.contract()
    }

    /// Closes the connection, and returns how it ended, as [`WsStream::close_with`] does: buffered
    /// items are flushed, items that still arrive are discarded.
    ///
    /// # Errors
    /// Those of [`WsStream::close_with`].
    ///
    /// # Cancel safety
    /// See [`WsStream::close_with`].
    pub async fn close_with(&mut self, frame: CloseFrame) -> Result<CloseOutcome, WsErr> {
        poll_fn(|cx| self.poll_close_with(Task::Reader, cx, &frame, None)).await
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
        let mut limit = Timer::after(limit);
        poll_fn(|cx| self.poll_close_with(Task::Reader, cx, &frame, Some(&mut limit))).await
    }

    fn poll_close_with(
        &mut self,
        polled_by: Task,
        cx: &mut Context<'_>,
        frame: &CloseFrame,
        limit: Option<&mut Timer>,
    ) -> Poll<Result<CloseOutcome, WsErr>> {
        if frame.code().is_sendable() {
            self.buffer.clear();
            if self.recv != RecvState::Ended {
                self.recv = RecvState::Draining;
            }
        }
        self.stream
            .poll_close_with(polled_by, cx, frame, self.mode, limit)
    }
}

impl<T, C, M: MessageTransport> Observable<WsEvent> for WsFramed<T, C, M> {
    type Error = WsErr;

    /// Observes the connection, as [`WsStream`] does.
    fn observe(&mut self, options: ObserveConfig<WsEvent>) -> Observe<'_, WsEvent, WsErr> {
        self.stream.observe(options)
    }
}
