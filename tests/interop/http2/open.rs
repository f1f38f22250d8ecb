//! WebSockets that are opened, and whether a server announced them.

use std::{convert::Infallible, net::Ipv4Addr, time::Duration};

use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use support::{handshake::exchange_and_close, timeout};
use tokio::net::TcpListener;
use ws_framed::{
    Acceptor, Connector, Contract, LengthDelimited, Setting, Unsupported, WsErr, hyper::Http2,
};

use super::{LIMIT, Server, WAYS, connect, over};
use crate::tls::client_config;

/// Many WebSockets share one connection, each with its own path, and close one by one.
#[tokio::test]
async fn many_on_one_connection() {
    for way in WAYS {
        timeout(async {
            let mut server = Server::start(way, Acceptor::new()).await;
            let client = server.client().await;
            let mut pairs = Vec::new();
            for _ in 0..30 {
                pairs.push(server.pair(&client).await);
            }
            while let Some((server, client)) = pairs.pop() {
                exchange_and_close(server, client).await;
            }
            // The connection outlives them.
            let (server, client) = server.pair(&client).await;
            exchange_and_close(client, server).await;
        })
        .await;
    }
}

/// Subprotocols, contracts and headers are agreed on as in HTTP/1.1.
#[tokio::test]
async fn both_ends_agree() {
    let contract = || Contract::new("rows", 2, &LengthDelimited::new(100)).unwrap();
    for way in WAYS {
        timeout(async {
            let acceptor = Acceptor::new()
                .subprotocol("v2")
                .contract(contract())
                .header("X-Served-By", "test");
            let mut server = Server::start(way, acceptor).await;
            let client = server.client().await;
            for connector in [
                Connector::new().subprotocol("v1").subprotocol("v2"),
                Connector::new().contract(contract()),
            ] {
                let opening = client.connect(&connector, server.url("/"));
                let theirs = opening.await.unwrap();
                let ours = server.results.recv().await.unwrap().unwrap();
                assert!(ours.subprotocol().is_some());
                assert_eq!(ours.subprotocol(), theirs.subprotocol());
                assert_eq!(ours.contract(), theirs.contract());
                let headers = theirs.response_headers().unwrap();
                assert_eq!(headers["X-Served-By"], "test");
                for name in ["upgrade", "connection", "sec-websocket-accept"] {
                    assert!(!headers.contains_key(name), "{headers:?}");
                }
            }
        })
        .await;
    }
}

/// Starts a server of hyper that does not announce WebSockets, and allows so many streams.
async fn start_without(max_streams: Option<u32>) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let io = TokioIo::new(listener.accept().await.unwrap().0);
            let service = service_fn(async |_: Request<Incoming>| {
                Ok::<_, Infallible>(Response::new(String::new()))
            });
            let mut http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            http.max_concurrent_streams(max_streams);
            tokio::spawn(http.serve_connection(io, service));
        }
    });
    address
}

/// A server that does not announce WebSockets is a typed error, as soon as its settings show that.
/// The connection goes on.
#[tokio::test]
async fn announcement_is_required() {
    for (max_streams, limit) in [
        (None, LIMIT),
        (Some(10), LIMIT),
        // What hyper assumes already.
        (Some(100), Duration::from_millis(100)),
    ] {
        timeout(async {
            let address = start_without(max_streams).await;
            let (sender, mut connection) = connect(address, false).await;
            let error = Http2::handshake(sender.clone(), &mut connection, limit);
            let error = error.await.unwrap_err();
            let expected = WsErr::Unsupported(Unsupported::ExtendedConnect);
            assert_eq!(error, expected);
            tokio::spawn(connection);
            let mut sender = sender;
            let request = Request::get("http://localhost/").body(String::new());
            let response = sender.send_request(request.unwrap()).await.unwrap();
            assert_eq!(response.status(), 200);
        })
        .await;
    }
}

/// A connection that ends before the announcement is an error.
#[tokio::test]
async fn connection_ends_first() {
    timeout(async {
        let (ours, theirs) = tokio::io::duplex(1000);
        let (sender, mut connection) = over(Box::new(ours)).await;
        drop(theirs);
        let error = Http2::handshake(sender, &mut connection, LIMIT).await;
        let error = error.unwrap_err();
        assert!(matches!(error, WsErr::Io(_) | WsErr::Closed), "{error:?}");
    })
    .await;
}

/// A setting of the connector that has no effect over HTTP/2 is an error, without a request.
#[tokio::test]
async fn settings_without_effect() {
    for way in WAYS {
        timeout(async {
            let mut server = Server::start(way, Acceptor::new()).await;
            let client = server.client().await;
            let new = Connector::new;
            for (connector, setting) in [
                (new().tls(client_config()), Setting::ConnectorTls),
                (new().proxy("http://proxy"), Setting::ConnectorProxy),
                (
                    new().resolver(async |_, _| Ok(vec![])),
                    Setting::ConnectorResolver,
                ),
                (
                    new().local_address(Ipv4Addr::LOCALHOST),
                    Setting::ConnectorLocalAddress,
                ),
                (new().follow_redirects(1), Setting::ConnectorRedirects),
            ] {
                let error = client.connect(&connector, server.url("/")).await;
                let expected = WsErr::InvalidConfig(setting);
                assert_eq!(error.map(drop).unwrap_err(), expected);
            }
            let (ours, theirs) = server.pair(&client).await;
            exchange_and_close(ours, theirs).await;
            assert!(server.results.try_recv().is_err());
        })
        .await;
    }
}
