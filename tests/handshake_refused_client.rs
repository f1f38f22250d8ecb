//! A server that does not open the connection is a typed error of our client.

#![cfg(all(feature = "tokio", feature = "async-tungstenite"))]
#![allow(
    clippy::large_futures,
    reason = "a handshake holds its buffers, and these tests hold two handshakes"
)]

#[path = "common/sockets.rs"]
mod sockets;

use std::io;

use async_tungstenite::tungstenite::handshake::derive_accept_key;
use futures::future;
use sockets::{tcp, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use ws_framed::{Acceptor, Connector, WsErr, accept};

/// Answers our client with these bytes, and gives its error.
async fn answer(connector: &Connector, answer: impl Into<Vec<u8>>) -> WsErr {
    let (mut server, client) = duplex(64 * 1024);
    let answer = answer.into();
    let (result, ()) = future::join(
        connector.connect_over(client, "ws://localhost/"),
        async move {
            read_request(&mut server).await;
            server.write_all(&answer).await.unwrap();
        },
    )
    .await;
    result.map(drop).unwrap_err()
}

async fn read_request(server: &mut DuplexStream) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(server.read_u8().await.unwrap());
    }
    String::from_utf8(request).unwrap()
}

#[tokio::test]
async fn a_server_that_says_no_is_a_typed_error() {
    within(async {
        let connector = Connector::new();
        for (status, phrase) in [
            (403, "Forbidden"),
            (404, "Not Found"),
            (503, "Service Unavailable"),
            (302, "Found"),
            (200, "OK"),
        ] {
            let head = format!("HTTP/1.1 {status} {phrase}\r\nContent-Length: 0\r\n\r\n");
            let error = answer(&connector, head).await;
            let WsErr::Refused {
                status: told,
                reason,
            } = &error
            else {
                panic!("{status}: {error:?}");
            };
            assert_eq!(*told, status);
            assert_eq!(reason, phrase);
            assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_may_say_why() {
    within(async {
        let head = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 15\r\n\r\nyour token aged";
        let error = answer(&Connector::new(), head).await;
        let WsErr::Refused {
            status: 401,
            reason,
        } = &error
        else {
            panic!("{error:?}");
        };
        assert_eq!(reason, "your token aged");
    })
    .await;
}

#[tokio::test]
async fn a_server_that_does_not_speak_http_is_a_failed_handshake() {
    within(async {
        for nonsense in [
            "SSH-2.0-OpenSSH_9.9\r\n\r\n",
            "",
            "HTTP/1.1 101 Switching Protocols\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: bm90IHRoZSByaWdodCBvbmU=\r\n\r\n",
        ] {
            let error = answer(&Connector::new(), nonsense).await;
            assert!(
                matches!(error, WsErr::Handshake(_)),
                "{nonsense:?}: {error:?}"
            );
        }
    })
    .await;
}

/// A server that chooses what was not offered has not understood the question.
#[tokio::test]
async fn a_subprotocol_that_was_not_offered_is_a_failed_handshake() {
    within(async {
        for offered in [&["chat.v1"][..], &[]] {
            let connector = offered.iter().fold(Connector::new(), |connector, name| {
                connector.subprotocol(*name)
            });
            let (mut server, client) = duplex(64 * 1024);
            let (result, ()) = future::join(
                connector.connect_over(client, "ws://localhost/"),
                async move {
                    let request = read_request(&mut server).await;
                    let key = request
                        .lines()
                        .filter_map(|line| line.split_once(": "))
                        .find(|(name, _)| name.eq_ignore_ascii_case("Sec-WebSocket-Key"))
                        .unwrap();
                    let answer = format!(
                        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                         Upgrade: websocket\r\nSec-WebSocket-Accept: {}\r\n\
                         Sec-WebSocket-Protocol: chat.v7\r\n\r\n",
                        derive_accept_key(key.1.as_bytes()),
                    );
                    server.write_all(answer.as_bytes()).await.unwrap();
                },
            )
            .await;
            let error = result.map(drop).unwrap_err();
            assert!(
                matches!(error, WsErr::Handshake(_)),
                "{offered:?}: {error:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn no_common_subprotocol_is_told_on_both_sides() {
    within(async {
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
            matches!(server, WsErr::Refused { status: 400, .. }),
            "{server:?}"
        );
        assert!(
            matches!(client, WsErr::Refused { status: 400, .. }),
            "{client:?}"
        );
        assert!(client.to_string().contains("subprotocol"), "{client}");
    })
    .await;
}

#[tokio::test]
async fn a_server_that_chooses_no_subprotocol_is_a_typed_error() {
    within(async {
        let (accepted, connected) = tcp().await;
        let connector = Connector::new().subprotocol("chat.v1");
        // A server that has no subprotocols takes every client, and says nothing about them.
        let (server, client) = future::join(
            accept(accepted),
            connector.connect_over(connected, "ws://localhost/"),
        )
        .await;
        let client = client.map(drop).unwrap_err();
        assert!(matches!(client, WsErr::NoSubprotocol), "{client:?}");
        // The server learns it as the cut connection that it is.
        let error = server.unwrap().read(&mut [0]).await.unwrap_err();
        assert!(matches!(
            WsErr::find_in(&error),
            Some(WsErr::UnexpectedEof | WsErr::Io(_))
        ));
    })
    .await;
}
