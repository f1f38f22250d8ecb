//! Opening connections over streams of futures-io.

use std::net::SocketAddr;

use futures::io::{AsyncRead, AsyncWrite};

use crate::{
    client::Connector, error::WsErr, server::Acceptor, stream::WsStream, transport::io::FuturesIo,
};

impl Connector {
    /// `connect_over` for streams of futures-io: those of smol, or of no runtime.
    ///
    /// # Errors
    /// [`WsErr::InvalidUrl`], [`WsErr::InvalidHeader`], [`WsErr::InvalidConfig`],
    /// [`WsErr::TimedOut`], [`WsErr::Rejected`], [`WsErr::NoSubprotocol`], [`WsErr::Extension`],
    /// [`WsErr::Handshake`], as in `connect`; [`WsErr::Io`] if the stream fails, or a certificate
    /// is not trusted. [`WsErr::InvalidConfig`] also for a setting without effect.
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
        let (io, peer) = wrap(io);
        self.connect_on(io, url.as_ref(), peer).await
    }
}

impl<T> Acceptor<T> {
    /// `accept` for streams of futures-io: those of smol, or of no runtime.
    ///
    /// # Errors
    /// [`WsErr::Rejected`], [`WsErr::Handshake`], [`WsErr::TimedOut`], [`WsErr::InvalidHeader`],
    /// [`WsErr::InvalidConfig`], as in `accept`; [`WsErr::Io`] if the stream fails.
    ///
    /// # Cancel safety
    /// Dropping the future drops `io`. Nothing continues in the background, and the client sees an
    /// abnormal closure.
    pub async fn accept_futures_io<S>(&self, io: S) -> Result<T, WsErr>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (io, peer) = wrap(io);
        self.open(io, peer).await
    }
}

#[cfg(feature = "smol")]
use super::smol::prepare_tcp;

/// No type of stream with a known address.
#[cfg(not(feature = "smol"))]
fn prepare_tcp<S>(_: &S) -> Option<SocketAddr> {
    None
}

/// The stream, and the address of the peer, which is known of TCP sockets only. TCP writes all
/// slices of a vectored write; of other streams that is not known.
fn wrap<S: 'static>(io: S) -> (FuturesIo<S>, Option<SocketAddr>) {
    let peer = prepare_tcp(&io);
    let io = if peer.is_some() {
        FuturesIo::vectored(io)
    } else {
        FuturesIo::new(io)
    };
    (io, peer)
}
