//! Opening a connection over every kind of stream.

use futures::future;
use support::{
    handshake::{exchange_and_close, open_pair},
    timeout,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    net::TcpListener,
};
use ws_framed::{Acceptor, Config, Connector, WsErr, accept, connect};

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
    exchange_and_close(server.unwrap(), client).await;
    Some(())
}

#[tokio::test]
async fn over_tcp() {
    timeout(serve_at("127.0.0.1:0")).await.unwrap();
}

/// The brackets in `ws://[::1]:80` belong to the URL, not to the address.
#[tokio::test]
async fn over_tcp_with_ipv6() {
    if timeout(serve_at("[::1]:0")).await.is_none() {
        eprintln!("there is no IPv6 here");
    }
}

#[tokio::test]
async fn by_the_name_of_a_host() {
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

#[tokio::test]
async fn over_a_duplex() {
    timeout(async {
        // Much less than a request or an answer, so that both come in pieces.
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

#[cfg(unix)]
#[tokio::test]
async fn over_a_unix_socket() {
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

#[tokio::test]
async fn builders_serve_many_connections() {
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

/// The settings of each side hold from the first message on.
#[tokio::test]
async fn the_config_is_that_of_the_connection() {
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
