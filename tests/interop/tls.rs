//! TLS by rustls, with certificates of an authority of the tests.

mod client;

use std::sync::{Arc, OnceLock};

use axum::extract::FromRequestParts;
use futures::{AsyncReadExt, AsyncWriteExt, future};
use tokio::net::{TcpListener, TcpStream};
use ws_framed::{
    Acceptor, CloseFrame, CloseOutcome, Config, Connector, WsErr, WsStream,
    axum::WsUpgrade,
    tls::{
        ClientTls,
        rustls::{
            ClientConfig, RootCertStore, ServerConfig,
            crypto::ring,
            pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
        },
    },
};

pub(crate) struct Certificates {
    authority: CertificateDer<'static>,
    server: CertificateDer<'static>,
    key: Vec<u8>,
    /// Certificate and key, as servers read them.
    pub(crate) pem: String,
}

/// A certificate for `localhost`, and its authority.
pub(crate) fn certificates() -> &'static Certificates {
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
            pem: server.pem() + &key.serialize_pem(),
        }
    })
}

pub(crate) fn server_config() -> ServerConfig {
    let certificates = certificates();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(certificates.key.clone()));
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificates.server.clone()], key)
        .unwrap()
}

pub(crate) fn client_config() -> ClientConfig {
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

/// Opens a connection to `host`. Returns the results of the server and of the client.
async fn open(
    acceptor: &Acceptor,
    connector: &Connector,
    host: &str,
) -> (Result<WsStream, WsErr>, Result<WsStream, WsErr>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://{host}:{}/", listener.local_addr().unwrap().port());
    let server = async { acceptor.accept(listener.accept().await.unwrap().0).await };
    future::join(server, connector.connect(url)).await
}

/// Sends data that spans several messages, and closes cleanly.
async fn send_and_close(mut server: WsStream, mut client: WsStream) {
    let data = vec![7; 300_000];
    let write = async {
        client.write_all(&data).await.unwrap();
        client.close_with(CloseFrame::normal()).await.unwrap()
    };
    let read = async {
        let mut received = Vec::new();
        server.read_to_end(&mut received).await.unwrap();
        received
    };
    let (outcome, received) = future::join(write, read).await;
    assert!(matches!(outcome, CloseOutcome::Clean { .. }), "{outcome:?}");
    assert_eq!(received, data);
}

/// `wss` URLs work with a server and a client of tokio.
#[tokio::test]
async fn wss_on_tokio() {
    let connector = Connector::new().tls(client_config());
    let (server, client) = open(&acceptor(), &connector, "localhost").await;
    send_and_close(server.unwrap(), client.unwrap()).await;
}

/// `wss` URLs work with a server and a client of smol.
#[test]
fn wss_on_smol() {
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
        send_and_close(server.unwrap(), client.unwrap()).await;
    });
}

/// A client rejects the certificate of an unknown authority. Both ends fail.
#[tokio::test]
async fn unknown_authority_is_rejected() {
    let no_roots = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let connector = Connector::new().tls(no_roots);
    let (server, client) = open(&acceptor(), &connector, "localhost").await;
    let error = client.map(drop).unwrap_err();
    assert!(matches!(error, WsErr::Io(_)), "{error:?}");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    server.map(drop).unwrap_err();
}

/// A client rejects a certificate for another host.
#[tokio::test]
async fn certificate_of_another_host() {
    let connector = Connector::new().tls(client_config());
    let (_, client) = open(&acceptor(), &connector, "127.0.0.1").await;
    let error = client.map(drop).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
}

/// A client without TLS settings trusts its built-in roots only, and rejects the authority of the
/// tests.
#[tokio::test]
async fn default_roots_are_used() {
    let (_, client) = open(&acceptor(), &Connector::new(), "localhost").await;
    let error = client.map(drop).unwrap_err();
    // A system without certificates fails before it connects.
    let kinds = [std::io::ErrorKind::InvalidData, std::io::ErrorKind::Other];
    assert!(kinds.contains(&error.kind()), "{error:?}");
}

/// Each choice of trust rejects the authority of the tests.
#[tokio::test]
async fn public_roots_reject_unknown_authority() {
    let mozilla = ClientTls::webpki_roots().unwrap();
    // A system without certificates has no verifier.
    let system = ClientTls::platform_verifier().ok();
    for tls in std::iter::once(mozilla).chain(system) {
        let connector = Connector::new().tls(tls);
        let (_, client) = open(&acceptor(), &connector, "localhost").await;
        let error = client.map(drop).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidData, "{error:?}");
    }
}

/// A client without TLS fails at a server with TLS, and neither end hangs.
#[tokio::test]
async fn client_without_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = acceptor();
    let server = async { acceptor.accept(listener.accept().await.unwrap().0).await };
    let url = format!("ws://{address}/");
    let (server, client) = future::join(server, ws_framed::connect(url)).await;
    server.map(drop).unwrap_err();
    client.map(drop).unwrap_err();
}

/// A TLS handshake that stalls is `TimedOut` after `handshake_timeout`.
#[tokio::test]
async fn stalled_tls_handshake_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = TcpStream::connect(listener.local_addr().unwrap());
    let (accepted, _silent) = future::join(listener.accept(), silent).await;
    let short_timeout = Config::default().handshake_timeout(std::time::Duration::from_millis(100));
    let error = acceptor()
        .config(short_timeout)
        .accept(accepted.unwrap().0)
        .await;
    let error = error.map(drop).unwrap_err();
    assert!(matches!(error, WsErr::TimedOut(_)), "{error:?}");
}

/// The TCP sockets below TLS, in both roles, send small messages at once, and hold little unsent
/// data before a pong.
#[tokio::test]
async fn sockets_below_tls_are_prepared() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let server = listener.accept().unwrap().0;
    let observed = [server.try_clone().unwrap(), client.try_clone().unwrap()];
    let [server, client] = [server, client].map(|socket| {
        socket.set_nonblocking(true).unwrap();
        assert!(!socket.nodelay().unwrap());
        TcpStream::from_std(socket).unwrap()
    });
    let (acceptor, connector) = (acceptor(), Connector::new().tls(client_config()));
    let opening = connector.connect_over(client, "wss://localhost/");
    let (server, client) = future::join(acceptor.accept(server), opening).await;
    for socket in observed {
        assert!(socket.nodelay().unwrap());
        #[cfg(any(target_os = "android", target_os = "linux"))]
        assert_eq!(
            socket2::SockRef::from(&socket).tcp_notsent_lowat().unwrap(),
            64 * 1024
        );
    }
    send_and_close(server.unwrap(), client.unwrap()).await;
}

/// TLS that ends without `close_notify` is an abnormal closure.
#[tokio::test]
async fn end_without_close_notify() {
    let connector = Connector::new().tls(client_config());
    let (server, client) = open(&acceptor(), &connector, "localhost").await;
    drop(client);
    let error = server.unwrap().read(&mut [0]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
}

/// A server selects `http/1.1`, whatever its configuration says, and accepts a client without ALPN.
#[tokio::test]
async fn server_selects_http_1_1() {
    let h2_and_http = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut config = server_config();
    config.alpn_protocols.clone_from(&h2_and_http);
    let acceptors = [
        Acceptor::new().tls(config.clone()),
        Acceptor::new().tls(Arc::new(config)),
    ];
    for acceptor in acceptors {
        for (offered, selected) in [
            (h2_and_http.clone(), Some(&b"http/1.1"[..])),
            (Vec::new(), None),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let socket = smol::net::TcpStream::connect(listener.local_addr().unwrap());
            let mut config = client_config();
            config.alpn_protocols = offered;
            let connector = futures_rustls::TlsConnector::from(Arc::new(config));
            let client = async {
                let name = "localhost".try_into().unwrap();
                let io = connector
                    .connect(name, socket.await.unwrap())
                    .await
                    .unwrap();
                assert_eq!(io.get_ref().1.alpn_protocol(), selected);
                let connector = Connector::new();
                let opening = connector.connect_over_futures_io(io, "ws://localhost/");
                opening.await.unwrap()
            };
            let server = async { acceptor.accept(listener.accept().await.unwrap().0).await };
            let (server, client) = future::join(server, client).await;
            send_and_close(server.unwrap(), client).await;
        }
    }
}

/// TLS is below hyper and axum: an acceptor with TLS is an error there, and status 500.
#[tokio::test]
async fn tls_below_http_server_is_error() {
    let mut request = axum::http::Request::new(());
    let acceptor = acceptor().on_request(async |_| Ok(()));
    let (response, opening) = ws_framed::hyper::upgrade(&acceptor, &mut request).await;
    assert_eq!(response.status(), 500);
    let error = opening.await.map(drop).unwrap_err();
    assert!(matches!(error, WsErr::InvalidConfig(_)), "{error:?}");

    let (mut parts, ()) = request.into_parts();
    let upgrade = WsUpgrade::from_request_parts(&mut parts, &())
        .await
        .unwrap();
    let (response, opening) = upgrade.upgrade(&acceptor).await;
    assert_eq!(response.status(), 500);
    let error = opening.await.map(drop).unwrap_err();
    assert!(matches!(error, WsErr::InvalidConfig(_)), "{error:?}");
}

/// The TLS settings of both sides are plain data.
#[test]
fn settings_are_plain_data() {
    fn assert_plain<T: Send + Sync + Unpin + Clone + std::fmt::Debug + 'static>() {}
    assert_plain::<(ws_framed::tls::ClientTls, ws_framed::tls::ServerTls)>();
}
