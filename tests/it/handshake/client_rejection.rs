//! Responses with which a server rejects a client, or that are no response to a handshake.

use std::{io, time::Duration};

use futures::future;
use support::{
    handshake::{read_head, response_to},
    timeout,
};
use tokio::{
    io::{AsyncWriteExt, duplex},
    net::TcpListener,
};
use ws_framed::{
    Config, Connector, WsErr,
    http::{HeaderValue, header::WWW_AUTHENTICATE},
    smol,
};

/// The error of a client whose request gets this response.
pub(super) async fn error_for_response(
    connector: &Connector,
    response: impl FnOnce(String) -> Vec<u8>,
) -> WsErr {
    let (mut server, client) = duplex(64 * 1024);
    let script = async move {
        let request = read_head(&mut server).await;
        server.write_all(&response(request)).await.unwrap();
    };
    let opening = connector.connect_over(client, "ws://localhost/");
    let (result, ()) = future::join(opening, script).await;
    result.map(drop).unwrap_err()
}

fn assert_rejected(error: &WsErr, expected: u16, expected_reason: &str) {
    let WsErr::Rejected(response) = error else {
        panic!("{expected}: {error:?}");
    };
    assert_eq!(response.status(), expected);
    assert_eq!(response.reason(), expected_reason);
    let kind = match expected {
        401 | 403 => io::ErrorKind::PermissionDenied,
        404 => io::ErrorKind::NotFound,
        _ => io::ErrorKind::Other,
    };
    assert_eq!(error.kind(), kind, "{expected}");
}

/// A response with any status but 101 is `Rejected`, with the reason phrase if it has no body.
#[tokio::test]
async fn status_and_reason_phrase() {
    timeout(async {
        let connector = Connector::new();
        for (status, phrase) in [
            (403, "Forbidden"),
            (404, "Not Found"),
            (503, "Service Unavailable"),
            (302, "Found"),
            (200, "OK"),
        ] {
            let head = format!("HTTP/1.1 {status} {phrase}\r\nContent-Length: 0\r\n\r\n");
            let error = error_for_response(&connector, |_| head.into()).await;
            assert_rejected(&error, status, phrase);
        }
    })
    .await;
}

/// A status 101 that does not confirm the handshake fails it, in each client: over a stream, over
/// TCP of both runtimes, and through a proxy (RFC 6455 section 4.1).
#[tokio::test]
async fn confirmation_must_be_exact() {
    const UPGRADE: &str = "Upgrade: websocket\r\n";
    let add = |line: &str| format!("{UPGRADE}{line}\r\n");
    let upgrade = |value: &str| format!("Upgrade: {value}\r\n");
    let rows = [
        (upgrade("websocket, foo"), "does not upgrade to websocket"),
        (upgrade("foo, websocket"), "does not upgrade to websocket"),
        (upgrade("websocket,"), "does not upgrade to websocket"),
        (add("Upgrade: websocket"), "several upgrade headers"),
        (add("Upgrade: foo"), "several upgrade headers"),
        (add("Sec-WebSocket-Extensions:"), "the list is malformed"),
        (add("Sec-WebSocket-Extensions: ,"), "the list is malformed"),
        (
            add("Sec-WebSocket-Extensions: x y"),
            "the list is malformed",
        ),
        (add("Sec-WebSocket-Extensions: x-foo"), "x-foo"),
        (add("X: a\r\n b"), "folded"),
    ];
    for (lines, why) in rows {
        timeout(async {
            let response = |request: String| {
                let response = String::from_utf8(response_to(request.as_bytes())).unwrap();
                response.replace(UPGRADE, &lines).into_bytes()
            };
            let connector = Connector::new();
            let mut errors = vec![error_for_response(&connector, response).await];
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let serve = async |is_proxy: bool| {
                let mut socket = listener.accept().await.unwrap().0;
                if is_proxy {
                    read_head(&mut socket).await;
                    socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                }
                let request = read_head(&mut socket).await;
                socket.write_all(&response(request)).await.unwrap();
                socket
            };
            let url = format!("ws://{address}/");
            let (opened, _socket) = future::join(connector.connect(&url), serve(false)).await;
            errors.push(opened.map(drop).unwrap_err());
            let opening = smol::connect_with(&connector, &url);
            let (opened, _socket) = future::join(opening, serve(false)).await;
            errors.push(opened.map(drop).unwrap_err());
            let connector = connector.proxy(format!("http://{address}"));
            let opening = connector.connect("ws://chat.example/");
            let (opened, _socket) = future::join(opening, serve(true)).await;
            errors.push(opened.map(drop).unwrap_err());
            for error in errors {
                let is_typed = match &error {
                    WsErr::Extension(_) => lines.contains("Extensions"),
                    WsErr::Handshake(_) => !lines.contains("Extensions"),
                    _ => false,
                };
                assert!(is_typed, "{lines} {error:?}");
                assert!(error.to_string().contains(why), "{lines} {error}");
                assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            }
        })
        .await;
    }
}

/// The body of the response is the reason.
#[tokio::test]
async fn body_is_the_reason() {
    timeout(async {
        let head = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 13\r\n\r\ntoken expired";
        let error = error_for_response(&Connector::new(), |_| head.into()).await;
        assert_rejected(&error, 401, "token expired");
    })
    .await;
}

/// A body that does not arrive within a second, or within `handshake_timeout`, does not delay the
/// error. What has arrived of it is the reason.
#[tokio::test]
async fn stalled_body_is_truncated() {
    timeout(async {
        let no_timeout = Config::default().handshake_timeout(Duration::MAX);
        let short_timeout = Config::default().handshake_timeout(Duration::from_millis(50));
        let rows = [
            (&no_timeout, "first par", "first par"),
            (&no_timeout, "", "Forbidden"),
            (&short_timeout, "", "Forbidden"),
        ];
        for (config, body, reason) in rows {
            let (mut server, client) = duplex(4096);
            let connector = Connector::new().config(config.clone());
            let opening = connector.connect_over(client, "ws://localhost/");
            let script = async {
                read_head(&mut server).await;
                let head = "HTTP/1.1 403 Forbidden\r\nContent-Length: 500\r\n\r\n";
                server.write_all(head.as_bytes()).await.unwrap();
                server.write_all(body.as_bytes()).await.unwrap();
            };
            // The server keeps the connection open and sends no more.
            let (result, ()) = future::join(opening, script).await;
            assert_rejected(&result.map(drop).unwrap_err(), 403, reason);
        }
    })
    .await;
}

/// A reason has at most 1024 bytes, whatever length the response claims.
#[tokio::test]
async fn long_body_is_truncated() {
    timeout(async {
        for len in [1024, 1025, 1_000_000_000_000_u64, u64::MAX] {
            let head = format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {len}\r\n\r\n");
            let response = [head, "x".repeat(5000)].concat();
            let error = error_for_response(&Connector::new(), |_| response.into()).await;
            assert_rejected(&error, 403, &"x".repeat(1024));
        }
    })
    .await;
}

/// The headers of the response are in the error, whatever its version, in all ways to connect. Its
/// debug output has no values, which may be secrets.
#[tokio::test]
async fn headers_of_rejection() {
    const RESPONSE: &[u8] = b"HTTP/1.0 401 x\r\nWWW-Authenticate: Basic realm=\"B\xfcro\"\r\n\
        WWW-Authenticate: Bearer\r\nSet-Cookie: secret\r\nContent-Length: 0\r\n\r\n";
    timeout(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        let serve = async || {
            let (mut server, _) = listener.accept().await.unwrap();
            read_head(&mut server).await;
            server.write_all(RESPONSE).await.unwrap();
        };
        let connector = Connector::new();
        let errors = [
            error_for_response(&connector, |_| RESPONSE.into()).await,
            future::join(connector.connect(&url), serve())
                .await
                .0
                .unwrap_err(),
            future::join(smol::connect_with(&connector, &url), serve())
                .await
                .0
                .unwrap_err(),
        ];
        for error in errors {
            assert_rejected(&error, 401, "Unauthorized");
            let WsErr::Rejected(response) = &error else {
                panic!("{error:?}");
            };
            let schemes = response.headers().get_all(WWW_AUTHENTICATE);
            let schemes: Vec<_> = schemes.iter().map(HeaderValue::as_bytes).collect();
            assert_eq!(schemes, [&b"Basic realm=\"B\xfcro\""[..], b"Bearer"]);
            assert_eq!(response.headers()["set-cookie"], "secret");
            let debug = format!("{error:?}");
            assert!(
                debug.contains("set-cookie") && !debug.contains("secret"),
                "{debug}"
            );
        }
    })
    .await;
}

/// A response that is not HTTP, or no response to a WebSocket handshake, is a failed handshake.
#[tokio::test]
async fn invalid_responses_fail() {
    timeout(async {
        let invalid: [&[u8]; 7] = [
            b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
            b"",
            b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
              Sec-WebSocket-Accept: bm90IHRoZSByaWdodCBvbmU=\r\n\r\n",
            &[0xff; 1000],
            &b"\x82\x05hello\r\n\r\n".repeat(50),
            &b"\r\n\r\n".repeat(100),
        ];
        for response in invalid {
            let error = error_for_response(&Connector::new(), |_| response.into()).await;
            assert!(
                matches!(error, WsErr::Handshake(_)),
                "{}: {error:?}",
                response.escape_ascii()
            );
        }
    })
    .await;
}
