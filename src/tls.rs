//! TLS by [rustls], for `wss://` URLs and for servers.
//!
//! With the feature `rustls-native-roots` or `rustls-webpki-roots`,
//! [`connect`](crate::Connector::connect) trusts these roots without further configuration.
//! Otherwise, pass a configuration of rustls to [`Connector::tls`] or
//! [`Acceptor::tls`]:
//!
//! ```
//! use ws_framed::{Acceptor, Connector, tls::rustls::{self, pki_types::{CertificateDer, PrivateKeyDer}}};
//!
//! fn client(ours: CertificateDer<'static>) -> Result<Connector, rustls::Error> {
//!     let mut roots = rustls::RootCertStore::empty();
//!     roots.add(ours)?;
//!     let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
//!     Ok(Connector::new().tls(config))
//! }
//!
//! fn server(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Acceptor, rustls::Error> {
//!     let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
//!     Ok(Acceptor::new().tls(config))
//! }
//! ```
//!
//! [`Connector::tls`] is for `connect_over`, too: `wss://` then speaks TLS over the given byte
//! stream. Without it, a TLS stream of another library can be used with `connect_over`, and with
//! `accept`, like any byte stream. If TLS ends without its close message, the connection ends with
//! [`WsErr::UnexpectedEof`], unless the WebSocket was closed before.
//!
//! [`Connector::tls`]: crate::Connector::tls
//! [`Acceptor::tls`]: crate::Acceptor::tls

use std::{fmt, sync::Arc};

use futures::io::{AsyncRead, AsyncWrite};
use futures_rustls::{TlsAcceptor, TlsConnector};

use crate::error::WsErr;

/// rustls, in the version that this library uses.
pub use futures_rustls::rustls;

/// The TLS configuration of a client, from a [`rustls::ClientConfig`]. Its list of protocols (ALPN)
/// is replaced by `http/1.1`.
#[derive(Clone)]
pub struct ClientTls(Arc<rustls::ClientConfig>);

/// The TLS configuration of a server, from a [`rustls::ServerConfig`].
#[derive(Clone)]
pub struct ServerTls(Arc<rustls::ServerConfig>);

impl ClientTls {
    /// Trusts the certificates that the operating system trusts. Each call reads them again.
    ///
    /// # Errors
    /// [`WsErr::Io`] if there are none.
    #[cfg(feature = "rustls-native-roots")]
    pub fn native_roots() -> Result<Self, WsErr> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = rustls::RootCertStore::empty();
        // Many systems have old certificates that rustls cannot parse.
        let (usable, _) = roots.add_parsable_certificates(found.certs);
        if usable == 0 {
            let why = found.errors.first().map_or_else(
                || "the system trusts no certificates".to_owned(),
                ToString::to_string,
            );
            return Err(std::io::Error::new(std::io::ErrorKind::NotFound, why).into());
        }
        Self::trusting(roots)
    }

    /// Trusts the certificates that Mozilla trusts, as of the version of the crate `webpki-roots`.
    ///
    /// # Errors
    /// [`WsErr::Io`] if the cryptography provider of rustls does not support its versions of TLS.
    #[cfg(feature = "rustls-webpki-roots")]
    pub fn webpki_roots() -> Result<Self, WsErr> {
        Self::trusting(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect())
    }

    #[cfg(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots"))]
    fn trusting(roots: rustls::RootCertStore) -> Result<Self, WsErr> {
        // The provider that the application has installed. If there is none, and two are compiled
        // in, rustls panics.
        let provider = rustls::crypto::CryptoProvider::get_default().cloned();
        let provider =
            provider.unwrap_or_else(|| Arc::new(rustls::crypto::ring::default_provider()));
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(std::io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(config.into())
    }

    /// The configuration of clients that were given none.
    fn standard() -> Result<Self, WsErr> {
        #[cfg(feature = "rustls-native-roots")]
        return Self::native_roots();
        #[cfg(all(feature = "rustls-webpki-roots", not(feature = "rustls-native-roots")))]
        return Self::webpki_roots();
        #[cfg(not(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots")))]
        Err(WsErr::InvalidUrl(
            "wss needs trusted certificates: use Connector::tls, or a feature with roots"
                .to_owned(),
        ))
    }

    pub(crate) async fn connect<S>(
        &self,
        host: &str,
        io: S,
    ) -> Result<futures_rustls::client::TlsStream<S>, WsErr>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = rustls::pki_types::ServerName::try_from(host.to_owned())
            .map_err(|error| WsErr::InvalidUrl(error.to_string()))?;
        let connector = TlsConnector::from(Arc::clone(&self.0));
        Ok(connector.connect(name, io).await?)
    }
}

/// The given configuration, or the standard one.
pub(crate) fn client(given: Option<&ClientTls>) -> Result<ClientTls, WsErr> {
    given.cloned().map_or_else(ClientTls::standard, Ok)
}

impl ServerTls {
    pub(crate) async fn accept<S>(
        &self,
        io: S,
    ) -> Result<futures_rustls::server::TlsStream<S>, WsErr>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.0));
        Ok(acceptor.accept(io).await?)
    }
}

/// The protocol is HTTP/1.1, whatever the configuration lists: a server that selected HTTP/2 would
/// not understand the handshake (RFC 7301 section 3.1).
impl From<rustls::ClientConfig> for ClientTls {
    fn from(mut config: rustls::ClientConfig) -> Self {
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self(Arc::new(config))
    }
}

impl From<Arc<rustls::ClientConfig>> for ClientTls {
    fn from(config: Arc<rustls::ClientConfig>) -> Self {
        Arc::unwrap_or_clone(config).into()
    }
}

impl From<rustls::ServerConfig> for ServerTls {
    fn from(config: rustls::ServerConfig) -> Self {
        Self(Arc::new(config))
    }
}

impl From<Arc<rustls::ServerConfig>> for ServerTls {
    fn from(config: Arc<rustls::ServerConfig>) -> Self {
        Self(config)
    }
}

// Does not print keys.
impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls").finish_non_exhaustive()
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").finish_non_exhaustive()
    }
}
