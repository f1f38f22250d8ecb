// Its snippets are tested in `examples/frameworks`.
#![cfg_attr(not(doctest), doc = include_str!("smol.md"))]

use std::{any::Any, net::SocketAddr};

use async_net::TcpStream;
use futures::io::{AsyncRead, AsyncWrite};

use super::tcp;
use crate::{
    client::Connector, error::WsErr, server::Acceptor, stream::WsStream, transport::io::FuturesIo,
};

/// Connects to a WebSocket URL by TCP, without Nagle's algorithm.
///
/// # Errors
/// See [`connect_with`].
///
/// # Cancel safety
/// See [`connect_with`].
pub async fn connect(url: impl AsRef<str>) -> Result<WsStream, WsErr> {
    connect_with(&Connector::new(), url).await
}

/// Connects to a WebSocket URL with these settings, by TCP without Nagle's algorithm. For `wss://`,
/// see
#[cfg_attr(feature = "rustls", doc = "[`tls`](crate::tls).")]
#[cfg_attr(not(feature = "rustls"), doc = "the feature `rustls`.")]
///
/// # Errors
/// - [`WsErr::InvalidUrl`], [`WsErr::InvalidHeader`], [`WsErr::InvalidConfig`]: an argument is not
///   valid.
/// - [`WsErr::TimedOut`] after [`handshake_timeout`](crate::Config::handshake_timeout).
/// - [`WsErr::Io`]: there is no connection, or the certificate is not trusted.
/// - [`WsErr::Rejected`]: the server responded with another status than 101.
/// - [`WsErr::NoSubprotocol`]: the server selected none.
/// - [`WsErr::Extension`]: the server selected one that was not offered.
/// - [`WsErr::Handshake`] for any other response.
///
/// # Cancel safety
/// Dropping the future closes the socket. Only a lookup of the host name may continue in the
/// background. The server sees a client that disconnected.
pub async fn connect_with(connector: &Connector, url: impl AsRef<str>) -> Result<WsStream, WsErr> {
    let connect_tcp = async |host: String, port| {
        let socket = TcpStream::connect((host, port)).await?;
        socket.set_nodelay(true)?;
        Ok(FuturesIo::vectored(socket))
    };
    connector
        .connect_by(url.as_ref(), connect_tcp, |io| prepare_tcp(&io.io))
        .await
}

/// Accepts a WebSocket on any stream of futures-io.
///
/// # Errors
/// See [`Acceptor::accept_futures_io`].
///
/// # Cancel safety
/// See [`Acceptor::accept_futures_io`].
pub async fn accept<S>(io: S) -> Result<WsStream, WsErr>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Acceptor::new().accept_futures_io(io).await
}

/// If `io` is a TCP socket, disables Nagle's algorithm, limits what the operating system holds, and returns
/// the address of the peer.
pub(super) fn prepare_tcp<S: 'static>(io: &S) -> Option<SocketAddr> {
    let io: &dyn Any = io;
    let socket = io.downcast_ref::<TcpStream>()?;
    // A socket that refuses the option is slower, and works.
    let _ = socket.set_nodelay(true);
    tcp::limit_unsent(socket);
    socket.peer_addr().ok()
}
