//! What cannot be asked for or answered is refused before anything is sent.

use std::{io, time::Duration};

use futures::future;
use support::{handshake::REQUEST, timeout, tungstenite_sockets};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use ws_framed::{Acceptor, Config, Connector, WsErr, WsStream, connect};

#[tokio::test]
async fn urls_that_cannot_be_connected_to() {
    timeout(async {
        for url in [
            "",
            "localhost",
            "/path",
            "http://localhost/",
            "https://localhost/",
            "ftp://localhost/",
            "ws://",
            "ws:///path",
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

/// Over a stream of the user's own, the URL gives path and host only, and has to be one all the same.
#[tokio::test]
async fn urls_that_cannot_be_asked_for() {
    timeout(async {
        for url in [
            "",
            "/path",
            "ws://",
            "ws://:80/",
            "ws://local host/",
            "http://localhost/",
        ] {
            // The other end is there, and would wait for a request. It is gone before it could answer.
            let (io, mut peer) = duplex(4096);
            let connector = Connector::new();
            let (result, request) = future::join(connector.connect_over(io, url), async {
                let mut request = [0; 100];
                let read = peer.read(&mut request).await.unwrap();
                drop(peer);
                String::from_utf8_lossy(&request[..read]).into_owned()
            })
            .await;
            assert_eq!(request, "", "{url:?} was asked for");
            let error = result.map(drop).unwrap_err();
            assert!(matches!(error, WsErr::InvalidUrl(_)), "{url:?}: {error:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn nobody_listens() {
    timeout(async {
        // A port that was free a moment ago.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = connect(format!("ws://{address}"))
            .await
            .map(drop)
            .unwrap_err();
        assert!(matches!(error, WsErr::Io(_)), "{error:?}");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    })
    .await;
}

#[tokio::test]
async fn headers_that_cannot_be_sent() {
    timeout(async {
        for (name, value) in [
            ("", "value"),
            ("with space", "value"),
            ("with:colon", "value"),
            ("X-Break", "one\r\nX-Smuggled: two"),
            ("X-Null", "\0"),
            // Those belong to the handshake.
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

#[tokio::test]
async fn subprotocols_that_cannot_be_sent() {
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

/// Both refuse, before anything has been sent.
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

#[tokio::test]
async fn settings_that_make_no_sense_are_refused_before_anything_is_sent() {
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
            // Nothing is resolved or connected to, either.
            let error = connector.connect("ws://localhost:1").await;
            assert!(matches!(error, Err(WsErr::InvalidConfig(_))), "{error:?}");

            let (io, mut peer) = duplex(4096);
            let acceptor = Acceptor::new().config(config.clone());
            let error = acceptor.accept(io).await.map(drop).unwrap_err();
            assert!(matches!(error, WsErr::InvalidConfig(_)), "{error:?}");
            assert_eq!(peer.read_to_end(&mut Vec::new()).await.unwrap(), 0);

            let (engine, _peer) = tungstenite_sockets(4096).await;
            let error = WsStream::with_config(engine, config).map(drop).unwrap_err();
            assert!(matches!(error, WsErr::InvalidConfig(_)), "{error:?}");
        }
    })
    .await;
}
