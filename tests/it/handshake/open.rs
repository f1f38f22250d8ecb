//! Opening a connection: over which streams, and in which pieces the bytes of the handshake arrive.

use std::io;

use futures::future;
use support::{
    Frame, Role, encode_frames,
    handshake::{REQUEST, exchange_and_close, open_pair, read_head, response_to},
    timeout,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    net::TcpListener,
};
use ws_framed::{Acceptor, Config, Connector, WsErr, accept, connect};

/// Opens a connection over TCP at this address. Returns `None` if the machine does not have it.
async fn open_at(address: &str) -> Option<()> {
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
    exchange_and_close(server.unwrap(), client).await;
    Some(())
}

/// Calls to one address run at the same time, which RFC 6455 section 4.1 forbids to browsers.
#[tokio::test]
async fn calls_to_one_address_overlap() {
    timeout(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        // Neither request is answered before both are there.
        let serve = async {
            let mut requests = Vec::new();
            for _ in 0..2 {
                let mut socket = listener.accept().await.unwrap().0;
                let request = read_head(&mut socket).await;
                requests.push((socket, request));
            }
            for (socket, request) in &mut requests {
                let response = response_to(request.as_bytes());
                socket.write_all(&response).await.unwrap();
            }
            requests
        };
        let (first, second, _sockets) = future::join3(connect(&url), connect(&url), serve).await;
        first.unwrap();
        second.unwrap();
    })
    .await;
}

/// `connect` and `accept` open a connection over IPv4.
#[tokio::test]
async fn tcp_over_ipv4() {
    timeout(open_at("127.0.0.1:0")).await.unwrap();
}

/// The brackets of `ws://[::1]:80` are no part of the address.
#[tokio::test]
async fn tcp_over_ipv6() {
    if timeout(open_at("[::1]:0")).await.is_none() {
        eprintln!("SKIPPED: no IPv6");
    }
}

/// `connect` resolves the host of the URL.
#[tokio::test]
async fn host_is_resolved() {
    timeout(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (server, client) = future::join(
            async { accept(listener.accept().await.unwrap().0).await },
            connect(format!("ws://localhost:{port}")),
        )
        .await;
        exchange_and_close(server.unwrap(), client.unwrap()).await;
    })
    .await;
}

/// A stream that holds 16 bytes splits the request and the response.
#[tokio::test]
async fn stream_with_small_buffer() {
    timeout(async {
        let (here, there) = duplex(16);
        let connector = Connector::new();
        let (server, client) = future::join(
            accept(here),
            connector.connect_over(there, "wss://localhost/"),
        )
        .await;
        exchange_and_close(server.unwrap(), client.unwrap()).await;
    })
    .await;
}

/// `accept` and `connect_over` open a connection over a Unix socket.
#[cfg(unix)]
#[tokio::test]
async fn unix_socket_pair() {
    timeout(async {
        let (here, there) = tokio::net::UnixStream::pair().unwrap();
        let connector = Connector::new();
        let (server, client) = future::join(
            accept(here),
            connector.connect_over(there, "ws://localhost/"),
        )
        .await;
        exchange_and_close(server.unwrap(), client.unwrap()).await;
    })
    .await;
}

/// An `Acceptor` and a `Connector` open more than one connection.
#[tokio::test]
async fn builders_are_reusable() {
    timeout(async {
        let acceptor = Acceptor::new().subprotocol("v2");
        let connector = Connector::new().subprotocol("v2");
        for _ in 0..3 {
            let (server, client) = open_pair(&acceptor, &connector).await;
            exchange_and_close(server.unwrap(), client.unwrap()).await;
        }
    })
    .await;
}

/// The `Config` of each side applies from the first message.
#[tokio::test]
async fn config_applies_to_connection() {
    timeout(async {
        let acceptor = Acceptor::new().config(Config::default().max_recv_message_len(10));
        let (server, client) = open_pair(&acceptor, &Connector::new()).await;
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

/// A port that is not open is `Connect` with `ConnectionRefused`.
#[tokio::test]
async fn closed_port_is_refused() {
    timeout(async {
        // The port was free a moment ago.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = connect(format!("ws://{address}"))
            .await
            .map(drop)
            .unwrap_err();
        assert!(matches!(error, WsErr::Connect(_)), "{error:?}");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    })
    .await;
}

/// A frame of a client with the data `hi`.
fn hi() -> Vec<u8> {
    encode_frames(Role::Client, &[Frame::binary("hi")])
}

/// A request may arrive one byte at a time.
#[tokio::test]
async fn request_byte_by_byte() {
    timeout(async {
        let (server, mut client) = duplex(4096);
        let accepting = tokio::spawn(accept(server));
        for byte in REQUEST.bytes() {
            client.write_u8(byte).await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut server = accepting.await.unwrap().unwrap();
        read_head(&mut client).await;
        client.write_all(&hi()).await.unwrap();
        let mut got = [0; 2];
        server.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"hi");
    })
    .await;
}

/// Messages that arrive with the request, whole or in part, are data.
#[tokio::test]
async fn messages_with_the_request() {
    timeout(async {
        let hi = hi();
        let mut everything = REQUEST.as_bytes().to_vec();
        everything.extend(hi.repeat(1000));
        let half = hi.len() / 2;
        for first in [
            everything.len(),
            REQUEST.len() + half,
            REQUEST.len() + hi.len(),
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

/// A message that arrives with the response is data.
#[tokio::test]
async fn message_with_the_response() {
    timeout(async {
        let (mut server, client) = duplex(4096);
        let opening = tokio::spawn(async move {
            Connector::new()
                .connect_over(client, "ws://localhost/")
                .await
        });
        let head = read_head(&mut server).await;
        let mut response = response_to(head.as_bytes());
        response.extend(b"\x82\x05early");
        server.write_all(&response).await.unwrap();
        let mut client = opening.await.unwrap().unwrap();
        let mut got = [0; 5];
        client.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"early");
    })
    .await;
}
