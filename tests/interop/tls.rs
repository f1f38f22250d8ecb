//! TLS by rustls, with certificates of an authority that the test makes.

use std::sync::{Arc, OnceLock};

use futures::{AsyncReadExt, AsyncWriteExt, future};
use tokio::net::{TcpListener, TcpStream};
use ws_framed::{
    Acceptor, CloseFrame, CloseOutcome, Config, Connector, WsErr, WsStream,
    tls::rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

struct Certificates {
    authority: CertificateDer<'static>,
    server: CertificateDer<'static>,
    key: Vec<u8>,
}

/// A certificate for `localhost`, and who vouches for it.
fn certificates() -> &'static Certificates {
    static CERTIFICATES: OnceLock<Certificates> = OnceLock::new();
    CERTIFICATES.get_or_init(|| {
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority_key = rcgen::KeyPair::generate().unwrap();
        let authority = params.self_signed(&authority_key).unwrap();
        let params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let server = params.signed_by(&key, &authority, &authority_key).unwrap();
        Certificates {
            authority: authority.der().clone(),
            server: server.der().clone(),
            key: key.serialize_der(),
        }
    })
}

fn server_config() -> ServerConfig {
    let ours = certificates();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(ours.key.clone()));
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![ours.server.clone()], key)
        .unwrap()
}

fn client_config() -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(certificates().authority.clone()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn acceptor() -> Acceptor {
    Acceptor::new().tls(server_config())
}

/// What becomes of a connection to `host`, for the server and the client.
async fn meet(
    acceptor: &Acceptor,
    connector: &Connector,
    host: &str,
) -> (Result<WsStream, WsErr>, Result<WsStream, WsErr>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://{host}:{}/", listener.local_addr().unwrap().port());
    let server = async { acceptor.accept(listener.accept().await.unwrap().0).await };
    future::join(server, connector.connect(url)).await
}

async fn converse(mut server: WsStream, mut client: WsStream) {
    let big = vec![7; 300_000];
    let write = async {
        client.write_all(&big).await.unwrap();
        client.close_with(CloseFrame::normal()).await.unwrap()
    };
    let read = async {
        let mut got = Vec::new();
        server.read_to_end(&mut got).await.unwrap();
        got
    };
    let (outcome, got) = future::join(write, read).await;
    assert!(matches!(outcome, CloseOutcome::Clean { .. }), "{outcome:?}");
    assert_eq!(got, big);
}

#[tokio::test]
async fn wss_works_on_both_sides() {
    let connector = Connector::new().tls(client_config());
    let (server, client) = meet(&acceptor(), &connector, "localhost").await;
    converse(server.unwrap(), client.unwrap()).await;
}

#[test]
fn wss_works_on_smol() {
    smol::block_on(async {
        let listener = smol::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("wss://localhost:{}/", listener.local_addr().unwrap().port());
        let acceptor = acceptor();
        let connector = Connector::new().tls(client_config());
        let server = async {
            let socket = listener.accept().await.unwrap().0;
            acceptor.accept_futures_io(socket).await
        };
        let client = ws_framed::smol::connect_with(&connector, url);
        let (server, client) = future::join(server, client).await;
        converse(server.unwrap(), client.unwrap()).await;
    });
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_not_trusted() {
    let nobody = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let connector = Connector::new().tls(nobody);
    let (server, client) = meet(&acceptor(), &connector, "localhost").await;
    let error = client.map(drop).unwrap_err();
    assert!(matches!(error, WsErr::Io(_)), "{error:?}");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    server.map(drop).unwrap_err();
}

#[tokio::test]
async fn a_certificate_for_another_host_is_not_trusted() {
    let connector = Connector::new().tls(client_config());
    let (_, client) = meet(&acceptor(), &connector, "127.0.0.1").await;
    let error = client.map(drop).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
}

/// None of the roots that a client has by itself vouches for the test's authority.
#[tokio::test]
async fn a_client_that_was_told_nothing_trusts_the_usual_roots() {
    let (_, client) = meet(&acceptor(), &Connector::new(), "localhost").await;
    let error = client.map(drop).unwrap_err();
    // A system without any certificates says so before it dials.
    let kinds = [
        std::io::ErrorKind::InvalidData,
        std::io::ErrorKind::NotFound,
    ];
    assert!(kinds.contains(&error.kind()), "{error:?}");
}

#[tokio::test]
async fn a_client_that_speaks_no_tls_is_an_error_and_does_not_hang() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = acceptor();
    let server = async { acceptor.accept(listener.accept().await.unwrap().0).await };
    let url = format!("ws://{address}/");
    let (server, client) = future::join(server, ws_framed::connect(url)).await;
    server.map(drop).unwrap_err();
    client.map(drop).unwrap_err();
}

#[tokio::test]
async fn a_handshake_of_tls_that_stalls_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = TcpStream::connect(listener.local_addr().unwrap());
    let (accepted, _silent) = future::join(listener.accept(), silent).await;
    let soon = Config::default().handshake_timeout(std::time::Duration::from_millis(100));
    let error = acceptor().config(soon).accept(accepted.unwrap().0).await;
    let error = error.map(drop).unwrap_err();
    assert!(matches!(error, WsErr::TimedOut(_)), "{error:?}");
}

/// TLS that ends without its own goodbye has been cut, whoever did it.
#[tokio::test]
async fn a_cut_is_no_clean_end() {
    let connector = Connector::new().tls(client_config());
    let (server, client) = meet(&acceptor(), &connector, "localhost").await;
    drop(client);
    let error = server.unwrap().read(&mut [0]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
}
