//! When a client uses TLS, and what it offers.

use std::sync::Arc;

use futures::future;
use tokio::{
    io::{AsyncRead, AsyncReadExt, duplex},
    net::TcpListener,
};
use tokio_util::compat::TokioAsyncReadCompatExt;
use ws_framed::{Connector, Rejection, WsErr, WsStream, http::Request, tls::rustls};

use super::{acceptor, client_config, send_and_close};

/// What a client asks for: the names in ALPN, and the name of the server.
async fn client_hello(
    opening: impl Future<Output = Result<WsStream, WsErr>>,
    peer: impl Future<Output = impl AsyncRead + Unpin>,
) -> (Vec<String>, Option<String>) {
    let read = async {
        let mut peer = peer.await;
        let mut acceptor = rustls::server::Acceptor::default();
        loop {
            let mut bytes = [0; 4096];
            let len = peer.read(&mut bytes).await.unwrap();
            acceptor.read_tls(&mut &bytes[..len]).unwrap();
            let accepted = acceptor.accept();
            let accepted = accepted.map_err(|(error, _)| error).expect("a ClientHello");
            if let Some(accepted) = accepted {
                let hello = accepted.client_hello();
                let protocols = hello.alpn().into_iter().flatten();
                let protocols = protocols.map(|name| String::from_utf8_lossy(name).into_owned());
                return (protocols.collect(), hello.server_name().map(str::to_owned));
            }
        }
    };
    let (result, hello) = future::join(opening, read).await;
    result.unwrap_err();
    hello
}

/// With TLS settings, all ways to connect speak TLS before anything else, and offer HTTP/1.1 only,
/// whatever the settings list.
#[tokio::test]
async fn clients_begin_with_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let accept = async || listener.accept().await.unwrap().0;
    let mut config = client_config();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    for connector in [
        Connector::new().tls(config.clone()),
        Connector::new().tls(Arc::new(config)),
        Connector::new().tls(client_config()),
    ] {
        let connector = connector.header("Authorization", "secret");
        for scheme in ["wss", "WSS", "https"] {
            let url = format!("{scheme}://LOCALHOST:{port}/");
            let (over, peer) = duplex(64 * 1024);
            let (over_futures_io, other_peer) = duplex(64 * 1024);
            let over_futures_io = over_futures_io.compat();
            let hellos = [
                client_hello(connector.connect(&url), accept()).await,
                client_hello(ws_framed::smol::connect_with(&connector, &url), accept()).await,
                client_hello(connector.connect_over(over, &url), future::ready(peer)).await,
                client_hello(
                    connector.connect_over_futures_io(over_futures_io, &url),
                    future::ready(other_peer),
                )
                .await,
            ];
            for (protocols, name) in hellos {
                assert_eq!(protocols, ["http/1.1"]);
                assert_eq!(name.as_deref(), Some("localhost"));
            }
        }
    }
}

/// `connect_over` with TLS settings is secure, such as through the tunnel of a proxy.
#[tokio::test]
async fn tls_over_a_tunnel() {
    let (near, far) = duplex(64 * 1024);
    let connector = Connector::new().tls(client_config());
    let acceptor = acceptor();
    let opening = connector.connect_over(near, "wss://localhost/");
    let (server, client) = future::join(acceptor.accept(far), opening).await;
    send_and_close(server.unwrap(), client.unwrap()).await;
}

/// The next address of a name is used for TLS, too, if the first one refuses.
#[tokio::test]
async fn dead_first_address_with_tls() {
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead_address = dead.local_addr().unwrap();
    drop(dead);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addresses = vec![dead_address, listener.local_addr().unwrap()];
    let connector = Connector::new()
        .tls(client_config())
        .resolver(move |_, _| future::ready(Ok(addresses.clone())));
    let url = "wss://localhost/";
    let acceptor = acceptor();
    let accept = async || acceptor.accept(listener.accept().await.unwrap().0).await;
    for (server, client) in [
        future::join(accept(), connector.connect(url)).await,
        future::join(accept(), ws_framed::smol::connect_with(&connector, url)).await,
    ] {
        send_and_close(server.unwrap(), client.unwrap()).await;
    }
}

/// TLS settings do not matter to URLs without TLS, and without settings, `connect_over` expects
/// that the stream is secure already.
#[tokio::test]
async fn plain_streams_stay_plain() {
    let secure = Connector::new().tls(client_config());
    for (connector, url) in [
        (&secure, "ws://localhost/"),
        (&secure, "http://localhost/"),
        (&Connector::new(), "wss://localhost/"),
    ] {
        let (near, far) = duplex(64 * 1024);
        let opening = connector.connect_over(near, url);
        let (server, client) = future::join(ws_framed::accept(far), opening).await;
        send_and_close(server.unwrap(), client.unwrap()).await;
    }
}

/// A redirect from `wss` to `ws` is reported, and not followed; one to `wss` is followed.
#[tokio::test]
async fn redirects_stay_within_tls() {
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain_url = format!("ws://{}/", plain.local_addr().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://localhost:{}/", listener.local_addr().unwrap().port());
    let connector = Connector::new().tls(client_config()).follow_redirects(3);
    for target in [plain_url.as_str(), "/elsewhere"] {
        let server = async {
            let location = target.to_owned();
            let acceptor = acceptor().on_request(move |request: Request<()>| {
                let rejection = Rejection::new(307, "").header("Location", location.clone());
                let is_target = request.uri().path() == "/elsewhere";
                async move { if is_target { Ok(()) } else { Err(rejection) } }
            });
            let error = acceptor.accept(listener.accept().await.unwrap().0).await;
            error.map(drop).unwrap_err();
            if target == "/elsewhere" {
                let stream = acceptor.accept(listener.accept().await.unwrap().0).await;
                Some(stream.unwrap().0)
            } else {
                None
            }
        };
        match future::join(connector.connect(&url), server).await {
            (Ok(client), Some(server)) => send_and_close(server, client).await,
            (Err(WsErr::Rejected(response)), None) => {
                let redirect = response.redirect().unwrap();
                assert_eq!((redirect.url(), redirect.may_follow()), (target, false));
            }
            other => panic!("{target}: {other:?}"),
        }
    }
}
