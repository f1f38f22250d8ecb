//! permessage-deflate, which the headers of an extended CONNECT agree on as those of an upgrade do.

use futures::{SinkExt, TryStreamExt, future};
use support::timeout;
use ws_framed::{Acceptor, Config, Connector, Deflate, Message, WsStream};

use super::{Server, WAYS};

/// Sends messages that refer to earlier ones if there is context.
async fn send_both_ways(ours: WsStream, theirs: WsStream) {
    let (mut ours, mut theirs) = (ours.messages(), theirs.messages());
    for _ in 0..3 {
        for message in [
            Message::Text("Grüße, 世界 ".repeat(2_000)),
            Message::Binary(vec![7; 60_000].into()),
            Message::Text("short".to_owned()),
        ] {
            for is_server in [true, false] {
                let (from, to) = if is_server {
                    (&mut ours, &mut theirs)
                } else {
                    (&mut theirs, &mut ours)
                };
                let sending = from.send(message.clone());
                let (sent, received) = future::join(sending, to.try_next()).await;
                sent.unwrap();
                assert_eq!(received.unwrap().as_ref(), Some(&message));
            }
        }
    }
}

/// Both ends tell what they agreed on, and messages arrive both ways.
#[tokio::test]
async fn both_ends_compress() {
    let alone = Deflate::default().min_len(0);
    let with_context = alone.send_context(true).recv_context(true);
    let windows = with_context.send_window_bits(10).recv_window_bits(12);
    for way in WAYS {
        for deflate in [alone, with_context, windows] {
            timeout(async {
                let config = |deflate| Config::default().compression(deflate);
                let acceptor = Acceptor::new().config(config(deflate));
                let mut server = Server::start(way, acceptor).await;
                let http2 = server.client().await;
                // It leaves the windows to the server.
                let offered = deflate.send_window_bits(15).recv_window_bits(15);
                let connector = Connector::new().config(config(offered));
                let opening = http2.connect(&connector, server.url("/"));
                let client = opening.await.unwrap();
                let server = server.results.recv().await.unwrap().unwrap();
                let [ours, theirs] = [&server, &client].map(|end| end.compression().unwrap());
                let sent = (deflate.send_context, deflate.send_window_bits);
                assert_eq!((ours.send_context, ours.send_window_bits), sent);
                assert_eq!((theirs.recv_context, theirs.recv_window_bits), sent);
                let received = (deflate.recv_context, deflate.recv_window_bits);
                assert_eq!((ours.recv_context, ours.recv_window_bits), received);
                assert_eq!((theirs.send_context, theirs.send_window_bits), received);
                send_both_ways(server, client).await;
            })
            .await;
        }
    }
}

/// A server that does not compress answers without an extension, and messages arrive as they are.
#[tokio::test]
async fn server_declines_compression() {
    for way in WAYS {
        timeout(async {
            let mut server = Server::start(way, Acceptor::new()).await;
            let http2 = server.client().await;
            let config = Config::default().compression(Deflate::default());
            let connector = Connector::new().config(config);
            let opening = http2.connect(&connector, server.url("/"));
            let client = opening.await.unwrap();
            let server = server.results.recv().await.unwrap().unwrap();
            assert_eq!([server.compression(), client.compression()], [None; 2]);
            send_both_ways(server, client).await;
        })
        .await;
    }
}
