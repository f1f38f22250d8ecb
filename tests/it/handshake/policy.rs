//! Which requests a server takes: by host, path, origin, and a look of the user's.

use futures::future;
use support::{
    handshake::{REQUEST, exchange_and_close, open_pair, read_head},
    tcp, timeout,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use ws_framed::{Acceptor, Connector, HandshakeRequest, Rejection, WsErr};

fn status(refused: &WsErr) -> u16 {
    match refused {
        WsErr::Refused { status, .. } => *status,
        other => panic!("{other:?}"),
    }
}

/// Both sides are told this status.
async fn assert_refused(acceptor: &Acceptor, connector: &Connector, expected: u16) {
    let (server, client) = open_pair(acceptor, connector).await;
    assert_eq!(status(&server.map(drop).unwrap_err()), expected);
    assert_eq!(status(&client.map(drop).unwrap_err()), expected);
}

async fn assert_taken(acceptor: &Acceptor, connector: &Connector) {
    let (server, client) = open_pair(acceptor, connector).await;
    exchange_and_close(server.unwrap(), client.unwrap()).await;
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    timeout(async {
        let ours = Acceptor::new().allow_origin("https://chat.example");
        let from = |origin: &str| Connector::new().header("Origin", origin);
        assert_taken(&ours, &from("https://chat.example")).await;
        assert_refused(&ours, &from("https://evil.example"), 403).await;
        assert_taken(&ours, &Connector::new()).await;
        assert_refused(&ours.require_origin(), &Connector::new(), 403).await;
    })
    .await;
}

#[tokio::test]
async fn requests_for_another_host_or_path_are_refused() {
    timeout(async {
        let ours = Acceptor::new().allow_host("localhost");
        assert_taken(&ours, &Connector::new()).await;
        let other = Connector::new().header("Host", "chat.example");
        assert_refused(&ours, &other, 421).await;
        let ours = Acceptor::new().allow_path("/chat");
        assert_refused(&ours, &Connector::new(), 404).await;
    })
    .await;
}

#[tokio::test]
async fn a_request_without_a_host_or_with_two_is_malformed() {
    for hosts in ["", "Host: localhost\r\nHost: localhost\r\n"] {
        timeout(async {
            let (ours, mut client) = tcp().await;
            let request = REQUEST.replace("Host: localhost\r\n", hosts);
            let ask = async {
                client.write_all(request.as_bytes()).await.unwrap();
                client.shutdown().await.unwrap();
                read_head(&mut client).await
            };
            let acceptor = Acceptor::new();
            let (refused, head) = future::join(acceptor.accept(ours), ask).await;
            assert_eq!(status(&refused.map(drop).unwrap_err()), 400);
            assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
        })
        .await;
    }
}

#[tokio::test]
async fn the_user_sees_the_request_before_it_is_taken() {
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
        let look = |request: &HandshakeRequest<'_>| {
            seen.extend([request.path(), request.query().unwrap()].map(str::to_owned));
            seen.extend([request.host(), request.origin()].map(|value| value.unwrap().to_owned()));
            seen.extend(request.headers("x-forwarded-for").map(str::to_owned));
            seen.extend(request.subprotocols().map(str::to_owned));
            assert_eq!(request.header("Cookie"), None);
            Ok(())
        };
        let (server, client) = future::join(
            acceptor.accept_with(accepted, look),
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

/// The answer to a request that the user refuses like this, and the error that the server gets.
async fn refused_with(refusal: Rejection) -> (String, WsErr) {
    let (ours, mut client) = tcp().await;
    let ask = async {
        client.write_all(REQUEST.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let acceptor = Acceptor::new();
    let accept = acceptor.accept_with(ours, |_| Err(refusal));
    let (refused, answer) = timeout(future::join(accept, ask)).await;
    (answer, refused.map(drop).unwrap_err())
}

#[tokio::test]
async fn the_user_refuses_with_a_status_and_headers() {
    let refusal = Rejection::new(401, "log in first")
        .header("WWW-Authenticate", "Bearer")
        .header("Content-Type", "text/html");
    let (answer, error) = refused_with(refusal).await;
    assert_eq!(status(&error), 401);
    let answer = answer.to_lowercase();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("http/1.1 401 "), "{head}");
    for line in [
        "www-authenticate: bearer",
        "content-type: text/html",
        "content-length: 12",
        "connection: close",
    ] {
        assert!(head.lines().any(|own| own == line), "{line} in {head}");
    }
    assert_eq!(body, "log in first");
}

#[tokio::test]
async fn what_is_no_refusal_goes_out_as_500() {
    for no_refusal in [0, 101, 200, 600, u16::MAX] {
        let (answer, error) = refused_with(Rejection::new(no_refusal, "")).await;
        assert_eq!(status(&error), 500);
        assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    }
    let (answer, error) = refused_with(Rejection::new(403, "").header("Bad header", "")).await;
    assert!(matches!(error, WsErr::InvalidHeader(_)), "{error:?}");
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
}
