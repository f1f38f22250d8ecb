//! Opening a connection as a client, on tokio.

use async_tungstenite::tokio::TokioAdapter;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use crate::{
    clock::within,
    config::Config,
    error::WsErr,
    stream::WsStream,
    transport::tungstenite::handshake::{self, Extras},
};

/// Connects to a `ws://` URL.
///
/// ```no_run
/// # async fn connect() -> Result<(), ws_framed::WsErr> {
/// let stream = ws_framed::connect("ws://localhost:8080/chat").await?;
/// # Ok(()) }
/// ```
///
/// For settings, headers and subprotocols, or over a socket of your own, see [`Connector`].
///
/// # Errors
/// As those of [`Connector::connect`].
pub async fn connect(url: impl AsRef<str>) -> Result<WsStream, WsErr> {
    Connector::new().connect(url).await
}

/// Opens connections as a client, with settings of your choice. It may be used many times.
///
/// ```no_run
/// use ws_framed::{Config, Connector};
///
/// # async fn connect() -> Result<(), ws_framed::WsErr> {
/// let connector = Connector::new()
///     .config(Config::default().max_recv_message_len(64 * 1024))
///     .header("Authorization", "Bearer 8f3a")
///     .subprotocol("chat.v2")
///     .subprotocol("chat.v1");
/// let stream = connector.connect("ws://localhost:8080").await?;
/// println!("speaking {:?}", stream.subprotocol());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Connector {
    config: Config,
    extras: Extras,
}

impl Connector {
    /// Default settings, no headers, no subprotocols.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits, deadlines and policies of the connections.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Adds a header to the request. Those of the handshake itself are not to be had.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extras.headers.push((name.into(), value.into()));
        self
    }

    /// Offers a subprotocol; the first is the most wanted. Which one the server chose is told by
    /// [`WsStream::subprotocol`]. A server that chooses none fails the handshake
    /// ([`WsErr::NoSubprotocol`]).
    #[must_use]
    pub fn subprotocol(mut self, name: impl Into<String>) -> Self {
        self.extras.subprotocols.push(name.into());
        self
    }

    /// Connects by TCP to the host in a `ws://` URL, without Nagle's delay, and asks for a WebSocket.
    ///
    /// # Errors
    /// [`WsErr::InvalidUrl`], [`WsErr::InvalidHeader`] and [`WsErr::InvalidConfig`] for what was given;
    /// [`WsErr::Io`] when there is no connection; [`WsErr::TimedOut`] after
    /// [`handshake_timeout`](Config::handshake_timeout); [`WsErr::Refused`] when the server answers with another
    /// status than 101; [`WsErr::NoSubprotocol`]; [`WsErr::Handshake`] for any other answer.
    pub async fn connect(&self, url: impl AsRef<str>) -> Result<WsStream, WsErr> {
        let url = url.as_ref();
        self.config.validate()?;
        let (host, port) = handshake::address(url)?;
        self.in_time(async {
            let socket = TcpStream::connect((host.as_str(), port)).await?;
            socket.set_nodelay(true)?;
            self.open(socket, url).await
        })
        .await
    }

    /// Asks for a WebSocket over a stream that is already there: TLS, a Unix socket, a proxy's tunnel.
    /// `url` gives the path and the `Host` header; its scheme is `ws` or `wss`.
    ///
    /// # Errors
    /// As those of [`connect`](Self::connect).
    pub async fn connect_over<S>(&self, io: S, url: impl AsRef<str>) -> Result<WsStream, WsErr>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.config.validate()?;
        self.in_time(self.open(io, url.as_ref())).await
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T, WsErr>>) -> Result<T, WsErr> {
        let late = Err(WsErr::TimedOut("the handshake took too long"));
        within(self.config.handshake_timeout, work)
            .await
            .unwrap_or(late)
    }

    async fn open<S>(&self, io: S, url: &str) -> Result<WsStream, WsErr>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let io = TokioAdapter::new(io);
        let (transport, subprotocol) =
            handshake::client(io, url, &self.extras, &self.config).await?;
        Ok(WsStream::with_config(transport, self.config.clone())?
            .boxed()
            .with_subprotocol(subprotocol))
    }
}
