//! The host, the path and the headers of a handshake.

use async_tungstenite::{
    accept_hdr_async,
    tokio::TokioAdapter,
    tungstenite::handshake::server::{Request, Response},
};
use futures::future;
use support::{
    handshake::{ACCEPT_KEY, REQUEST, read_head},
    tcp, timeout,
};
use tokio::io::{AsyncWriteExt, duplex};
use ws_framed::{Acceptor, Connector};

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
