//! Sending items.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use asynchronous_codec::Encoder;
use futures::Sink;
use ws_framed_codecs::EncodeRef;

use super::WsFramed;
use crate::{encoded::Encoded, transport::MessageTransport};

impl<T, C, M> Sink<<C as Encoder>::Item<'_>> for WsFramed<T, C, M>
where
    C: Encoder,
    M: MessageTransport,
{
    type Error = C::Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        let Self { stream, mode, .. } = self.get_mut();
        stream.poll_ready(cx, *mode).map_err(C::Error::from)
    }

    fn start_send(self: Pin<&mut Self>, item: C::Item<'_>) -> Result<(), C::Error> {
        let this = self.get_mut();
        this.stream
            .buffer(this.mode, |buffer| this.codec.encode(item, buffer))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.get_mut().poll_flush_items(cx)
    }

    /// Flushes, sends a close frame with code 1000, and is ready when that is flushed. Read on until
    /// `None` to see the peer's, or use [`WsFramed::close_with`].
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.get_mut()
            .stream
            .poll_close_normal(cx)
            .map_err(C::Error::from)
    }
}

impl<T, C, M: MessageTransport> WsFramed<T, C, M> {
    /// Sends an item that stays where it is: like `feed` of futures' `SinkExt`, for a codec that can do with a
    /// reference, as all of this crate can.
    ///
    /// The halves of futures' `split` do not have it; those of [`into_split`](Self::into_split) do.
    ///
    /// # Errors
    /// As those of `feed`. When the item cannot be encoded, nothing of it was sent, and the sink goes on.
    ///
    /// # Cancel safety
    /// It waits for room before it looks at the item, and is ready when that is encoded. Dropped before that, it
    /// has done nothing.
    ///
    /// ```
    /// use futures::SinkExt;
    /// use ws_framed::{CodecError, Lines, WsFramed};
    ///
    /// async fn greet(lines: &mut WsFramed<String, Lines>, names: &[String]) -> Result<(), CodecError> {
    ///     for name in names {
    ///         lines.feed_ref("Hello").await?;
    ///         lines.feed_ref(name).await?;
    ///     }
    ///     lines.flush().await
    /// }
    /// ```
    pub async fn feed_ref(&mut self, item: &C::Ref) -> Result<(), C::Error>
    where
        C: EncodeRef,
    {
        poll_fn(|cx| self.poll_feed_ref(cx, item)).await
    }

    /// Sends an item that stays where it is, and flushes: like `send` of futures' `SinkExt`.
    ///
    /// # Errors
    /// As those of `send`. When the item cannot be encoded, nothing of it was sent, and the sink
    /// goes on.
    pub async fn send_ref(&mut self, item: &C::Ref) -> Result<(), C::Error>
    where
        C: EncodeRef,
    {
        self.feed_ref(item).await?;
        poll_fn(|cx| self.poll_flush_items(cx)).await
    }

    /// Sends an item that is encoded already, perhaps over many connections: see [`Encoded`]. In order with
    /// those that are sent otherwise, and the same on the wire.
    ///
    /// Its bytes are not copied: messages of at most
    /// [`max_send_message_len`](crate::Config::max_send_message_len) share them. Only what fits into a message
    /// together with what was sent before or after it, without a flush between, is copied into that message.
    /// Where each item is [one message](WsFramed::per_message), it goes out without its length, and only text is
    /// copied; so one [`Encoded`] serves connections of both kinds.
    ///
    /// The halves of futures' `split` do not have it; those of [`into_split`](Self::into_split) do.
    ///
    /// # Errors
    /// As those of `feed`, except for those of the codec. [`WsErr::NoCodec`](crate::WsErr::NoCodec) if
    /// one of the two is by [contract](crate::Contracts), and the other one is not, or is by others.
    ///
    /// # Cancel safety
    /// It waits for room first. Dropped before it is ready, it has done nothing.
    pub async fn feed_encoded(&mut self, item: &Encoded<C>) -> Result<(), C::Error>
    where
        C: Encoder,
    {
        poll_fn(|cx| self.poll_feed_encoded(cx, item)).await
    }

    /// Sends an item that is encoded already, and flushes.
    ///
    /// # Errors
    /// Those of [`feed_encoded`](Self::feed_encoded) and of a flush.
    pub async fn send_encoded(&mut self, item: &Encoded<C>) -> Result<(), C::Error>
    where
        C: Encoder,
    {
        self.feed_encoded(item).await?;
        poll_fn(|cx| self.poll_flush_items(cx)).await
    }

    pub(super) fn poll_feed_ref(
        &mut self,
        cx: &mut Context<'_>,
        item: &C::Ref,
    ) -> Poll<Result<(), C::Error>>
    where
        C: EncodeRef,
    {
        ready!(self.stream.poll_ready(cx, self.mode))?;
        let encoded = self
            .stream
            .buffer(self.mode, |buffer| self.codec.encode_ref(item, buffer));
        Poll::Ready(encoded)
    }

    pub(super) fn poll_feed_encoded(
        &mut self,
        cx: &mut Context<'_>,
        item: &Encoded<C>,
    ) -> Poll<Result<(), C::Error>>
    where
        C: Encoder,
    {
        let bytes = item.bytes_for(self.contract.as_deref());
        let bytes = bytes.map_err(io::Error::from)?.clone();
        ready!(self.stream.poll_ready(cx, self.mode))?;
        Poll::Ready(Ok(self.stream.buffer_bytes(self.mode, bytes)?))
    }

    pub(super) fn poll_flush_items(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>>
    where
        C: Encoder,
    {
        self.stream.poll_flush_buffered(cx).map_err(C::Error::from)
    }
}
