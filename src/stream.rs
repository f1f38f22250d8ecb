//! The byte stream: a WebSocket as `AsyncRead` and `AsyncWrite`.

mod closing;
mod futures_io;
mod split;
#[cfg(all(feature = "tokio", not(target_arch = "wasm32")))]
mod tokio_io;

use std::{
    fmt, io,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use pharos::{Observable, Observe, ObserveConfig};
use ws_framed_codecs::CodecError;

pub use self::split::{WsReader, WsWriter};
#[cfg(feature = "deflate")]
use crate::config::Compression;
use crate::{
    close::CloseFrame,
    config::Config,
    connection::{Connection, Mode, NewItem},
    error::WsErr,
    event::{WsEvent, WsEvents},
    handle::WsHandle,
    handshake::contract::Contract,
    message::{Payload, SharedBytes},
    trace::Trace,
    transport::{BoxTransport, IntoTransport, MaybeSend, MessageTransport},
};

/// A WebSocket as a byte stream: `AsyncRead`, `AsyncBufRead` and `AsyncWrite` of futures-io, and
/// tokio's with the feature `tokio`. It is no `Stream`; [`framed`](Self::framed) and
/// [`messages`](Self::messages) return those of items and of whole messages.
///
/// The boundaries of binary messages vanish.
///
/// ```
/// use std::io;
/// use futures::{AsyncReadExt, AsyncWriteExt};
/// use ws_framed::WsStream;
///
/// /// Sends a request, and reads the reply to its end.
/// async fn ask(mut stream: WsStream, request: &[u8]) -> io::Result<Vec<u8>> {
///     stream.write_all(request).await?;
///     stream.close().await?;
///     let mut reply = Vec::new();
///     // An end without a close frame is an error, so that a truncated reply is none.
///     stream.read_to_end(&mut reply).await?;
///     Ok(reply)
/// }
/// ```
///
/// # Reading
/// After a clean close, a read returns `Ok(0)`: both sides exchanged close frames, and the peer's
/// code reports no failure. After any other end, a read returns the bytes received before it, then
/// an error once, and then `Ok(0)`. The error holds a [`WsErr`]:
///
/// | cause | `io::ErrorKind` |
/// |---|---|
/// | the connection ended without a close frame | `UnexpectedEof` |
/// | the peer closed with a code that [reports a failure](crate::guide::closing), unless it repeats ours | `ConnectionAborted` |
/// | the peer broke the protocol, a limit, or the [text policy](crate::TextPolicy) | `InvalidData` |
/// | the peer did not answer our close in time | `TimedOut` |
/// | the transport failed | its own |
///
/// If the peer closes in the middle of a fragmented message, its fragments are discarded.
///
/// # Writing
/// Small writes are buffered up to [`max_send_message_len`](Config::max_send_message_len), and sent
/// when that is reached or on a flush. Larger writes are split into messages of that length.
///
/// A read flushes before it waits, so a request is sent before its reply is awaited. If no task
/// reads, call `flush`.
///
/// A write waits while the peer does not read. A write, flush or close that waits also receives
/// control messages, and at most one data message, which is kept for the next read.
///
/// A write after the end, or after a close of either side, returns `BrokenPipe`. A flush or a close
/// returns it once, if written data was not sent before the end. If the connection fails because of
/// a violation, data that was written before is still sent, and a flush waits for that.
///
/// # Closing
/// `close` (`shutdown` of tokio) flushes, sends a close frame with code 1000 and is ready when that
/// is flushed. It does not wait for the peer's close frame: read until `Ok(0)`, or use
/// [`close_with`](Self::close_with), which completes the closing handshake. Dropping a stream sends
/// nothing: the peer sees an abnormal closure (code 1006, RFC 6455 section 7.1.5).
///
/// # Two tasks
/// The halves of any `split`, and of [`into_split`](Self::into_split), may be used on two tasks.
/// Reads drive events, pongs and the closing handshake, and so do writes while they wait. So keep a
/// read pending. A stream is `Send`, and `Sync` if its transport is, which a [`BoxTransport`] is
/// not: tasks share its [`handle`](Self::handle).
///
/// # Cancel safety
/// Every future over this stream may be dropped at any point: no data is lost or sent twice.
/// [`close_with`](Self::close_with) discards received data by design.
pub struct WsStream<M = BoxTransport> {
    connection: Connection<M>,
    /// Bytes that were received and not read.
    unread: Bytes,
    subprotocol: Option<Arc<str>>,
    /// The contract, if the subprotocol is one.
    contract: Option<Box<Contract>>,
    response_headers: Option<Box<HeaderMap>>,
    #[cfg(feature = "deflate")]
    compression: Option<Compression>,
}

/// The transport is never pinned: its methods take `&mut self`.
impl<M> Unpin for WsStream<M> {}

/// Shows the number of unread bytes, not the bytes.
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
    /// Three guarantees of connections that this library opens depend on the transport here:
    /// - any received byte counts for the keepalive;
    /// - the work of one poll is bounded;
    /// - data that the peer sent before it disconnected is read, even if a pong can no longer be
    ///   sent.
    #[must_use]
    pub fn new(socket: impl IntoTransport<Transport = M>) -> Self {
        Self::open(socket.into_transport(), Config::default(), Trace::unknown())
    }

    /// Wraps an open WebSocket.
    ///
    /// # Errors
    /// [`WsErr::InvalidConfig`] for a value out of range.
    pub fn with_config(
        socket: impl IntoTransport<Transport = M>,
        config: Config,
    ) -> Result<Self, WsErr> {
        Self::traced(socket.into_transport(), config, Trace::unknown())
    }

    /// Wraps an open WebSocket, in an existing span.
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
            #[cfg(feature = "deflate")]
            compression: None,
        }
    }

    /// A handle to ping, close, observe and count, that outlives `split` and
    /// [`framed`](Self::framed).
    #[must_use]
    pub fn handle(&self) -> WsHandle {
        WsHandle::new(Arc::clone(self.connection.shared()))
    }

    /// The subprotocol that both sides agreed on in the handshake, if
    /// [`Connector`](crate::Connector) or [`Acceptor`](crate::Acceptor) made the connection and
    /// there is one.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// The [`Contract`] that both sides agreed on in the handshake, if there is one: see
    /// [`Connector::contract`](crate::Connector::contract) and
    /// [`Acceptor::contract`](crate::Acceptor::contract).
    ///
    /// A server with several contracts reads the codec from it, and whether
    /// [each item is a message](Contract::is_per_message). [`framed`](Self::framed) and
    /// [`per_message`](Self::per_message) do not check it.
    pub fn contract(&self) -> Option<&Contract> {
        self.contract.as_deref()
    }

    /// The headers of the response that opened the connection, such as `Set-Cookie`, if
    /// [`Connector`](crate::Connector) opened it, outside of browsers. Those of the handshake
    /// itself (`Connection`, `Upgrade`, `Sec-WebSocket-*`) are not among them.
    pub fn response_headers(&self) -> Option<&HeaderMap> {
        self.response_headers.as_deref()
    }

    /// How messages are compressed, if both sides agreed on it in the handshake: see
    /// [`Config::compression`]. `None` in a browser, and over a socket that the caller opened.
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
    pub fn compression(&self) -> Option<Compression> {
        self.compression
    }

    /// The transport, for example to get the address of the peer from a socket of the caller.
    pub fn transport(&self) -> &M {
        self.connection.transport()
    }

    /// Returns the transport, and the bytes that were received and not read, which include a message
    /// that was received while a write waited. The connection ends for its handles, with the outcome
    /// [`CloseOutcome::Lost`](crate::CloseOutcome::Lost). The caller drives the transport from then
    /// on.
    ///
    /// Flush before. Unflushed data is discarded, except for what the transport has taken.
    #[must_use]
    pub fn into_transport(mut self) -> (M, Bytes) {
        if let Some(early) = self.connection.take_early() {
            let before = std::mem::replace(&mut self.unread, early.into());
            self.unread_bytes(before.into());
        }
        (self.connection.into_transport(), self.unread)
    }

    /// Erases the type of the transport: returns the same stream as a `WsStream`.
    #[must_use]
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
            #[cfg(feature = "deflate")]
            compression: self.compression,
        }
    }

    /// The events of the connection from now on, as from [`WsHandle::events`].
    pub fn events(&self) -> WsEvents {
        self.connection.shared().events()
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

    #[cfg(all(feature = "deflate", not(target_arch = "wasm32")))]
    pub(crate) fn with_compression(mut self, compression: Option<Compression>) -> Self {
        self.compression = compression;
        self
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn with_response_headers(mut self, headers: HeaderMap) -> Self {
        self.response_headers = Some(Box::new(headers));
        self
    }

    /// The next received chunk; `None` at the end.
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

    /// See [`MessageTransport::provide_buffer`].
    pub(crate) fn provide_buffer(&mut self, buffer: BytesMut) {
        self.connection.provide_buffer(buffer);
    }

    /// Whether the connection ended with an error for the reader.
    pub(crate) fn ended_with_error(&self) -> bool {
        self.connection.ended_with_error()
    }

    /// Puts bytes back before the unread ones.
    pub(crate) fn unread_bytes(&mut self, bytes: BytesMut) {
        if self.unread.is_empty() {
            self.unread = bytes.freeze();
        } else if !bytes.is_empty() {
            let mut all = bytes;
            all.extend_from_slice(&self.unread);
            self.unread = all.freeze();
        }
    }

    /// Ready when an item may [begin](Self::begin_item).
    #[inline]
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>, mode: Mode) -> Poll<io::Result<()>> {
        self.connection
            .poll_ready(cx, mode)
            .map_err(io::Error::from)
    }

    /// Begins an item in the write buffer.
    #[inline]
    pub(crate) fn begin_item(&mut self, mode: Mode) -> io::Result<NewItem<'_>> {
        Ok(self.connection.begin_item(mode)?)
    }

    /// Appends shared bytes to the write buffer, without a copy where possible.
    pub(crate) fn buffer_bytes(&mut self, mode: Mode, bytes: SharedBytes) -> io::Result<()> {
        self.connection
            .buffer_bytes(mode, bytes)
            .map_err(|error| CodecError::from(error).into())
    }

    /// Fails the connection because received data cannot be decoded.
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

    /// See [`WsEvent`] for the guarantees. The kind of channel in `options` has no effect. A filter
    /// is applied, and must not call the handle.
    fn observe(&mut self, options: ObserveConfig<WsEvent>) -> Observe<'_, WsEvent, WsErr> {
        self.connection.shared().observe(options)
    }
}
