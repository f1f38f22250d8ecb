//! A server that does not open the connection is a typed error of our client.

use std::{io, time::Duration};

use futures::future;
use support::{
    handshake::{read_head, response_with},
    tcp, timeout,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use ws_framed::{Acceptor, Config, Connector, WsErr, accept};

/// Answers our client with what this makes of its request, and gives its error.
async fn answer(connector: &Connector, answer: impl FnOnce(String) -> Vec<u8>) -> WsErr {
    let (mut server, client) = duplex(64 * 1024);
    let script = async move {
        let request = read_head(&mut server).await;
        server.write_all(&answer(request)).await.unwrap();
    };
    let opening = connector.connect_over(client, "ws://localhost/");
    let (result, ()) = future::join(opening, script).await;
    result.map(drop).unwrap_err()
}

fn assert_refused(error: &WsErr, status: u16, why: &str) {
    let WsErr::Refused {
        status: told,
        reason,
    } = error
    else {
        panic!("{status}: {error:?}");
    };
    assert_eq!((*told, reason.as_str()), (status, why));
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_server_that_says_no_is_a_typed_error() {
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
            let error = answer(&connector, |_| head.into()).await;
            assert_refused(&error, status, phrase);
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_may_say_why() {
    timeout(async {
        let head = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 15\r\n\r\nyour token aged";
        let error = answer(&Connector::new(), |_| head.into()).await;
        assert_refused(&error, 401, "your token aged");
    })
    .await;
}

/// What is known is told: a server need not send what it announces.
#[tokio::test]
async fn a_server_that_says_no_and_stalls_is_a_refusal_all_the_same() {
    timeout(async {
        let patient = Config::default().handshake_timeout(Duration::MAX);
        let hasty = Config::default().handshake_timeout(Duration::from_millis(50));
        let rows = [
            // The beginning is better than nothing, but has to come soon.
            (&patient, "gone to l", "gone to l"),
            (&patient, "", "Forbidden"),
            // And within the time for the handshake, or it is not waited for.
            (&hasty, "", "Forbidden"),
        ];
        for (config, body, why) in rows {
            let (mut server, client) = duplex(4096);
            let connector = Connector::new().config(config.clone());
            let opening = connector.connect_over(client, "ws://localhost/");
            let script = async {
                read_head(&mut server).await;
                let head = "HTTP/1.1 403 Forbidden\r\nContent-Length: 500\r\n\r\n";
                server.write_all(head.as_bytes()).await.unwrap();
                server.write_all(body.as_bytes()).await.unwrap();
            };
            // The server stays, and says nothing more.
            let (result, ()) = future::join(opening, script).await;
            assert_refused(&result.map(drop).unwrap_err(), 403, why);
        }
    })
    .await;
}

/// A reason without end is cut.
#[tokio::test]
async fn a_server_may_not_say_why_for_ever() {
    timeout(async {
        for len in [1024, 1025, 1_000_000_000_000_u64, u64::MAX] {
            let head = format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {len}\r\n\r\n");
            let because = [head, "x".repeat(5000)].concat();
            let error = answer(&Connector::new(), |_| because.into()).await;
            assert_refused(&error, 403, &"x".repeat(1024));
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_that_does_not_speak_http_is_a_failed_handshake() {
    timeout(async {
        for nonsense in [
            "SSH-2.0-OpenSSH_9.9\r\n\r\n",
            "",
            "HTTP/1.1 101 Switching Protocols\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: bm90IHRoZSByaWdodCBvbmU=\r\n\r\n",
        ] {
            let error = answer(&Connector::new(), |_| nonsense.into()).await;
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
    timeout(async {
        for offered in [&["chat.v1"][..], &[]] {
            let connector = offered.iter().fold(Connector::new(), |connector, name| {
                connector.subprotocol(*name)
            });
            let error = answer(&connector, |request| {
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

#[tokio::test]
async fn no_common_subprotocol_is_told_on_both_sides() {
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
    timeout(async {
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
