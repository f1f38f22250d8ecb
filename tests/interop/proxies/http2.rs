//! Proxies that speak HTTP/2 with clients: HAProxy passes WebSockets on, by HTTP/1.1 or by HTTP/2;
//! nginx and Caddy announce none.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    response::Html,
    routing::{any, get},
};
use futures::{AsyncReadExt, StreamExt, future};
use hyper::StatusCode;
use serde_json::Value;
use smol::process::Stdio;
use tokio::{net::TcpListener, sync::mpsc::unbounded_channel};
use ws_framed::{
    Acceptor, CloseFrame, Connector, Json, Rejection, Unsupported, WsErr, WsFramed, WsStream,
    axum::WsUpgrade,
    http::{HeaderMap, Request, Version},
    hyper::Http2,
};

use super::{
    Proxy, echo, echo_server, exchange,
    reverse::{Kind, Setup, closed, with_keepalive},
    test,
};
use crate::{
    http2::{self, LIMIT, Server, Way},
    peers::{self, browser, folder},
    tls::client_config,
};

const SETUP: Setup = Setup {
    is_secure: true,
    is_impatient: false,
    server_is_http2: false,
};

/// The version, the host and the headers of each request that a server has got.
type Seen = Arc<Mutex<Vec<(Version, String, HeaderMap)>>>;

/// Starts a server that echoes bytes at `/chat`.
async fn start_server(is_http2: bool, seen: &Seen) -> SocketAddr {
    let seen = Arc::clone(seen);
    let acceptor = Acceptor::new().config(with_keepalive(None));
    let acceptor = acceptor.subprotocol("v2");
    let acceptor = acceptor.on_request(move |request: Request<()>| {
        let is_known = request.uri().path() == "/chat";
        let headers = request.headers().clone();
        let host = match request.uri().authority() {
            Some(authority) => authority.to_string(),
            None => headers["host"].to_str().unwrap().to_owned(),
        };
        seen.lock()
            .unwrap()
            .push((request.version(), host, headers));
        let rejection = Rejection::new(403, "no such room");
        future::ready(is_known.then_some(()).ok_or(rejection))
    });
    if !is_http2 {
        return echo_server(acceptor, |(stream, ())| stream).await;
    }
    let mut server = Server::start(Way::new(false, false), acceptor).await;
    let address = server.address;
    tokio::spawn(async move {
        while let Some(opened) = server.results.recv().await {
            if let Ok((stream, ())) = opened {
                tokio::spawn(echo(stream));
            }
        }
    });
    address
}

/// An HTTP/2 connection to a proxy.
async fn connect(proxy: &Proxy) -> Result<Http2<String>, WsErr> {
    let (sender, mut connection) = http2::connect(proxy.address, true).await;
    let client = Http2::handshake(sender, &mut connection, LIMIT).await;
    tokio::spawn(connection);
    client
}

async fn open(client: &Http2<String>, proxy: &Proxy, path: &str) -> Result<WsStream, WsErr> {
    let url = format!("wss://localhost:{}{path}", proxy.address.port());
    let connector = Connector::new().config(with_keepalive(None));
    client.connect(&connector.subprotocol("v2"), url).await
}

async fn open_by_http1(proxy: &Proxy) -> WsStream {
    let url = format!("wss://localhost:{}/chat", proxy.address.port());
    let connector = Connector::new().tls(client_config()).subprotocol("v2");
    connector.connect(url).await.unwrap()
}

/// The status and the reason of a rejection.
fn rejection(error: WsErr) -> (StatusCode, String) {
    match error {
        WsErr::Rejected(response) => (response.status(), response.reason().to_owned()),
        error => panic!("{error:?}"),
    }
}

/// Several WebSockets on one connection: bytes and closes pass, the server sees `:authority` as
/// `Host`, and its rejections reach the client. Without the server, there is a status of HAProxy.
async fn carries_websockets(server_is_http2: bool) -> Result<(), String> {
    let setup = Setup {
        server_is_http2,
        ..SETUP
    };
    let seen = Seen::default();
    let server = start_server(server_is_http2, &seen).await;
    let proxy = Kind::HaProxy.start(server, setup).await?;
    let client = connect(&proxy).await.unwrap();
    let mut streams = Vec::new();
    for _ in 0..3 {
        let stream = open(&client, &proxy, "/chat").await.unwrap();
        assert_eq!(stream.subprotocol(), Some("v2"));
        streams.push(stream);
    }
    future::join_all(streams.into_iter().map(exchange)).await;
    let refused = open(&client, &proxy, "/other").await.map(drop).unwrap_err();
    let expected = (StatusCode::FORBIDDEN, "no such room".to_owned());
    assert_eq!(rejection(refused), expected);
    let authority = format!("localhost:{}", proxy.address.port());
    // A client of HTTP/1.1 at the same port.
    exchange(open_by_http1(&proxy).await).await;
    let expected = if server_is_http2 {
        Version::HTTP_2
    } else {
        Version::HTTP_11
    };
    for (version, host, headers) in &*seen.lock().unwrap() {
        assert_eq!(*version, expected);
        assert_eq!(*host, authority);
        assert_eq!(headers["x-forwarded-for"], "127.0.0.1");
    }
    drop(proxy);

    let proxy = Kind::HaProxy.start(closed().await, setup).await?;
    let client = connect(&proxy).await.unwrap();
    let refused = open(&client, &proxy, "/chat").await.map(drop).unwrap_err();
    assert_eq!(rejection(refused).0, StatusCode::SERVICE_UNAVAILABLE);
    Ok(())
}

/// A silent WebSocket is closed after the timeout, without a close frame, and its connection goes
/// on.
async fn closes_idle_websockets() -> Result<(), String> {
    let server = start_server(false, &Seen::default()).await;
    let setup = Setup {
        is_impatient: true,
        ..SETUP
    };
    let proxy = Kind::HaProxy.start(server, setup).await?;
    let client = connect(&proxy).await.unwrap();
    let mut stream = open(&client, &proxy, "/chat").await.unwrap();
    let error = stream.read(&mut [0]).await.unwrap_err();
    assert_eq!(WsErr::from(error), WsErr::UnexpectedEof);
    exchange(open(&client, &proxy, "/chat").await.unwrap()).await;
    Ok(())
}

/// A client of HTTP/2 at HAProxy, which speaks HTTP/1.1 with the server.
#[test]
fn haproxy_to_http1_server() {
    test("HAProxy with HTTP/2", async {
        carries_websockets(false).await?;
        closes_idle_websockets().await
    });
}

/// A client of HTTP/2 at HAProxy, which speaks HTTP/2 with the server, too.
#[test]
fn haproxy_to_http2_server() {
    test(
        "HAProxy with HTTP/2 on both sides",
        carries_websockets(true),
    );
}

/// nginx and Caddy announce no WebSockets in HTTP/2. The same port takes them by HTTP/1.1.
async fn announces_none(kind: Kind) -> Result<(), String> {
    let server = start_server(false, &Seen::default()).await;
    let proxy = kind.start(server, SETUP).await?;
    let expected = WsErr::Unsupported(Unsupported::ExtendedConnect);
    assert_eq!(connect(&proxy).await.map(drop).unwrap_err(), expected);
    exchange(open_by_http1(&proxy).await).await;
    Ok(())
}

/// nginx with HTTP/2.
#[test]
fn nginx_announces_none() {
    test("nginx with HTTP/2", announces_none(Kind::Nginx));
}

/// Caddy with HTTP/2, which is its default.
#[test]
fn caddy_announces_none() {
    test("Caddy with HTTP/2", announces_none(Kind::Caddy));
}

/// A page that the browser got by HTTP/2 opens a WebSocket through each proxy, announced or not.
#[test]
fn browser_behind_proxies() {
    const PAGE: &str = "<!doctype html><meta charset='utf-8'><script>
        const protocol = performance.getEntriesByType('navigation')[0].nextHopProtocol;
        const socket = new WebSocket(`wss://${location.host}/chat/socket`);
        socket.onopen = () => socket.send(JSON.stringify(protocol));</script>";

    test("a browser behind proxies", async {
        for kind in [Kind::HaProxy, Kind::Nginx, Kind::Caddy] {
            let Some(mut browser) = browser().await else {
                return Err("no Chrome or Chromium".to_owned());
            };
            let (sender, mut opened) = unbounded_channel();
            let socket = any(async move |upgrade: WsUpgrade| {
                let (response, opening) = upgrade.upgrade(&Acceptor::new()).await;
                tokio::spawn(async move { sender.send(opening.await) });
                response
            });
            let router: Router = Router::new()
                .route("/chat/page", get(async || Html(PAGE)))
                .route("/chat/socket", socket);
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let server = listener.local_addr().unwrap();
            tokio::spawn(async move { axum::serve(listener, router).await });
            let proxy = kind.start(server, SETUP).await?;

            let profile = folder(&format!("proxy-browser-{kind:?}")).join("profile");
            browser
                .arg(format!("--user-data-dir={}", profile.display()))
                .arg("--ignore-certificate-errors")
                .arg(format!(
                    "https://localhost:{}/chat/page",
                    proxy.address.port()
                ));
            let (_browser, _) = peers::start(browser.stderr(Stdio::null()));
            let stream: WsStream = opened.recv().await.unwrap().unwrap();
            let mut values: WsFramed<Value, Json<Value>> = stream.per_message(Json::new(100));
            assert_eq!(values.next().await.unwrap().unwrap(), "h2", "{kind:?}");
            let outcome = values.close_with(CloseFrame::normal()).await.unwrap();
            assert!(outcome.is_clean(), "{outcome:?}");
        }
        Ok(())
    });
}
