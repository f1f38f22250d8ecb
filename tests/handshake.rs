//! Opening a connection: over every kind of stream, with headers and subprotocols, however the bytes of
//! the handshake are cut.

#![cfg(all(feature = "tokio", feature = "async-tungstenite"))]
#![allow(
    clippy::large_futures,
    reason = "a handshake holds its buffers, and these tests hold two handshakes"
)]

#[path = "common/sockets.rs"]
mod sockets;

use async_tungstenite::{
    accept_hdr_async,
    tokio::TokioAdapter,
    tungstenite::handshake::server::{Request, Response},
};
use futures::future;
use sockets::{tcp, within};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, duplex},
    net::TcpListener,
};
use ws_framed::{
    Acceptor, CloseFrame, CloseOutcome, Config, Connector, WsErr, WsStream, accept, connect,
};

/// A request of a client that is no library: RFC 6455 section 1.3 has its key and the answer's.
const REQUEST: &str = "GET /chat HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Upgrade: websocket\r\n\
    Connection: keep-alive, Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";
const ACCEPT_KEY: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A masked binary frame that carries `hi`. The mask is zero, so that the payload can be read here.
const HI: &[u8] = b"\x82\x82\0\0\0\0hi";

/// Shows that a connection works, and closes it.
async fn converse(mut server: WsStream, mut client: WsStream) {
    let mut got = [0; 5];
    client.write_all(b"hello").await.unwrap();
    client.flush().await.unwrap();
    server.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"hello");
    let (outcome, end) = future::join(
        server.close_with(CloseFrame::normal()),
        client.read(&mut got),
    )
    .await;
    assert!(
        matches!(outcome, Ok(CloseOutcome::Clean { .. })),
        "{outcome:?}"
    );
    assert_eq!(end.unwrap(), 0);
}

/// Opens a connection with these two.
async fn open(
    acceptor: &Acceptor,
    connector: &Connector,
) -> (Result<WsStream, WsErr>, Result<WsStream, WsErr>) {
    let (accepted, connected) = tcp().await;
    future::join(
        acceptor.accept(accepted),
        connector.connect_over(connected, "ws://localhost/"),
    )
    .await
}

/// The head of an answer.
async fn read_head(mut io: impl AsyncRead + Unpin) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

async fn serve_at(address: &str) -> Option<()> {
    // A machine may have no IPv6.
    let listener = TcpListener::bind(address).await.ok()?;
    let address = listener.local_addr().unwrap();
    let url = format!("ws://{address}/some/path?and=query");
    let (server, client) = future::join(
        async {
            let (socket, _) = listener.accept().await.unwrap();
            accept(socket).await
        },
        connect(&url),
    )
    .await;
    let client = client.unwrap();
    assert_eq!(client.subprotocol(), None);
    converse(server.unwrap(), client).await;
    Some(())
}

#[tokio::test]
async fn over_tcp() {
    within(serve_at("127.0.0.1:0")).await.unwrap();
}

/// The brackets in `ws://[::1]:80` belong to the URL, not to the address.
#[tokio::test]
async fn over_tcp_with_ipv6() {
    if within(serve_at("[::1]:0")).await.is_none() {
        eprintln!("there is no IPv6 here");
    }
}

#[tokio::test]
async fn by_the_name_of_a_host() {
    within(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (server, client) = future::join(
            async { accept(listener.accept().await.unwrap().0).await },
            connect(format!("ws://localhost:{port}")),
        )
        .await;
        converse(server.unwrap(), client.unwrap()).await;
    })
    .await;
}

#[tokio::test]
async fn over_a_duplex() {
    within(async {
        // Much less than a request or an answer, so that both come in pieces.
        let (here, there) = duplex(16);
        let connector = Connector::new();
        let (server, client) = future::join(
            accept(here),
            connector.connect_over(there, "wss://localhost/"),
        )
        .await;
        converse(server.unwrap(), client.unwrap()).await;
    })
    .await;
}

#[cfg(unix)]
#[tokio::test]
async fn over_a_unix_socket() {
    within(async {
        let (here, there) = tokio::net::UnixStream::pair().unwrap();
        let connector = Connector::new();
        let (server, client) = future::join(
            accept(here),
            connector.connect_over(there, "ws://localhost/"),
        )
        .await;
        converse(server.unwrap(), client.unwrap()).await;
    })
    .await;
}

#[tokio::test]
async fn the_request_names_host_and_path() {
    within(async {
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
    within(async {
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
    within(async {
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
    within(async {
        let acceptor = Acceptor::new()
            .subprotocol("v3")
            .subprotocol("v2")
            .subprotocol("v1");
        let connector = Connector::new()
            .subprotocol("v1")
            .subprotocol("v2")
            .subprotocol("v4");
        let (server, client) = open(&acceptor, &connector).await;
        let (server, client) = (server.unwrap(), client.unwrap());
        // The server's wish counts.
        assert_eq!(server.subprotocol(), Some("v2"));
        assert_eq!(client.subprotocol(), Some("v2"));
        // The item view knows it, and so does the byte view after it.
        let server = server.framed(ws_framed::Lines::new(80));
        assert_eq!(server.subprotocol(), Some("v2"));
        let server = server.into_stream();
        assert_eq!(server.subprotocol(), Some("v2"));
        converse(server, client).await;
    })
    .await;
}

/// A client may offer its subprotocols in several headers (RFC 6455 section 11.3.4).
#[tokio::test]
async fn subprotocols_may_come_in_several_headers() {
    within(async {
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
    within(async {
        let acceptor = Acceptor::new().subprotocol("v2");
        let (server, client) = open(&acceptor, &Connector::new()).await;
        let (server, client) = (server.unwrap(), client.unwrap());
        assert_eq!(server.subprotocol(), None);
        assert_eq!(client.subprotocol(), None);
    })
    .await;
}

#[tokio::test]
async fn builders_serve_many_connections() {
    within(async {
        let acceptor = Acceptor::new().subprotocol("v2");
        let connector = Connector::new().subprotocol("v2");
        for _ in 0..3 {
            let (server, client) = open(&acceptor, &connector).await;
            converse(server.unwrap(), client.unwrap()).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_request_may_come_byte_by_byte() {
    within(async {
        let (server, mut client) = duplex(4096);
        let accepting = tokio::spawn(accept(server));
        for byte in REQUEST.bytes() {
            client.write_u8(byte).await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut server = accepting.await.unwrap().unwrap();
        read_head(&mut client).await;
        client.write_all(HI).await.unwrap();
        let mut got = [0; 2];
        server.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"hi");
    })
    .await;
}

/// A client that is sure of its answer sends its first messages right behind the request.
#[tokio::test]
async fn a_first_message_may_come_together_with_the_request() {
    within(async {
        let mut everything = REQUEST.as_bytes().to_vec();
        everything.extend(HI.repeat(1000));
        let half = HI.len() / 2;
        // Also when the request ends in the middle of a message.
        for first in [
            everything.len(),
            REQUEST.len() + half,
            REQUEST.len() + HI.len(),
        ] {
            let (server, mut client) = duplex(64 * 1024);
            client.write_all(&everything[..first]).await.unwrap();
            let mut server = accept(server).await.unwrap();
            client.write_all(&everything[first..]).await.unwrap();
            let mut got = [0; 2000];
            server.read_exact(&mut got).await.unwrap();
            assert_eq!(got[..], b"hi".repeat(1000));
        }
    })
    .await;
}

/// A server's first message may come together with its answer.
#[tokio::test]
async fn a_first_message_may_come_together_with_the_answer() {
    within(async {
        let (mut server, client) = duplex(4096);
        let opening = tokio::spawn(async move {
            Connector::new()
                .connect_over(client, "ws://localhost/")
                .await
        });
        let head = read_head(&mut server).await;
        let key = head
            .lines()
            .find(|line| line.to_lowercase().starts_with("sec-websocket-key:"))
            .and_then(|line| line.split_once(':'))
            .unwrap();
        let key =
            async_tungstenite::tungstenite::handshake::derive_accept_key(key.1.trim().as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {key}\r\n\r\n"
        );
        let mut answer = answer.into_bytes();
        answer.extend(b"\x82\x05early");
        server.write_all(&answer).await.unwrap();
        let mut client = opening.await.unwrap().unwrap();
        let mut got = [0; 5];
        client.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"early");
    })
    .await;
}

/// The settings of each side hold from the first message on.
#[tokio::test]
async fn the_config_is_that_of_the_connection() {
    within(async {
        let acceptor = Acceptor::new().config(Config::default().max_recv_message_len(10));
        let (server, client) = open(&acceptor, &Connector::new()).await;
        let (mut server, mut client) = (server.unwrap(), client.unwrap());
        client.write_all(&[0; 11]).await.unwrap();
        client.flush().await.unwrap();
        let (ours, theirs) = future::join(
            server.read_to_end(&mut Vec::new()),
            client.read_to_end(&mut Vec::new()),
        )
        .await;
        let error = ours.unwrap_err();
        assert!(
            matches!(
                WsErr::find_in(&error),
                Some(WsErr::MessageTooLarge { max: 10, .. })
            ),
            "{error:?}"
        );
        let error = theirs.unwrap_err();
        assert!(
            matches!(WsErr::find_in(&error), Some(WsErr::Aborted(_))),
            "{error:?}"
        );
    })
    .await;
}
