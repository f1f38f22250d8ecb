//! Owned halves of an item stream.

use std::{future::poll_fn, time::Duration};

use asynchronous_codec::Encoder;
use ws_framed_codecs::EncodeRef;

use super::WsFramed;
use crate::{
    close::{CloseFrame, CloseOutcome},
    encoded::Encoded,
    error::WsErr,
    handle::WsHandle,
    split::{WsReceiver, WsSender, split},
    time::{Task, Timer},
    transport::MessageTransport,
};

impl<T, C, M: MessageTransport> WsFramed<T, C, M> {
    /// Splits into two owned halves for two tasks, in the order of futures' `split`.
    /// [`reunite`](WsSender::reunite) joins them.
    ///
    /// Unlike the halves of futures' `split`, the sending half has
    /// [`feed_ref`](WsSender::feed_ref), [`feed_encoded`](WsSender::feed_encoded) and
    /// [`close_with`](WsSender::close_with). It buffers no further item: items are sent before the
    /// receiving half waits. The halves share a lock, see [`WsSender`](WsSender#two-tasks).
    ///
    /// ```
    /// use futures::{SinkExt, TryStreamExt};
    /// use ws_framed::{CloseFrame, CodecError, Lines, WsFramed};
    ///
    /// type Error = Box<dyn std::error::Error + Send + Sync>;
    ///
    /// async fn talk(lines: WsFramed<String, Lines>) -> Result<(), Error> {
    ///     let (mut sender, mut receiver) = lines.into_split();
    ///     let reading = tokio::spawn(async move {
    ///         while let Some(line) = receiver.try_next().await? {
    ///             println!("{line}");
    ///         }
    ///         Ok::<_, CodecError>(())
    ///     });
    ///     for greeting in ["Hello!", "Welcome!"] {
    ///         sender.feed_ref(greeting).await?;
    ///     }
    ///     sender.close().await?;
    ///     reading.await??;
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn into_split(self) -> (WsSender<Self>, WsReceiver<Self>) {
        split(self)
    }
}

impl<T, C, M: MessageTransport> WsSender<WsFramed<T, C, M>> {
    /// Sends an item by reference, as [`WsFramed::feed_ref`] does.
    ///
    /// # Errors
    /// Those of [`WsFramed::feed_ref`].
    ///
    /// # Cancel safety
    /// See [`WsFramed::feed_ref`].
    pub async fn feed_ref(&mut self, item: &C::Ref) -> Result<(), C::Error>
    where
        C: EncodeRef,
    {
        poll_fn(|cx| self.lock().poll_feed_ref(cx, item)).await
    }

    /// Sends an item by reference, and flushes, as [`WsFramed::send_ref`] does.
    ///
    /// # Errors
    /// Those of [`WsFramed::send_ref`].
    ///
    /// # Cancel safety
    /// See [`WsFramed::send_ref`].
    pub async fn send_ref(&mut self, item: &C::Ref) -> Result<(), C::Error>
    where
        C: EncodeRef,
    {
        self.feed_ref(item).await?;
        poll_fn(|cx| self.lock().poll_flush_items(cx)).await
    }

    /// Sends an [`Encoded`] item, as [`WsFramed::feed_encoded`] does.
    ///
    /// # Errors
    /// Those of [`WsFramed::feed_encoded`].
    ///
    /// # Cancel safety
    /// See [`WsFramed::feed_encoded`].
    pub async fn feed_encoded(&mut self, item: &Encoded<C>) -> Result<(), C::Error>
    where
        C: Encoder,
    {
        poll_fn(|cx| self.lock().poll_feed_encoded(cx, item)).await
    }

    /// Sends an [`Encoded`] item, and flushes, as [`WsFramed::send_encoded`] does.
    ///
    /// # Errors
    /// Those of [`WsFramed::send_encoded`].
    ///
    /// # Cancel safety
    /// See [`WsFramed::send_encoded`].
    pub async fn send_encoded(&mut self, item: &Encoded<C>) -> Result<(), C::Error>
    where
        C: Encoder,
    {
        self.feed_encoded(item).await?;
        poll_fn(|cx| self.lock().poll_flush_items(cx)).await
    }

    /// Closes the connection, and returns how it ended, as [`WsFramed::close_with`] does. Items
    /// that still arrive are discarded, and the receiving half ends, whether or not it is polled.
    /// To receive items until the peer's close frame, use `close` of futures' `SinkExt`.
    ///
    /// # Errors
    /// Those of [`WsStream::close_with`](crate::WsStream::close_with).
    ///
    /// # Cancel safety
    /// Dropping the future leaves the connection closing; another `close_with` continues the close.
    pub async fn close_with(&mut self, frame: CloseFrame) -> Result<CloseOutcome, WsErr> {
        poll_fn(|cx| self.lock().poll_close_with(Task::Writer, cx, &frame, None)).await
    }

    /// Closes the connection like [`close_with`](Self::close_with), in at most `limit` altogether,
    /// as [`WsStream::close_within`](crate::WsStream::close_within) does.
    ///
    /// # Errors
    /// Those of [`WsStream::close_with`](crate::WsStream::close_with).
    ///
    /// # Cancel safety
    /// See [`WsStream::close_within`](crate::WsStream::close_within).
    pub async fn close_within(
        &mut self,
        frame: CloseFrame,
        limit: Duration,
    ) -> Result<CloseOutcome, WsErr> {
        let mut limit = Timer::after(limit);
        poll_fn(|cx| {
            self.lock()
                .poll_close_with(Task::Writer, cx, &frame, Some(&mut limit))
        })
        .await
    }

    /// A handle to ping, close, observe and count, see [`WsFramed::handle`].
    #[must_use]
    pub fn handle(&self) -> WsHandle {
        self.lock().handle()
    }
}

impl<T, C, M: MessageTransport> WsReceiver<WsFramed<T, C, M>> {
    /// A handle to ping, close, observe and count, see [`WsFramed::handle`].
    #[must_use]
    pub fn handle(&self) -> WsHandle {
        self.lock().handle()
    }
}
