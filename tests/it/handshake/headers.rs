//! What a handshake carries besides: the host, the path, headers, subprotocols.

use async_tungstenite::{
    accept_hdr_async,
    tokio::TokioAdapter,
    tungstenite::handshake::server::{Request, Response},
};
use futures::future;
use support::{
    handshake::{ACCEPT_KEY, REQUEST, exchange_and_close, open_pair, read_head},
    tcp, timeout,
};
use tokio::io::{AsyncWriteExt, duplex};
use ws_framed::{Acceptor, Connector};

#[tokio::test]
async fn the_request_names_host_and_path() {
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

#[tokio::test]
async fn a_client_sends_headers() {
    timeout(async {
        let (server, client) = tcp().await;
        let mut seen = None;
        #[expect(clippy::result_large_err, reason = "the engine's own type")]
        let look = |request: &Request, response: Response| {
            seen = Some(request.headers().clone());
            Ok(response)
        };
        let connector = Connector::new()
            .header("Authorization", "Bearer 8f3a")
            .header("X-Twice", "once")
            .header("X-Twice", "again")
            .header("Host", "other.example.com");
        let (accepted, connected) = future::join(
            accept_hdr_async(TokioAdapter::new(server), look),
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
        assert_eq!(hosts, ["other.example.com"], "it replaces that of the URL");
    })
    .await;
}

#[tokio::test]
async fn a_server_sends_headers() {
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

#[tokio::test]
async fn a_subprotocol_is_agreed_on() {
    timeout(async {
        let acceptor = Acceptor::new()
            .subprotocol("v3")
            .subprotocol("v2")
            .subprotocol("v1");
        let connector = Connector::new()
            .subprotocol("v1")
            .subprotocol("v2")
            .subprotocol("v4");
        let (server, client) = open_pair(&acceptor, &connector).await;
        let (server, client) = (server.unwrap(), client.unwrap());
        // The server's wish counts.
        assert_eq!(server.subprotocol(), Some("v2"));
        assert_eq!(client.subprotocol(), Some("v2"));
        exchange_and_close(server, client).await;
    })
    .await;
}

#[tokio::test]
async fn every_view_knows_the_subprotocol() {
    timeout(async {
        let acceptor = Acceptor::new().subprotocol("v2");
        let connector = Connector::new().subprotocol("v2");
        let server = open_pair(&acceptor, &connector).await.0.unwrap();
        let server = server.framed(ws_framed::Lines::new(80));
        assert_eq!(server.subprotocol(), Some("v2"));
        assert_eq!(server.into_stream().subprotocol(), Some("v2"));
    })
    .await;
}

/// A client may offer its subprotocols in several headers (RFC 6455 section 11.3.4).
#[tokio::test]
async fn subprotocols_may_come_in_several_headers() {
    timeout(async {
        let (server, mut client) = duplex(4096);
        let offers = "Sec-WebSocket-Protocol: v1 ,v9\r\nSec-WebSocket-Protocol: v2\r\n\r\n";
        let request = REQUEST.strip_suffix("\r\n").unwrap().to_owned() + offers;
        client.write_all(request.as_bytes()).await.unwrap();
        let acceptor = Acceptor::new().subprotocol("v2").subprotocol("v1");
        let server = acceptor.accept(server).await.unwrap();
        assert_eq!(server.subprotocol(), Some("v2"));
        let head = read_head(&mut client).await.to_lowercase();
        assert!(
            head.contains("\r\nsec-websocket-protocol: v2\r\n"),
            "{head}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_client_without_a_subprotocol_is_not_turned_away() {
    timeout(async {
        let acceptor = Acceptor::new().subprotocol("v2");
        let (server, client) = open_pair(&acceptor, &Connector::new()).await;
        let (server, client) = (server.unwrap(), client.unwrap());
        assert_eq!(server.subprotocol(), None);
        assert_eq!(client.subprotocol(), None);
    })
    .await;
}
