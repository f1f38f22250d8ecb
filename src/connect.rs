//! Opening a connection as a client: on tokio, and in a browser.

#[cfg(target_arch = "wasm32")]
use crate::transport::browser::Browser;
use crate::{
    config::Config,
    error::WsErr,
    opening::Opening,
    stream::WsStream,
    transport::{Opened, Verdict},
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
    opening: Opening,
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
        self.opening.config = config;
        self
    }

    /// Adds a header to the request. Those of the handshake itself are not to be had, and a browser sends
    /// none.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.opening.header(name, value);
        self
    }

    /// Offers a subprotocol; the first is the most wanted. Which one the server chose is told by
    /// [`WsStream::subprotocol`]. A server that chooses none fails the handshake
    /// ([`WsErr::NoSubprotocol`]).
    #[must_use]
    pub fn subprotocol(mut self, name: impl Into<String>) -> Self {
        self.opening.subprotocol(name);
        self
    }

    /// Connects to a WebSocket URL: a `ws://` one by TCP, without Nagle's delay; in a browser also a
    /// `wss://` one.
    ///
    /// # Errors
    /// [`WsErr::InvalidUrl`], [`WsErr::InvalidHeader`] and [`WsErr::InvalidConfig`] for what was given;
    /// [`WsErr::TimedOut`] after [`handshake_timeout`](Config::handshake_timeout); [`WsErr::Io`] when
    /// there is no connection; [`WsErr::Refused`] when the server answers with another status than 101,
    /// with the first 1024 bytes of the text in its answer, as far as they come within a second;
    /// [`WsErr::NoSubprotocol`]; [`WsErr::Handshake`] for any other answer, and for whatever goes wrong
    /// in a browser, which does not tell (not even [`WsErr::NoSubprotocol`]); there, [`WsErr::Unsupported`] if headers were added.
    ///
    /// # Cancel safety
    /// Dropping the future closes the socket, and nothing goes on but a lookup of the host's name, if one
    /// is under way. The server sees a client that left.
    pub async fn connect(&self, url: impl AsRef<str>) -> Result<WsStream, WsErr> {
        self.opening.config.validate()?;
        let mut verdict = None;
        let handshake = self.open_url(url.as_ref(), &mut verdict);
        let opened = self.opening.in_time(handshake).await;
        self.opening.stream(opened, verdict)
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use async_tungstenite::tokio::TokioAdapter;
    use tokio::{
        io::{AsyncRead, AsyncWrite},
        net::TcpStream,
    };

    use super::{Connector, Opened, Opening, Verdict};
    use crate::{
        error::WsErr,
        stream::WsStream,
        transport::tungstenite::{Metered, handshake::client},
    };

    impl Connector {
        /// Asks for a WebSocket over a stream that is already there: TLS, a Unix socket, a proxy's tunnel.
        /// `url` gives the path and the `Host` header; its scheme is `ws` or `wss`. Not in a browser.
        ///
        /// # Errors
        /// As those of [`connect`](Self::connect).
        ///
        /// # Cancel safety
        /// Dropping the future drops `io`, and nothing goes on.
        pub async fn connect_over<S>(&self, io: S, url: impl AsRef<str>) -> Result<WsStream, WsErr>
        where
            S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        {
            self.opening.config.validate()?;
            let mut verdict = None;
            let handshake = self.open(io, url.as_ref(), &mut verdict);
            let opened = self.opening.in_time(handshake).await;
            self.opening.stream(opened, verdict)
        }

        pub(super) async fn open_url(
            &self,
            url: &str,
            verdict: &mut Verdict,
        ) -> Result<Opened<Metered<TokioAdapter<TcpStream>>>, WsErr> {
            let (host, port) = client::address(url)?;
            let socket = TcpStream::connect((host.as_str(), port)).await?;
            socket.set_nodelay(true)?;
            self.open(socket, url, verdict).await
        }

        async fn open<S>(
            &self,
            io: S,
            url: &str,
            verdict: &mut Verdict,
        ) -> Result<Opened<Metered<TokioAdapter<S>>>, WsErr>
        where
            S: AsyncRead + AsyncWrite + Unpin,
        {
            let Opening { config, extras } = &self.opening;
            // On the heap, so that the futures around it stay small.
            Box::pin(client::open(
                TokioAdapter::new(io),
                url,
                extras,
                config,
                verdict,
            ))
            .await
        }
    }
}

#[cfg(target_arch = "wasm32")]
impl Connector {
    async fn open_url(&self, url: &str, _: &mut Verdict) -> Result<Opened<Browser>, WsErr> {
        let Opening { config, extras } = &self.opening;
        if !extras.headers.is_empty() {
            return Err(WsErr::Unsupported("send headers"));
        }
        let transport = Browser::connect(url, &extras.subprotocols, config).await?;
        let subprotocol = transport.subprotocol();
        if subprotocol.is_none() && !extras.subprotocols.is_empty() {
            return Err(WsErr::NoSubprotocol);
        }
        Ok((transport, subprotocol))
    }
}
