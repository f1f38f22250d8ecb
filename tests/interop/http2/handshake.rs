//! Requests that are rejected, and what the acceptor checks.

use std::{future::ready, time::Duration};

use axum::{Router, routing::get};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Body, Incoming},
    ext::Protocol,
    server::conn::http2::Builder,
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use support::timeout;
use tokio::net::TcpListener;
use ws_framed::{
    Acceptor, Config, Connector, Rejection, Setting, Timeout, WsErr, WsStream,
    axum::WsUpgrade,
    http::{HeaderValue, Uri, Version},
    hyper::Http2,
};

use super::{LIMIT, Server, WAYS, connect};

fn rejection(error: &WsErr) -> (u16, &str) {
    let WsErr::Rejected(response) = error else {
        panic!("{error:?}");
    };
    (response.status().as_u16(), response.reason())
}

/// Origins, hosts, paths and contracts are checked, with `:authority` as the host. Both ends get
/// the status and the reason.
#[tokio::test]
async fn acceptor_settings_apply() {
    for way in WAYS {
        timeout(async {
            let acceptor = Acceptor::new()
                .allow_origin("https://chat.example")
                .allow_host("localhost")
                .allow_path("/chat")
                .subprotocol("v2")
                .on_request(async |request| match request.headers().get("X-User") {
                    Some(name) => Ok(name.clone()),
                    None => Err(Rejection::new(401, "log in first")),
                });
            let mut server = Server::start(way, acceptor).await;
            let client = server.client().await;
            let user = || Connector::new().header("X-User", "Ann");
            let elsewhere = server.url("/chat").replace("localhost", "elsewhere");
            for (connector, url, expected) in [
                (user(), server.url("/other"), 404),
                (user(), elsewhere, 421),
                (user().header("Host", "elsewhere"), server.url("/chat"), 421),
                (
                    user().header("Origin", "https://evil.example"),
                    server.url("/chat"),
                    403,
                ),
                (user().subprotocol("v1"), server.url("/chat"), 400),
                (Connector::new(), server.url("/chat"), 401),
            ] {
                let error = client.connect(&connector, &url).await;
                let error = error.unwrap_err();
                assert_eq!(rejection(&error).0, expected);
                let own = server.results.recv().await.unwrap().map(drop).unwrap_err();
                assert_eq!(rejection(&own), rejection(&error));
            }
            let connector = user().header("Origin", "https://chat.example");
            let url = server.url("/chat?room=7");
            let stream = client.connect(&connector, url).await;
            stream.unwrap();
            let (_, name) = server.results.recv().await.unwrap().unwrap();
            assert_eq!(name, "Ann");
        })
        .await;
    }
}

/// A redirect is a rejection that tells the target.
#[tokio::test]
async fn redirect_has_target() {
    for way in WAYS {
        timeout(async {
            let acceptor = Acceptor::new().on_request(async |_| {
                let moved = Rejection::new(307, "moved").header("Location", "/kitchen?room=7");
                Err::<(), _>(moved)
            });
            let server = Server::start(way, acceptor).await;
            let client = server.client().await;
            let connector = Connector::new();
            let opening = client.connect(&connector, server.url("/old"));
            let WsErr::Rejected(response) = opening.await.unwrap_err() else {
                panic!("it is rejected")
            };
            let redirect = response.redirect().unwrap();
            assert_eq!(redirect.url(), server.url("/kitchen?room=7"));
            assert!(redirect.may_follow());
        })
        .await;
    }
}

/// The reason of a rejection is the first 1024 bytes of its body.
#[tokio::test]
async fn long_body_is_truncated() {
    for way in WAYS {
        timeout(async {
            let acceptor = Acceptor::new()
                .on_request(async |_| Err::<(), _>(Rejection::new(403, "x".repeat(5000))));
            let server = Server::start(way, acceptor).await;
            let client = server.client().await;
            let connector = Connector::new();
            let opening = client.connect(&connector, server.url("/"));
            let error = opening.await.unwrap_err();
            assert_eq!(rejection(&error), (403, &*"x".repeat(1024)));
        })
        .await;
    }
}

/// The callback sees the CONNECT, its target, and its `:protocol`.
#[tokio::test]
async fn callback_gets_whole_request() {
    for way in WAYS {
        timeout(async {
            let acceptor = Acceptor::new().on_request(async |request| Ok(request));
            let mut server = Server::start(way, acceptor).await;
            let client = server.client().await;
            let url = server.url("/chat?room=7");
            let connector = Connector::new();
            let stream = client.connect(&connector, &url).await;
            stream.unwrap();
            let (_, request) = server.results.recv().await.unwrap().unwrap();
            assert_eq!(request.method(), Method::CONNECT);
            assert_eq!(request.version(), Version::HTTP_2);
            assert_eq!(request.uri().to_string(), url.replacen("ws", "http", 1));
            let protocol = request.extensions().get::<Protocol>().unwrap();
            assert_eq!(protocol.as_str(), "websocket");
            for name in ["host", "upgrade", "connection", "sec-websocket-key"] {
                assert!(!request.headers().contains_key(name), "{name}");
            }
        })
        .await;
    }
}

/// What is changed of a request for a WebSocket, the status of the response, and its text.
type Row = (&'static str, fn(&mut Request<String>), u16, &'static str);

const ROWS: [Row; 16] = [
    ("accepted", |_| {}, 200, ""),
    (
        "another version",
        |request| set(request, "sec-websocket-version", "12"),
        400,
        "the version of the WebSocket protocol is not 13",
    ),
    (
        "no version",
        |request| request.headers_mut().clear(),
        400,
        "the version of the WebSocket protocol is not 13",
    ),
    (
        "another protocol",
        |request| {
            let protocol = Protocol::from_static("connect-udp");
            request.extensions_mut().insert(protocol);
        },
        501,
        "the :protocol of this CONNECT is not supported",
    ),
    (
        "no protocol",
        |request| request.extensions_mut().clear(),
        501,
        "the :protocol of this CONNECT is not supported",
    ),
    (
        "another host",
        |request| set(request, "host", "b"),
        400,
        "Host differs from :authority",
    ),
    (
        "an invalid host",
        |request| set(request, "host", "localhost:80@evil"),
        400,
        "the Host header is not valid",
    ),
    (
        "an authority with userinfo",
        |request| *request.uri_mut() = Uri::from_static("http://localhost:80@evil/"),
        400,
        "the host in the request target is not valid",
    ),
    (
        "an authority with an invalid port",
        |request| *request.uri_mut() = Uri::from_static("http://localhost:evil/"),
        400,
        "the host in the request target is not valid",
    ),
    (
        "malformed extensions",
        |request| set(request, "sec-websocket-extensions", "foo bar"),
        400,
        "the Sec-WebSocket-Extensions are malformed",
    ),
    (
        "no extensions in a list",
        |request| set(request, "sec-websocket-extensions", ","),
        400,
        "the Sec-WebSocket-Extensions are malformed",
    ),
    (
        "a target outside of ASCII",
        |request| *request.uri_mut() = "http://localhost/\u{f8}".parse().unwrap(),
        400,
        "the request target is not ASCII",
    ),
    (
        "no content",
        |request| {
            make_plain(request);
            *request.uri_mut() = Uri::from_static("http://localhost/205");
        },
        205,
        "",
    ),
    (
        "a plain request",
        make_plain,
        400,
        "this is a WebSocket endpoint",
    ),
    (
        "a health check",
        |request| {
            make_plain(request);
            *request.uri_mut() = Uri::from_static("http://localhost/health");
        },
        200,
        "ok",
    ),
    (
        "a WebSocket of the health check",
        |request| *request.uri_mut() = Uri::from_static("http://localhost/health"),
        500,
        "internal server error",
    ),
];

fn set(request: &mut Request<String>, name: &'static str, value: &'static str) {
    let value = HeaderValue::from_static(value);
    request.headers_mut().insert(name, value);
}

fn make_plain(request: &mut Request<String>) {
    *request.method_mut() = Method::GET;
    request.extensions_mut().clear();
}

/// Requests that are not those of a WebSocket get a status, without the headers of an upgrade. The
/// callback may respond to plain ones, but not with a 2xx to a CONNECT, which would accept it.
#[tokio::test]
async fn other_requests_are_rejected() {
    for way in WAYS {
        timeout(async {
            let acceptor = Acceptor::new().on_request(async |request| {
                if request.uri().path() == "/health" {
                    return Err(Rejection::new(200, "ok"));
                }
                if request.uri().path() == "/205" {
                    return Err(Rejection::new(205, "secret"));
                }
                Ok(())
            });
            let mut server = Server::start(way, acceptor).await;
            let (mut sender, mut connection) = server.connect().await;
            Http2::handshake(sender.clone(), &mut connection, LIMIT)
                .await
                .unwrap();
            tokio::spawn(connection);
            for (what, change, status, reason) in ROWS {
                let mut request = Request::connect("http://localhost/")
                    .header("sec-websocket-version", "13")
                    .extension(Protocol::from_static("websocket"))
                    .body(String::new())
                    .unwrap();
                change(&mut request);
                let response = sender.send_request(request).await.unwrap();
                assert_eq!(response.status(), status, "{what}");
                let headers = response.headers();
                for name in ["upgrade", "connection", "sec-websocket-accept"] {
                    assert!(!headers.contains_key(name), "{what}: {headers:?}");
                }
                if status == 400 && what.contains("version") {
                    assert_eq!(headers["sec-websocket-version"], "13");
                }
                let result = server.results.recv().await.unwrap().map(drop);
                match what {
                    "accepted" => result.unwrap(),
                    "a WebSocket of the health check" => {
                        let error = WsErr::InvalidConfig(Setting::RejectionStatus);
                        assert_eq!(result, Err(error));
                    }
                    "no content" => assert_eq!(rejection(&result.unwrap_err()), (205, "secret")),
                    _ => assert_eq!(rejection(&result.unwrap_err()), (status, reason)),
                }
                if what != "accepted" {
                    assert_eq!(body(response).await, reason, "{what}");
                }
            }
        })
        .await;
    }
}

/// A list of extensions without one, or with one that was not offered, fails the handshake.
#[tokio::test]
async fn selected_extensions_are_checked() {
    for (line, named) in [
        ("", "the list is malformed"),
        (",", "the list is malformed"),
        ("x y", "the list is malformed"),
        ("x-foo", "x-foo"),
    ] {
        timeout(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move {
                let (io, _) = listener.accept().await.unwrap();
                let service = service_fn(|_: Request<Incoming>| {
                    let response = Response::builder().header("sec-websocket-extensions", line);
                    ready(response.body(String::new()))
                });
                let mut http = Builder::new(TokioExecutor::new());
                http.enable_connect_protocol();
                let _ = http.serve_connection(TokioIo::new(io), service).await;
            });
            let (sender, mut connection) = connect(address, false).await;
            let client = Http2::handshake(sender, &mut connection, LIMIT)
                .await
                .unwrap();
            tokio::spawn(connection);
            let error = client.connect(&Connector::new(), "ws://localhost/").await;
            assert_eq!(error.unwrap_err(), WsErr::Extension(named.to_owned()));
        })
        .await;
    }
}

async fn body(response: Response<Incoming>) -> String {
    let mut body = response.into_body();
    let mut text = Vec::new();
    loop {
        let mut body = std::pin::Pin::new(&mut body);
        let frame = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await;
        let Some(frame) = frame else { break };
        text.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    String::from_utf8(text).unwrap()
}

/// A route that takes GET only rejects a WebSocket of HTTP/2, before the extractor gets it.
#[tokio::test]
async fn route_of_get_rejects_connect() {
    timeout(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let route = get(async |upgrade: WsUpgrade| {
            let serve = async |stream: WsStream| drop(stream);
            upgrade.on_upgrade(&Acceptor::new(), serve).await
        });
        let router: Router = Router::new().route("/", route);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let (sender, mut connection) = connect(address, false).await;
        let client = Http2::handshake(sender, &mut connection, LIMIT)
            .await
            .unwrap();
        tokio::spawn(connection);
        let error = client.connect(&Connector::new(), "ws://localhost/").await;
        let error = error.unwrap_err();
        assert_eq!(rejection(&error), (405, "Method Not Allowed"));
    })
    .await;
}

/// `handshake_timeout` bounds the callback, which responds with 503, and the wait of the client.
#[tokio::test]
async fn handshakes_have_deadlines() {
    let short = || Config::default().handshake_timeout(Duration::from_millis(50));
    let forever = |config| {
        let acceptor = Acceptor::new().config(config);
        acceptor.on_request(async |_| std::future::pending::<Result<(), Rejection>>().await)
    };
    for way in WAYS {
        timeout(async {
            let mut server = Server::start(way, forever(short())).await;
            let client = server.client().await;
            let connector = Connector::new();
            let opening = client.connect(&connector, server.url("/"));
            let error = opening.await.unwrap_err();
            assert_eq!(rejection(&error).0, StatusCode::SERVICE_UNAVAILABLE);
            let error = server.results.recv().await.unwrap().map(drop).unwrap_err();
            assert_eq!(error, WsErr::TimedOut(Timeout::Handshake));

            let server = Server::start(way, forever(Config::default())).await;
            let client = server.client().await;
            let connector = Connector::new().config(short());
            let opening = client.connect(&connector, server.url("/"));
            let error = opening.await.unwrap_err();
            assert_eq!(error, WsErr::TimedOut(Timeout::Handshake));
        })
        .await;
    }
}
