//! One `Acceptor` in each environment: sockets of tokio and of smol, servers of hyper and of axum.
//! Each test runs over all of them.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{Router, routing::any};
use futures::future;
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use support::{
    handshake::{REQUEST, exchange_and_close},
    timeout,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::yield_now,
};
use ws_framed::{
    Acceptor, Config, Connector, Deflate, Rejection, WsErr, WsStream, axum::WsUpgrade, http,
    offered_subprotocols,
};

/// An environment in which connections are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Tokio,
    Smol,
    Hyper,
    Axum,
}

const WAYS: [Way; 4] = [Way::Tokio, Way::Smol, Way::Hyper, Way::Axum];

impl Way {
    /// Whether another HTTP implementation reads the request and writes the response.
    fn is_http_server(self) -> bool {
        matches!(self, Self::Hyper | Self::Axum)
    }
}

/// What accepting each connection has returned.
type Results<T> = UnboundedReceiver<Result<T, WsErr>>;

/// Starts a server. Returns its address, and what it accepts.
async fn start<T: Send + 'static>(way: Way, acceptor: Acceptor<T>) -> (SocketAddr, Results<T>) {
    let (sender, results) = unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    match way {
        Way::Tokio => {
            tokio::spawn(async move {
                loop {
                    let socket = listener.accept().await.unwrap().0;
                    let (acceptor, sender) = (acceptor.clone(), sender.clone());
                    tokio::spawn(async move { sender.send(acceptor.accept(socket).await) });
                }
            });
        }
        Way::Smol => {
            let listener = smol::net::TcpListener::try_from(listener.into_std().unwrap()).unwrap();
            let serve = async move {
                while let Ok((socket, _)) = listener.accept().await {
                    let (acceptor, sender) = (acceptor.clone(), sender.clone());
                    let accept = async move {
                        let _ = sender.send(acceptor.accept_futures_io(socket).await);
                    };
                    smol::spawn(accept).detach();
                }
            };
            smol::spawn(serve).detach();
        }
        Way::Hyper => {
            tokio::spawn(async move {
                loop {
                    let (socket, peer) = listener.accept().await.unwrap();
                    tokio::spawn(serve_hyper(socket, peer, acceptor.clone(), sender.clone()));
                }
            });
        }
        Way::Axum => {
            let route = any(async move |upgrade: WsUpgrade| {
                let (response, opening) = upgrade.upgrade(&acceptor).await;
                tokio::spawn(async move { sender.send(opening.await) });
                response
            });
            let router: Router = Router::new().fallback_service(route);
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            tokio::spawn(async move { axum::serve(listener, service).await });
        }
    }
    (address, results)
}

async fn serve_hyper<T: Send + 'static>(
    socket: TcpStream,
    peer: SocketAddr,
    acceptor: Acceptor<T>,
    sender: UnboundedSender<Result<T, WsErr>>,
) {
    let service = service_fn(|mut request: Request<Incoming>| {
        let (acceptor, sender) = (acceptor.clone(), sender.clone());
        async move {
            request.extensions_mut().insert(peer);
            let (response, opening) = ws_framed::hyper::upgrade(&acceptor, &mut request).await;
            tokio::spawn(async move { sender.send(opening.await) });
            Ok::<_, Infallible>(response)
        }
    });
    let http = hyper::server::conn::http1::Builder::new();
    let connection = http.serve_connection(TokioIo::new(socket), service);
    let _ = connection.with_upgrades().await;
}

/// Sends a request. Returns the head of the response and its content; nothing if the connection
/// ends without a response.
async fn exchange(address: SocketAddr, request: &str) -> (String, String) {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let len = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let is_len = name.eq_ignore_ascii_case("content-length");
        is_len.then(|| value.parse::<usize>().unwrap())
    });
    let mut content = vec![0; len.filter(|_| !request.starts_with("HEAD")).unwrap_or(0)];
    socket.read_exact(&mut content).await.unwrap();
    (head, String::from_utf8(content).unwrap())
}

fn status_of(head: &str) -> u16 {
    let status = head.split(' ').nth(1);
    status.map_or(0, |status| status.parse().unwrap())
}

/// The status that a server reports to its caller.
fn status_in<T>(result: Result<T, WsErr>) -> u16 {
    match result {
        Ok(_) => 101,
        Err(WsErr::Rejected(response)) => response.status().as_u16(),
        Err(error) => panic!("{error:?}"),
    }
}

/// Compression is agreed on in each environment, and messages arrive.
#[tokio::test]
async fn compression_is_accepted() {
    for way in WAYS {
        let config = Config::default().compression(Deflate::default().min_len(0));
        let (address, mut results) = start(way, Acceptor::new().config(config.clone())).await;
        let connector = Connector::new().config(config);
        let client = connector.connect(format!("ws://{address}/"));
        let (client, server) = timeout(future::join(client, results.recv())).await;
        let (server, client) = (server.unwrap().unwrap(), client.unwrap());
        assert!(server.compression().is_some(), "{way:?}");
        assert_eq!(server.compression(), client.compression());
        timeout(exchange_and_close(server, client)).await;
    }
}

/// A callback that waits, and returns what it has seen.
async fn look(request: http::Request<()>) -> Result<String, Rejection> {
    yield_now().await;
    match request.uri().path() {
        "/health" => Err(Rejection::new(200, "ok")),
        "/private" => {
            let realm = "Basic realm=\"Büro\"";
            Err(Rejection::new(401, "log in").header("WWW-Authenticate", realm))
        }
        "/broken" => Err(Rejection::new(401, "log in").header("Upgrade", "secret")),
        path => {
            let peer: &SocketAddr = request.extensions().get().unwrap();
            let offers: Vec<_> = offered_subprotocols(&request).collect();
            let session = request.headers()["Cookie"].as_bytes();
            let session = String::from_utf8_lossy(session);
            Ok(format!("{path} {} {offers:?} {session}", peer.ip()))
        }
    }
}

/// The callback sees the target, all headers and the address of the peer. Its value is returned
/// beside the stream.
#[tokio::test]
async fn callback_value_is_returned() {
    for way in WAYS {
        let acceptor = Acceptor::new().on_request(look).subprotocol("v2");
        let (address, mut results) = start(way, acceptor).await;
        let connector = Connector::new()
            .header("Cookie", "name=Zoë; session=8f3a")
            .subprotocol("v1")
            .subprotocol("v2");
        let opening = connector.connect(format!("ws://{address}/chat?x"));
        let client = timeout(opening).await.unwrap();
        let (server, seen) = results.recv().await.unwrap().unwrap();
        let expected = "/chat 127.0.0.1 [\"v1\", \"v2\"] name=Zoë; session=8f3a";
        assert_eq!(seen, expected, "{way:?}");
        assert_eq!(server.subprotocol(), Some("v2"));
        timeout(exchange_and_close(server, client)).await;
    }
}

/// The callback rejects a request with a status, headers and a body, or answers a request that is
/// not for a WebSocket. An invalid rejection is status 500.
#[tokio::test]
async fn callback_answers_requests() {
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let upgrade = |path: &str| REQUEST.replacen("/ ", &format!("{path} "), 1);
    for way in WAYS {
        let acceptor = Acceptor::new().on_request(look).allow_path("/private");
        let (address, mut results) = start(way, acceptor).await;
        for (request, status, content) in [
            (upgrade("/private"), 401, "log in"),
            (get("/private"), 401, "log in"),
            (get("/health"), 200, "ok"),
            (get("/health").replace("GET", "HEAD"), 200, ""),
            (get("/health").replace("1.1", "1.0"), 200, "ok"),
            // The other checks come first for a WebSocket.
            (upgrade("/health"), 404, "not found"),
        ] {
            let (head, body) = timeout(exchange(address, &request)).await;
            assert_eq!(status_of(&head), status, "{way:?} {head}");
            assert_eq!(body, content, "{way:?} {head}");
            let realm = "www-authenticate: basic realm=\"büro\"\r\n";
            assert_eq!(head.to_lowercase().contains(realm), status == 401, "{head}");
            assert_eq!(status_in(results.recv().await.unwrap()), status);
        }
        let (head, body) = timeout(exchange(address, &get("/broken"))).await;
        assert_eq!(status_of(&head), 500, "{way:?} {head}");
        assert!(!(head + &body).contains("secret"));
        let error = results.recv().await.unwrap().map(drop).unwrap_err();
        assert!(matches!(error, WsErr::InvalidHeader(_)), "{error:?}");
    }
}

/// Values of headers that are not ASCII are sent as they are, with the response that opens the
/// connection.
#[tokio::test]
async fn headers_outside_of_ascii() {
    for way in WAYS {
        let values = ["Zoë".as_bytes(), b"Zo\xeb"];
        let acceptor = Acceptor::new().header("X-Name", values[0]);
        let acceptor = acceptor.header("X-Name", values[1]);
        let (address, mut results) = start(way, acceptor).await;
        let connector = Connector::new();
        let client = connector.connect(format!("ws://{address}/"));
        let (client, server) = timeout(future::join(client, results.recv())).await;
        let (server, client) = (server.unwrap().unwrap(), client.unwrap());
        let headers = client.response_headers().unwrap();
        let received: Vec<_> = headers.get_all("x-name").iter().collect();
        assert_eq!(received, values, "{way:?}");
        timeout(exchange_and_close(server, client)).await;
    }
}

/// Requests get the status that RFC 6455 and RFC 9110 require.
#[tokio::test]
async fn requests_get_their_status() {
    let add = |lines: &str| REQUEST.replace("\r\n\r\n", &format!("\r\n{lines}\r\n\r\n"));
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    let rows = [
        (REQUEST.to_owned(), 101),
        // Lists.
        (add("Connection: keep-alive"), 101),
        (
            REQUEST.replace("Connection: Upgrade", "Connection: keep-alive,\tUPGRADE"),
            101,
        ),
        (
            REQUEST.replace("Connection:", "Connection:\r\nConnection: ,,"),
            101,
        ),
        (
            REQUEST.replace("Upgrade: websocket", "Upgrade: websocket, h2c"),
            101,
        ),
        (add("Upgrade: h2c"), 101),
        (
            REQUEST.replace("Connection: Upgrade", "Connection: no upgrade here"),
            426,
        ),
        // Any key of the right form.
        (REQUEST.replace(key, "AQIDBAUGBwgJCgsMDQ4PEC=="), 101),
        (REQUEST.replace(key, "0123456789012345678901=="), 101),
        (REQUEST.replace(key, "short=="), 400),
        // Single values.
        (add("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="), 400),
        (add("Sec-WebSocket-Version: 8"), 400),
        (REQUEST.replace("Version: 13", "Version: 8"), 426),
        // Content.
        (add("Content-Length: 0"), 101),
        (add("Content-Length: 8") + "12345678", 400),
        // Not for a WebSocket.
        (REQUEST.replace("GET", "POST"), 405),
        (REQUEST.replace("GET", "HEAD"), 405),
        (REQUEST.replace("Upgrade: websocket\r\n", ""), 426),
        ("GET / HTTP/1.0\r\n\r\n".to_owned(), 426),
    ];
    for way in WAYS {
        let (address, mut results) = start(way, Acceptor::new()).await;
        for (request, status) in &rows {
            let (head, _) = timeout(exchange(address, request)).await;
            assert_eq!(status_of(&head), *status, "{way:?} {request}{head}");
            let head = head.to_lowercase();
            // RFC 9110 sections 7.8 and 15.5.22, RFC 6455 section 4.4.
            let lines = ["upgrade: websocket", "sec-websocket-version: 13"];
            let is_present = lines.map(|line| head.contains(&format!("\r\n{line}\r\n")));
            assert_eq!(is_present, [matches!(status, 101 | 426), *status == 426]);
            let connection = head.lines().filter(|line| line.starts_with("connection:"));
            let is_upgrade = connection.into_iter().any(|line| line.contains("upgrade"));
            assert_eq!(is_upgrade, matches!(status, 101 | 426), "{way:?} {head}");
            let result = timeout(results.recv()).await.unwrap();
            assert_eq!(status_in(result), *status, "{way:?} {request}");
        }
    }
}

/// Origins, hosts and paths are compared in their normal form.
#[tokio::test]
async fn policies_are_the_same() {
    let acceptor = Acceptor::new()
        .allow_origin("https://chat.example:443")
        .allow_origin("app://")
        .allow_host("Chat.example:443")
        .allow_path("/albanø");
    let request = |host: &str, origin: &str, path: &str| {
        let host = format!("Host: {host}\r\nOrigin: {origin}\r\n");
        let request = REQUEST.replace("Host: localhost\r\n", &host);
        request.replacen("/ ", &format!("{path} "), 1)
    };
    let (host, origin, path) = ("chat.example", "https://Chat.example", "/alban%c3%b8");
    for way in WAYS {
        let (address, _results) = start(way, acceptor.clone()).await;
        for (request, status) in [
            (request(host, origin, path), 101),
            (request("chat.example:443", "app://", path), 101),
            (request("chat.example:444", origin, path), 421),
            (request(host, "https://evil.example", path), 403),
            (request(host, "http://chat.example", path), 403),
            (request(host, origin, "/alban"), 404),
        ] {
            let (head, _) = timeout(exchange(address, &request)).await;
            assert_eq!(status_of(&head), status, "{way:?} {request}{head}");
        }
    }
}

const INVALID_HOSTS: [&str; 25] = [
    "a b",
    "a, b",
    "a/b",
    "u@a",
    "a:x",
    "[::1",
    "::1",
    "a?b",
    "a#b",
    "a\\b",
    "http://a",
    "a%4",
    "[::1%25lo]",
    "localhost:80@evil",
    "localhost:@evil",
    "localhost:/evil",
    "localhost:80, evil",
    "localhost: evil",
    "localhost:evil.com",
    "localhost:-1",
    "localhost:99999",
    "localhost:+1",
    "localhost ø",
    "[::1]:80@evil",
    "[::1]80",
];

const INVALID_TARGETS: [&str; 9] = [
    "http://localhost:80@evil/chat",
    "http://localhost:@evil/chat",
    "http://u@localhost/chat",
    "http://u:p@localhost/chat",
    "http://localhost:x/chat",
    "http://localhost:99999/chat",
    "http://:80/chat",
    "http://[::1]:80@evil/chat",
    "http://[::g]/chat",
];

/// A request with an invalid host gets status 400, in `Host` and in the target, whatever is allowed
/// (RFC 9112 section 3.2, RFC 9110 section 4.2.4). None of them passes for an allowed host.
#[tokio::test]
async fn invalid_hosts_are_malformed() {
    let (localhost, address) = ("localhost", "[::1]");
    let ours = Acceptor::new().allow_host(localhost).allow_host(address);
    let with_host = |host: &str| {
        let host = format!("Host: {host}\r\n");
        REQUEST.replace("Host: localhost\r\n", &host)
    };
    let with_target = |target: &str| REQUEST.replacen("/ ", &format!("{target} "), 1);
    for way in WAYS {
        for acceptor in [Acceptor::new(), ours.clone()] {
            let (address, _results) = start(way, acceptor).await;
            for host in INVALID_HOSTS {
                let (head, _) = timeout(exchange(address, &with_host(host))).await;
                assert_eq!(status_of(&head), 400, "{way:?} {host}");
            }
            for target in INVALID_TARGETS {
                let (head, _) = timeout(exchange(address, &with_target(target))).await;
                assert_eq!(status_of(&head), 400, "{way:?} {target}");
            }
            // The target counts, and the header must still be valid.
            let request = with_host("a b").replacen("/ ", "http://localhost/ ", 1);
            let (head, _) = timeout(exchange(address, &request)).await;
            assert_eq!(status_of(&head), 400, "{way:?} {request}");
        }
        for (request, allowed_by_all, allowed_by_ours) in [
            (with_host("localhost:"), 101, 101),
            (with_host("Localhost:08080"), 101, 101),
            (with_host("[::1]:80"), 101, 101),
            (with_host(""), 101, 421),
            (with_host("a_b.%65xample"), 101, 421),
            (with_host("127.0.0.1"), 101, 421),
            (with_target("http://localhost:80/chat"), 101, 101),
            (with_target("http://[::1]/"), 101, 101),
            (with_target("http://evil/chat"), 101, 421),
        ] {
            for (acceptor, status) in [
                (Acceptor::new(), allowed_by_all),
                (ours.clone(), allowed_by_ours),
            ] {
                let (address, _results) = start(way, acceptor).await;
                let (head, _) = timeout(exchange(address, &request)).await;
                assert_eq!(status_of(&head), status, "{way:?} {request}");
            }
        }
    }
}

/// A malformed list of extensions gets status 400, whether or not compression is configured (RFC
/// 6455 section 9.1).
#[tokio::test]
async fn malformed_extensions_are_rejected() {
    let compressing = Acceptor::new().config(Config::default().compression(Deflate::default()));
    let rows = [
        (&[";"][..], 400),
        (&["foo bar"], 400),
        (&["foo;"], 400),
        (&["foo; =1"], 400),
        (&["foo; a="], 400),
        (&["foo; a=\"b c\""], 400),
        (&["foo; a=\"b"], 400),
        (&["foo=1"], 400),
        (&["foo; a b"], 400),
        (&["fo(o"], 400),
        (&[""], 400),
        (&[","], 400),
        (&["", ", ,"], 400),
        (&["foo", "foo bar"], 400),
        (&["foo"], 101),
        (&["foo,,bar; a=\"b\""], 101),
        (&["", "foo ; a = 1"], 101),
        (&["permessage-deflate; client_max_window_bits"], 101),
    ];
    for way in WAYS {
        for acceptor in [Acceptor::new(), compressing.clone()] {
            let (address, _results) = start(way, acceptor).await;
            for (lines, status) in rows {
                let line = |value: &&str| format!("Sec-WebSocket-Extensions: {value}\r\n");
                let lines: String = lines.iter().map(line).collect();
                let request = REQUEST.replace("\r\n\r\n", &format!("\r\n{lines}\r\n"));
                let (head, _) = timeout(exchange(address, &request)).await;
                assert_eq!(status_of(&head), status, "{way:?} {lines}");
            }
        }
    }
}

/// A target outside of ASCII gets status 400 (RFC 9112 section 3.2). What browsers do not encode is
/// accepted, and a fragment is ignored.
#[tokio::test]
async fn targets_are_ascii() {
    let acceptor = Acceptor::new().allow_path("/chat").allow_path("/ø");
    for way in WAYS {
        let (address, mut results) = start(way, acceptor.clone()).await;
        for (target, status) in [
            ("/ø", 400),
            ("/chat?ø", 400),
            ("http://localhost/ø", 400),
            ("/%C3%B8", 101),
            ("/chat?a={[|]}^`\\", 101),
            ("/chat#ø", 101),
            ("/chat#fragment", 101),
            ("/chat?a#fragment", 101),
        ] {
            let request = REQUEST.replacen("/ ", &format!("{target} "), 1);
            let (head, _) = timeout(exchange(address, &request)).await;
            assert_eq!(status_of(&head), status, "{way:?} {target}");
            let result = timeout(results.recv()).await.unwrap();
            assert_eq!(status_in(result), status, "{way:?} {target}");
        }
    }
}

/// Statuses without content have none, whatever the reason is (RFC 9110 sections 15.3.5, 15.3.6 and
/// 15.4.5). The server's own error has the reason.
#[tokio::test]
async fn some_statuses_have_no_content() {
    for (status, len) in [
        (204, None),
        (205, Some("content-length: 0")),
        (304, None),
        (403, Some("content-length: 6")),
    ] {
        for way in WAYS {
            let rejection = Rejection::new(status, "reason");
            let reject = move |_| future::ready(Err::<(), _>(rejection.clone()));
            let acceptor = Acceptor::new().on_request(reject);
            let (address, mut results) = start(way, acceptor).await;
            let mut socket = TcpStream::connect(address).await.unwrap();
            let request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            socket.write_all(request.as_bytes()).await.unwrap();
            let mut response = String::new();
            timeout(socket.read_to_string(&mut response)).await.unwrap();
            drop(socket);
            let (head, content) = response.split_once("\r\n\r\n").unwrap();
            assert_eq!(status_of(head), status, "{way:?}");
            let expected = if status == 403 { "reason" } else { "" };
            assert_eq!(content, expected, "{way:?} {status}");
            let head = head.to_lowercase();
            let found = head.lines().find(|line| line.starts_with("content-length"));
            assert_eq!(found, len, "{way:?} {status}");
            assert!(!head.contains("transfer-encoding"), "{way:?} {head}");
            match results.recv().await.unwrap().unwrap_err() {
                WsErr::Rejected(response) => assert_eq!(response.reason(), "reason"),
                error => panic!("{error:?}"),
            }
        }
    }
}

/// Nothing follows the head of a response to HEAD.
#[tokio::test]
async fn head_gets_no_content() {
    let add =
        |request: &str| request.replace("\r\n\r\n", "\r\nCookie: a\r\nConnection: close\r\n\r\n");
    for way in WAYS {
        let (address, mut results) = start(way, Acceptor::new().on_request(look)).await;
        for (path, upgrade, status) in [
            ("/health", false, 200),
            ("/private", false, 401),
            ("/", true, 405),
        ] {
            let request = if upgrade {
                add(&REQUEST.replace("GET", "HEAD"))
            } else {
                add(&format!("HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
            };
            let mut socket = TcpStream::connect(address).await.unwrap();
            socket.write_all(request.as_bytes()).await.unwrap();
            let mut response = String::new();
            timeout(socket.read_to_string(&mut response)).await.unwrap();
            drop(socket);
            let (head, content) = response.split_once("\r\n\r\n").unwrap();
            assert_eq!(status_of(head), status, "{way:?} {path}");
            assert_eq!(content, "", "{way:?} {head}");
            assert_eq!(status_in(results.recv().await.unwrap()), status);
        }
    }
}

/// `handshake_timeout` includes the callback, whose future is dropped. An HTTP server answers 503;
/// a socket is closed.
#[tokio::test]
async fn callback_that_waits_times_out() {
    let dropped = Arc::new(AtomicUsize::new(0));
    for (way, expected) in WAYS.into_iter().zip(1..) {
        let guard = Arc::clone(&dropped);
        let config = Config::default().handshake_timeout(Duration::from_millis(50));
        let acceptor = Acceptor::new().config(config).on_request(move |_| {
            let guard = Guard(Arc::clone(&guard));
            async move {
                let _guard = guard;
                future::pending::<Result<(), Rejection>>().await
            }
        });
        let (address, mut results) = start(way, acceptor).await;
        let (head, _) = timeout(exchange(address, REQUEST)).await;
        let status = if way.is_http_server() { 503 } else { 0 };
        assert_eq!(status_of(&head), status, "{way:?} {head}");
        let error = results.recv().await.unwrap().map(drop).unwrap_err();
        assert!(matches!(error, WsErr::TimedOut(_)), "{way:?} {error:?}");
        assert_eq!(dropped.load(Relaxed), expected, "{way:?}");
    }
}

/// Counts how often it is dropped.
struct Guard(Arc<AtomicUsize>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// Settings that are not valid, or have no effect, are an error, and status 500 where a request has
/// been read.
#[tokio::test]
async fn invalid_settings_are_errors() {
    let rows = [
        (Acceptor::new().header("Upgrade", "secret"), "InvalidHeader"),
        (Acceptor::new().subprotocol("se cret"), "InvalidHeader"),
        (
            Acceptor::new().allow_origin("https://bücher.example"),
            "InvalidConfig",
        ),
    ];
    for way in WAYS {
        for (acceptor, expected) in &rows {
            let (address, mut results) = start(way, acceptor.clone()).await;
            let (head, content) = timeout(exchange(address, REQUEST)).await;
            let status = if way.is_http_server() { 500 } else { 0 };
            assert_eq!(status_of(&head), status, "{way:?} {head}");
            assert!(!(head + &content).contains("cret"));
            let error = results.recv().await.unwrap().map(drop).unwrap_err();
            let name = format!("{error:?}");
            assert!(name.starts_with(expected), "{way:?} {name}");
        }
    }
}

/// The futures of all environments can be sent to another task, with a callback, too.
#[test]
fn futures_are_send() {
    fn assert_send<F: Future + Send>(_: impl FnOnce() -> F) {}
    fn value<T>() -> T {
        unreachable!("only its type matters")
    }
    fn assert_all<T: Send + 'static>(_: &Acceptor<T>) {
        assert_send(|| async { value::<Acceptor<T>>().accept(value::<TcpStream>()).await });
        assert_send(|| async {
            let acceptor: Acceptor<T> = value();
            acceptor.accept_futures_io(value::<WsStream>()).await
        });
        assert_send(|| async {
            let mut request: http::Request<()> = value();
            let acceptor: Acceptor<T> = value();
            let opening = ws_framed::hyper::upgrade(&acceptor, &mut request).await.1;
            opening.await
        });
        assert_send(|| async {
            let acceptor: Acceptor<T> = value();
            value::<WsUpgrade>().upgrade(&acceptor).await.1.await
        });
        assert_send(|| async {
            let acceptor: Acceptor<T> = value();
            let serve = async |_| ();
            value::<WsUpgrade>().on_upgrade(&acceptor, serve).await
        });
    }
    assert_all(&Acceptor::new());
    assert_all(&Acceptor::new().on_request(look));
}
