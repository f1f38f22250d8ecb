//! Which requests a server accepts: by host, path and origin, and by a callback of the caller.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use futures::future;
use support::{
    handshake::{REQUEST, exchange_and_close, open_pair, read_head},
    tcp, timeout,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use ws_framed::{
    Acceptor, Connector, Rejection, WsErr,
    http::{Response, StatusCode, header::CONTENT_TYPE},
    offered_subprotocols,
};

fn status(error: &WsErr) -> u16 {
    match error {
        WsErr::Rejected(response) => response.status().as_u16(),
        other => panic!("{other:?}"),
    }
}

/// Asserts that both ends return this status.
async fn assert_refused(acceptor: &Acceptor, connector: &Connector, expected: u16) {
    let (server, client) = open_pair(acceptor, connector).await;
    assert_eq!(status(&server.map(drop).unwrap_err()), expected);
    assert_eq!(status(&client.map(drop).unwrap_err()), expected);
}

/// Asserts that the connection opens.
async fn assert_accepted(acceptor: &Acceptor, connector: &Connector) {
    let (server, client) = open_pair(acceptor, connector).await;
    exchange_and_close(server.unwrap(), client.unwrap()).await;
}

/// `allow_origin` rejects other origins with 403, and `require_origin` a request without one.
#[tokio::test]
async fn origin_is_checked() {
    timeout(async {
        let ours = Acceptor::new().allow_origin("https://chat.example");
        let from = |origin: &str| Connector::new().header("Origin", origin);
        assert_accepted(&ours, &from("https://chat.example")).await;
        assert_refused(&ours, &from("https://evil.example"), 403).await;
        assert_accepted(&ours, &Connector::new()).await;
        assert_refused(&ours.require_origin(), &Connector::new(), 403).await;
    })
    .await;
}

/// The policy comes before the callback, and its response is plain text of its own.
#[tokio::test]
async fn refused_origin_does_not_reach_the_callback() {
    timeout(async {
        let called = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&called);
        let ours = Acceptor::new()
            .allow_origin("https://chat.example")
            .on_request(move |request| {
                seen.store(true, Relaxed);
                future::ready(Ok(request))
            });
        let evil = Connector::new().header("Origin", "https://evil.example");
        let (accepted, connected) = tcp().await;
        let connecting = evil.connect_over(connected, "ws://localhost/");
        let (server, client) = future::join(ours.accept(accepted), connecting).await;
        assert_eq!(status(&server.map(drop).unwrap_err()), 403);
        let Err(WsErr::Rejected(refused)) = client.map(drop) else {
            panic!("it is refused")
        };
        assert_eq!(refused.status(), 403);
        assert_eq!(refused.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
        assert_eq!(refused.reason(), "this origin is not allowed");
        assert!(!called.load(Relaxed));
    })
    .await;
}

/// `allow_host` rejects other hosts with 421, and `allow_path` other paths with 404.
#[tokio::test]
async fn host_and_path_are_checked() {
    timeout(async {
        let ours = Acceptor::new().allow_host("localhost");
        assert_accepted(&ours, &Connector::new()).await;
        let other = Connector::new().header("Host", "chat.example");
        assert_refused(&ours, &other, 421).await;
        let ours = Acceptor::new().allow_path("/chat");
        assert_refused(&ours, &Connector::new(), 404).await;
    })
    .await;
}

/// The host of a target in absolute form counts, and `Host` does not (RFC 9112 section 3.2.2).
#[tokio::test]
async fn host_of_target_is_checked() {
    for (target, host, expected) in [
        ("http://localhost/", "chat.example", "101"),
        ("http://chat.example/", "localhost", "421"),
    ] {
        timeout(async {
            let (ours, mut client) = tcp().await;
            let request = REQUEST
                .replace("GET /", &format!("GET {target}"))
                .replace("Host: localhost", &format!("Host: {host}"));
            let script = async {
                client.write_all(request.as_bytes()).await.unwrap();
                client.shutdown().await.unwrap();
                read_head(&mut client).await
            };
            let acceptor = Acceptor::new().allow_host("localhost");
            let (_, head) = future::join(acceptor.accept(ours), script).await;
            assert!(head.starts_with(&format!("HTTP/1.1 {expected} ")), "{head}");
        })
        .await;
    }
}

/// A request without a `Host` header, or with two, gets status 400.
#[tokio::test]
async fn exactly_one_host_header() {
    for hosts in ["", "Host: localhost\r\nHost: localhost\r\n"] {
        timeout(async {
            let (ours, mut client) = tcp().await;
            let request = REQUEST.replace("Host: localhost\r\n", hosts);
            let script = async {
                client.write_all(request.as_bytes()).await.unwrap();
                client.shutdown().await.unwrap();
                read_head(&mut client).await
            };
            let acceptor = Acceptor::new();
            let (result, head) = future::join(acceptor.accept(ours), script).await;
            assert_eq!(status(&result.map(drop).unwrap_err()), 400);
            assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
        })
        .await;
    }
}

/// The callback receives the whole request: the target, all headers, readable or not, the
/// subprotocols, and the address of the peer. Its value is returned beside the stream.
#[tokio::test]
async fn callback_receives_the_request() {
    timeout(async {
        let (accepted, connected) = tcp().await;
        let peer = connected.local_addr().unwrap();
        let acceptor = Acceptor::new()
            .on_request(async |request| Ok(request))
            .subprotocol("v2");
        let connector = Connector::new()
            .header("X-Forwarded-For", "192.0.2.1")
            .header("X-Forwarded-For", "192.0.2.2")
            .header("Origin", "https://chat.example")
            .header("Cookie", "name=Zoë; session=8f3a")
            .subprotocol("v2")
            .subprotocol("v1");
        let (server, client) = future::join(
            acceptor.accept(accepted),
            connector.connect_over(connected, "ws://localhost:99/room%201?as=ann"),
        )
        .await;
        let (server, request) = server.unwrap();
        exchange_and_close(server, client.unwrap()).await;
        assert_eq!(request.method(), "GET");
        assert_eq!(request.uri(), "/room%201?as=ann");
        let headers = request.headers();
        assert_eq!(headers["Host"], "localhost:99");
        assert_eq!(headers["Origin"], "https://chat.example");
        let proxies: Vec<_> = headers.get_all("X-Forwarded-For").iter().collect();
        assert_eq!(proxies, ["192.0.2.1", "192.0.2.2"]);
        assert_eq!(
            headers["Cookie"].as_bytes(),
            "name=Zoë; session=8f3a".as_bytes()
        );
        let offered: Vec<_> = offered_subprotocols(&request).collect();
        assert_eq!(offered, ["v2", "v1"]);
        assert_eq!(request.extensions().get(), Some(&peer));
    })
    .await;
}

/// The response to a request that the callback rejects, and the error of the server.
async fn reject_with(rejection: Rejection) -> (String, WsErr) {
    let (ours, mut client) = tcp().await;
    let script = async {
        client.write_all(REQUEST.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        let mut response = String::new();
        client.read_to_string(&mut response).await.unwrap();
        response
    };
    let reject = move |_| future::ready(Err::<(), _>(rejection.clone()));
    let acceptor = Acceptor::new().on_request(reject);
    let (result, response) = timeout(future::join(acceptor.accept(ours), script)).await;
    (response, result.map(drop).unwrap_err())
}

/// The callback rejects a request with a status, headers and a body.
#[tokio::test]
async fn callback_rejects_with_headers() {
    let rejection = Rejection::new(401, "log in first")
        .header("WWW-Authenticate", "Basic realm=\"Büro\"")
        .header("Retry-After", 3)
        .header(CONTENT_TYPE, "text/html");
    let (response, error) = reject_with(rejection).await;
    assert_eq!(status(&error), 401);
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let lines: Vec<_> = head.lines().collect();
    let expected = [
        "HTTP/1.1 401 Unauthorized",
        "WWW-Authenticate: Basic realm=\"Büro\"",
        "Retry-After: 3",
        "Content-Type: text/html",
        "Content-Length: 12",
        "Connection: close",
    ];
    for line in expected {
        assert!(lines.contains(&line), "{line} in {head}");
    }
    assert_eq!(lines.len(), expected.len(), "{head}");
    assert_eq!(body, "log in first");
}

/// A status and an `http::Response` are rejections.
#[tokio::test]
async fn responses_are_rejections() {
    let (response, error) = reject_with(StatusCode::FORBIDDEN.into()).await;
    assert_eq!(status(&error), 403);
    assert!(response.ends_with("\r\n\r\nForbidden"), "{response}");
    let moved = Response::builder().status(301).header("Location", "/new");
    let (response, error) = reject_with(moved.body("elsewhere").unwrap().into()).await;
    assert_eq!(status(&error), 301);
    assert!(response.contains("\r\nLocation: /new\r\n"), "{response}");
    assert!(response.ends_with("\r\n\r\nelsewhere"), "{response}");
    // RFC 9110 section 8.6.
    let (response, error) = reject_with(StatusCode::NO_CONTENT.into()).await;
    assert_eq!(status(&error), 204);
    assert!(!response.contains("Content-Length"), "{response}");
    assert!(response.ends_with("\r\n\r\n"), "{response}");
}

/// A rejection with a status that is none, or with an invalid header, is sent as 500, which says
/// nothing about the reason.
#[tokio::test]
async fn invalid_rejection_is_500() {
    for status in [0, 99, 101, 600, u16::MAX] {
        let (response, error) = reject_with(Rejection::new(status, "secret")).await;
        assert!(matches!(error, WsErr::InvalidConfig(_)), "{error:?}");
        assert!(response.starts_with("HTTP/1.1 500 "), "{response}");
        assert!(!response.contains("secret"), "{response}");
    }
    for (name, value) in [
        ("Bad header", ""),
        ("X-Break", "one\r\nX-Smuggled: two"),
        ("Upgrade", "h2c"),
        ("Content-Length", "5"),
    ] {
        let rejection = Rejection::new(403, "secret").header(name, value);
        let (response, error) = reject_with(rejection).await;
        assert!(matches!(error, WsErr::InvalidHeader(_)), "{error:?}");
        assert!(response.starts_with("HTTP/1.1 500 "), "{response}");
        assert!(!response.contains("secret"), "{response}");
    }
}
