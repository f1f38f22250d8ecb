//! [`Acceptor`]: the settings of a server, and the handshake over an open byte stream.

#[cfg(feature = "hyper")]
mod http_server;

use std::{fmt, net::SocketAddr, sync::Arc};

use futures::FutureExt;
use http::{HeaderName, HeaderValue, Request};

use crate::{
    config::Config,
    error::WsErr,
    handshake::{
        added_headers::AddedHeaders,
        contract::Contract,
        handshaken::Handshaken,
        options::HandshakeOptions,
        outcome::{self, KnownError},
        policy::Policy,
        rejection::Rejection,
        server::{OnRequest, Server},
    },
    protocol::Role,
    stream::WsStream,
    time::timeout,
    trace::Trace,
    transport::{BoxTransport, io::ByteStream, socket::Socket},
};

/// Makes what [`Acceptor::accept`] returns of a stream.
pub(crate) type Finish<T> = Box<dyn FnOnce(WsStream) -> T + Send>;

/// Opens connections as a server. One acceptor serves many connections.
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
/// `T` is what accepting a connection returns: a [`WsStream`], or with
/// [`on_request`](Self::on_request), a pair of it and a value of the caller. The same acceptor
/// serves sockets of tokio and smol, and the requests of hyper and axum.
///
/// # Which requests are accepted
/// By default, every request for a WebSocket (RFC 6455 section 4.2.1). A browser lets any page open
/// a WebSocket to any server, with the cookies of that server. A server that authenticates by
/// cookies should [allow origins](Self::allow_origin) by name. Behind a proxy, `Host` may be that of
/// the proxy. Headers that a proxy adds, such as `X-Forwarded-For`, are for
/// [`on_request`](Self::on_request) to evaluate.
pub struct Acceptor<T = WsStream> {
    pub(crate) config: Config,
    options: HandshakeOptions,
    headers: AddedHeaders,
    policy: Policy,
    #[cfg(feature = "rustls")]
    tls: Option<crate::tls::ServerTls>,
    on_request: Arc<OnRequest<Finish<T>>>,
}

impl Acceptor {
    /// Default settings, no headers, no subprotocols; accepts every request for a WebSocket.
    #[must_use]
    pub fn new() -> Self {
        let finish = || -> Finish<WsStream> { Box::new(|stream| stream) };
        Self {
            config: Config::default(),
            options: HandshakeOptions::default(),
            headers: AddedHeaders::default(),
            policy: Policy::default(),
            #[cfg(feature = "rustls")]
            tls: None,
            on_request: Arc::new(move |_| std::future::ready(Ok(finish())).boxed()),
        }
    }

    /// Calls `on_request` for each request, which returns what the caller wants to keep of it, such
    /// as a user, or rejects it. Accepting then returns a pair: the stream, and that value.
    ///
    #[cfg_attr(feature = "tokio", doc = "```no_run")]
    #[cfg_attr(not(feature = "tokio"), doc = "```text")]
    /// use ws_framed::{Acceptor, Rejection, http::{Request, header::AUTHORIZATION}};
    ///
    /// struct User { name: String }
    ///
    /// async fn user(request: Request<()>) -> Result<User, Rejection> {
    ///     if request.uri().path() == "/health" {
    ///         return Err(Rejection::new(200, "ok"));
    ///     }
    ///     // Here, a database may be asked.
    ///     match request.headers().get(AUTHORIZATION) {
    ///         Some(token) if token == "Bearer 8f3a" => Ok(User { name: "Ann".to_owned() }),
    ///         _ => Err(Rejection::new(401, "log in first").header("WWW-Authenticate", "Bearer")),
    ///     }
    /// }
    ///
    /// # async fn serve(socket: tokio::net::TcpStream) -> Result<(), ws_framed::WsErr> {
    /// let acceptor = Acceptor::new().on_request(user);
    /// let (stream, user) = acceptor.accept(socket).await?;
    /// println!("{} is here", user.name);
    /// # Ok(()) }
    /// ```
    ///
    /// The callback runs after all other checks of a request for a WebSocket, except for its
    /// subprotocols. It is also called for all other well-formed requests, such as those of a page
    /// or a health check, which the other checks do not concern. It may answer them with a
    /// [`Rejection`] of its own. If it returns a value, that is dropped, and the status is:
    ///
    /// | request | status |
    /// |---|---|
    /// | a method other than GET | 405 |
    /// | GET | 426, in HTTP/2 400 |
    /// | in HTTP/2, CONNECT for another protocol or for none | 501 |
    ///
    /// The request has all of its headers, readable or not. Its URI is the target: path and query,
    /// not decoded. Over a TCP socket of tokio or smol, the address of the peer is an
    /// [extension](Request::extensions) of type [`SocketAddr`]. Under hyper and axum, the extensions
    /// are those of the request there. In HTTP/2, the method is CONNECT, and the URI has the host,
    /// too. A [`Rejection`] has a status from 300 there, because 2xx would open the WebSocket.
    ///
    /// [`offered_subprotocols`](crate::offered_subprotocols) reads the list of subprotocols. The client
    /// determines all content: only a browser sets `Origin` truthfully.
    ///
    /// [`handshake_timeout`](Config::handshake_timeout) includes the callback.
    ///
    /// # Errors
    /// A [`Rejection`] is sent to the client, and returned by `accept` as [`WsErr::Rejected`].
    ///
    /// # Cancel safety
    /// Dropping the future of [`accept`](Self::accept), or the one of hyper or axum, drops the
    /// future of the callback.
    #[must_use]
    pub fn on_request<F, Fut, U>(self, on_request: F) -> Acceptor<(WsStream, U)>
    where
        F: Fn(Request<()>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<U, Rejection>> + Send + 'static,
        U: Send + 'static,
    {
        let on_request = move |request| {
            let decided = on_request(request).map(|decided| {
                let value = decided?;
                let finish: Finish<_> = Box::new(move |stream| (stream, value));
                Ok(finish)
            });
            decided.boxed()
        };
        Acceptor {
            config: self.config,
            options: self.options,
            headers: self.headers,
            policy: self.policy,
            #[cfg(feature = "rustls")]
            tls: self.tls,
            on_request: Arc::new(on_request),
        }
    }
}

impl<T> Acceptor<T> {
    /// Sets the limits, deadlines and policies of the connections.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        #[cfg(feature = "deflate")]
        {
            self.options.compression = config.compression;
        }
        self.config = config;
        self
    }

    /// Adds a header to the response that opens a WebSocket, beside earlier ones of the same name.
    ///
    /// Each handshake fails with [`WsErr::InvalidHeader`] if the header is not valid, or belongs to
    /// the handshake itself, such as `Upgrade`.
    #[must_use]
    pub fn header<K, V>(mut self, name: K, value: V) -> Self
    where
        HeaderName: TryFrom<K, Error: Into<http::Error>>,
        HeaderValue: TryFrom<V, Error: Into<http::Error>>,
    {
        self.headers.add(name, value);
        self
    }

    /// Supports a subprotocol; the first one is preferred. Of those that a client offers, the
    /// preferred one is selected, and [`WsStream::subprotocol`] returns it.
    ///
    /// A client that offers only unsupported subprotocols is rejected. A client that offers no
    /// subprotocol is accepted.
    #[must_use]
    pub fn subprotocol(mut self, name: impl Into<String>) -> Self {
        self.options.add_subprotocol(name);
        self
    }

    /// Supports a [`Contract`], as one more subprotocol, less preferred than the previous ones.
    /// [`WsStream::contract`] returns the one that was selected.
    ///
    /// With a contract, an agreement is required. A client that offers nothing supported is
    /// rejected with status 400, and both ends get a [`WsErr::Rejected`] that says what differs:
    /// `chat: client offers version 1, server supports version 2`. To accept older clients, add the
    /// subprotocol that they offer.
    #[must_use]
    pub fn contract(mut self, contract: Contract) -> Self {
        self.options.add_contract(contract);
        self
    }

    /// Supports several contracts, the preferred one first: those of a
    /// [`Contracts`](crate::Contracts), whose codecs
    /// [`WsStream::framed_by`](crate::WsStream::framed_by) uses.
    #[must_use]
    pub fn contracts<'a>(self, contracts: impl IntoIterator<Item = &'a Contract>) -> Self {
        let contracts = contracts.into_iter().cloned();
        contracts.fold(self, Self::contract)
    }

    /// Accepts requests from pages of this origin, such as `https://chat.example` or
    /// `http://localhost:8080`. Those of origins that are not allowed get status 403 (RFC 6455
    /// section 10.2).
    ///
    /// Case and default ports do not matter (RFC 6454 sections 4 and 5). Other origins, such as
    /// `null`, `file://` and `app://`, are compared literally. An internationalised host has its
    /// form with `xn--`, which browsers send; with one that is not ASCII, each handshake fails with
    /// [`WsErr::InvalidConfig`].
    ///
    /// A request without an origin is not from a page. It is accepted, unless
    /// [`require_origin`](Self::require_origin) forbids it.
    #[must_use]
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.policy.origins.push(origin.into());
        self
    }

    /// Rejects requests without an origin, which are those of native clients, with status 403.
    #[must_use]
    pub fn require_origin(mut self) -> Self {
        self.policy.requires_origin = true;
        self
    }

    /// Accepts requests for this host, such as `chat.example` or `[::1]:8080`. Those for hosts that
    /// are not allowed get status 421 (RFC 9110 section 15.5.20). Without a port, any port matches.
    /// A request without a port is for port 80 or 443. The host is that of `:authority` in HTTP/2,
    /// or of a target in absolute form, or else `Host`. Whatever is allowed, one that is not valid
    /// gets status 400. If `host` is not valid, each handshake fails with [`WsErr::InvalidConfig`].
    #[must_use]
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.policy.hosts.push(host.into());
        self
    }

    /// Accepts requests for this path, such as `/chat`. Those for paths that are not allowed get
    /// status 404. The query is ignored, and so is whether characters are encoded that need not be
    /// (RFC 3986 section 6.2.2): `/albanø` is `/alban%C3%B8`.
    #[must_use]
    pub fn allow_path(mut self, path: impl Into<String>) -> Self {
        self.policy.paths.push(path.into());
        self
    }

    /// Accepts TLS on the stream before the handshake: see [`tls`](crate::tls). The requests of
    /// hyper and axum are above TLS: there, each handshake fails with [`WsErr::InvalidConfig`].
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn tls(mut self, tls: impl Into<crate::tls::ServerTls>) -> Self {
        self.tls = Some(tls.into());
        self
    }

    /// Performs the handshake over `io`, with TLS below it if there is a configuration, and makes a
    /// stream of it. `peer` is the address of the peer.
    pub(crate) async fn open<S>(&self, io: S, peer: Option<SocketAddr>) -> Result<T, WsErr>
    where
        S: ByteStream,
    {
        self.validate()?;
        let mut known = None;
        let trace = Trace::server();
        trace.peer(|| peer);
        // Boxed, so that the futures around it stay small.
        let handshake = Box::pin(async {
            #[cfg(feature = "rustls")]
            if let Some(tls) = &self.tls {
                let io = crate::transport::io::FuturesIo::vectored(tls.accept(io).await?);
                return self.handshake(io, peer, &trace, &mut known).await;
            }
            self.handshake(io, peer, &trace, &mut known).await
        });
        let opened = timeout(self.config.handshake_timeout, handshake).await;
        outcome::finish(opened, known, &trace)
    }

    async fn handshake<S>(
        &self,
        io: S,
        peer: Option<SocketAddr>,
        trace: &Trace,
        known: &mut KnownError,
    ) -> Result<T, WsErr>
    where
        S: ByteStream,
    {
        let server = self.server(trace)?;
        let (handshaken, finish) = server.accept(io, peer, known).await?;
        stream(handshaken, &self.config, trace, BoxTransport::new).map(finish)
    }

    /// The handling of requests.
    ///
    /// # Errors
    /// [`WsErr::InvalidHeader`].
    fn server<'a>(&'a self, trace: &'a Trace) -> Result<Server<'a, Finish<T>>, WsErr> {
        Ok(Server {
            options: &self.options,
            headers: self.headers.get()?,
            policy: &self.policy,
            on_request: &*self.on_request,
            trace,
        })
    }

    fn validate(&self) -> Result<(), WsErr> {
        self.config.validate()?;
        self.policy.validate()?;
        self.headers.get()?;
        self.options.validate()
    }
}

impl Default for Acceptor {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for Acceptor<T> {
    fn clone(&self) -> Self {
        Self {
            config: self.config.clone(),
            options: self.options.clone(),
            headers: self.headers.clone(),
            policy: self.policy.clone(),
            #[cfg(feature = "rustls")]
            tls: self.tls.clone(),
            on_request: Arc::clone(&self.on_request),
        }
    }
}

impl<T> fmt::Debug for Acceptor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor")
            .field("config", &self.config)
            .field("options", &self.options)
            .field("headers", &self.headers)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// The stream over the result of a server's handshake.
pub(crate) fn stream<S>(
    handshaken: Handshaken<S>,
    config: &Config,
    trace: &Trace,
    box_transport: impl FnOnce(Socket<S>) -> BoxTransport,
) -> Result<WsStream, WsErr>
where
    S: ByteStream,
{
    let Handshaken {
        io,
        leftover,
        agreement,
    } = handshaken;
    let socket = Socket::new(io, leftover, Role::Server, config);
    #[cfg(feature = "deflate")]
    let socket = socket.compressed(config, agreement.compression);
    let stream = WsStream::traced(box_transport(socket), config.clone(), trace.clone())?;
    #[cfg(feature = "deflate")]
    let stream = stream.with_compression(agreement.compression);
    trace.opened();
    Ok(stream.with_subprotocol(agreement.subprotocol, agreement.contract))
}
