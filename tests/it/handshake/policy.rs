//! Which requests a server accepts: by host, path and origin, and by a callback of the caller.

use futures::future;
use support::{
    handshake::{REQUEST, exchange_and_close, open_pair, read_head},
    tcp, timeout,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use ws_framed::{Acceptor, Connector, HandshakeRequest, Rejection, WsErr};

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

/// The callback receives the path, the query, the headers and the subprotocols of the request.
#[tokio::test]
async fn callback_receives_the_request() {
    timeout(async {
        let (accepted, connected) = tcp().await;
        let acceptor = Acceptor::new().subprotocol("v2");
        let connector = Connector::new()
            .header("X-Forwarded-For", "192.0.2.1")
            .header("X-Forwarded-For", "192.0.2.2")
            .header("Origin", "https://chat.example")
            .subprotocol("v2")
            .subprotocol("v1");
        let mut seen = Vec::new();
        let callback = |request: &HandshakeRequest<'_>| {
            seen.extend([request.path(), request.query().unwrap()].map(str::to_owned));
            seen.extend([request.host(), request.origin()].map(|value| value.unwrap().to_owned()));
            seen.extend(request.headers("x-forwarded-for").map(str::to_owned));
            seen.extend(request.subprotocols().map(str::to_owned));
            assert_eq!(request.header("Cookie"), None);
            Ok(())
        };
        let (server, client) = future::join(
            acceptor.accept_with(accepted, callback),
            connector.connect_over(connected, "ws://localhost:99/room%201?as=ann"),
        )
        .await;
        exchange_and_close(server.unwrap(), client.unwrap()).await;
        let expected = [
            "/room%201",
            "as=ann",
            "localhost:99",
            "https://chat.example",
            "192.0.2.1",
            "192.0.2.2",
            "v2",
            "v1",
        ];
        assert_eq!(seen, expected);
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
    let acceptor = Acceptor::new();
    let accept = acceptor.accept_with(ours, |_| Err(rejection));
    let (result, response) = timeout(future::join(accept, script)).await;
    (response, result.map(drop).unwrap_err())
}

/// The callback rejects a request with a status, headers and a body.
#[tokio::test]
async fn callback_rejects_with_headers() {
    let rejection = Rejection::new(401, "log in first")
        .header("WWW-Authenticate", "Bearer")
        .header("Content-Type", "text/html");
    let (response, error) = reject_with(rejection).await;
    assert_eq!(status(&error), 401);
    let response = response.to_lowercase();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("http/1.1 401 "), "{head}");
    for line in [
        "www-authenticate: bearer",
        "content-type: text/html",
        "content-length: 12",
        "connection: close",
    ] {
        assert!(
            head.lines().any(|header| header == line),
            "{line} in {head}"
        );
    }
    assert_eq!(body, "log in first");
}

/// A rejection with a status that is no error, or with an invalid header, is sent as 500.
#[tokio::test]
async fn invalid_rejection_is_500() {
    for status_code in [0, 101, 200, 600, u16::MAX] {
        let (response, error) = reject_with(Rejection::new(status_code, "")).await;
        assert_eq!(status(&error), 500);
        assert!(response.starts_with("HTTP/1.1 500 "), "{response}");
    }
    let (response, error) = reject_with(Rejection::new(403, "").header("Bad header", "")).await;
    assert!(matches!(error, WsErr::InvalidHeader(_)), "{error:?}");
    assert!(response.starts_with("HTTP/1.1 500 "), "{response}");
}
