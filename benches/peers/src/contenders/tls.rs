//! TLS by rustls over TCP, for those that take any byte stream; and the configuration that all
//! share.

use std::sync::{Arc, OnceLock};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor, TlsConnector, TlsStream,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
    },
};

use super::{Pipe, tcp};
use crate::Result;

pub(crate) type Tls = TlsStream<TcpStream>;

pub(crate) struct Configs {
    pub(crate) client: Arc<ClientConfig>,
    pub(crate) server: Arc<ServerConfig>,
}

/// A certificate for `localhost` that signs itself, and a client that trusts it.
pub(crate) fn configs() -> Result<&'static Configs> {
    static CONFIGS: OnceLock<Configs> = OnceLock::new();
    if let Some(configs) = CONFIGS.get() {
        return Ok(configs);
    }
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let certificate = certified.cert.der().clone();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(certified.key_pair.serialize_der()));
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone())?;
    let client = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    Ok(CONFIGS.get_or_init(|| Configs {
        client: Arc::new(client),
        server: Arc::new(server),
    }))
}

impl Pipe for Tls {
    async fn pair() -> Result<(Self, Self)> {
        let (client, server) = tcp().await?;
        let configs = configs()?;
        let (client, server) = tokio::try_join!(
            TlsConnector::from(configs.client.clone())
                .connect(ServerName::try_from("localhost")?, client),
            TlsAcceptor::from(configs.server.clone()).accept(server),
        )?;
        Ok((client.into(), server.into()))
    }
}
