//! [`Acceptor`]: the settings of a server, and the handshake over an open byte stream.

use std::net::SocketAddr;

use crate::{
    config::Config,
    error::WsErr,
    handshake::{
        contract::Contract,
        handshaken::Handshaken,
        options::HandshakeOptions,
        outcome::{self, KnownError},
        policy::Policy,
        rejection::Rejection,
        request::HandshakeRequest,
        server,
    },
    protocol::Role,
    stream::WsStream,
    time::timeout,
    trace::Trace,
    transport::{io::ByteStream, socket::Socket},
};

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
/// # Which requests are accepted
/// By default, every request for a WebSocket (RFC 6455 section 4.2.1). A browser lets any page open
/// a WebSocket to any server, with the cookies of that server. A server that authenticates by
/// cookies should [allow origins](Self::allow_origin) by name. Behind a proxy, `Host` may be that of
/// the proxy. Headers that a proxy adds, such as `X-Forwarded-For`, are for the caller to evaluate,
/// in [`accept_with`](Self::accept_with).
#[derive(Clone, Debug, Default)]
pub struct Acceptor {
    pub(crate) config: Config,
    options: HandshakeOptions,
    policy: Policy,
    #[cfg(feature = "rustls")]
    tls: Option<crate::tls::ServerTls>,
}

impl Acceptor {
    /// Default settings, no headers, no subprotocols; accepts every request for a WebSocket.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the limits, deadlines and policies of the connections.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Adds a header to the response.
    ///
    /// Each handshake fails with [`WsErr::InvalidHeader`] if the header is not valid, or belongs to
    /// the handshake itself, such as `Upgrade`.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.add_header(name, value);
        self
    }

    /// Supports a subprotocol; the first one is preferred. Of those that a client offers, the
    /// preferred one is selected, and [`WsStream::subprotocol`] returns it.
    ///
    /// A client that offers only others is rejected. One that offers none is accepted.
    #[must_use]
    pub fn subprotocol(mut self, name: impl Into<String>) -> Self {
        self.options.add_subprotocol(name);
        self
    }

    /// Supports a [`Contract`], as one more subprotocol, less preferred than the previous ones.
    /// [`WsStream::contract`] returns the one that was selected.
    ///
    /// With a contract, an agreement is required. A client that offers nothing supported is
    /// rejected with status 400, and both ends get a [`WsErr::Refused`] that says what differs:
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
    /// are not allowed get status 421. Without a port, any port matches.
    #[must_use]
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.policy.hosts.push(host.into());
        self
    }

    /// Accepts requests for this path, such as `/chat`. Those for paths that are not allowed get
    /// status 404. The query is ignored.
    #[must_use]
    pub fn allow_path(mut self, path: impl Into<String>) -> Self {
        self.policy.paths.push(path.into());
        self
    }

    /// Accepts TLS on the stream before the handshake: see [`tls`](crate::tls).
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn tls(mut self, tls: impl Into<crate::tls::ServerTls>) -> Self {
        self.tls = Some(tls.into());
        self
    }

    /// Performs the handshake over `io`, with TLS below it if there is a configuration, and makes a
    /// stream of it. `peer` tells the address of the peer.
    pub(crate) async fn open<S>(
        &self,
        io: S,
        peer: impl FnOnce(&S) -> Option<SocketAddr>,
        validate: impl FnOnce(&HandshakeRequest<'_>) -> Result<(), Rejection>,
    ) -> Result<WsStream, WsErr>
    where
        S: ByteStream,
    {
        self.validate()?;
        let mut known = None;
        let trace = Trace::server();
        trace.peer(|| peer(&io));
        // Boxed, so that the futures around it stay small.
        let handshake = Box::pin(async {
            #[cfg(feature = "rustls")]
            if let Some(tls) = &self.tls {
                let io = crate::transport::io::FuturesIo::vectored(tls.accept(io).await?);
                return self.handshake(io, validate, &trace, &mut known).await;
            }
            self.handshake(io, validate, &trace, &mut known).await
        });
        let opened = timeout(self.config.handshake_timeout, handshake).await;
        outcome::finish(opened, known, &trace)
    }

    async fn handshake<S>(
        &self,
        io: S,
        validate: impl FnOnce(&HandshakeRequest<'_>) -> Result<(), Rejection>,
        trace: &Trace,
        known: &mut KnownError,
    ) -> Result<WsStream, WsErr>
    where
        S: ByteStream,
    {
        let validate = |request: &HandshakeRequest<'_>| {
            self.validate_request(request, trace)?;
            validate(request)
        };
        let handshaken = server::accept(io, &self.options, validate, known).await?;
        stream(handshaken, &self.config, trace)
    }

    /// The response to a request that another HTTP implementation has read, and the agreement in
    /// it.
    #[cfg(feature = "hyper")]
    pub(crate) fn respond<B>(
        &self,
        request: &http::Request<B>,
        trace: &Trace,
    ) -> Result<(http::Response<()>, outcome::Agreement), Rejection> {
        self.validate()
            .map_err(|error| Rejection::new(500, error.to_string()))?;
        server::respond(request, &self.options, |request| {
            self.validate_request(request, trace)
        })
    }

    fn validate_request(
        &self,
        request: &HandshakeRequest<'_>,
        trace: &Trace,
    ) -> Result<(), Rejection> {
        trace.request(request.host(), request.path(), request.origin());
        self.policy.validate(request)
    }

    fn validate(&self) -> Result<(), WsErr> {
        self.config.validate()?;
        self.options.validate()
    }
}

/// The stream over the result of a server's handshake.
pub(crate) fn stream<S>(
    handshaken: Handshaken<S>,
    config: &Config,
    trace: &Trace,
) -> Result<WsStream, WsErr>
where
    S: ByteStream,
{
    let Handshaken {
        io,
        leftover,
        agreement,
    } = handshaken;
    let transport = Socket::new(io, leftover, Role::Server, config);
    let stream = WsStream::traced(transport, config.clone(), trace.clone())?;
    trace.opened();
    Ok(stream
        .boxed()
        .with_subprotocol(agreement.subprotocol, agreement.contract))
}
