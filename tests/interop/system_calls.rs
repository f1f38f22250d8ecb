//! How many writes and reads items take: a burst on each way to a connection, and a large one.

use std::{cell::Cell, convert::Infallible};

use futures::{SinkExt, StreamExt, future};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use support::{
    config_without_keepalive,
    counting_io::{Calls, CountingIo, counting_pipe},
    run,
};
use ws_framed::{Acceptor, Connector, LengthDelimited, WsErr, WsStream, bytes::Bytes};

use crate::tls::{client_config, server_config};

/// Fits into one message.
const ITEMS: usize = 600;
const ITEM: Bytes = Bytes::from_static(&[7; 100]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Tokio,
    FuturesIo,
    Tls,
    Hyper,
}

impl Way {
    async fn open(self, server: CountingIo, client: CountingIo) -> (WsStream, WsStream) {
        let acceptor = Acceptor::new().config(config_without_keepalive());
        let connector = Connector::new().config(config_without_keepalive());
        let opened = match self {
            Self::Tokio => {
                let client = connector.connect_over(client, "ws://localhost/");
                future::join(acceptor.accept(server), client).await
            }
            Self::FuturesIo => {
                let client = connector.connect_over_futures_io(client, "ws://localhost/");
                future::join(acceptor.accept_futures_io(server), client).await
            }
            Self::Tls => {
                let acceptor = acceptor.tls(server_config());
                let connector = connector.tls(client_config());
                let client = connector.connect_over(client, "wss://localhost/");
                future::join(acceptor.accept(server), client).await
            }
            Self::Hyper => {
                let client = connector.connect_over(client, "ws://localhost/");
                future::join(upgraded(server, &acceptor), client).await
            }
        };
        (opened.0.unwrap(), opened.1.unwrap())
    }
}

/// What a server of hyper makes of one request.
async fn upgraded(socket: CountingIo, acceptor: &Acceptor) -> Result<WsStream, WsErr> {
    let opening = Cell::new(None);
    let service = service_fn(|mut request: Request<Incoming>| {
        let opening = &opening;
        async move {
            let (response, upgrade) = ws_framed::hyper::upgrade(acceptor, &mut request).await;
            opening.set(Some(upgrade));
            Ok::<_, Infallible>(response)
        }
    });
    let http = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
    http.with_upgrades().await.unwrap();
    opening.take().unwrap().await
}

/// Sends a burst. Returns the writes of the sender and the reads of the receiver.
async fn burst(sender: (WsStream, &Calls), receiver: (WsStream, &Calls)) -> (usize, usize) {
    let mut sending = sender.0.framed(LengthDelimited::new(1000));
    let mut receiving = receiver.0.framed(LengthDelimited::new(1000));
    // Nothing that the handshake left is counted.
    sending.send(ITEM).await.unwrap();
    receiving.next().await.unwrap().unwrap();
    let before = (sender.1.writes(), receiver.1.reads());
    for _ in 0..ITEMS {
        sending.feed(ITEM).await.unwrap();
    }
    sending.flush().await.unwrap();
    for _ in 0..ITEMS {
        assert_eq!(receiving.next().await.unwrap().unwrap(), ITEM);
    }
    (sender.1.writes() - before.0, receiver.1.reads() - before.1)
}

/// A burst that fits into a message is one write, over TLS one of all its records. The reader
/// learns the length of the message from what it reads first, and then takes the rest at once.
#[test]
fn burst_is_one_write() {
    run(async {
        for way in [Way::Tokio, Way::FuturesIo, Way::Tls, Way::Hyper] {
            for to_server in [true, false] {
                let [(server, at_server), (client, at_client)] = counting_pipe();
                let (server, client) = way.open(server, client).await;
                let counted = if to_server {
                    burst((client, &at_client), (server, &at_server)).await
                } else {
                    burst((server, &at_server), (client, &at_client)).await
                };
                let (writes, reads) = counted;
                assert_eq!(writes, 1, "{way:?}, to the server: {to_server}");
                // rustls reads less than a record at a time.
                let max_reads = if way == Way::Tls { 16 } else { 2 };
                assert!(
                    reads <= max_reads,
                    "{way:?}, to the server: {to_server}: {reads}"
                );
            }
        }
    });
}

/// The messages of one item are written together, up to 256 KiB at once, the last one apart.
#[test]
fn messages_of_an_item_share_writes() {
    const LEN: usize = 768 * 1024;
    run(async {
        for to_server in [true, false] {
            let [(server, at_server), (client, at_client)] = counting_pipe();
            let (server, client) = Way::Tokio.open(server, client).await;
            let (sending_end, calls, receiving_end) = if to_server {
                (client, at_client, server)
            } else {
                (server, at_server, client)
            };
            let mut sender = sending_end.framed(LengthDelimited::new(LEN));
            let mut receiver = receiving_end.framed(LengthDelimited::new(LEN));
            let before = calls.writes();
            let item = Bytes::from(vec![7; LEN]);
            let sending = sender.send(item.clone());
            let (result, arrived) = future::join(sending, receiver.next()).await;
            result.unwrap();
            assert_eq!(arrived.unwrap().unwrap(), item);
            let writes = calls.writes() - before;
            assert!(writes <= LEN / (256 * 1024) + 1, "{writes} writes");
        }
    });
}
