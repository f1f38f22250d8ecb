//! Opening a connection as a server: on tokio, and over any stream of futures-io.

use futures::io::{AsyncRead, AsyncWrite};

use crate::{
    config::Config,
    error::WsErr,
    handshake::contract::Contract,
    handshake::opening::{Opening, Verdict},
    handshake::{self, policy::Policy, rejection::Refusal, request::HandshakeRequest, server},
    stream::WsStream,
    trace::Trace,
};

/// Answers a client that asks for a WebSocket, on any stream of tokio's: TCP, TLS, a Unix socket, a duplex.
///
/// ```no_run
/// # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// let (socket, _) = listener.accept().await?;
/// socket.set_nodelay(true)?;
/// let stream = ws_framed::accept(socket).await?;
/// # Ok(()) }
/// ```
///
/// For settings, headers, subprotocols, and which requests to take, see [`Acceptor`].
///
/// # Errors
/// As those of [`Acceptor::accept`].
///
/// # Cancel safety
/// As that of [`Acceptor::accept`].
#[cfg(feature = "tokio")]
pub async fn accept<S>(io: S) -> Result<WsStream, WsErr>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    Acceptor::new().accept(io).await
}

/// Opens connections as a server, with settings of your choice. One serves many connections.
///
#[cfg_attr(feature = "tokio", doc = "```no_run")]
#[cfg_attr(not(feature = "tokio"), doc = "```text")]
/// use ws_framed::{Acceptor, Config};
///
/// # async fn serve(socket: tokio::net::TcpStream) -> Result<(), ws_framed::WsErr> {
/// let acceptor = Acceptor::new()
///     .config(Config::default().max_recv_message_len(64 * 1024))
///     .header("Server", "chat/2")
///     .subprotocol("chat.v2")
///     .allow_origin("https://chat.example");
/// let stream = acceptor.accept(socket).await?;
/// # Ok(()) }
/// ```
///
/// # Which requests are taken
/// By default all that are for a WebSocket (RFC 6455 section 4.2.1). A browser lets any page open a WebSocket to any
/// server, with that server's cookies: a server that knows its users by cookies should
/// [allow origins](Self::allow_origin) by name. Behind a proxy, the `Host` may be the proxy's; headers that a
/// proxy adds, such as `X-Forwarded-For`, are yours to believe or not, in [`accept_with`](Self::accept_with).
#[derive(Clone, Debug, Default)]
pub struct Acceptor {
    pub(crate) opening: Opening,
    policy: Policy,
    #[cfg(feature = "rustls")]
    tls: Option<crate::tls::ServerTls>,
}

impl Acceptor {
    /// Default settings, no headers, no subprotocols, every request.
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

    /// Adds a header to the answer. One that is not valid, or belongs to the handshake itself, such as `Upgrade`, is an
    /// error of each connection: [`WsErr::InvalidHeader`].
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.opening.header(name, value);
        self
    }

    /// Speaks a subprotocol; the first is the most wanted. Of those that a client offers, the most wanted
    /// is chosen, and told by [`WsStream::subprotocol`]. A client that offers others only is refused, one
    /// that offers none is not.
    #[must_use]
    pub fn subprotocol(mut self, name: impl Into<String>) -> Self {
        self.opening.subprotocol(name);
        self
    }

    /// Speaks a [`Contract`]; it is one more subprotocol, less wanted than those before. Which one was chosen is told by
    /// [`WsStream::contract`].
    ///
    /// Once there is a contract, there has to be an agreement: a client that offers nothing that is spoken here is refused
    /// with status 400, and it and [`WsErr::Refused`] say what differs: `chat: version 1 is offered, 2 is spoken here`. To
    /// take older clients, add the subprotocol that they offer.
    #[must_use]
    pub fn contract(mut self, contract: Contract) -> Self {
        self.opening.contract(contract);
        self
    }

    /// Takes requests of pages of this origin, such as `https://chat.example` or `http://localhost:8080`, and of
    /// other origins that are allowed; the rest get status 403 (RFC 6455 section 10.2). A request without
    /// an origin is not from a page, and is taken unless [`require_origin`](Self::require_origin) forbids
    /// it.
    #[must_use]
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.policy.origins.push(origin.into());
        self
    }

    /// Refuses, with status 403, requests that name no origin: those of native clients.
    #[must_use]
    pub fn require_origin(mut self) -> Self {
        self.policy.requires_origin = true;
        self
    }

    /// Takes requests for this host, such as `chat.example` or `[::1]:8080`, and for other hosts that are allowed;
    /// the rest get status 421. Without a port, any port will do.
    #[must_use]
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.policy.hosts.push(host.into());
        self
    }

    /// Takes requests for this path, such as `/chat`, and for other paths that are allowed; the rest get status 404.
    /// What stands behind a `?` does not count.
    #[must_use]
    pub fn allow_path(mut self, path: impl Into<String>) -> Self {
        self.policy.paths.push(path.into());
        self
    }

    /// Speaks TLS on the stream that it is given, before anything else: see [`tls`](crate::tls).
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn tls(mut self, tls: impl Into<crate::tls::ServerTls>) -> Self {
        self.tls = Some(tls.into());
        self
    }

    /// [`accept`](Self::accept) for any stream of futures-io: of smol, or of no runtime at all.
    ///
    /// # Errors
    /// As those of [`accept`](Self::accept).
    ///
    /// # Cancel safety
    /// As that of [`accept`](Self::accept).
    pub async fn accept_futures_io<S>(&self, io: S) -> Result<WsStream, WsErr>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.open(io, |_| Ok(())).await
    }

    /// [`accept_with`](Self::accept_with) for any stream of futures-io.
    ///
    /// # Errors
    /// As those of [`accept`](Self::accept).
    ///
    /// # Cancel safety
    /// As that of [`accept`](Self::accept).
    pub async fn accept_futures_io_with<S>(
        &self,
        io: S,
        judge: impl FnOnce(&HandshakeRequest<'_>) -> Result<(), Refusal> + Send,
    ) -> Result<WsStream, WsErr>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.open(io, judge).await
    }

    async fn open<S>(
        &self,
        io: S,
        judge: impl FnOnce(&HandshakeRequest<'_>) -> Result<(), Refusal>,
    ) -> Result<WsStream, WsErr>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.check()?;
        let mut verdict = None;
        let trace = Trace::server();
        trace.peer(&io);
        // On the heap, so that the futures around it stay small.
        let handshake = Box::pin(async {
            #[cfg(feature = "rustls")]
            if let Some(tls) = &self.tls {
                let io = tls.accept(io).await?;
                return self.handshake(io, judge, &trace, &mut verdict).await;
            }
            self.handshake(io, judge, &trace, &mut verdict).await
        });
        let opened = self.opening.in_time(handshake).await;
        Opening::conclude(opened, verdict, &trace)
    }

    async fn handshake<S>(
        &self,
        io: S,
        judge: impl FnOnce(&HandshakeRequest<'_>) -> Result<(), Refusal>,
        trace: &Trace,
        verdict: &mut Verdict,
    ) -> Result<WsStream, WsErr>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Opening { config, extras } = &self.opening;
        let judge = |request: &HandshakeRequest<'_>| {
            trace.request(request.host(), request.path(), request.origin());
            self.policy.check(request)?;
            judge(request)
        };
        let opened = server::open(io, extras, config, judge, verdict).await?;
        self.opening.stream(opened, trace)
    }

    /// The answer to a request that somebody else has read, and the subprotocol in it.
    #[cfg(feature = "hyper")]
    pub(crate) fn answer<B>(
        &self,
        request: &http::Request<B>,
        trace: &Trace,
    ) -> Result<(http::Response<()>, Option<String>), Refusal> {
        let wrong = |error: WsErr| Refusal::new(500, error.to_string());
        self.check().map_err(wrong)?;
        let extras = &self.opening.extras;
        let headers = handshake::headers(extras).map_err(wrong)?;
        let judge = |request: &HandshakeRequest<'_>| {
            trace.request(request.host(), request.path(), request.origin());
            self.policy.check(request)
        };
        server::answer(request, headers, extras, judge)
    }

    /// Whether what it was told makes sense.
    pub(crate) fn check(&self) -> Result<(), WsErr> {
        self.opening.config.validate()?;
        for name in &self.opening.extras.subprotocols {
            handshake::token(name)?;
        }
        Ok(())
    }
}

#[cfg(feature = "tokio")]
mod on_tokio {
    use async_tungstenite::tokio::TokioAdapter;
    use tokio::io::{AsyncRead, AsyncWrite};

    use super::{Acceptor, HandshakeRequest, Refusal};
    use crate::{error::WsErr, stream::WsStream};

    impl Acceptor {
        /// Reads a request and answers it. What is no request for a WebSocket gets an HTTP status: 405 for
        /// another method than GET, 426 for no upgrade or another version than 13, 431 for a request of more
        /// than 16 KiB, 400 for the rest.
        ///
        /// A client that is refused may have more under way, and might never see its status if the connection
        /// were dropped at once. So what it sends is discarded until it hangs up, is silent for a second, has
        /// sent 256 KiB, or [`handshake_timeout`](crate::Config::handshake_timeout) is over; only then does
        /// this return.
        ///
        /// # Errors
        /// [`WsErr::Refused`] with that status; [`WsErr::Handshake`] for a client that leaves early;
        /// [`WsErr::TimedOut`] after [`handshake_timeout`](crate::Config::handshake_timeout); [`WsErr::Io`]
        /// when the stream fails; [`WsErr::InvalidHeader`] and [`WsErr::InvalidConfig`] for what
        /// was given.
        ///
        /// # Cancel safety
        /// Dropping the future drops `io`, and nothing goes on: the client sees a connection that was cut.
        pub async fn accept<S>(&self, io: S) -> Result<WsStream, WsErr>
        where
            S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        {
            self.open(TokioAdapter::new(io), |_| Ok(())).await
        }

        /// The same, with a look at the request: `judge` may refuse it with a status of its own, or take note of
        /// what the connection is for. It comes after the other checks, and must not block.
        ///
        /// ```no_run
        /// use ws_framed::{Acceptor, Refusal};
        ///
        /// # async fn serve(socket: tokio::net::TcpStream) -> Result<(), ws_framed::WsErr> {
        /// let mut room = String::new();
        /// let stream = Acceptor::new()
        ///     .accept_with(socket, |request| {
        ///         if request.header("Authorization") != Some("Bearer 8f3a") {
        ///             let refusal = Refusal::new(401, "log in first");
        ///             return Err(refusal.header("WWW-Authenticate", "Bearer"));
        ///         }
        ///         room = request.path().to_owned();
        ///         Ok(())
        ///     })
        ///     .await?;
        /// println!("somebody came into {room}");
        /// # Ok(()) }
        /// ```
        ///
        /// # Errors
        /// As those of [`accept`](Self::accept); [`WsErr::Refused`] with the status of the refusal.
        ///
        /// # Cancel safety
        /// As that of [`accept`](Self::accept).
        pub async fn accept_with<S>(
            &self,
            io: S,
            judge: impl FnOnce(&HandshakeRequest<'_>) -> Result<(), Refusal> + Send,
        ) -> Result<WsStream, WsErr>
        where
            S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        {
            self.open(TokioAdapter::new(io), judge).await
        }
    }
}
