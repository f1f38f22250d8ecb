//! Owned halves of a byte stream.

use std::{
    fmt,
    future::poll_fn,
    io,
    sync::MutexGuard,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;

use super::{WsStream, consume};
use crate::{
    close::{CloseFrame, CloseOutcome},
    connection::Mode,
    error::WsErr,
    handle::WsHandle,
    split::{Half, ReuniteError},
    time::{Task, Timer},
    transport::{BoxTransport, MessageTransport},
};

/// The reading half of a [`WsStream`], from [`into_split`](WsStream::into_split): `AsyncRead` and
/// `AsyncBufRead` of futures-io, and of tokio behind the feature `tokio`.
///
/// Reads drive replies, timers and the closing handshake. So keep a read pending, even if no data
/// is expected.
pub struct WsReader<M = BoxTransport> {
    half: Half<WsStream<M>>,
    /// Bytes that were received and not read. Reading them takes no lock.
    unread: Bytes,
}

/// The writing half of a [`WsStream`], from [`into_split`](WsStream::into_split): `AsyncWrite` of
/// futures-io, and of tokio behind the feature `tokio`.
pub struct WsWriter<M = BoxTransport> {
    half: Half<WsStream<M>>,
}

impl<M: MessageTransport> WsStream<M> {
    /// Splits into two owned halves for two tasks. Unlike those of futures' and tokio's `split`,
    /// the writing half has [`close_with`](WsWriter::close_with), and the reading half is an
    /// `AsyncBufRead`.
    ///
    /// A half neither starves the other nor takes its wakeups. The halves share the
    /// connection by a lock, see [`WsSender`](crate::WsSender#two-tasks); a read of bytes that were
    /// received does not take it.
    ///
    /// ```
    /// use futures::{AsyncReadExt, AsyncWriteExt};
    /// use ws_framed::{CloseFrame, CloseOutcome, WsErr, WsStream};
    ///
    /// async fn upload(stream: WsStream, file: &[u8]) -> Result<CloseOutcome, WsErr> {
    ///     let (mut reader, mut writer) = stream.into_split();
    ///     let acknowledged = tokio::spawn(async move { reader.read(&mut [0]).await });
    ///     writer.write_all(file).await?;
    ///     writer.flush().await?;
    ///     println!("{:?}", acknowledged.await);
    ///     writer.close_with(CloseFrame::normal()).await
    /// }
    /// ```
    #[must_use]
    pub fn into_split(mut self) -> (WsReader<M>, WsWriter<M>) {
        let unread = self.take_unread();
        let (reader, writer) = Half::pair(self);
        (
            WsReader {
                half: reader,
                unread,
            },
            WsWriter { half: writer },
        )
    }
}

impl<M: MessageTransport> WsReader<M> {
    /// Joins both halves, without loss.
    ///
    /// # Errors
    /// Both halves, if they belong to different connections.
    pub fn reunite(
        self,
        writer: WsWriter<M>,
    ) -> Result<WsStream<M>, ReuniteError<Self, WsWriter<M>>> {
        let Self { half, unread } = self;
        match half.join(writer.half) {
            Ok(mut stream) => {
                stream.unread = unread;
                Ok(stream)
            }
            Err((half, writer)) => Err(ReuniteError(
                Self { half, unread },
                WsWriter { half: writer },
            )),
        }
    }

    /// A handle to ping, close, observe and count, see [`WsStream::handle`].
    #[must_use]
    pub fn handle(&self) -> WsHandle {
        self.half.lock().handle()
    }

    /// Unread bytes, at least one unless the stream has ended.
    pub(super) fn poll_unread(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        if self.unread.is_empty() {
            if let Some(data) = ready!(self.half.lock().poll_next_chunk(cx, Mode::Packed)) {
                self.unread = data?.into_bytes();
            }
        }
        Poll::Ready(Ok(&self.unread))
    }

    pub(super) fn consume_unread(&mut self, amount: usize) {
        consume(&mut self.unread, amount);
    }
}

impl<M: MessageTransport> WsWriter<M> {
    /// Joins both halves, see [`WsReader::reunite`].
    ///
    /// # Errors
    /// Both halves, if they belong to different connections.
    pub fn reunite(
        self,
        reader: WsReader<M>,
    ) -> Result<WsStream<M>, ReuniteError<WsReader<M>, Self>> {
        reader.reunite(self)
    }

    /// Closes the connection, and returns how it ended, as [`WsStream::close_with`] does. Data that
    /// still arrives is discarded, and the reading half ends after the bytes it has received. To
    /// read until the peer's close frame, use `close` (`shutdown` of tokio).
    ///
    /// # Errors
    /// Those of [`WsStream::close_with`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves the connection closing; another `close_with` continues the close.
    pub async fn close_with(&mut self, frame: CloseFrame) -> Result<CloseOutcome, WsErr> {
        poll_fn(|cx| {
            self.lock()
                .poll_close_with(Task::Writer, cx, &frame, Mode::Packed, None)
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
            self.lock()
                .poll_close_with(Task::Writer, cx, &frame, Mode::Packed, Some(&mut limit))
        })
        .await
    }

    /// A handle to ping, close, observe and count, see [`WsStream::handle`].
    #[must_use]
    pub fn handle(&self) -> WsHandle {
        self.lock().handle()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, WsStream<M>> {
        self.half.lock()
    }
}

/// Shows the number of unread bytes, not the bytes.
impl<M> fmt::Debug for WsReader<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WsReader")
            .field("unread", &self.unread.len())
            .finish_non_exhaustive()
    }
}

/// Shows no content: the other half may hold the lock.
impl<M> fmt::Debug for WsWriter<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WsWriter").finish_non_exhaustive()
    }
}
