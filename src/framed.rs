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
/// `T` is the type that is received, `C` the codec, `M` what lies below. `WsFramed<Chat>` is a name for a
/// struct field: `Chat` both ways in bincode, over anything. With different types each way it is
/// `WsFramed<ServerMsg, Bincode<ServerMsg, ClientMsg>>`.
///
/// This is the packed form, between programs that have this library. For other peers there is
/// [`per_message`](WsStream::per_message): one WebSocket message for each item, without a prefix.
///
/// # Sending
/// Items are encoded into one buffer as they are sent; the buffer goes out in messages of at most
/// [`max_send_message_len`](crate::Config::max_send_message_len) when it is full, on a flush, and before a
/// `next()` that has to wait. So `feed` many and `flush` once. An item that cannot be encoded is an error
/// of that item: nothing of it was sent, and the sink goes on.
///
/// [`into_split`](Self::into_split) gives halves for two tasks. The sending half of futures' `split`
/// keeps one item of its own until its next `feed`, `send` or `flush`: there, what was fed last is
/// not sent before a `next()` that waits.
///
/// # Receiving
/// The stream ends, with `None`, when the link has closed as it should. Any other end is an error, once,
/// as it is for the [byte view](WsStream#reading). After an error of the decoder:
/// - if it took bytes from the buffer, the next item follows: one bad value does not end the connection;
/// - if it took none, it could never go on, so the link closes: with code 1009 if the error is
///   [`FrameTooLarge`](crate::CodecError::FrameTooLarge), else 1007. The error comes when the peer has been told, or could not
///   be told within [`close_timeout`](crate::Config::close_timeout). The decoder is asked a second time
///   for the error that is then given.
///
/// # Cancel safety
/// Dropping a future over this view loses no item that was received and none that was taken. `send` of
/// futures' `SinkExt` waits for room before it hands the item over: if it is dropped before that, the
/// item is dropped with it.
pub struct WsFramed<T, C = Bincode<T>, M = BoxTransport> {
    stream: WsStream<M>,
    codec: C,
    /// One frame at the most where each item is one message.
    buffer: BytesMut,
    /// The buffer is a part of the transport's, which reuses it when this part is dropped.
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
    /// The decoder cannot go on, and the peer gets a close frame.
    Failed,
    /// What arrives is discarded, and the decoder is not called any more.
    Draining,
    Ended,
}

/// Nothing in it is ever pinned.
impl<T, C, M> Unpin for WsFramed<T, C, M> {}

/// `T` need not be `Debug`: it holds none. How much is buffered is shown, not what.
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
    /// The byte view. What was sent and not flushed is still in it.
    pub stream: WsStream<M>,
    /// The codec.
    pub codec: C,
    /// What was received and not decoded.
    pub read_buffer: BytesMut,
    mode: Mode,
    contract: Option<Arc<Contract>>,
}

impl<C, M> WsFramedParts<C, M> {
    /// Parts with nothing received.
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
    /// The item view of this stream: typed messages in the frames of `codec`. What was received and not
    /// read, and what was written and not flushed, stays in its place.
    pub fn framed<C: Decoder>(self, codec: C) -> WsFramed<C::Item, C, M> {
        WsFramed::new(self, codec)
    }

    /// The item view in which each item is exactly one message, without the length before it: text with a codec
    /// that [is text](LengthPrefixed::is_text), binary with any other. For peers that do not know this library: a
    /// page's own `WebSocket`, Python's `websockets`, Node's `ws`, other APIs.
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
    /// An item is sent when the next one is, on a flush, and before a `next()` that has to wait. It must
    /// fit into [`max_send_message_len`](crate::Config::max_send_message_len), 64 KiB by default. A longer
    /// one is [`CodecError::ItemTooLarge`](crate::CodecError::ItemTooLarge). An item whose frame is not a
    /// length and a payload, or is not UTF-8 where the codec sends text, is
    /// [`CodecError::Unencodable`](crate::CodecError::Unencodable) with a [`WsErr::NotOneFrame`] inside.
    /// Both concern that item, and the next one can be sent. The error of another codec is made of an
    /// `io::Error` that holds the `CodecError`.
    ///
    /// # Receiving
    /// Each message is an item, an empty one too. A codec that is text takes text and binary messages; for any
    /// other, text is what the [`TextPolicy`](crate::TextPolicy) says. Errors of the codec are as they always
    /// are in [`WsFramed`]: after a bad value the stream goes on, one over the codec's limit ends the link with
    /// code 1009. A message that the codec does not use up, or that is not enough for it, is
    /// [`WsErr::NotOneFrame`], and the next one is decoded from its beginning.
    ///
    /// What was received of a message and not read when the view changes counts as one message; so change where one
    /// ends. What was written before goes out first, in messages of its own.
    pub fn per_message<C: Decoder + LengthPrefixed>(self, codec: C) -> WsFramed<C::Item, C, M> {
        WsFramed::per_message(self, codec)
    }
}

impl<T, C: Decoder<Item = T>, M: MessageTransport> WsFramed<T, C, M> {
    /// Typed messages over `stream`, in the frames of `codec`.
    pub fn new(stream: WsStream<M>, codec: C) -> Self {
        Self::from_parts(WsFramedParts::new(stream, codec))
    }

    /// Typed messages over `stream`, each item in a message of its own: see [`WsStream::per_message`].
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

    /// Typed messages as this contract describes them, in the frames of its codec.
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

    /// Puts parts together. Where each item was [one message](Self::per_message), it is again.
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
    /// Takes it apart. Nothing is lost: what was received and not decoded is in the read buffer, what was
    /// sent and not flushed is in the stream.
    pub fn into_parts(self) -> WsFramedParts<C, M> {
        WsFramedParts {
            stream: self.stream,
            codec: self.codec,
            read_buffer: self.buffer,
            mode: self.mode,
            contract: self.contract,
        }
    }

    /// The byte view again. It begins with the bytes that were received and not decoded.
    pub fn into_stream(self) -> WsStream<M> {
        let Self {
            mut stream,
            mut buffer,
            mode,
            ..
        } = self;
        if mode != Mode::Packed {
            // The prefix of the frame in it is ours.
            buffer.advance(PREFIX_LEN.min(buffer.len()));
        }
        stream.unread_bytes(buffer);
        stream
    }

    /// The same link with another codec, in mid-stream: items already sent keep their encoding, bytes not
    /// yet decoded are for the new codec. A codec that looked at them before and comes back may remember
    /// what is no longer there; for [`Lines`](ws_framed_codecs::Lines), put back a clone.
    ///
    /// Where each item is [one message](Self::per_message), that and the kind of the messages, text or binary, stay
    /// as they are. For a codec of the other kind, or one that is not
    /// [`LengthPrefixed`](ws_framed_codecs::LengthPrefixed), go by [`into_stream`](Self::into_stream).
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
        &mut self.codec
    }

    /// A handle to ping, close, observe and count, that outlives `split`.
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

    /// The subprotocol that both sides agreed on, see [`WsStream::subprotocol`].
    pub fn subprotocol(&self) -> Option<&str> {
        self.stream.subprotocol()
    }

    /// The contract that both sides agreed on, see [`WsStream::contract`].
    pub fn contract(&self) -> Option<&Contract> {
        self.stream.contract()
    }

    /// Closes the link, and tells how it ended, as [`WsStream::close_with`] does: items sent before are
    /// flushed, items that still come are discarded.
    ///
    /// # Errors
    /// As those of [`WsStream::close_with`].
    pub async fn close_with(&mut self, frame: CloseFrame) -> Result<CloseOutcome, WsErr> {
        poll_fn(|cx| self.poll_close_with(Task::Reader, cx, &frame)).await
    }

    /// Closes the connection in at most `limit` altogether, see [`WsStream::close_within`].
    ///
    /// # Errors
    /// Those of [`WsStream::close_with`].
    pub async fn close_within(
        &mut self,
        frame: CloseFrame,
        limit: Duration,
    ) -> Result<CloseOutcome, WsErr> {
        let mut limit = Timer::after(limit);
        poll_fn(|cx| {
            let closed = self.poll_close_with(Task::Reader, cx, &frame);
            self.stream.limit_close(closed, cx, Some(&mut limit))
        })
        .await
    }

    fn poll_close_with(
        &mut self,
        polled_by: Task,
        cx: &mut Context<'_>,
        frame: &CloseFrame,
    ) -> Poll<Result<CloseOutcome, WsErr>> {
        if frame.code().is_sendable() {
            self.buffer.clear();
            if self.recv != RecvState::Ended {
                self.recv = RecvState::Draining;
            }
        }
        self.stream.poll_close_with(polled_by, cx, frame, self.mode)
    }
}

impl<T, C, M: MessageTransport> Observable<WsEvent> for WsFramed<T, C, M> {
    type Error = WsErr;

    /// As for [`WsStream`].
    fn observe(&mut self, options: ObserveConfig<WsEvent>) -> Observe<'_, WsEvent, WsErr> {
        self.stream.observe(options)
    }
}
