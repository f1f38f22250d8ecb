//! `tokio_tungstenite::WebSocketStream` as a [`MessageTransport`]. Its engine is that of `async_tungstenite`.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;

use super::{
    MessageTransport,
    tungstenite::{
        DISCARDED_PER_POLL, from_engine, into_engine, max_send_len, receive_error, send_error,
        unexpected_frame,
    },
};
use crate::{error::WsErr, message::Message};

/// For sockets that the user opened.
impl<S: AsyncRead + AsyncWrite + Unpin> MessageTransport for WebSocketStream<S> {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        Poll::Ready(match ready!(Stream::poll_next(Pin::new(self), cx)) {
            Some(Ok(message)) => Some(from_engine(message).ok_or_else(unexpected_frame)),
            Some(Err(error)) => receive_error(error).map(Err),
            None => None,
        })
    }

    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        poll_discard(self.get_mut(), cx).map(|()| None)
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Sink::poll_ready(Pin::new(self), cx).map_err(send_error)
    }

    fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
        Sink::start_send(Pin::new(self), into_engine(message)).map_err(send_error)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Sink::poll_flush(Pin::new(self), cx).map_err(send_error)
    }

    fn poll_flush_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        // The last flush of a server's engine stops short of what lies below it.
        Pin::new(self.get_mut())
            .poll_flush(cx)
            .map_err(WsErr::of_transport)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        let io = self.get_mut();
        ready!(Pin::new(&mut *io).poll_flush(cx))?;
        Pin::new(io).poll_shutdown(cx).map_err(WsErr::from)
    }

    fn max_send_len(&self) -> Option<usize> {
        Some(max_send_len(self.get_config()))
    }
}

/// Reads, for nobody, until the connection ends.
fn poll_discard(io: &mut (impl AsyncRead + Unpin), cx: &mut Context<'_>) -> Poll<()> {
    let mut waste = [0; 4096];
    for _ in 0..DISCARDED_PER_POLL / waste.len() {
        let mut waste = ReadBuf::new(&mut waste);
        let read = ready!(Pin::new(&mut *io).poll_read(cx, &mut waste));
        if read.is_err() || waste.filled().is_empty() {
            return Poll::Ready(());
        }
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}
