//! Subprotocols: what is offered, and which one the server selects.

use futures::future;
use support::{
    handshake::{REQUEST, exchange_and_close, open_pair, read_head, response_with},
    tcp, timeout,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use ws_framed::{Acceptor, Connector, WsErr, accept};

use super::client_rejection::error_for_response;

/// The server selects the first of its own subprotocols that the client offers.
#[tokio::test]
async fn server_order_decides() {
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
        assert_eq!(server.subprotocol(), Some("v2"));
        assert_eq!(client.subprotocol(), Some("v2"));
        exchange_and_close(server, client).await;
    })
    .await;
}

/// The subprotocol is kept from one stream type to the next.
#[tokio::test]
async fn streams_keep_the_subprotocol() {
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
async fn offers_in_several_headers() {
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

/// A server with subprotocols accepts a client that offers none.
#[tokio::test]
async fn client_without_subprotocol() {
    timeout(async {
        let acceptor = Acceptor::new().subprotocol("v2");
        let (server, client) = open_pair(&acceptor, &Connector::new()).await;
        let (server, client) = (server.unwrap(), client.unwrap());
        assert_eq!(server.subprotocol(), None);
        assert_eq!(client.subprotocol(), None);
    })
    .await;
}

/// A response with a subprotocol that the client did not offer is a failed handshake.
#[tokio::test]
async fn unoffered_subprotocol_fails() {
    timeout(async {
        for offered in [&["chat.v1"][..], &[]] {
            let connector = offered.iter().fold(Connector::new(), |connector, name| {
                connector.subprotocol(*name)
            });
            let error = error_for_response(&connector, |request| {
                response_with(request.as_bytes(), "Sec-WebSocket-Protocol: chat.v7\r\n")
            })
            .await;
            assert!(
                matches!(error, WsErr::Handshake(_)),
                "{offered:?}: {error:?}"
            );
        }
    })
    .await;
}

/// A server rejects a client with which it has no subprotocol in common. Both ends return status
/// 400.
#[tokio::test]
async fn no_common_subprotocol() {
    timeout(async {
        let (accepted, connected) = tcp().await;
        let (acceptor, connector) = (
            Acceptor::new().subprotocol("chat.v2"),
            Connector::new().subprotocol("chat.v1").subprotocol("chat"),
        );
        let (server, client) = future::join(
            acceptor.accept(accepted),
            connector.connect_over(connected, "ws://localhost/"),
        )
        .await;
        let (server, client) = (server.map(drop).unwrap_err(), client.map(drop).unwrap_err());
        assert!(
            matches!(&server, WsErr::Rejected(response) if response.status() == 400),
            "{server:?}"
        );
        assert!(
            matches!(&client, WsErr::Rejected(response) if response.status() == 400),
            "{client:?}"
        );
        assert!(client.to_string().contains("subprotocol"), "{client}");
    })
    .await;
}

/// A response without a subprotocol is `NoSubprotocol` for a client that offers one. The client
/// sends no close frame.
#[tokio::test]
async fn server_without_subprotocols() {
    timeout(async {
        let (accepted, connected) = tcp().await;
        let connector = Connector::new().subprotocol("chat.v1");
        let (server, client) = future::join(
            accept(accepted),
            connector.connect_over(connected, "ws://localhost/"),
        )
        .await;
        let client = client.map(drop).unwrap_err();
        assert!(matches!(client, WsErr::NoSubprotocol), "{client:?}");
        let error = server.unwrap().read(&mut [0]).await.unwrap_err();
        assert!(matches!(
            WsErr::find_in(&error),
            Some(WsErr::UnexpectedEof | WsErr::Io(_))
        ));
    })
    .await;
}
