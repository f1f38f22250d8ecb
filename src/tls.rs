//! TLS by [rustls], for `wss://` URLs and for servers.
//!
//! With the feature `rustls-platform-verifier`, `rustls-native-roots` or `rustls-webpki-roots`,
//! [`connect`](crate::Connector::connect) uses that verifier or trusts these roots without further
//! configuration; with several, the first of them.
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
//! # Cryptography
//! The provider is the one that the process has installed (`CryptoProvider::install_default`), such
//! as that of `aws-lc-rs`. Otherwise it is that of the feature `ring`. With neither, the process
//! has to install one: `ServerConfig::builder()` and `ClientConfig::builder()` of rustls panic
//! without a provider.
//!
//! # Application protocol
//! A WebSocket handshake is HTTP/1.1. So a client offers `http/1.1` by ALPN, and a server selects
//! it, whatever the configuration says. A server rejects a client that offers only other protocols,
//! and accepts a client that offers no protocol.
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

/// The TLS configuration of a server, from a [`rustls::ServerConfig`]. Its ALPN protocol is
/// `http/1.1`.
#[derive(Clone)]
pub struct ServerTls(Arc<rustls::ServerConfig>);

impl ClientTls {
    /// Trusts the certificates that the operating system trusts. Each call reads them again.
    ///
    /// # Errors
    /// [`WsErr::Io`] if there are none, or if there is no provider of cryptography.
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
    /// [`WsErr::Io`] if there is no provider of cryptography, or if it does not support the
    /// versions of TLS of rustls.
    #[cfg(feature = "rustls-webpki-roots")]
    pub fn webpki_roots() -> Result<Self, WsErr> {
        Self::trusting(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect())
    }

    /// Lets the operating system verify certificates, with its own rules and settings. On Linux,
    /// these are the certificates that the system trusts; on Android, the crate
    /// `rustls-platform-verifier` has to be initialised first.
    ///
    /// # Errors
    /// [`WsErr::Io`] if there is no provider of cryptography, or no verifier.
    #[cfg(feature = "rustls-platform-verifier")]
    pub fn platform_verifier() -> Result<Self, WsErr> {
        use rustls_platform_verifier::BuilderVerifierExt;

        let verified = builder()?.with_platform_verifier();
        let verified = verified.map_err(std::io::Error::other)?;
        Ok(verified.with_no_client_auth().into())
    }

    #[cfg(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots"))]
    fn trusting(roots: rustls::RootCertStore) -> Result<Self, WsErr> {
        let trusting = builder()?.with_root_certificates(roots);
        Ok(trusting.with_no_client_auth().into())
    }

    /// The configuration of clients that were given none.
    #[cfg(any(feature = "smol", feature = "tokio"))]
    fn standard() -> Result<Self, WsErr> {
        #[cfg(feature = "rustls-platform-verifier")]
        return Self::platform_verifier();
        #[cfg(all(
            feature = "rustls-native-roots",
            not(feature = "rustls-platform-verifier")
        ))]
        return Self::native_roots();
        #[cfg(all(
            feature = "rustls-webpki-roots",
            not(any(feature = "rustls-native-roots", feature = "rustls-platform-verifier"))
        ))]
        return Self::webpki_roots();
        #[cfg(not(any(
            feature = "rustls-native-roots",
            feature = "rustls-platform-verifier",
            feature = "rustls-webpki-roots"
        )))]
        Err(WsErr::InvalidConfig(crate::error::Setting::TrustedRoots))
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

/// A configuration with the provider of cryptography that is installed, or built in.
#[cfg(any(
    feature = "rustls-native-roots",
    feature = "rustls-platform-verifier",
    feature = "rustls-webpki-roots"
))]
fn builder() -> Result<rustls::ConfigBuilder<rustls::ClientConfig, rustls::WantsVerifier>, WsErr> {
    // If none is installed, and two are compiled in, rustls panics.
    let provider = rustls::crypto::CryptoProvider::get_default().cloned();
    let provider = provider.or_else(built_in_provider).ok_or_else(|| {
        std::io::Error::other("no provider of cryptography is installed, or built in")
    })?;
    let builder = rustls::ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions();
    Ok(builder.map_err(std::io::Error::other)?)
}

/// The provider of the feature `ring`.
#[cfg(any(
    feature = "rustls-native-roots",
    feature = "rustls-platform-verifier",
    feature = "rustls-webpki-roots"
))]
fn built_in_provider() -> Option<Arc<rustls::crypto::CryptoProvider>> {
    #[cfg(feature = "ring")]
    let provider = Some(Arc::new(rustls::crypto::ring::default_provider()));
    #[cfg(not(feature = "ring"))]
    let provider = None;
    provider
}

/// The given configuration, or the standard one.
#[cfg(any(feature = "smol", feature = "tokio"))]
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

/// Replaces the ALPN protocols by `http/1.1`.
impl From<rustls::ServerConfig> for ServerTls {
    fn from(mut config: rustls::ServerConfig) -> Self {
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self(Arc::new(config))
    }
}

/// Replaces the ALPN protocols by `http/1.1`, in a copy.
impl From<Arc<rustls::ServerConfig>> for ServerTls {
    fn from(config: Arc<rustls::ServerConfig>) -> Self {
        Arc::unwrap_or_clone(config).into()
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
