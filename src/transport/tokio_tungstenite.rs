//! `TokioTungstenite`: a transport over a `WebSocketStream` of `tokio-tungstenite`.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::WebSocketConfig};

use super::{
    IntoTransport, MessageTransport, Properties,
    tungstenite::{Adapter, Socket, delegate_transport},
};
use crate::{error::WsErr, message::Message};

/// A [`MessageTransport`] over a `tokio_tungstenite::WebSocketStream` that the caller opened.
///
/// [`WsStream::new`](crate::WsStream::new) wraps the bare socket in it. What is said of
/// [`Tungstenite`](crate::Tungstenite) holds here too.
#[derive(Debug)]
pub struct TokioTungstenite<S>(Adapter<WebSocketStream<S>>);

impl<S> TokioTungstenite<S> {
    /// The socket.
    pub fn get_ref(&self) -> &WebSocketStream<S> {
        &self.0.socket
    }

    /// The socket. Messages sent or received through it are not seen by the connection.
    pub fn get_mut(&mut self) -> &mut WebSocketStream<S> {
        &mut self.0.socket
    }

    /// Gives the socket back.
    pub fn into_inner(self) -> WebSocketStream<S> {
        self.0.socket
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> IntoTransport for WebSocketStream<S> {
    type Transport = TokioTungstenite<S>;

    fn into_transport(self) -> TokioTungstenite<S> {
        TokioTungstenite(Adapter::new(self))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> From<WebSocketStream<S>> for TokioTungstenite<S> {
    fn from(socket: WebSocketStream<S>) -> Self {
        socket.into_transport()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket for WebSocketStream<S> {
    fn config(&self) -> &WebSocketConfig {
        self.get_config()
    }

    fn poll_read_below(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buf = ReadBuf::new(buf);
        ready!(Pin::new(self.get_mut()).poll_read(cx, &mut buf))?;
        Poll::Ready(Ok(buf.filled().len()))
    }

    fn poll_flush_below(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.get_mut()).poll_flush(cx)
    }

    fn poll_close_below(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.get_mut()).poll_shutdown(cx)
    }
}

delegate_transport!(TokioTungstenite<S>, S: AsyncRead + AsyncWrite + Unpin);
