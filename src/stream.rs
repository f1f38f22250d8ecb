//! The byte view: a WebSocket as a stream of bytes.

mod futures_io;
mod split;
#[cfg(all(feature = "tokio", not(target_arch = "wasm32")))]
mod tokio_io;

use std::{
    fmt,
    future::poll_fn,
    io,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use futures::FutureExt;
use http::HeaderMap;
use pharos::{Observable, Observe, ObserveConfig};
use ws_framed_codecs::CodecError;

pub use self::split::{WsReader, WsWriter};
use crate::{
    close::{CloseFrame, CloseOutcome},
    config::Config,
    connection::{Connection, Mode},
    error::WsErr,
    event::{WsEvent, WsEvents},
    handle::WsHandle,
    handshake::contract::Contract,
    message::Payload,
    time::{Task, Timer},
    trace::Trace,
    transport::{BoxTransport, IntoTransport, MaybeSend, MessageTransport},
};

/// A WebSocket as a byte stream: `AsyncRead`, `AsyncBufRead` and `AsyncWrite` of futures-io, and tokio's
/// with the feature `tokio`. It is no `Stream`; [`framed`](Self::framed) and [`messages`](Self::messages)
/// return those of items and of whole messages.
///
/// The boundaries of binary messages vanish.
///
/// # Reading
/// Bytes come in order. The end of the stream, `Ok(0)`, comes only when both sides exchanged close frames
/// and the peer's said that nothing went wrong. Any other end is an error, once, after everything that
/// came before it; after that `Ok(0)`. The error holds a [`WsErr`]:
///
/// | what happened | `io::ErrorKind` |
/// |---|---|
/// | the connection ended without a close frame | `UnexpectedEof` |
/// | the peer closed with a code other than 1000, 1001 and 3000 to 4999, and not in reply to ours | `ConnectionAborted` |
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
/// A write waits when the peer does not read. A write, flush or close that must wait also receives
/// control messages, and at most one data message, which it keeps for the next read. Writing after the end,
/// or after a close of either side, is `BrokenPipe`, and so is a flush or a close, once, if not everything
/// written was sent before. What was written before the connection fails because of a violation is still
/// sent, and a flush waits for that.
///
/// # Closing
/// `close` (`shutdown` in tokio's world) flushes, sends a close frame with code 1000 and is ready when
/// that is flushed. It does not wait for the peer: read on until `Ok(0)`, or use
/// [`close_with`](Self::close_with), which does it all. Dropping a stream cannot send anything: the peer
/// sees a connection that was cut.
///
/// # Two tasks
/// The halves of any `split`, and of [`into_split`](Self::into_split), may be used on two tasks. Events, pongs and the closing handshake are driven by
/// reads, and by writes while they wait, so a task should always be reading.
///
/// # Cancel safety
/// Every method and every future over this stream may be dropped at any point: nothing is lost or sent
/// twice. [`close_with`](Self::close_with) discards what it reads, by intent.
pub struct WsStream<M = BoxTransport> {
    connection: Connection<M>,
    /// Received, and not read yet.
    unread: Bytes,
    subprotocol: Option<Arc<str>>,
    /// The contract, if the subprotocol is one.
    contract: Option<Box<Contract>>,
    response_headers: Option<Box<HeaderMap>>,
}

/// The transport is never pinned: its methods take `&mut self`.
impl<M> Unpin for WsStream<M> {}

/// How much is buffered is shown, not what.
impl<M: fmt::Debug> fmt::Debug for WsStream<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WsStream")
            .field("connection", &self.connection)
            .field("unread", &self.unread.len())
            .field("subprotocol", &self.subprotocol)
            .finish_non_exhaustive()
    }
}

impl<M: MessageTransport> WsStream<M> {
    /// Wraps an open WebSocket, with the default [`Config`]: a [`MessageTransport`], or a socket of
    /// async-tungstenite or tokio-tungstenite, see [`IntoTransport`].
    ///
    /// On connections that this library opens itself, any byte is a sign of life, the work of one poll is
    /// bounded, and what a peer sent before it disconnected is read even if a ping among it cannot be
    /// answered any more. Here that depends on the transport.
    pub fn new(socket: impl IntoTransport<Transport = M>) -> Self {
        Self::open(socket.into_transport(), Config::default(), Trace::unknown())
    }

    /// Wraps an open WebSocket.
    ///
    /// # Errors
    /// [`WsErr::InvalidConfig`] for values that make no sense.
    pub fn with_config(
        socket: impl IntoTransport<Transport = M>,
        config: Config,
    ) -> Result<Self, WsErr> {
        Self::traced(socket.into_transport(), config, Trace::unknown())
    }

    /// The same, in a span that there is already.
    pub(crate) fn traced(transport: M, config: Config, trace: Trace) -> Result<Self, WsErr> {
        config.validate()?;
        Ok(Self::open(transport, config, trace))
    }

    fn open(transport: M, config: Config, trace: Trace) -> Self {
        Self {
            connection: Connection::new(transport, config, trace),
            unread: Bytes::new(),
            subprotocol: None,
            contract: None,
            response_headers: None,
        }
    }

    /// A handle to ping, close, observe and count, that outlives `split` and [`framed`](Self::framed).
    pub fn handle(&self) -> WsHandle {
        WsHandle::new(Arc::clone(self.connection.shared()))
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

    /// The headers of the response that opened the connection, such as `Set-Cookie`, if
    /// [`Connector`](crate::Connector) opened it, outside of browsers. Those of the handshake itself
    /// (`Connection`, `Upgrade`, `Sec-WebSocket-*`) are not among them.
    pub fn response_headers(&self) -> Option<&HeaderMap> {
        self.response_headers.as_deref()
    }

    /// What lies below, to ask it something: for the address of the peer, say, of a socket that you opened.
    pub fn transport(&self) -> &M {
        self.connection.transport()
    }

    /// Gives back what lies below, with what was received of it and not read. The link is over: handles are told
    /// [`CloseOutcome::Lost`], and whatever goes on is yours.
    ///
    /// Flush first. What was written and not flushed goes with the link, except for what the transport has taken.
    pub fn into_transport(self) -> (M, Bytes) {
        (self.connection.into_transport(), self.unread)
    }

    /// The same stream under the name `WsStream`, whatever lies below.
    pub fn boxed(self) -> WsStream
    where
        M: MaybeSend + 'static,
    {
        WsStream {
            connection: self.connection.map_transport(BoxTransport::new),
            unread: self.unread,
            subprotocol: self.subprotocol,
            contract: self.contract,
            response_headers: self.response_headers,
        }
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
        self.close_in(Mode::Packed, frame, None).await
    }

    /// Closes the connection like [`close_with`](Self::close_with), in at most `limit` altogether.
    ///
    /// If the close takes longer, the connection is given up, and the outcome is
    /// [`CloseOutcome::TimedOut`] unless how it ended was known before.
    ///
    /// ```
    /// use std::time::Duration;
    /// use ws_framed::{CloseCode, CloseFrame, WsErr, WsStream};
    ///
    /// async fn shut_down(mut stream: WsStream) -> Result<(), WsErr> {
    ///     let frame = CloseFrame::new(CloseCode::GOING_AWAY, "the server restarts")?;
    ///     let outcome = stream.close_within(frame, Duration::from_secs(5)).await?;
    ///     println!("{outcome}");
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Cancel safety
    /// Like [`close_with`](Self::close_with): a dropped future leaves the connection closing, without
    /// the limit.
    ///
    /// # Errors
    /// Those of [`close_with`](Self::close_with).
    pub async fn close_within(
        &mut self,
        frame: CloseFrame,
        limit: Duration,
    ) -> Result<CloseOutcome, WsErr> {
        self.close_in(Mode::Packed, frame, Some(limit)).await
    }

    /// The events of the connection from now on, as from [`WsHandle::events`].
    pub fn events(&self) -> WsEvents {
        self.connection.shared().events()
    }

    pub(crate) async fn close_in(
        &mut self,
        mode: Mode,
        frame: CloseFrame,
        limit: Option<Duration>,
    ) -> Result<CloseOutcome, WsErr> {
        let mut limit = limit.map(Timer::after);
        poll_fn(|cx| {
            let closed = self.poll_close_with(Task::Reader, cx, &frame, mode);
            self.limit_close(closed, cx, limit.as_mut())
        })
        .await
    }

    /// Gives a close up when it is pending at the end of `limit`.
    pub(crate) fn limit_close(
        &mut self,
        closed: Poll<Result<CloseOutcome, WsErr>>,
        cx: &mut Context<'_>,
        limit: Option<&mut Timer>,
    ) -> Poll<Result<CloseOutcome, WsErr>> {
        if closed.is_pending() && limit.is_some_and(|limit| limit.poll_unpin(cx).is_ready()) {
            return Poll::Ready(Ok(self.connection.abandon()));
        }
        closed
    }

    /// Closes, as the reading or the writing task. The error of the connection stays for a reader.
    pub(crate) fn poll_close_with(
        &mut self,
        polled_by: Task,
        cx: &mut Context<'_>,
        frame: &CloseFrame,
        mode: Mode,
    ) -> Poll<Result<CloseOutcome, WsErr>> {
        if !frame.code().is_sendable() {
            return Poll::Ready(Err(WsErr::InvalidCloseCode(frame.code())));
        }
        self.unread.clear();
        self.connection.poll_close_with(polled_by, cx, frame, mode)
    }

    /// The connection, for the stream of messages.
    pub(crate) fn connection(&mut self) -> &mut Connection<M> {
        &mut self.connection
    }

    /// Takes the bytes that were received and not read.
    pub(crate) fn take_unread(&mut self) -> Bytes {
        std::mem::take(&mut self.unread)
    }

    pub(crate) fn with_subprotocol(
        mut self,
        subprotocol: Option<String>,
        contract: Option<Contract>,
    ) -> Self {
        self.subprotocol = subprotocol.map(Arc::from);
        self.contract = contract.map(Box::new);
        self
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn with_response_headers(mut self, headers: HeaderMap) -> Self {
        self.response_headers = Some(Box::new(headers));
        self
    }

    /// The next bytes, whole; `None` at the end.
    pub(crate) fn poll_next_chunk(
        &mut self,
        cx: &mut Context<'_>,
        mode: Mode,
    ) -> Poll<Option<io::Result<Payload>>> {
        if self.unread.is_empty() {
            return self.connection.poll_recv(cx, mode).map_err(io::Error::from);
        }
        Poll::Ready(Some(Ok(std::mem::take(&mut self.unread).into())))
    }

    /// Whether the end, once it is there, is one that a reader was told an error for.
    pub(crate) fn ended_with_error(&self) -> bool {
        self.connection.ended_with_error()
    }

    /// Puts bytes back, before what is unread.
    pub(crate) fn unread_bytes(&mut self, bytes: BytesMut) {
        if self.unread.is_empty() {
            self.unread = bytes.freeze();
        } else if !bytes.is_empty() {
            let mut all = bytes;
            all.extend_from_slice(&self.unread);
            self.unread = all.freeze();
        }
    }

    /// Ready when an item may be [gathered](Self::buffer).
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>, mode: Mode) -> Poll<io::Result<()>> {
        self.connection
            .poll_ready(cx, mode)
            .map_err(io::Error::from)
    }

    /// Lets `put` append to what is gathered to be sent. When it fails, nothing was.
    pub(crate) fn buffer<E: From<io::Error>>(
        &mut self,
        mode: Mode,
        put: impl FnOnce(&mut BytesMut) -> Result<(), E>,
    ) -> Result<(), E> {
        self.connection.buffer(mode, put)
    }

    /// Appends to what is gathered to be sent, without copying it where that can be.
    pub(crate) fn buffer_bytes(&mut self, mode: Mode, bytes: Bytes) -> io::Result<()> {
        self.connection
            .buffer_bytes(mode, bytes)
            .map_err(|error| CodecError::from(error).into())
    }

    /// Ends the link because what came cannot be decoded.
    pub(crate) fn fail(&mut self, frame: CloseFrame) {
        self.connection.fail_with(frame);
    }

    /// Unread bytes, at least one unless the stream has ended.
    fn poll_unread(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        if self.unread.is_empty() {
            if let Some(data) = ready!(self.connection.poll_recv(cx, Mode::Packed)) {
                self.unread = data?.into_bytes();
            }
        }
        Poll::Ready(Ok(&self.unread))
    }

    fn consume_unread(&mut self, amount: usize) {
        consume(&mut self.unread, amount);
    }

    fn poll_write_chunks<'a>(
        &mut self,
        cx: &mut Context<'_>,
        chunks: impl IntoIterator<Item = &'a [u8], IntoIter: Clone>,
    ) -> Poll<io::Result<usize>> {
        self.connection
            .poll_write(cx, chunks)
            .map_err(io::Error::from)
    }

    pub(crate) fn poll_flush_buffered(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.poll_flush(cx).map_err(io::Error::from)
    }

    pub(crate) fn poll_close_normal(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection
            .poll_close(cx, CloseFrame::normal)
            .map_err(io::Error::from)
    }
}

/// Removes bytes that were read.
fn consume(unread: &mut Bytes, amount: usize) {
    unread.advance(amount.min(unread.len()));
    if unread.is_empty() {
        // An empty slice would still hold its buffer, and keep the transport from using it again.
        *unread = Bytes::new();
    }
}

impl<M: MessageTransport> Observable<WsEvent> for WsStream<M> {
    type Error = WsErr;

    /// See [`WsEvent`] for what an observer can count on. The kind of channel asked for in `options` makes
    /// no difference; a filter is honoured, and must not call back into the handle.
    fn observe(&mut self, options: ObserveConfig<WsEvent>) -> Observe<'_, WsEvent, WsErr> {
        self.connection.shared().observe(options)
    }
}
