//! A proxy that does not open a tunnel.

use std::{error::Error, fmt, io};

use super::RejectedHandshake;

/// Why a proxy did not connect to the server, in [`WsErr::Proxy`](super::WsErr::Proxy). A proxy
/// that cannot be reached is [`WsErr::Connect`](super::WsErr::Connect).
///
/// No text of it has a user or a password, unless the proxy repeats them in the body of its response.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ProxyError {
    /// An HTTP proxy responded with another status than 2xx: 407 if it asks for a password, often
    /// 403 or 405 for a port that it does not serve, and 502 to 504 if it cannot reach the server.
    Rejected(RejectedHandshake),
    /// A SOCKS5 proxy refused with this reply (RFC 1928 section 6).
    Socks(SocksReply),
    /// A SOCKS5 proxy asks for a user and a password, or does not accept those of its URL (RFC 1928
    /// section 3, RFC 1929).
    Unauthorized,
    /// The response is not that of such a proxy, or it ended too early.
    Invalid(String),
}

impl ProxyError {
    /// The kind of the `io::Error` that this error becomes.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Rejected(rejected) => rejected.kind(),
            Self::Socks(reply) => reply.kind(),
            Self::Unauthorized => io::ErrorKind::PermissionDenied,
            Self::Invalid(_) => io::ErrorKind::InvalidData,
        }
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejected) => write!(f, "the proxy responded with {rejected}"),
            Self::Socks(reply) => write!(f, "the proxy refused: {reply}"),
            Self::Unauthorized => f.write_str("the proxy asks for another user and password"),
            Self::Invalid(why) => write!(f, "the proxy failed: {why}"),
        }
    }
}

impl Error for ProxyError {}

/// A failure that a SOCKS5 proxy replies with (RFC 1928 section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SocksReply {
    /// X'01': general SOCKS server failure.
    GeneralFailure,
    /// X'02': connection not allowed by ruleset.
    NotAllowed,
    /// X'03': network unreachable.
    NetworkUnreachable,
    /// X'04': host unreachable. Some proxies reply with it to a name that they cannot resolve.
    HostUnreachable,
    /// X'05': connection refused.
    ConnectionRefused,
    /// X'06': TTL expired.
    TtlExpired,
    /// X'07': command not supported.
    CommandNotSupported,
    /// X'08': address type not supported.
    AddressTypeNotSupported,
}

impl SocksReply {
    fn kind(self) -> io::ErrorKind {
        match self {
            Self::NotAllowed => io::ErrorKind::PermissionDenied,
            Self::NetworkUnreachable => io::ErrorKind::NetworkUnreachable,
            Self::HostUnreachable => io::ErrorKind::HostUnreachable,
            Self::ConnectionRefused => io::ErrorKind::ConnectionRefused,
            Self::TtlExpired => io::ErrorKind::TimedOut,
            Self::CommandNotSupported | Self::AddressTypeNotSupported => io::ErrorKind::Unsupported,
            Self::GeneralFailure => io::ErrorKind::Other,
        }
    }
}

impl fmt::Display for SocksReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GeneralFailure => "general failure",
            Self::NotAllowed => "connection not allowed by its rules",
            Self::NetworkUnreachable => "network unreachable",
            Self::HostUnreachable => "host unreachable",
            Self::ConnectionRefused => "connection refused",
            Self::TtlExpired => "TTL expired",
            Self::CommandNotSupported => "command not supported",
            Self::AddressTypeNotSupported => "address type not supported",
        })
    }
}
