//! Requests that a server rejects: the response, and the error of the server.

use std::{io, time::Duration};

use futures::future;
use support::{handshake::REQUEST, tcp, timeout};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex};
use ws_framed::{Acceptor, Config, WsErr, accept};

/// Sends a request and then reads the response to its end.
async fn send_and_read(mut io: impl AsyncRead + AsyncWrite + Unpin, request: &[u8]) -> String {
    io.write_all(request).await.unwrap();
    let mut response = String::new();
    io.read_to_string(&mut response).await.unwrap();
    response
}

/// The error of the server for this request, and its response.
async fn rejection_of(request: &[u8]) -> (WsErr, String) {
    let (server, client) = duplex(64 * 1024);
    let (accepted, response) = future::join(accept(server), send_and_read(client, request)).await;
    (accepted.map(drop).unwrap_err(), response)
}

/// Asserts that the server rejects this request with this status and these headers, in a complete
/// HTTP response.
async fn assert_refused(request: &str, expected: u16, headers: &[&str]) {
    let (error, response) = rejection_of(request.as_bytes()).await;
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with(&format!("HTTP/1.1 {expected} ")),
        "{request}\n{head}"
    );
    let head = format!("{}\r\n", head.to_lowercase());
    let len = format!("content-length: {}", body.len());
    for line in headers.iter().copied().chain(["connection: close", &len]) {
        assert!(
            head.contains(&format!("\r\n{line}\r\n")),
            "{line:?} is not in {head}"
        );
    }
    let WsErr::Rejected(response) = &error else {
        panic!("{request}\n{error:?}");
    };
    assert_eq!(response.status(), expected);
    assert_eq!(response.reason(), body);
    let kind = match expected {
        401 | 403 => io::ErrorKind::PermissionDenied,
        404 => io::ErrorKind::NotFound,
        _ => io::ErrorKind::Other,
    };
    assert_eq!(error.kind(), kind, "{expected}");
}

/// A request that is no valid WebSocket handshake gets the status and the headers that RFC 9110 and
/// RFC 6455 require.
#[tokio::test]
async fn other_requests_get_a_status() {
    timeout(async {
        let without = |line: &str| {
            assert!(REQUEST.contains(line));
            REQUEST.replace(line, "")
        };
        let rows: [(String, u16, &[&str]); 9] = [
            // A browser that opens the URL as a page.
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
                REQUEST.replace("Version: 13", "Version: 8"),
                426,
                &["sec-websocket-version: 13"],
            ),
            (
                without("Sec-WebSocket-Version: 13\r\n"),
                426,
                &["sec-websocket-version: 13"],
            ),
            (REQUEST.replace("GET", "POST"), 405, &["allow: GET"]),
            (
                without("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
                400,
                &[],
            ),
            (
                REQUEST.replace("HTTP/1.1", "HTTP/1.0"),
                426,
                &["upgrade: websocket"],
            ),
            (
                REQUEST.replace("Host: localhost", "No colon here"),
                400,
                &[],
            ),
        ];
        for (request, status, headers) in rows {
            let headers: Vec<_> = headers.iter().map(|line| line.to_lowercase()).collect();
            let headers: Vec<_> = headers.iter().map(String::as_str).collect();
            assert_refused(&request, status, &headers).await;
        }
    })
    .await;
}

/// A request that is not HTTP gets status 400, or fails the handshake if it may still become HTTP.
#[tokio::test]
async fn garbage_gets_status_400() {
    timeout(async {
        for garbage in [
            "\r\n\r\n\u{1}\r\n\r\n",
            "\u{16}\u{3}\u{1}\0\u{7b}\r\n\r\n",
            "hello?\r\n\r\n",
        ] {
            assert_refused(garbage, 400, &[]).await;
        }
        for garbage in [
            vec![0xff; 1000],
            b"\x82\x05hello\r\n\r\n".repeat(50),
            b"\r\n\r\n".repeat(100),
        ] {
            let (server, mut client) = tcp().await;
            client.write_all(&garbage).await.unwrap();
            client.shutdown().await.unwrap();
            let script = send_and_read(client, b"");
            let (accepted, response) = future::join(accept(server), script).await;
            let error = accepted.map(drop).unwrap_err();
            println!("{}: {error:?}", garbage[..8].escape_ascii());
            match error {
                WsErr::Handshake(_) => {}
                error => assert_status(&error, &response, 400),
            }
        }
    })
    .await;
}

/// An endless request gets status 431. What it costs is in `memory::limits`.
#[tokio::test]
async fn endless_request_gets_431() {
    timeout(async {
        let endless = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(40_000));
        assert_refused(&endless, 431, &[]).await;
        // Many short headers.
        let endless = format!("GET / HTTP/1.1\r\n{}", "X: x\r\n".repeat(10_000));
        assert_refused(&endless, 431, &[]).await;
        // A method without end.
        assert_refused(&"x".repeat(20_000), 431, &[]).await;
        // What is not HTTP is refused at once.
        assert_refused(&"\0".repeat(20_000), 400, &[]).await;
    })
    .await;
}

/// An end of the connection within the request is a failed handshake, and no rejection.
#[tokio::test]
async fn end_within_the_request() {
    timeout(async {
        for sent in ["", "GET", REQUEST.strip_suffix("\r\n").unwrap()] {
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

/// An end of the connection before the response is an I/O error. It does not replace a rejection.
#[tokio::test]
async fn end_before_the_response() {
    timeout(async {
        let (server, mut client) = duplex(4096);
        client.write_all(REQUEST.as_bytes()).await.unwrap();
        drop(client);
        let error = accept(server).await.map(drop).unwrap_err();
        assert!(matches!(error, WsErr::Io(_)), "{error:?}");
        let (server, mut client) = duplex(4096);
        client
            .write_all(b"PUT / HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        drop(client);
        let error = accept(server).await.map(drop).unwrap_err();
        assert!(
            matches!(&error, WsErr::Rejected(response) if response.status() == 405),
            "{error:?}"
        );
    })
    .await;
}

/// A `POST` request with a body of this length, which is not allowed.
fn request_with_body(len: usize) -> Vec<u8> {
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len}\r\n\r\n");
    let body = "x".repeat(len);
    [head, body].concat().into_bytes()
}

fn assert_status(error: &WsErr, response: &str, expected: u16) {
    assert!(
        matches!(&error, WsErr::Rejected(response) if response.status() == expected),
        "{error:?}"
    );
    let start = format!("HTTP/1.1 {expected} ");
    assert!(response.starts_with(&start), "{response:?}");
}

/// A client that sends its whole request before it reads receives the response, because the server
/// reads on after its rejection. Over TCP, a reset could otherwise discard the response.
#[tokio::test]
async fn sending_client_receives_rejection() {
    timeout(async {
        let head = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n";
        let headers = b"X-Header: and so on\r\n".repeat(10_000);
        for (request, status) in [
            ([head.as_slice(), &headers].concat(), 431),
            (vec![b'x'; 200_000], 431),
            (request_with_body(200_000), 405),
        ] {
            // Capacities of less than the request and of less than the response.
            for capacity in [64, 1024] {
                let (server, client) = duplex(capacity);
                let (accepted, response) =
                    future::join(accept(server), send_and_read(client, &request)).await;
                assert_status(&accepted.map(drop).unwrap_err(), &response, status);
            }
            let (server, client) = tcp().await;
            let (accepted, response) =
                future::join(accept(server), send_and_read(client, &request)).await;
            assert_status(&accepted.map(drop).unwrap_err(), &response, status);
        }
    })
    .await;
}

/// The server reads at most 256 KiB of a rejected client, and then drops the connection.
#[tokio::test]
async fn endless_sender_is_disconnected() {
    timeout(async {
        let (server, mut client) = duplex(1024);
        let endless = async {
            client.write_all(&request_with_body(0)).await.unwrap();
            let mut sent = 0;
            while client.write_all(&[b'x'; 1000]).await.is_ok() {
                sent += 1000;
            }
            sent
        };
        let (accepted, sent) = future::join(accept(server), endless).await;
        let error = accepted.map(drop).unwrap_err();
        assert!(
            matches!(&error, WsErr::Rejected(response) if response.status() == 405),
            "{error:?}"
        );
        assert!(
            (200_000..300_000).contains(&sent),
            "{sent} bytes were taken"
        );
    })
    .await;
}

/// A client that does not read its rejection delays the error until `handshake_timeout`, or for a
/// second of silence.
#[tokio::test]
async fn unread_rejection_delays_error() {
    timeout(async {
        let config = Config::default().handshake_timeout(Duration::from_millis(50));
        for capacity in [16, 4096] {
            let (server, mut client) = duplex(capacity);
            let acceptor = Acceptor::new().config(config.clone());
            let request = request_with_body(0);
            let (accepted, sent) =
                future::join(acceptor.accept(server), client.write_all(&request)).await;
            sent.unwrap();
            let error = accepted.map(drop).unwrap_err();
            assert!(
                matches!(&error, WsErr::Rejected(response) if response.status() == 405),
                "{error:?}"
            );
        }
        // Without `handshake_timeout`, the silence ends the wait.
        let (server, mut client) = duplex(4096);
        client.write_all(&request_with_body(0)).await.unwrap();
        let config = Config::default().handshake_timeout(Duration::MAX);
        let error = Acceptor::new().config(config).accept(server).await;
        assert!(matches!(&error, Err(WsErr::Rejected(response)) if response.status() == 405));
    })
    .await;
}
