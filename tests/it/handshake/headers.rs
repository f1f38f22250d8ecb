//! The host, the path and the headers of a handshake.

use async_tungstenite::{
    accept_hdr_async,
    tokio::TokioAdapter,
    tungstenite::handshake::server::{Request, Response},
};
use futures::future;
use support::{
    handshake::{ACCEPT_KEY, REQUEST, open_pair, read_head},
    tcp, timeout,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    net::TcpListener,
};
use ws_framed::{
    Acceptor, Connector, Lines,
    http::{HeaderName, HeaderValue, header::COOKIE},
    smol,
};

/// The request has the path, the query, the host and the port of the URL, and the version of the
/// protocol. It offers no subprotocol by itself.
#[tokio::test]
async fn host_and_path_of_request() {
    timeout(async {
        let (mut server, client) = duplex(4096);
        let opening = tokio::spawn(async move {
            let connector = Connector::new().header("Origin", "https://example.com");
            connector
                .connect_over(client, "ws://example.com:8080/chat?room=7")
                .await
        });
        let head = read_head(&mut server).await;
        assert!(head.starts_with("GET /chat?room=7 HTTP/1.1\r\n"), "{head}");
        let head = head.to_lowercase();
        for line in [
            "\r\nhost: example.com:8080\r\n",
            "\r\norigin: https://example.com\r\n",
            "\r\nsec-websocket-version: 13\r\n",
        ] {
            assert!(head.contains(line), "{line:?} is not in {head}");
        }
        assert!(!head.contains("sec-websocket-protocol"), "{head}");
        drop(server);
        opening.await.unwrap().unwrap_err();
    })
    .await;
}

/// The headers of a `Connector` are sent in order. `Host` replaces that of the URL.
#[tokio::test]
async fn connector_headers_are_sent() {
    timeout(async {
        let (server, client) = tcp().await;
        let mut seen = None;
        #[expect(clippy::result_large_err, reason = "the type of tungstenite")]
        let callback = |request: &Request, response: Response| {
            seen = Some(request.headers().clone());
            Ok(response)
        };
        let connector = Connector::new()
            .header("Authorization", "Bearer 8f3a")
            .header("X-Twice", "once")
            .header("X-Twice", "again")
            .header("Host", "other.example.com");
        let (accepted, connected) = future::join(
            accept_hdr_async(TokioAdapter::new(server), callback),
            connector.connect_over(client, "ws://localhost/"),
        )
        .await;
        accepted.unwrap();
        connected.unwrap();
        let seen = seen.unwrap();
        assert_eq!(seen["Authorization"], "Bearer 8f3a");
        let twice: Vec<_> = seen.get_all("X-Twice").iter().collect();
        assert_eq!(twice, ["once", "again"]);
        let hosts: Vec<_> = seen.get_all("Host").iter().collect();
        assert_eq!(hosts, ["other.example.com"]);
    })
    .await;
}

/// Headers may be given as types of `http`. Values that are not ASCII are sent as they are.
#[tokio::test]
async fn typed_and_binary_headers() {
    timeout(async {
        let (mut server, client) = duplex(4096);
        let connector = Connector::new()
            .header(COOKIE, HeaderValue::from_bytes(b"name=Zo\xeb").unwrap())
            .header(HeaderName::from_static("x-name"), String::from("Zo\u{eb}"))
            .header(b"X-Bytes".as_slice(), b"\xff".as_slice());
        let opening = connector.connect_over(client, "ws://localhost/");
        let script = async {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(server.read_u8().await.unwrap());
            }
            drop(server);
            head
        };
        let (result, head) = future::join(opening, script).await;
        result.unwrap_err();
        for line in [
            &b"\r\nCookie: name=Zo\xeb\r\n"[..],
            "\r\nX-Name: Zo\u{eb}\r\n".as_bytes(),
            b"\r\nX-Bytes: \xff\r\n",
        ] {
            let is_there = head.windows(line.len()).any(|part| part == line);
            assert!(is_there, "{}", head.escape_ascii());
        }
    })
    .await;
}

/// An invalid header is an error, which does not contain its value, and what follows it does not
/// change that. Debug output of a `Connector` has no values.
#[tokio::test]
async fn values_of_headers_are_secret() {
    timeout(async {
        let connector = Connector::new().header("Cookie", "secret");
        let debug = format!("{connector:?}");
        assert!(
            debug.contains("cookie") && !debug.contains("secret"),
            "{debug}"
        );
        let connector = connector.header("X-A", "secret\n").header("X-B", "fine");
        let (client, _server) = duplex(4096);
        let error = connector.connect_over(client, "ws://localhost/").await;
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("x-a") && !error.contains("secret"),
            "{error}"
        );
    })
    .await;
}

/// The headers of the response that opens a connection are at the client, in all ways to connect
/// and on both streams. A server has none.
#[tokio::test]
async fn response_headers_at_client() {
    timeout(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        let acceptor = Acceptor::new()
            .header("Set-Cookie", "a=1")
            .header("Set-Cookie", "b=2");
        let accept = async || {
            let (socket, _) = listener.accept().await.unwrap();
            acceptor.accept(socket).await
        };
        let connector = Connector::new();
        let pairs = [
            open_pair(&acceptor, &connector).await,
            future::join(accept(), connector.connect(&url)).await,
            future::join(accept(), smol::connect_with(&connector, &url)).await,
        ];
        for (server, client) in pairs {
            assert_eq!(server.unwrap().response_headers(), None);
            let client = client.unwrap();
            let headers = client.response_headers().unwrap();
            let cookies: Vec<_> = headers.get_all("set-cookie").iter().collect();
            assert_eq!(cookies, ["a=1", "b=2"]);
            assert_eq!(headers.keys_len(), 1, "{headers:?}");
            let items = client.framed(Lines::new(10));
            assert_eq!(items.response_headers().unwrap()["set-cookie"], "a=1");
        }
    })
    .await;
}

/// Values of an `Acceptor` that are not ASCII are sent with the response as they are.
#[tokio::test]
async fn binary_headers_of_acceptor() {
    timeout(async {
        let values = [&b"Zo\xeb"[..], "Zo\u{eb}".as_bytes(), b"\xff"];
        let mut acceptor = Acceptor::new();
        for value in values {
            acceptor = acceptor.header("X-Name", value);
        }
        let (server, client) = open_pair(&acceptor, &Connector::new()).await;
        server.unwrap();
        let client = client.unwrap();
        let headers = client.response_headers().unwrap();
        let received: Vec<_> = headers.get_all("x-name").iter().collect();
        assert_eq!(received, values);
    })
    .await;
}

/// The headers of an `Acceptor` are sent with the response, which selects no subprotocol by itself.
#[tokio::test]
async fn acceptor_headers_are_sent() {
    timeout(async {
        let (server, mut client) = duplex(4096);
        let acceptor = Acceptor::new()
            .header("Server", "chat/2")
            .header("Set-Cookie", "a=1")
            .header("Set-Cookie", "b=2");
        client.write_all(REQUEST.as_bytes()).await.unwrap();
        let _server = acceptor.accept(server).await.unwrap();
        let head = read_head(&mut client).await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(head.contains(ACCEPT_KEY), "{head}");
        let head = head.to_lowercase();
        for line in ["server: chat/2", "set-cookie: a=1", "set-cookie: b=2"] {
            assert!(
                head.contains(&format!("\r\n{line}\r\n")),
                "{line:?} is not in {head}"
            );
        }
        assert!(!head.contains("sec-websocket-protocol"), "{head}");
    })
    .await;
}
