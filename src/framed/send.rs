//! Sending items.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use asynchronous_codec::Encoder;
use futures::Sink;
use ws_framed_codecs::{CodecError, EncodeRef};

use super::WsFramed;
use crate::{encoded::Encoded, transport::MessageTransport};

impl<T, C, M> Sink<<C as Encoder>::Item<'_>> for WsFramed<T, C, M>
where
    C: Encoder,
    M: MessageTransport,
{
    type Error = C::Error;

    #[inline]
    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        let Self { stream, mode, .. } = self.get_mut();
        stream.poll_ready(cx, *mode).map_err(C::Error::from)
    }

    #[inline]
    fn start_send(self: Pin<&mut Self>, item: C::Item<'_>) -> Result<(), C::Error> {
        let this = self.get_mut();
        let mut new = this.stream.begin_item(this.mode)?;
        this.codec.encode(item, new.bytes())?;
        Ok(new.finish()?)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.get_mut().poll_flush_items(cx)
    }

    /// Flushes, sends a close frame with code 1000, and is ready when that is flushed. Read until
    /// `None` to wait for the peer's close frame, or use [`WsFramed::close_with`].
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.get_mut()
            .stream
            .poll_close_normal(cx)
            .map_err(C::Error::from)
    }
}

impl<T, C, M: MessageTransport> WsFramed<T, C, M> {
    /// Sends an item by reference, without a flush: `feed` of futures' `SinkExt` for a codec that
    /// encodes references. All codecs of this library do.
    ///
    /// The halves of futures' `split` do not have this method; those of
    /// [`into_split`](Self::into_split) do.
    ///
    /// # Errors
    /// Those of `feed`. If the item cannot be encoded, no part of it is sent, and the sink can
    /// still be used.
    ///
    /// # Cancel safety
    /// The future waits for room, and is ready as soon as the item is encoded. Dropping it before
    /// that has no effect.
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

    /// Sends an item by reference, and flushes: `send` of futures' `SinkExt` for a reference.
    ///
    /// # Errors
    /// Those of `send`. If the item cannot be encoded, no part of it is sent, and the sink can
    /// still be used.
    ///
    /// # Cancel safety
    /// Dropping the future before the item is encoded has no effect. After that, the item is sent,
    /// once, by the next flush or a read that waits.
    pub async fn send_ref(&mut self, item: &C::Ref) -> Result<(), C::Error>
    where
        C: EncodeRef,
    {
        self.feed_ref(item).await?;
        poll_fn(|cx| self.poll_flush_items(cx)).await
    }

    /// Sends an [`Encoded`] item, without a flush. It is sent in order with other items, and is the
    /// same on the wire.
    ///
    /// Its bytes are not copied: messages of at most
    /// [`max_send_message_len`](crate::Config::max_send_message_len) share them. Bytes are copied
    /// only if they fit into one message with items before or after them, without a flush in
    /// between.
    ///
    /// If each item is [one message](WsFramed::per_message), the item is sent without its length
    /// prefix, and only text is copied. So one [`Encoded`] serves connections of both kinds.
    ///
    /// The halves of futures' `split` do not have this method; those of
    /// [`into_split`](Self::into_split) do.
    ///
    /// # Errors
    /// Those of `feed`, except for those of the codec. [`CodecError::Unencodable`] with
    /// [`WsErr::NotEncoded`](crate::WsErr::NotEncoded) inside, if the item was not encoded for the
    /// [contract](crate::Contracts) of this stream, or if only one of the two is by contract.
    /// Nothing of it is sent, and the stream goes on.
    ///
    /// # Cancel safety
    /// The future waits for room first. Dropping it before it is ready has no effect.
    pub async fn feed_encoded(&mut self, item: &Encoded<C>) -> Result<(), C::Error>
    where
        C: Encoder,
    {
        poll_fn(|cx| self.poll_feed_encoded(cx, item)).await
    }

    /// Sends an [`Encoded`] item, and flushes.
    ///
    /// # Errors
    /// Those of [`feed_encoded`](Self::feed_encoded) and of a flush.
    ///
    /// # Cancel safety
    /// See [`send_ref`](Self::send_ref).
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
        let mut new = self.stream.begin_item(self.mode)?;
        self.codec.encode_ref(item, new.bytes())?;
        Poll::Ready(Ok(new.finish()?))
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
        let bytes = bytes.map_err(|error| io::Error::from(CodecError::from(error)));
        let bytes = bytes?.clone();
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
