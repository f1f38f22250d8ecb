//! Opening a connection as a client: on tokio, over any stream of futures-io, and in a browser.

#[cfg(any(target_arch = "wasm32", feature = "tokio"))]
use crate::error::WsErr;
#[cfg(any(target_arch = "wasm32", feature = "tokio"))]
use crate::stream::WsStream;
use crate::{config::Config, handshake::contract::Contract, handshake::opening::Opening};
#[cfg(target_arch = "wasm32")]
use crate::{trace::Trace, transport::browser::Browser};

/// Connects to a WebSocket URL: `ws://`, and with TLS `wss://`, see [`Connector::connect`].
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
///
/// # Cancel safety
/// As that of [`Connector::connect`].
#[cfg(any(target_arch = "wasm32", feature = "tokio"))]
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
    pub(crate) opening: Opening,
    #[cfg(all(feature = "rustls", not(target_arch = "wasm32")))]
    tls: Option<crate::tls::ClientTls>,
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

    /// Adds a header to the request. One that is not valid, or belongs to the handshake itself, such as `Upgrade`, is an
    /// error of the connection: [`WsErr::InvalidHeader`](crate::WsErr::InvalidHeader). `Host` takes the place of the URL's. A browser sends none.
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

    /// Offers a [`Contract`], as one more subprotocol. Which one the server chose is told by
    /// [`WsStream::contract`].
    ///
    /// A server that speaks contracts and none of those that are offered refuses with status 400 and says what
    /// differs: [`WsErr::Refused`]. One that knows nothing of them chooses none:
    /// [`WsErr::NoSubprotocol`]. A browser tells neither from any other failure.
    #[must_use]
    pub fn contract(mut self, contract: Contract) -> Self {
        self.opening.contract(contract);
        self
    }

    /// Connects to a WebSocket URL by TCP, without Nagle's delay. `wss://` takes one of the features
    /// `rustls-native-roots` and `rustls-webpki-roots`, or the feature `rustls` and `Connector::tls`; in a browser it
    /// takes nothing.
    ///
    /// # Errors
    /// [`WsErr::InvalidUrl`], [`WsErr::InvalidHeader`] and [`WsErr::InvalidConfig`] for what was given;
    /// [`WsErr::TimedOut`] after [`handshake_timeout`](Config::handshake_timeout); [`WsErr::Io`] when
    /// there is no connection, or no trust in the certificate; [`WsErr::Refused`] when the server answers with
    /// another status than 101, with the first 1024 bytes of the text in its answer, as far as they come
    /// within a second; [`WsErr::NoSubprotocol`]; [`WsErr::Handshake`] for any other answer, and for whatever goes
    /// wrong in a browser, which does not tell (not even [`WsErr::NoSubprotocol`]); there,
    /// [`WsErr::Unsupported`] if headers were added.
    ///
    /// # Cancel safety
    /// Dropping the future closes the socket, and nothing goes on but a lookup of the host's name, if one
    /// is under way. The server sees a client that left.
    #[cfg(any(target_arch = "wasm32", feature = "tokio"))]
    pub async fn connect(&self, url: impl AsRef<str>) -> Result<WsStream, WsErr> {
        self.open_url(url.as_ref()).await
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use futures::io::{AsyncRead, AsyncWrite};

    use super::Connector;
    use crate::{
        error::WsErr,
        handshake::client,
        handshake::opening::{Opening, Verdict},
        stream::WsStream,
        trace::Trace,
    };

    impl Connector {
        /// The TLS of `wss://` URLs: whom to trust, and what to be.
        #[cfg(feature = "rustls")]
        #[must_use]
        pub fn tls(mut self, tls: impl Into<crate::tls::ClientTls>) -> Self {
            self.tls = Some(tls.into());
            self
        }

        /// `connect_over` for any stream of futures-io: of smol, or of no runtime at all.
        ///
        /// # Errors
        /// [`WsErr::InvalidUrl`], [`WsErr::InvalidHeader`], [`WsErr::InvalidConfig`], [`WsErr::TimedOut`],
        /// [`WsErr::Refused`], [`WsErr::NoSubprotocol`], [`WsErr::Handshake`], as in `connect`; [`WsErr::Io`]
        /// when the stream fails.
        ///
        /// # Cancel safety
        /// Dropping the future drops `io`, and nothing goes on.
        pub async fn connect_over_futures_io<S>(
            &self,
            io: S,
            url: impl AsRef<str>,
        ) -> Result<WsStream, WsErr>
        where
            S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        {
            self.opening.config.validate()?;
            let mut verdict = None;
            let trace = Trace::client(url.as_ref());
            trace.peer(&io);
            // On the heap, so that the futures around it stay small.
            let handshake = Box::pin(self.handshake(io, url.as_ref(), &trace, &mut verdict));
            let opened = self.opening.in_time(handshake).await;
            Opening::conclude(opened, verdict, &trace)
        }

        pub(super) async fn handshake<S>(
            &self,
            io: S,
            url: &str,
            trace: &Trace,
            verdict: &mut Verdict,
        ) -> Result<WsStream, WsErr>
        where
            S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        {
            let Opening { config, extras } = &self.opening;
            let opened = client::open(io, url, extras, config, verdict).await?;
            self.opening.stream(opened, trace)
        }
    }
}

#[cfg(all(any(feature = "tokio", feature = "smol"), not(target_arch = "wasm32")))]
mod dialling {
    use std::{future::Future, io};

    use futures::io::{AsyncRead, AsyncWrite};

    use super::Connector;
    use crate::{
        error::WsErr,
        handshake::client::{self, Address},
        handshake::opening::Opening,
        stream::WsStream,
        trace::Trace,
    };

    impl Connector {
        /// Opens the stream with `dial`, which is given a host and a port, and then the WebSocket over it.
        pub(crate) async fn dial<S, F>(
            &self,
            url: &str,
            dial: impl FnOnce(String, u16) -> F,
        ) -> Result<WsStream, WsErr>
        where
            S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
            F: Future<Output = io::Result<S>>,
        {
            self.opening.config.validate()?;
            let mut verdict = None;
            let trace = Trace::client(url);
            let handshake = Box::pin(async {
                let Address {
                    host,
                    port,
                    is_secure,
                } = client::address(url)?;
                if !is_secure {
                    let io = dial(host, port).await?;
                    trace.peer(&io);
                    return self.handshake(io, url, &trace, &mut verdict).await;
                }
                #[cfg(feature = "rustls")]
                {
                    let tls = crate::tls::client(self.tls.as_ref())?;
                    let io = dial(host.clone(), port).await?;
                    trace.peer(&io);
                    let io = tls.connect(&host, io).await?;
                    self.handshake(io, url, &trace, &mut verdict).await
                }
                #[cfg(not(feature = "rustls"))]
                Err(client::invalid_url("for wss, switch a feature of TLS on"))
            });
            let opened = self.opening.in_time(handshake).await;
            Opening::conclude(opened, verdict, &trace)
        }
    }
}

#[cfg(all(feature = "tokio", not(target_arch = "wasm32")))]
mod on_tokio {
    use async_tungstenite::tokio::TokioAdapter;
    use tokio::{
        io::{AsyncRead, AsyncWrite},
        net::TcpStream,
    };

    use super::Connector;
    use crate::{error::WsErr, stream::WsStream};

    impl Connector {
        /// Asks for a WebSocket over a stream that is already there: TLS, a Unix socket, a proxy's tunnel.
        /// `url` gives the path and the `Host` header; its scheme is `ws` or `wss`, and makes no difference.
        /// Not in a browser.
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
            self.connect_over_futures_io(TokioAdapter::new(io), url)
                .await
        }

        pub(super) async fn open_url(&self, url: &str) -> Result<WsStream, WsErr> {
            self.dial(url, async |host, port| {
                let socket = TcpStream::connect((host, port)).await?;
                socket.set_nodelay(true)?;
                Ok(TokioAdapter::new(socket))
            })
            .await
        }
    }
}

#[cfg(target_arch = "wasm32")]
impl Connector {
    async fn open_url(&self, url: &str) -> Result<WsStream, WsErr> {
        let Opening { config, extras } = &self.opening;
        config.validate()?;
        let trace = Trace::client(url);
        let handshake = async {
            if !extras.headers.is_empty() {
                return Err(WsErr::Unsupported("send headers"));
            }
            let transport = Browser::connect(url, &extras.subprotocols, config).await?;
            let subprotocol = transport.subprotocol();
            if subprotocol.is_none() && !extras.subprotocols.is_empty() {
                return Err(WsErr::NoSubprotocol);
            }
            self.opening.stream((transport, subprotocol), &trace)
        };
        let opened = self.opening.in_time(handshake).await;
        Opening::conclude(opened, None, &trace)
    }
}
