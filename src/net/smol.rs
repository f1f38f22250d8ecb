// Its snippets are tested in `examples/frameworks`.
#![cfg_attr(not(doctest), doc = include_str!("smol.md"))]

use std::{
    any::Any,
    io,
    net::{IpAddr, SocketAddr},
};

use async_io::Async;
use async_net::TcpStream;
use futures::io::{AsyncRead, AsyncWrite};
use socket2::{Domain, Protocol, Socket, Type};

use super::{tcp::Runtime, tcp_options::limit_unsent};
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

/// Connects to a WebSocket URL with these settings, by TCP without Nagle's algorithm. The addresses
/// of a name are tried as RFC 8305 describes: IPv6 and IPv4 in turn, the next one after 250 ms or
/// as soon as one fails. For `wss://`, see
#[cfg_attr(feature = "rustls", doc = "[`tls`](crate::tls).")]
#[cfg_attr(not(feature = "rustls"), doc = "the feature `rustls`.")]
///
/// # Errors
/// - [`WsErr::InvalidUrl`], [`WsErr::InvalidHeader`], [`WsErr::InvalidConfig`]: an argument is not
///   valid.
/// - [`WsErr::Connect`]: the name cannot be resolved, or no address could be connected to, see
///   [`ConnectError`](crate::ConnectError). If
///   [`handshake_timeout`](crate::Config::handshake_timeout) elapses meanwhile, its kind is
///   `TimedOut`.
/// - [`WsErr::TimedOut`] if it elapses before, or later.
/// - [`WsErr::Proxy`]: the proxy did not connect to the server.
/// - [`WsErr::Io`]: the connection failed, or the certificate is not trusted.
/// - [`WsErr::Rejected`]: the server responded with another status than 101.
/// - [`WsErr::NoSubprotocol`]: the server selected none.
/// - [`WsErr::Extension`]: the server selected one that was not offered.
/// - [`WsErr::Handshake`] for any other response.
///
/// # Cancel safety
/// Dropping the future closes the socket. Only a lookup of the host name may continue in the
/// background. The server sees a client that disconnected.
pub async fn connect_with(connector: &Connector, url: impl AsRef<str>) -> Result<WsStream, WsErr> {
    connector.connect_by::<Smol>(url.as_ref()).await
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

/// The sockets of smol.
struct Smol;

impl Runtime for Smol {
    type Socket = FuturesIo<TcpStream>;

    async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        async_net::resolve((host, port)).await
    }

    async fn connect(address: SocketAddr, local: Option<IpAddr>) -> io::Result<Self::Socket> {
        let socket = match local {
            None => Async::<std::net::TcpStream>::connect(address).await?,
            Some(local) => connect_from(local, address).await?,
        };
        Ok(FuturesIo::vectored(TcpStream::from(socket)))
    }

    fn prepare(socket: &Self::Socket) -> Option<SocketAddr> {
        prepare_tcp(&socket.io)
    }
}

/// Connects from a local address, which the crates of smol do not offer.
async fn connect_from(
    local: IpAddr,
    address: SocketAddr,
) -> io::Result<Async<std::net::TcpStream>> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::new(local, 0).into())?;
    match socket.connect(&address.into()) {
        Err(error) if !is_in_progress(&error) => return Err(error),
        _ => {}
    }
    let socket = Async::new_nonblocking(std::net::TcpStream::from(socket))?;
    socket.writable().await?;
    match socket.get_ref().take_error()? {
        Some(error) => Err(error),
        None => Ok(socket),
    }
}

/// Whether a connection is being opened in the background.
fn is_in_progress(error: &io::Error) -> bool {
    #[cfg(unix)]
    let in_progress = Some(libc::EINPROGRESS);
    #[cfg(not(unix))]
    let in_progress = None;
    error.kind() == io::ErrorKind::WouldBlock
        || in_progress.is_some() && error.raw_os_error() == in_progress
}

/// If `io` is a TCP socket, disables Nagle's algorithm, limits what the operating system holds, and
/// returns the address of the peer.
pub(super) fn prepare_tcp<S: 'static>(io: &S) -> Option<SocketAddr> {
    let io: &dyn Any = io;
    let socket = io.downcast_ref::<TcpStream>()?;
    // A socket that refuses the option is slower, and works.
    let _ = socket.set_nodelay(true);
    limit_unsent(socket);
    socket.peer_addr().ok()
}
