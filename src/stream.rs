//! The byte view: a WebSocket as a stream of bytes.

mod futures_io;
#[cfg(all(feature = "tokio", not(target_arch = "wasm32")))]
mod tokio_io;

use std::{
    fmt,
    future::poll_fn,
    io,
    sync::Arc,
    task::{Context, Poll, ready},
};

use asynchronous_codec::Decoder;
use bytes::{Buf, Bytes, BytesMut};
use pharos::{Observable, Observe, ObserveConfig};
use ws_framed_codecs::LengthPrefixed;

use crate::{
    close::{CloseFrame, CloseOutcome},
    config::Config,
    connection::Connection,
    error::WsErr,
    event::WsEvent,
    framed::WsFramed,
    handle::WsHandle,
    handshake::contract::Contract,
    trace::Trace,
    transport::{BoxTransport, MaybeSend, MessageTransport},
};

pub(crate) use crate::connection::Mode;

/// A WebSocket as a stream of bytes, for any code that takes `AsyncRead`, `AsyncBufRead` and
/// `AsyncWrite`: those of futures-io, and tokio's behind the feature `tokio`.
///
/// Binary messages are joined: their boundaries are not seen. For typed messages, see
/// [`framed`](Self::framed).
///
/// # Reading
/// Bytes come in order. The end of the stream, `Ok(0)`, comes only when both sides exchanged close frames
/// and the peer's said that nothing went wrong. Any other end is an error, once, after everything that
/// came before it; after that `Ok(0)`. The error holds a [`WsErr`]:
///
/// | what happened | `io::ErrorKind` |
/// |---|---|
/// | the connection ended without a close frame | `UnexpectedEof` |
/// | the peer closed with a code other than 1000, 1001 and 3000 to 4999 | `ConnectionAborted` |
/// | the peer broke the protocol, a limit, or the [text policy](crate::TextPolicy) | `InvalidData` |
/// | the peer did not answer our close in time | `TimedOut` |
/// | the transport failed | its own |
///
/// A message that its sender closes in the middle of does not count as sent: none of it is read.
///
/// # Writing
/// Small writes gather until there is [`max_send_message_len`](Config::max_send_message_len) or until a
/// flush, large ones are cut into messages of that length. A read that finds nothing to read flushes
/// before it waits, so a request is on its way when its answer is waited for; when nobody reads, flush.
/// A write waits when the peer does not read. Writing after the end, or after a close of either side, is
/// `BrokenPipe`, and so is a flush or a close, once, if not everything written went out before.
///
/// # Closing
/// `close` (`shutdown` in tokio's world) flushes, sends a close frame with code 1000 and is ready when
/// that is flushed. It does not wait for the peer: read on until `Ok(0)`, or use
/// [`close_with`](Self::close_with), which does it all. Dropping a stream cannot send anything: the peer
/// sees a connection that was cut.
///
/// # Two tasks
/// The halves of any `split` may live on two tasks. Events, pongs and the close handshake are driven by
/// reads, so something should always be reading.
///
/// # Cancel safety
/// Every method and every future over this stream may be dropped at any point: nothing is lost or sent
/// twice. [`close_with`](Self::close_with) discards what it reads, by intent.
pub struct WsStream<M = BoxTransport> {
    link: Connection<M>,
    /// What the link gave and nobody has read yet.
    unread: Bytes,
    subprotocol: Option<Arc<str>>,
    /// The subprotocol, if it is one.
    contract: Option<Box<Contract>>,
}

/// The transport is never pinned: its methods take `&mut self`.
impl<M> Unpin for WsStream<M> {}

/// How much is buffered is shown, not what.
impl<M: fmt::Debug> fmt::Debug for WsStream<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WsStream")
            .field("link", &self.link)
            .field("unread", &self.unread.len())
            .field("subprotocol", &self.subprotocol)
            .finish_non_exhaustive()
    }
}

impl<M: MessageTransport> WsStream<M> {
    /// Wraps an open WebSocket, with the default [`Config`].
    ///
    /// Connections that this library opens itself are watched more closely: there, any byte is a sign of life, the
    /// work of one poll is bounded, and what a peer sent before it went away is read even if a ping among it
    /// cannot be answered any more. Here that is up to the transport.
    pub fn new(transport: M) -> Self {
        Self {
            link: Connection::new(transport, Config::default(), Trace::unknown()),
            unread: Bytes::new(),
            subprotocol: None,
            contract: None,
        }
    }

    /// Wraps an open WebSocket.
    ///
    /// # Errors
    /// [`WsErr::InvalidConfig`] for values that make no sense.
    pub fn with_config(transport: M, config: Config) -> Result<Self, WsErr> {
        Self::traced(transport, config, Trace::unknown())
    }

    /// The same, in a span that there is already.
    pub(crate) fn traced(transport: M, config: Config, trace: Trace) -> Result<Self, WsErr> {
        config.validate()?;
        Ok(Self {
            link: Connection::new(transport, config, trace),
            unread: Bytes::new(),
            subprotocol: None,
            contract: None,
        })
    }

    /// A handle to ping, close, observe and count, that outlives `split` and [`framed`](Self::framed).
    pub fn handle(&self) -> WsHandle {
        WsHandle::new(Arc::clone(self.link.shared()))
    }

    /// The subprotocol that both sides agreed on in the handshake, if [`Connector`](crate::Connector) or
    /// [`Acceptor`](crate::Acceptor) made the connection and there is one.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// The [`Contract`] that both sides agreed on in the handshake, if [`Connector::contract`](crate::Connector::contract)
    /// or [`Acceptor::contract`](crate::Acceptor::contract) made one. A server that speaks several looks here for the
    /// codec, and whether [each item is a message](Contract::is_per_message): nothing else checks that the view you make is
    /// the one that was agreed on.
    pub fn contract(&self) -> Option<&Contract> {
        self.contract.as_deref()
    }

    /// What lies below, to ask it something: for the address of the peer, say, of a socket that you opened.
    pub fn transport(&self) -> &M {
        self.link.transport()
    }

    /// Gives back what lies below, with what was received of it and not read. The link is over: handles are told
    /// [`CloseOutcome::Lost`], and whatever goes on is yours.
    ///
    /// Flush first. What was written and not flushed goes with the link, except for what the transport has taken.
    pub fn into_transport(self) -> (M, Bytes) {
        (self.link.into_transport(), self.unread)
    }

    /// The same stream under the name `WsStream`, whatever lies below.
    pub fn boxed(self) -> WsStream
    where
        M: MaybeSend + 'static,
    {
        WsStream {
            link: self.link.map_transport(BoxTransport::new),
            unread: self.unread,
            subprotocol: self.subprotocol,
            contract: self.contract,
        }
    }

    /// The item view of this stream: typed messages in the frames of `codec`. What was received and not
    /// read, and what was written and not flushed, stays in its place.
    pub fn framed<C: Decoder>(self, codec: C) -> WsFramed<C::Item, C, M> {
        WsFramed::new(self, codec)
    }

    /// The item view in which each item is exactly one message, without the length before it: text with a codec
    /// that [is text](LengthPrefixed::is_text), binary with any other. For peers that do not know this library: a
    /// page's own `WebSocket`, Python's `websockets`, Node's `ws`, the API of somebody else.
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
    /// An item goes out when the next one is sent, on a flush, and before a `next()` that has to wait. It must fit
    /// into [`max_send_message_len`](Config::max_send_message_len), 64 KiB by default: a longer one is
    /// [`WsErr::MessageTooLarge`], an error of that item after which the sink goes on, and so is
    /// [`WsErr::NotOneFrame`] for what the codec did not write as a length and a payload, or calls text and is
    /// not UTF-8.
    ///
    /// # Receiving
    /// Each message is an item, an empty one too. A codec that is text takes text and binary messages; for any
    /// other, text is what the [`TextPolicy`](crate::TextPolicy) says. Errors of the codec are as they always
    /// are in [`WsFramed`]: after a bad value the stream goes on, one over the codec's limit ends the link with
    /// code 1009. A message that the codec does not use up, or that is not enough for it, is
    /// [`WsErr::NotOneFrame`], and the next one begins anew.
    ///
    /// What was received of a message and not read when the view changes counts as one message; so change where one
    /// ends. What was written before goes out first, in messages of its own.
    pub fn per_message<C: Decoder + LengthPrefixed>(self, codec: C) -> WsFramed<C::Item, C, M> {
        WsFramed::per_message(self, codec)
    }

    /// Closes the link, and tells how it ended: flushes what was written, sends the close frame, discards
    /// what still comes, waits for the peer's close frame and the end of the transport. No step waits
    /// longer than [`close_timeout`](Config::close_timeout) for the peer.
    ///
    /// If the link is closing already, the first close frame stands; if it has ended, this tells how.
    ///
    /// Dropping the future leaves the link closing: reading, or another `close_with`, goes on with it.
    ///
    /// # Errors
    /// [`WsErr::InvalidCloseCode`] if `frame` came from a peer and may not be sent. [`WsErr::Closed`],
    /// once, if bytes that were written did not go out before the link ended. A link that ended badly is
    /// no error but a [`CloseOutcome`].
    pub async fn close_with(&mut self, frame: CloseFrame) -> Result<CloseOutcome, WsErr> {
        self.close_in(Mode::Packed, frame).await
    }

    pub(crate) async fn close_in(
        &mut self,
        mode: Mode,
        frame: CloseFrame,
    ) -> Result<CloseOutcome, WsErr> {
        if !frame.code().is_sendable() {
            return Err(WsErr::InvalidCloseCode(frame.code()));
        }
        self.unread.clear();
        poll_fn(|cx| self.link.poll_close_with(cx, &frame, mode)).await
    }

    #[cfg(any(target_arch = "wasm32", feature = "async-tungstenite"))]
    pub(crate) fn with_subprotocol(
        mut self,
        subprotocol: Option<String>,
        contract: Option<Contract>,
    ) -> Self {
        self.subprotocol = subprotocol.map(Arc::from);
        self.contract = contract.map(Box::new);
        self
    }

    /// The next bytes, whole; `None` at the end.
    pub(crate) fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
        mode: Mode,
    ) -> Poll<Option<io::Result<Bytes>>> {
        if self.unread.is_empty() {
            return self.link.poll_recv(cx, mode).map_err(io::Error::from);
        }
        Poll::Ready(Some(Ok(std::mem::take(&mut self.unread))))
    }

    /// Whether the end, once it is there, is one that a reader was told an error for.
    pub(crate) fn is_cut(&self) -> bool {
        self.link.is_cut()
    }

    /// Puts bytes back, before what is unread.
    pub(crate) fn put_back(&mut self, bytes: BytesMut) {
        if self.unread.is_empty() {
            self.unread = bytes.freeze();
        } else if !bytes.is_empty() {
            let mut all = bytes;
            all.extend_from_slice(&self.unread);
            self.unread = all.freeze();
        }
    }

    /// Ready when an item may be [gathered](Self::gather).
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>, mode: Mode) -> Poll<io::Result<()>> {
        self.link.poll_ready(cx, mode).map_err(io::Error::from)
    }

    /// Lets `put` append to what is gathered to be sent. When it fails, nothing was.
    pub(crate) fn gather<E: From<io::Error>>(
        &mut self,
        mode: Mode,
        put: impl FnOnce(&mut BytesMut) -> Result<(), E>,
    ) -> Result<(), E> {
        self.link.gather(mode, put)
    }

    /// Appends to what is gathered to be sent, without copying it where that can be.
    pub(crate) fn gather_shared(&mut self, mode: Mode, bytes: Bytes) -> io::Result<()> {
        self.link
            .gather_shared(mode, bytes)
            .map_err(io::Error::from)
    }

    /// Ends the link because what came cannot be decoded.
    pub(crate) fn break_off(&mut self, frame: CloseFrame) {
        self.link.break_off_with(frame);
    }

    /// Unread bytes, at least one unless the stream has ended.
    fn poll_unread(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        if self.unread.is_empty() {
            if let Some(data) = ready!(self.link.poll_recv(cx, Mode::Packed)) {
                self.unread = data?;
            }
        }
        Poll::Ready(Ok(&self.unread))
    }

    fn consume_unread(&mut self, amount: usize) {
        self.unread.advance(amount.min(self.unread.len()));
        if self.unread.is_empty() {
            // An empty slice would still hold its buffer, and keep the transport from using it again.
            self.unread = Bytes::new();
        }
    }

    fn poll_write_chunks<'a>(
        &mut self,
        cx: &mut Context<'_>,
        chunks: impl IntoIterator<Item = &'a [u8], IntoIter: Clone>,
    ) -> Poll<io::Result<usize>> {
        self.link.poll_write(cx, chunks).map_err(io::Error::from)
    }

    pub(crate) fn poll_flush_written(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.link.poll_flush(cx).map_err(io::Error::from)
    }

    pub(crate) fn poll_close_normally(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.link
            .poll_close(cx, CloseFrame::normal)
            .map_err(io::Error::from)
    }
}

impl<M: MessageTransport> Observable<WsEvent> for WsStream<M> {
    type Error = WsErr;

    /// See [`WsEvent`] for what an observer can count on. The kind of channel asked for in `options` makes
    /// no difference; a filter is honoured, and must not call back into the handle.
    fn observe(&mut self, options: ObserveConfig<WsEvent>) -> Observe<'_, WsEvent, WsErr> {
        self.link.shared().observe(options)
    }
}
