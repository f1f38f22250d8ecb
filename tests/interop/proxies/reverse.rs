//! Proxies in front of a server: nginx, HAProxy and Caddy, with the configuration of the guide.

use std::{
    fmt::Debug,
    io::ErrorKind,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt, future};
use ws_framed::{
    Acceptor, Config, Connector, Keepalive, Rejection, WsErr, WsEvent, WsStream,
    http::{HeaderMap, Request},
};

use super::{Proxy, echo_server, exchange, test};
use crate::tls::{certificates, client_config};

/// The page of the guide.
const GUIDE: &str = include_str!("../../../src/guide/proxies.md");

/// A server of the guide.
const BACKEND: &str = "127.0.0.1:8080";

/// The block of the guide in this language.
fn snippet(language: &str) -> &'static str {
    let (_, block) = GUIDE.split_once(&format!("```{language}\n")).unwrap();
    block.split_once("```").unwrap().0
}

/// Replaces a part of a snippet, which must have it.
fn adapt(snippet: &str, parts: &[(&str, &str)]) -> String {
    parts.iter().fold(snippet.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from} in {text}");
        text.replace(from, to)
    })
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Nginx,
    HaProxy,
    Caddy,
}

/// How a proxy is set up.
#[derive(Clone, Copy, Default)]
pub(super) struct Setup {
    /// Whether it speaks TLS with clients, and therefore HTTP/2, too.
    pub(super) is_secure: bool,
    /// Whether it closes a connection that is silent for a second.
    pub(super) is_impatient: bool,
    /// Whether the server speaks HTTP/2 only. For HAProxy.
    pub(super) server_is_http2: bool,
}

impl Kind {
    /// Starts it, with the configuration of the guide.
    pub(super) async fn start(self, backend: SocketAddr, setup: Setup) -> Result<Proxy, String> {
        let backend = backend.to_string();
        let idle = if setup.is_impatient { "1s" } else { "60s" };
        let pem = ("tls.pem", certificates().pem.clone());
        match self {
            Self::Nginx => {
                let location = adapt(snippet("nginx"), &[(BACKEND, &*backend), ("60s", idle)]);
                let configure = |address: SocketAddr| {
                    let tls = if setup.is_secure {
                        "ssl http2; ssl_certificate tls.pem; ssl_certificate_key tls.pem"
                    } else {
                        ""
                    };
                    let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                        .map(|name| format!("{name}_temp_path {name};\n"))
                        .concat();
                    let config = format!(
                        "daemon off; master_process off; pid nginx.pid; error_log stderr;\n\
                         events {{}}\nhttp {{ access_log off;\n{paths}\
                         server {{ listen {address} {tls};\n{location} }} }}"
                    );
                    vec![("nginx.conf", config), pem.clone()]
                };
                Proxy::start("nginx", &["-p", ".", "-c", "nginx.conf"], configure).await
            }
            Self::HaProxy => {
                let configure = |address: SocketAddr| {
                    let tls = if setup.is_secure {
                        ":443 ssl crt /etc/haproxy/chat.pem"
                    } else {
                        ":443 ssl crt /etc/haproxy/chat.pem alpn h2,http/1.1"
                    };
                    let bind = if setup.is_secure {
                        format!("{address} ssl crt tls.pem")
                    } else {
                        address.to_string()
                    };
                    let server = if setup.server_is_http2 {
                        format!("{backend} proto h2")
                    } else {
                        backend.clone()
                    };
                    let parts = [
                        (BACKEND, &*server),
                        ("60s", idle),
                        // Otherwise, it waits for a second before each of three attempts.
                        ("mode http\n", "mode http\n    retries 0\n"),
                        (tls, &bind),
                    ];
                    vec![
                        ("haproxy.cfg", adapt(snippet("haproxy"), &parts)),
                        pem.clone(),
                    ]
                };
                Proxy::start("haproxy", &["-db", "-f", "haproxy.cfg"], configure).await
            }
            Self::Caddy => {
                let configure = |address: SocketAddr| {
                    let port = address.port();
                    let site = if setup.is_secure {
                        format!("https://localhost:{port} {{\n    tls tls.pem tls.pem\n")
                    } else {
                        format!("http://127.0.0.1:{port} {{\n")
                    };
                    let parts = [(BACKEND, &*backend), ("chat.example {\n", &site)];
                    let site = adapt(snippet("caddyfile"), &parts);
                    let config = format!("{{\n    admin off\n    auto_https off\n}}\n{site}");
                    vec![("Caddyfile", config), pem.clone()]
                };
                Proxy::start("caddy", &["run", "--config", "Caddyfile"], configure).await
            }
        }
    }
}

/// Bytes pass in both directions, plain and over TLS, and so do closes.
async fn carries_bytes(kind: Kind) -> Result<(), String> {
    let server = echo_server(Acceptor::new(), |stream| stream).await;
    let plain = kind.start(server, Setup::default()).await?;
    let url = format!("ws://{}/chat", plain.address);
    exchange(ws_framed::connect(url).await.unwrap()).await;
    drop(plain);
    let setup = Setup {
        is_secure: true,
        ..Setup::default()
    };
    let secure = kind.start(server, setup).await?;
    let connector = Connector::new().tls(client_config());
    let url = format!("wss://localhost:{}/chat", secure.address.port());
    exchange(connector.connect(url).await.unwrap()).await;
    Ok(())
}

/// The server sees the `Host` of the client, and the address of the client behind any that it
/// forged. Its rejections reach the client. Without the server, there is a status of the proxy.
async fn forwards_requests(kind: Kind) -> Result<(), String> {
    let seen = Arc::new(Mutex::new(Vec::<HeaderMap>::new()));
    let headers = Arc::clone(&seen);
    let acceptor = Acceptor::new().on_request(move |request: Request<()>| {
        let is_known = request.uri().path() == "/chat";
        headers.lock().unwrap().push(request.headers().clone());
        async move {
            if is_known {
                Ok(())
            } else {
                Err(Rejection::new(403, "no such room"))
            }
        }
    });
    let server = echo_server(acceptor, |(stream, ())| stream).await;
    let proxy = kind.start(server, Setup::default()).await?;
    let url = format!("ws://{}/chat", proxy.address);
    let forging = Connector::new().header("X-Forwarded-For", "192.0.2.7");
    exchange(forging.connect(&url).await.unwrap()).await;
    {
        let seen = seen.lock().unwrap();
        assert_eq!(seen[0]["host"], proxy.address.to_string(), "{kind:?}");
        let last = seen[0].get_all("x-forwarded-for").iter().next_back();
        let last = last.unwrap().to_str().unwrap().rsplit(',').next();
        assert_eq!(last.map(str::trim), Some("127.0.0.1"), "{kind:?}");
    }
    let rejection = rejected(&format!("{url}/7")).await;
    assert_eq!(rejection, (403, "no such room".to_owned()), "{kind:?}");
    drop(proxy);

    let proxy = kind.start(closed().await, Setup::default()).await?;
    let (status, _) = rejected(&format!("ws://{}/chat", proxy.address)).await;
    let expected = if kind == Kind::HaProxy { 503 } else { 502 };
    assert_eq!(status, expected, "{kind:?}");
    Ok(())
}

/// An address that nothing listens on.
pub(super) async fn closed() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

/// The status and the reason of a rejection.
async fn rejected(url: &str) -> (u16, String) {
    match ws_framed::connect(url).await.map(drop).unwrap_err() {
        WsErr::Rejected(response) => (response.status().as_u16(), response.reason().to_owned()),
        error => panic!("{error:?}"),
    }
}

pub(super) fn with_keepalive(keepalive: impl Into<Option<Keepalive>>) -> Config {
    Config::default().keepalive(keepalive)
}

/// A silent connection is closed after the timeout of the proxy, without a close frame. With a
/// keepalive below the timeout, it stays open.
async fn closes_idle_connections(kind: Kind) -> Result<(), String> {
    let acceptor = Acceptor::new().config(with_keepalive(None));
    let server = echo_server(acceptor, |stream| stream).await;
    let setup = Setup {
        is_impatient: true,
        ..Setup::default()
    };
    let proxy = kind.start(server, setup).await?;
    let url = format!("ws://{}/chat", proxy.address);
    let connect = async |config| {
        let connector = Connector::new().config(config);
        connector.connect(&url).await.unwrap()
    };
    let silent = async {
        let mut stream = connect(with_keepalive(None)).await;
        let error = stream.read(&mut [0]).await.unwrap_err();
        let kinds = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset];
        assert!(kinds.contains(&error.kind()), "{kind:?}: {error:?}");
    };
    let pinging = async {
        let keepalive = Keepalive::default().interval(Duration::from_millis(300));
        let mut stream = connect(with_keepalive(keepalive)).await;
        wait_for_pongs(&mut stream, 6).await;
        exchange(stream).await;
    };
    future::join(silent, pinging).await;
    Ok(())
}

/// Waits for so many pongs, while nothing else comes.
async fn wait_for_pongs(stream: &mut WsStream, count: usize) {
    let pongs = stream.events();
    let pongs = pongs.filter(|event| future::ready(matches!(event, WsEvent::Pong(_))));
    let pongs = std::pin::pin!(pongs.take(count).for_each(|_| future::ready(())));
    let mut byte = [0];
    match future::select(stream.read(&mut byte), pongs).await {
        future::Either::Left((read, _)) => panic!("{read:?}"),
        future::Either::Right(_) => {}
    }
    // It is still open.
    stream.flush().await.unwrap();
}

/// nginx, with the lines of the guide.
#[test]
fn nginx_in_front_of_a_server() {
    test("nginx", async {
        carries_bytes(Kind::Nginx).await?;
        forwards_requests(Kind::Nginx).await?;
        closes_idle_connections(Kind::Nginx).await
    });
}

/// HAProxy, with the lines of the guide.
#[test]
fn haproxy_in_front_of_a_server() {
    test("HAProxy", async {
        carries_bytes(Kind::HaProxy).await?;
        forwards_requests(Kind::HaProxy).await?;
        closes_idle_connections(Kind::HaProxy).await
    });
}

/// Caddy, with the lines of the guide. It does not close idle connections.
#[test]
fn caddy_in_front_of_a_server() {
    test("Caddy", async {
        carries_bytes(Kind::Caddy).await?;
        forwards_requests(Kind::Caddy).await
    });
}
