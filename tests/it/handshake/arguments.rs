//! Invalid arguments fail before anything is sent.

use std::{io, time::Duration};

use futures::future;
use support::{handshake::REQUEST, timeout, tungstenite_sockets};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use ws_framed::{Acceptor, Config, Connector, WsErr, WsStream, connect};

/// `connect` rejects a URL that is not one of a WebSocket.
#[tokio::test]
async fn connect_rejects_invalid_urls() {
    timeout(async {
        for url in [
            "",
            "localhost",
            "/path",
            "localhost:80",
            "ftp://localhost/",
            "file:///path",
            "ws://",
            "ws://:80/",
            "ws://local host/",
            "ws://localhost:99999/",
            "ws://[::1/",
        ] {
            let error = connect(url).await.map(drop).unwrap_err();
            assert!(matches!(error, WsErr::InvalidUrl(_)), "{url:?}: {error:?}");
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
    })
    .await;
}

/// `connect_over` rejects an invalid URL, too.
#[tokio::test]
async fn connect_over_rejects_invalid_urls() {
    timeout(async {
        for url in [
            "",
            "/path",
            "ws://",
            "ws://:80/",
            "ws://local host/",
            "ftp://localhost/",
        ] {
            // The peer waits for a request, and ends the connection in place of a response.
            let (io, mut peer) = duplex(4096);
            let connector = Connector::new();
            let (result, request) = future::join(connector.connect_over(io, url), async {
                let mut request = [0; 100];
                let read = peer.read(&mut request).await.unwrap();
                drop(peer);
                String::from_utf8_lossy(&request[..read]).into_owned()
            })
            .await;
            assert_eq!(request, "", "{url:?} was requested");
            let error = result.map(drop).unwrap_err();
            assert!(matches!(error, WsErr::InvalidUrl(_)), "{url:?}: {error:?}");
        }
    })
    .await;
}

/// Both builders reject a header that is not valid HTTP, or that is part of the handshake.
#[tokio::test]
async fn invalid_headers_are_rejected() {
    timeout(async {
        for (name, value) in [
            ("", "value"),
            ("with space", "value"),
            ("with:colon", "value"),
            ("X-Break", "one\r\nX-Smuggled: two"),
            ("X-Null", "\0"),
            // Headers of the handshake itself.
            ("Connection", "close"),
            ("upgrade", "h2c"),
            ("Sec-WebSocket-Key", "x"),
            ("sec-websocket-accept", "x"),
            ("Sec-WebSocket-Protocol", "chat"),
            ("Sec-WebSocket-Extensions", "permessage-deflate"),
            ("Content-Length", "5"),
            ("Transfer-Encoding", "chunked"),
        ] {
            assert_invalid(
                &Connector::new().header(name, value),
                &Acceptor::new().header(name, value),
                name,
            )
            .await;
        }
    })
    .await;
}

/// Both builders reject a subprotocol that is not a token.
#[tokio::test]
async fn invalid_subprotocols_are_rejected() {
    timeout(async {
        for name in [
            "",
            "two words",
            "a,b",
            "naïve",
            "a\r\nX-Smuggled: b",
            "(comment)",
        ] {
            assert_invalid(
                &Connector::new().subprotocol("fine").subprotocol(name),
                &Acceptor::new().subprotocol("fine").subprotocol(name),
                name,
            )
            .await;
        }
    })
    .await;
}

/// Asserts that both builders fail with `InvalidHeader` and send nothing.
async fn assert_invalid(connector: &Connector, acceptor: &Acceptor, what: &str) {
    let (io, mut peer) = duplex(4096);
    let opening = connector.connect_over(io, "ws://localhost/");
    let error = opening.await.map(drop).unwrap_err();
    assert!(
        matches!(error, WsErr::InvalidHeader(_)),
        "{what:?}: {error:?}"
    );
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert_eq!(
        peer.read_to_end(&mut Vec::new()).await.unwrap(),
        0,
        "{what:?}"
    );

    let (io, mut peer) = duplex(4096);
    peer.write_all(REQUEST.as_bytes()).await.unwrap();
    let error = acceptor.accept(io).await.map(drop).unwrap_err();
    assert!(
        matches!(error, WsErr::InvalidHeader(_)),
        "{what:?}: {error:?}"
    );
    assert_eq!(
        peer.read_to_end(&mut Vec::new()).await.unwrap(),
        0,
        "{what:?}"
    );
}

/// An invalid `Config` fails before anything is sent or resolved. All invalid values are in
/// `config`.
#[tokio::test]
async fn invalid_config_sends_nothing() {
    timeout(async {
        for config in [
            Config::default().max_send_message_len(0),
            Config::default().max_recv_message_len(0),
            Config::default().close_timeout(Duration::ZERO),
            Config::default().ping_timeout(Duration::ZERO),
        ] {
            let (io, mut peer) = duplex(4096);
            let connector = Connector::new().config(config.clone());
            let error = connector.connect_over(io, "ws://localhost/").await;
            let error = error.map(drop).unwrap_err();
            assert!(matches!(error, WsErr::InvalidConfig(_)), "{error:?}");
            assert_eq!(peer.read_to_end(&mut Vec::new()).await.unwrap(), 0);
            let error = connector.connect("ws://localhost:1").await;
            assert!(matches!(error, Err(WsErr::InvalidConfig(_))), "{error:?}");

            let (io, mut peer) = duplex(4096);
            let acceptor = Acceptor::new().config(config.clone());
            let error = acceptor.accept(io).await.map(drop).unwrap_err();
            assert!(matches!(error, WsErr::InvalidConfig(_)), "{error:?}");
            assert_eq!(peer.read_to_end(&mut Vec::new()).await.unwrap(), 0);

            let (socket, _peer) = tungstenite_sockets(4096).await;
            let error = WsStream::with_config(socket, config).map(drop).unwrap_err();
            assert!(matches!(error, WsErr::InvalidConfig(_)), "{error:?}");
        }
    })
    .await;
}
