//! Opening a connection as a server, on tokio.

use async_tungstenite::tokio::TokioAdapter;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    config::Config, error::WsErr, opening::Opening, stream::WsStream,
    transport::tungstenite::handshake,
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
/// For settings, headers and subprotocols, see [`Acceptor`].
///
/// # Errors
/// As those of [`Acceptor::accept`].
pub async fn accept<S>(io: S) -> Result<WsStream, WsErr>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Acceptor::new().accept(io).await
}

/// Opens connections as a server, with settings of your choice. One serves many connections.
///
/// ```no_run
/// use ws_framed::{Acceptor, Config};
///
/// # async fn serve(socket: tokio::net::TcpStream) -> Result<(), ws_framed::WsErr> {
/// let acceptor = Acceptor::new()
///     .config(Config::default().max_recv_message_len(64 * 1024))
///     .header("Server", "chat/2")
///     .subprotocol("chat.v2");
/// let stream = acceptor.accept(socket).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Acceptor {
    opening: Opening,
}

impl Acceptor {
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

    /// Adds a header to the answer. Those of the handshake itself are not to be had.
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

    /// Reads a request and answers it. What is no request for a WebSocket gets an HTTP status: 405 for
    /// another method than GET, 426 for no upgrade or another version than 13, 431 for a request of more
    /// than 16 KiB, 400 for the rest.
    ///
    /// A client that is refused may have more under way, and might never see its status if the connection
    /// were dropped at once. So what it sends is discarded until it hangs up, is silent for a second, has
    /// sent 256 KiB, or [`handshake_timeout`](Config::handshake_timeout) is over; only then does this return.
    ///
    /// # Errors
    /// [`WsErr::Refused`] with that status; [`WsErr::Handshake`] for a client that leaves early;
    /// [`WsErr::TimedOut`] after [`handshake_timeout`](Config::handshake_timeout); [`WsErr::Io`] when the
    /// stream fails; [`WsErr::InvalidHeader`] and [`WsErr::InvalidConfig`] for what
    /// was given.
    ///
    /// # Cancel safety
    /// Dropping the future drops `io`, and nothing goes on: the client sees a connection that was cut.
    pub async fn accept<S>(&self, io: S) -> Result<WsStream, WsErr>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Opening { config, extras } = &self.opening;
        config.validate()?;
        for name in &extras.subprotocols {
            handshake::token(name)?;
        }
        let mut verdict = None;
        let io = TokioAdapter::new(io);
        // On the heap, so that the futures around it stay small.
        let handshake = Box::pin(handshake::server::open(io, extras, config, &mut verdict));
        let opened = self.opening.in_time(handshake).await;
        self.opening.stream(opened, verdict)
    }
}
