//! A request that our server does not take gets an HTTP answer that says why, and is a typed error.

use std::{io, time::Duration};

use futures::future;
use support::{handshake::REQUEST, tcp, timeout};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex};
use ws_framed::{Acceptor, Config, WsErr, accept};

/// Sends all of a request, reads all of the answer, and hangs up.
async fn ask(mut io: impl AsyncRead + AsyncWrite + Unpin, request: &[u8]) -> String {
    io.write_all(request).await.unwrap();
    let mut answer = String::new();
    io.read_to_string(&mut answer).await.unwrap();
    answer
}

/// What our server makes of these bytes: its error, and its answer.
async fn offer(request: &[u8]) -> (WsErr, String) {
    let (server, client) = duplex(64 * 1024);
    let (accepted, answer) = future::join(accept(server), ask(client, request)).await;
    (accepted.map(drop).unwrap_err(), answer)
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

#[tokio::test]
async fn a_request_that_is_not_for_a_websocket_gets_an_http_answer() {
    timeout(async {
        let without = |line: &str| {
            assert!(REQUEST.contains(line));
            REQUEST.replace(line, "")
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
            (REQUEST.replace("HTTP/1.1", "HTTP/1.0"), 400, &[]),
            (
                REQUEST.replace("Host: localhost", "No colon here"),
                400,
                &[],
            ),
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
    timeout(async {
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
    timeout(async {
        let endless = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(40_000));
        assert_refused(&endless, 431, &[]).await;
        // So is one that consists of nothing but short headers.
        let endless = format!("GET / HTTP/1.1\r\n{}", "X: x\r\n".repeat(10_000));
        assert_refused(&endless, 431, &[]).await;
        // So is one that consists of a method without end.
        assert_refused(&"x".repeat(20_000), 431, &[]).await;
        // What is not HTTP is refused at once.
        assert_refused(&"\0".repeat(20_000), 400, &[]).await;
    })
    .await;
}

/// A client that hangs up in the middle of its request has not been refused.
#[tokio::test]
async fn a_client_that_leaves_early_is_a_failed_handshake() {
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

/// A client that does not wait for its answer.
#[tokio::test]
async fn a_client_that_leaves_before_the_answer_is_an_io_error() {
    timeout(async {
        let (server, mut client) = duplex(4096);
        client.write_all(REQUEST.as_bytes()).await.unwrap();
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

/// A request whose body is as long as `len`, for what takes none.
fn request_with_body(len: usize) -> Vec<u8> {
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len}\r\n\r\n");
    let body = "x".repeat(len);
    [head, body].concat().into_bytes()
}

fn assert_not_allowed(error: &WsErr, answer: &str) {
    assert!(
        matches!(error, WsErr::Refused { status: 405, .. }),
        "{error:?}"
    );
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer:?}");
}

/// A client that goes on sending what will not be read is not cut off: over TCP, a reset could take the
/// answer with it.
#[tokio::test]
async fn a_client_that_is_still_sending_hears_its_refusal() {
    timeout(async {
        let request = request_with_body(200_000);
        // Less than the request, and less than the answer: nobody takes the rest unless our server does, and
        // there is no room for all of the answer before.
        for capacity in [64, 1024] {
            let (server, client) = duplex(capacity);
            let (accepted, answer) = future::join(accept(server), ask(client, &request)).await;
            assert_not_allowed(&accepted.map(drop).unwrap_err(), &answer);
        }

        let (server, client) = tcp().await;
        let (accepted, answer) = future::join(accept(server), ask(client, &request)).await;
        assert_not_allowed(&accepted.map(drop).unwrap_err(), &answer);
    })
    .await;
}

/// Nor does it keep our server for ever, or send as much as it likes.
#[tokio::test]
async fn a_client_that_never_stops_sending_is_cut_off() {
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
            matches!(error, WsErr::Refused { status: 405, .. }),
            "{error:?}"
        );
        assert!(
            (200_000..300_000).contains(&sent),
            "{sent} bytes were taken"
        );
    })
    .await;
}

/// A client that neither reads, sends nor leaves is given up as soon as the time of the handshake is over, or
/// before that; and what it is told is what our server sees.
#[tokio::test]
async fn a_client_that_does_not_take_its_refusal_is_still_refused() {
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
                matches!(error, WsErr::Refused { status: 405, .. }),
                "{error:?}"
            );
        }
        // Without that limit, silence is long enough.
        let (server, mut client) = duplex(4096);
        client.write_all(&request_with_body(0)).await.unwrap();
        let config = Config::default().handshake_timeout(Duration::MAX);
        let error = Acceptor::new().config(config).accept(server).await;
        assert!(matches!(error, Err(WsErr::Refused { status: 405, .. })));
    })
    .await;
}
