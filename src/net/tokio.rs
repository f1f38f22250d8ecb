//! Opening connections on tokio.

use std::{
    any::Any,
    io,
    net::{IpAddr, SocketAddr},
};

use super::{tcp::Runtime, tcp_options::limit_unsent};
use crate::{
    client::Connector, error::WsErr, server::Acceptor, stream::WsStream, transport::io::TokioIo,
};
use ::tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpSocket, TcpStream, lookup_host},
};

/// Connects to a WebSocket URL: `ws://`, or `wss://` with TLS, see [`Connector::connect`].
///
/// ```no_run
/// # async fn connect() -> Result<(), ws_framed::WsErr> {
/// let stream = ws_framed::connect("ws://localhost:8080/chat").await?;
/// # Ok(()) }
/// ```
///
/// For settings, headers and subprotocols, or over another byte stream, see [`Connector`].
///
/// # Errors
/// See [`Connector::connect`].
///
/// # Cancel safety
/// See [`Connector::connect`].
pub async fn connect(url: impl AsRef<str>) -> Result<WsStream, WsErr> {
    Connector::new().connect(url).await
}

/// Accepts a WebSocket on any stream of tokio: TCP, TLS, a Unix socket, a duplex.
///
/// ```no_run
/// # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// let (socket, _) = listener.accept().await?;
/// let stream = ws_framed::accept(socket).await?;
/// # Ok(()) }
/// ```
///
/// For settings, headers, subprotocols, and which requests to accept, see [`Acceptor`].
///
/// # Errors
/// See [`Acceptor::accept`].
///
/// # Cancel safety
/// See [`Acceptor::accept`].
pub async fn accept<S>(io: S) -> Result<WsStream, WsErr>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Acceptor::new().accept(io).await
}

impl Connector {
    /// Connects to a WebSocket URL by TCP, without Nagle's algorithm.
    ///
    /// `wss://` needs the following, except in a browser:
    /// - Trust: one of the features `rustls-platform-verifier`, `rustls-native-roots` and
    ///   `rustls-webpki-roots`, or the feature `rustls` and `Connector::tls`.
    /// - Cryptography: the feature `ring`, or an installed provider of rustls.
    ///
    /// The addresses of a name are tried as RFC 8305 describes: IPv6 and IPv4 in turn, the next one
    /// after 250 ms or as soon as one fails. The first connection is used, and the other attempts
    /// are dropped. See [`resolver`](Self::resolver) and [`local_address`](Self::local_address),
    /// and for other ways [`proxy`](Self::proxy) and [`follow_redirects`](Self::follow_redirects).
    ///
    /// The URL is parsed as browsers do; `http` stands for `ws`, and `https` for `wss`. A user and
    /// a password in it are sent as `Authorization: Basic` (RFC 7617). IPv6 addresses may have a
    /// zone (RFC 6874). A fragment is ignored.
    ///
    /// # Errors
    /// - [`WsErr::InvalidUrl`], [`WsErr::InvalidHeader`], [`WsErr::InvalidConfig`]: an argument is
    ///   not valid.
    /// - [`WsErr::Connect`]: the name cannot be resolved, or no address could be connected to, see
    ///   [`ConnectError`](crate::ConnectError). If
    ///   [`handshake_timeout`](crate::Config::handshake_timeout) elapses meanwhile, its kind is
    ///   `TimedOut`.
    /// - [`WsErr::TimedOut`] if it elapses before, or later.
    /// - [`WsErr::Proxy`]: the proxy did not connect to the server.
    /// - [`WsErr::Io`]: the connection failed, or the certificate is not trusted.
    /// - [`WsErr::Rejected`]: the server responded with another status than 101, see
    ///   [`RejectedHandshake`](crate::RejectedHandshake).
    /// - [`WsErr::NoSubprotocol`]: the server selected none.
    /// - [`WsErr::Extension`]: the server selected one that was not offered.
    /// - [`WsErr::Handshake`] for any other response, and for all failures in a browser, which does
    ///   not report reasons, not even [`WsErr::NoSubprotocol`].
    /// - [`WsErr::Unsupported`] in a browser if headers were added.
    ///
    /// # Cancel safety
    /// Dropping the future closes the socket. Only a lookup of the host name may continue in the
    /// background. The server sees a client that disconnected.
    pub async fn connect(&self, url: impl AsRef<str>) -> Result<WsStream, WsErr> {
        self.connect_by::<Tokio>(url.as_ref()).await
    }

    /// Opens a WebSocket over a byte stream that is already open: a Unix socket, the tunnel of a
    /// proxy, TLS of another library. Not in a browser.
    ///
    /// `url` determines the path and the headers `Host` and `Authorization`. With a `wss` URL, a
    /// connector with TLS settings (`Connector::tls`) speaks TLS over `io`; one without them
    /// expects that `io` is secure already. A proxy, a resolver, a local address and redirects
    /// would have no effect, and are errors.
    ///
    /// # Errors
    /// See [`connect`](Self::connect). [`WsErr::InvalidConfig`] also for a setting without effect.
    ///
    /// # Cancel safety
    /// Dropping the future drops `io`. Nothing continues in the background.
    pub async fn connect_over<S>(&self, io: S, url: impl AsRef<str>) -> Result<WsStream, WsErr>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let io = TokioIo(io);
        let peer = prepare_tcp(&io.0);
        self.connect_on(io, url.as_ref(), peer).await
    }
}

impl<T> Acceptor<T> {
    /// Reads a request and answers it. A request that does not open a WebSocket gets an HTTP
    /// status:
    ///
    /// | request | status |
    /// |---|---|
    /// | a method other than GET | 405 |
    /// | no upgrade, or a version other than 13 | 426 |
    /// | more than 16 KiB | 431 |
    /// | an origin, a path or a host that the acceptor does not allow | 403, 404 or 421 |
    /// | any other fault | 400 |
    ///
    /// The callback of [`on_request`](Self::on_request) may answer a plain request, or reject one
    /// for a WebSocket, with another status.
    ///
    /// Returns a [`WsStream`], or with such a callback, a pair of it and the value of the callback.
    ///
    /// A rejected client may still be sending, and might never see its status if the connection
    /// were closed at once. So what it sends is discarded until it closes the connection, is silent
    /// for a second, has sent 256 KiB, or [`handshake_timeout`](crate::Config::handshake_timeout)
    /// has elapsed. Then this function returns.
    ///
    /// # Errors
    /// - [`WsErr::Rejected`] with the status of the response, if that is not 101.
    /// - [`WsErr::Handshake`]: the client disconnected before its request was complete.
    /// - [`WsErr::TimedOut`] after [`handshake_timeout`](crate::Config::handshake_timeout).
    /// - [`WsErr::Io`]: the stream failed.
    /// - [`WsErr::InvalidHeader`], [`WsErr::InvalidConfig`]: a setting, or a [`Rejection`] of the
    ///   callback, is not valid.
    ///
    /// [`Rejection`]: crate::Rejection
    ///
    /// # Cancel safety
    /// Dropping the future drops `io`. Nothing continues in the background, and the client sees an
    /// abnormal closure.
    pub async fn accept<S>(&self, io: S) -> Result<T, WsErr>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let peer = prepare_tcp(&io);
        self.open(TokioIo(io), peer).await
    }
}

/// The sockets of tokio.
struct Tokio;

impl Runtime for Tokio {
    type Socket = TokioIo<TcpStream>;

    async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(lookup_host((host, port)).await?.collect())
    }

    async fn connect(address: SocketAddr, local: Option<IpAddr>) -> io::Result<Self::Socket> {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        if let Some(local) = local {
            socket.bind(SocketAddr::new(local, 0))?;
        }
        Ok(TokioIo(socket.connect(address).await?))
    }

    fn prepare(socket: &Self::Socket) -> Option<SocketAddr> {
        prepare_tcp(&socket.0)
    }
}

/// If `io` is a TCP socket, disables Nagle's algorithm, limits what the operating system holds, and
/// returns the address of the peer. Messages are packed already, and a second small one would wait
/// for the acknowledgement of the first.
pub(super) fn prepare_tcp(io: &dyn Any) -> Option<SocketAddr> {
    let socket = io.downcast_ref::<TcpStream>()?;
    // A socket that refuses the option is slower, and works.
    let _ = socket.set_nodelay(true);
    limit_unsent(socket);
    socket.peer_addr().ok()
}
