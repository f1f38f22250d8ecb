// Its snippets are tested in `examples/frameworks`.
#![cfg_attr(not(doctest), doc = include_str!("smol.md"))]

use async_net::TcpStream;
use futures::io::{AsyncRead, AsyncWrite};

use crate::{client::Connector, error::WsErr, server::Acceptor, stream::WsStream};

/// Connects to a WebSocket URL, by TCP without Nagle's delay.
///
/// # Errors
/// As those of [`connect_with`].
///
/// # Cancel safety
/// As that of [`connect_with`].
pub async fn connect(url: impl AsRef<str>) -> Result<WsStream, WsErr> {
    connect_with(&Connector::new(), url).await
}

/// Connects to a WebSocket URL with these settings, by TCP without Nagle's delay. For `wss://`, see
#[cfg_attr(feature = "rustls", doc = "[`tls`](crate::tls).")]
#[cfg_attr(not(feature = "rustls"), doc = "the feature `rustls`.")]
///
/// # Errors
/// [`WsErr::InvalidUrl`], [`WsErr::InvalidHeader`] and [`WsErr::InvalidConfig`] for what was given;
/// [`WsErr::TimedOut`] after [`handshake_timeout`](crate::Config::handshake_timeout); [`WsErr::Io`] when there is no
/// connection, or no trust in the certificate; [`WsErr::Refused`] when the server answers with another status
/// than 101; [`WsErr::NoSubprotocol`]; [`WsErr::Handshake`] for any other answer.
///
/// # Cancel safety
/// Dropping the future closes the socket, and nothing goes on but a lookup of the host's name, if one is under
/// way. The server sees a client that left.
pub async fn connect_with(connector: &Connector, url: impl AsRef<str>) -> Result<WsStream, WsErr> {
    let dial = async |host: String, port| {
        let socket = TcpStream::connect((host, port)).await?;
        socket.set_nodelay(true)?;
        Ok(socket)
    };
    connector.dial(url.as_ref(), dial).await
}

/// Answers a client that asks for a WebSocket, on any stream of futures-io.
///
/// # Errors
/// As those of [`Acceptor::accept_futures_io`].
///
/// # Cancel safety
/// As that of [`Acceptor::accept_futures_io`].
pub async fn accept<S>(io: S) -> Result<WsStream, WsErr>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Acceptor::new().accept_futures_io(io).await
}
