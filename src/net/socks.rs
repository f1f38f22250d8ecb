//! The tunnel of a SOCKS5 proxy (RFC 1928), by the crate `tokio-socks`. It needs no runtime.

use futures::io::{AsyncRead, AsyncWrite};
use tokio_socks::{Error, io::Compat, tcp::Socks5Stream};

use crate::error::{ProxyError, SocksReply, WsErr};

/// Lets a proxy connect to a host, whose name it resolves.
///
/// # Errors
/// [`WsErr::Proxy`], [`WsErr::InvalidUrl`], [`WsErr::Io`].
pub(super) async fn connect<S>(
    io: &mut S,
    target: (&str, u16),
    credentials: Option<(&str, &str)>,
) -> Result<(), WsErr>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let io = Compat::new(io);
    let tunnel = match credentials {
        None => Socks5Stream::connect_with_socket(io, target).await,
        Some((user, password)) => {
            Socks5Stream::connect_with_password_and_socket(io, target, user, password).await
        }
    };
    tunnel.map(drop).map_err(failed)
}

fn failed(error: Error) -> WsErr {
    let reply = match error {
        // The proxy disconnected, which some do instead of a reply.
        Error::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            let why = "the peer disconnected before the response was complete";
            return ProxyError::Invalid(why.to_owned()).into();
        }
        Error::Io(error) => return error.into(),
        Error::InvalidTargetAddress(why) | Error::InvalidAuthValues(why) => {
            return WsErr::InvalidUrl(why.to_owned());
        }
        Error::NoAcceptableAuthMethods
        | Error::AuthorizationRequired
        | Error::PasswordAuthFailure(_) => return ProxyError::Unauthorized.into(),
        Error::GeneralSocksServerFailure => SocksReply::GeneralFailure,
        Error::ConnectionNotAllowedByRuleset => SocksReply::NotAllowed,
        Error::NetworkUnreachable => SocksReply::NetworkUnreachable,
        Error::HostUnreachable => SocksReply::HostUnreachable,
        Error::ConnectionRefused => SocksReply::ConnectionRefused,
        Error::TtlExpired => SocksReply::TtlExpired,
        Error::CommandNotSupported => SocksReply::CommandNotSupported,
        Error::AddressTypeNotSupported => SocksReply::AddressTypeNotSupported,
        other => return ProxyError::Invalid(other.to_string()).into(),
    };
    ProxyError::Socks(reply).into()
}
