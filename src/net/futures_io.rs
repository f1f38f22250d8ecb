//! Opening connections over streams of futures-io.

use futures::io::{AsyncRead, AsyncWrite};

use crate::{
    client::Connector,
    error::WsErr,
    handshake::{rejection::Rejection, request::HandshakeRequest},
    server::Acceptor,
    stream::WsStream,
    transport::io::FuturesIo,
};

impl Connector {
    /// `connect_over` for streams of futures-io: those of smol, or of no runtime.
    ///
    /// # Errors
    /// [`WsErr::InvalidUrl`], [`WsErr::InvalidHeader`], [`WsErr::InvalidConfig`],
    /// [`WsErr::TimedOut`], [`WsErr::Rejected`], [`WsErr::NoSubprotocol`], [`WsErr::Handshake`], as
    /// in `connect`; [`WsErr::Io`] if the stream fails, or a certificate is not trusted.
    ///
    /// # Cancel safety
    /// Dropping the future drops `io`. Nothing continues in the background.
    pub async fn connect_over_futures_io<S>(
        &self,
        io: S,
        url: impl AsRef<str>,
    ) -> Result<WsStream, WsErr>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.connect_on(wrap(io), url.as_ref(), |io| peer_addr(&io.io))
            .await
    }
}

impl Acceptor {
    /// [`accept`](Self::accept) for streams of futures-io: those of smol, or of no runtime.
    ///
    /// # Errors
    /// See [`accept`](Self::accept).
    ///
    /// # Cancel safety
    /// See [`accept`](Self::accept).
    pub async fn accept_futures_io<S>(&self, io: S) -> Result<WsStream, WsErr>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.open(wrap(io), |io| peer_addr(&io.io), |_| Ok(()))
            .await
    }

    /// [`accept_with`](Self::accept_with) for streams of futures-io.
    ///
    /// # Errors
    /// See [`accept`](Self::accept).
    ///
    /// # Cancel safety
    /// See [`accept`](Self::accept).
    pub async fn accept_futures_io_with<S>(
        &self,
        io: S,
        validate: impl FnOnce(&HandshakeRequest<'_>) -> Result<(), Rejection> + Send,
    ) -> Result<WsStream, WsErr>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.open(wrap(io), |io| peer_addr(&io.io), validate).await
    }
}

#[cfg(feature = "smol")]
use super::smol::peer_addr;

/// No type of stream with a known address.
#[cfg(not(feature = "smol"))]
fn peer_addr<S>(_: &S) -> Option<std::net::SocketAddr> {
    None
}

/// TCP writes all slices of a vectored write; of other streams that is not known.
fn wrap<S: 'static>(io: S) -> FuturesIo<S> {
    if peer_addr(&io).is_some() {
        FuturesIo::vectored(io)
    } else {
        FuturesIo::new(io)
    }
}
