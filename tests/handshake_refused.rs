//! A request that our server does not take gets an HTTP answer that says why, and is a typed error.

#![cfg(all(feature = "tokio", feature = "async-tungstenite"))]
#![allow(
    clippy::large_futures,
    reason = "a handshake holds its buffers, and these tests hold two handshakes"
)]

#[path = "common/sockets.rs"]
mod sockets;

use std::io;

use sockets::{tcp, within};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    net::TcpStream,
};
use ws_framed::{WsErr, accept};

/// What our server makes of these bytes: its error, and its answer.
async fn offer(request: &[u8]) -> (WsErr, String) {
    let (server, mut client) = duplex(64 * 1024);
    client.write_all(request).await.unwrap();
    let error = accept(server).await.map(drop).unwrap_err();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    (error, answer)
}

/// Our server refuses this with this status, and its answer is one that an HTTP client understands.
async fn assert_refused(request: &str, status: u16, hints: &[&str]) {
    let (error, answer) = offer(request.as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with(&format!("HTTP/1.1 {status} ")),
        "{request}\n{head}"
    );
    let head = format!("{}\r\n", head.to_lowercase());
    let len = format!("content-length: {}", body.len());
    for line in hints.iter().copied().chain(["connection: close", &len]) {
        assert!(
            head.contains(&format!("\r\n{line}\r\n")),
            "{line:?} is not in {head}"
        );
    }
    let WsErr::Refused {
        status: told,
        reason,
    } = &error
    else {
        panic!("{request}\n{error:?}");
    };
    assert_eq!(*told, status);
    assert_eq!(reason, body);
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
}

const VALID: &str = "GET / HTTP/1.1\r\n\
    Host: localhost\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

#[tokio::test]
async fn a_request_that_is_not_for_a_websocket_gets_an_http_answer() {
    within(async {
        let without = |line: &str| {
            assert!(VALID.contains(line));
            VALID.replace(line, "")
        };
        let rows: [(String, u16, &[&str]); 9] = [
            // A browser that looks at the URL.
            (
                "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".into(),
                426,
                &["upgrade: websocket"],
            ),
            (
                without("Upgrade: websocket\r\n"),
                426,
                &["upgrade: websocket"],
            ),
            (
                without("Connection: Upgrade\r\n"),
                426,
                &["upgrade: websocket"],
            ),
            // RFC 6455 section 4.4.
            (
                VALID.replace("Version: 13", "Version: 8"),
                426,
                &["sec-websocket-version: 13"],
            ),
            (
                without("Sec-WebSocket-Version: 13\r\n"),
                426,
                &["sec-websocket-version: 13"],
            ),
            (VALID.replace("GET", "POST"), 405, &["allow: GET"]),
            (
                without("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
                400,
                &[],
            ),
            (VALID.replace("HTTP/1.1", "HTTP/1.0"), 400, &[]),
            (VALID.replace("Host: localhost", "No colon here"), 400, &[]),
        ];
        for (request, status, hints) in rows {
            let hints: Vec<_> = hints.iter().map(|hint| hint.to_lowercase()).collect();
            let hints: Vec<_> = hints.iter().map(String::as_str).collect();
            assert_refused(&request, status, &hints).await;
        }
    })
    .await;
}

#[tokio::test]
async fn garbage_gets_an_http_answer() {
    within(async {
        for garbage in [
            "\r\n\r\n\u{1}\r\n\r\n",
            "\u{16}\u{3}\u{1}\0\u{7b}\r\n\r\n",
            "hello?\r\n\r\n",
        ] {
            assert_refused(garbage, 400, &[]).await;
        }
    })
    .await;
}

/// Whoever sends on and on without ever completing a request is stopped, and costs little memory.
#[tokio::test]
async fn a_request_without_end_is_refused() {
    within(async {
        let endless = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(40_000));
        assert_refused(&endless, 431, &[]).await;
        // So is one that consists of nothing but short headers.
        let endless = format!("GET / HTTP/1.1\r\n{}", "X: x\r\n".repeat(10_000));
        assert_refused(&endless, 431, &[]).await;
        // And one of nothing at all.
        assert_refused(&"\0".repeat(20_000), 431, &[]).await;
    })
    .await;
}

/// A client that hangs up in the middle of its request has not been refused.
#[tokio::test]
async fn a_client_that_leaves_early_is_a_failed_handshake() {
    within(async {
        for sent in ["", "GET", VALID.strip_suffix("\r\n").unwrap()] {
            let (server, mut client) = duplex(4096);
            client.write_all(sent.as_bytes()).await.unwrap();
            drop(client);
            let error = accept(server).await.map(drop).unwrap_err();
            assert!(matches!(error, WsErr::Handshake(_)), "{error:?}");
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    })
    .await;
}

/// A client that does not wait for its answer.
#[tokio::test]
async fn a_client_that_leaves_before_the_answer_is_an_io_error() {
    within(async {
        let (server, mut client) = duplex(4096);
        client.write_all(VALID.as_bytes()).await.unwrap();
        drop(client);
        let error = accept(server).await.map(drop).unwrap_err();
        assert!(matches!(error, WsErr::Io(_)), "{error:?}");
        // For a refusal, the reason stays what it was.
        let (server, mut client) = duplex(4096);
        client
            .write_all(b"PUT / HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        drop(client);
        let error = accept(server).await.map(drop).unwrap_err();
        assert!(
            matches!(error, WsErr::Refused { status: 405, .. }),
            "{error:?}"
        );
    })
    .await;
}

/// A refusal over TCP reaches a client that has sent more than the server read.
#[tokio::test]
async fn a_refusal_reaches_the_client_over_tcp() {
    within(async {
        let (server, mut client): (TcpStream, TcpStream) = tcp().await;
        let request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30000\r\n\r\n".to_owned();
        client
            .write_all((request + &"x".repeat(30_000)).as_bytes())
            .await
            .unwrap();
        let error = accept(server).await.map(drop).unwrap_err();
        assert!(
            matches!(error, WsErr::Refused { status: 405, .. }),
            "{error:?}"
        );
        let mut answer = Vec::new();
        // Some systems tell that the rest was not read.
        let _ = client.read_to_end(&mut answer).await;
        assert!(answer.starts_with(b"HTTP/1.1 405 "), "{answer:?}");
    })
    .await;
}
