//! Items that are encoded once: compressed once, too, for all connections with the same parameters.

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use support::{ROLES, pair_with, run};
use ws_framed::{Encoded, Json, LengthDelimited, Lines};

use super::{alone, config, open, with_context};

const NO_CONTEXT: &str = "; server_no_context_takeover; client_no_context_takeover";

/// An encoded item is a compressed message of its own between others, and in order with them.
#[test]
fn encoded_item_is_own_message() {
    run(async {
        for role in ROLES {
            let deflate = alone().min_len(50);
            let (ours, mut peer, _) = open(role, config(deflate), NO_CONTEXT).await;
            let mut lines = ours.framed(Lines::new(1000));
            let long = "long ".repeat(30);
            let encoded = Encoded::from_ref(&mut Lines::new(1000), &long).unwrap();
            let short = Encoded::from_ref(&mut Lines::new(1000), "short").unwrap();
            lines.feed("before".to_owned()).await.unwrap();
            lines.feed_encoded(&encoded).await.unwrap();
            lines.feed_encoded(&encoded).await.unwrap();
            lines.feed("after".to_owned()).await.unwrap();
            lines.feed_encoded(&short).await.unwrap();
            lines.flush().await.unwrap();
            let mut frames = Vec::new();
            for _ in 0..4 {
                frames.push(peer.next_with_rsv().await.unwrap());
            }
            assert_eq!(frames[0], (0, b"before\n".to_vec()));
            assert_eq!(frames[1].0, 4);
            assert!(frames[1].1.len() < 30);
            assert_eq!(frames[1], frames[2]);
            assert_eq!(frames[3], (0, b"after\nshort\n".to_vec()));
        }
    });
}

/// Whatever the settings of a connection, and however often the item is sent, it arrives.
#[test]
fn encoded_items_arrive_everywhere() {
    run(async {
        let item = json!({"list": vec!["the same"; 500], "n": 1});
        let mut codec = Json::<Value>::new(100_000);
        let encoded = Encoded::from_ref(&mut codec, &item).unwrap();
        let noise: Vec<u32> = (0..500_u32)
            .map(|n| n.wrapping_mul(2_654_435_761))
            .collect();
        let other = json!(noise);
        let mixed = Encoded::from_ref(&mut codec, &other).unwrap();
        for deflate in [
            alone(),
            alone().level(1),
            with_context(),
            alone().send_window_bits(9),
        ] {
            for max_send in [100, 64 * 1024] {
                let own = config(deflate).max_send_message_len(max_send);
                let (server, client) = pair_with(own.clone(), own).await;
                let mut server = server.framed(Json::<Value>::new(100_000));
                let mut client = client.framed(Json::<Value>::new(100_000));
                for _ in 0..3 {
                    server.feed_encoded(&encoded).await.unwrap();
                    server.feed(json!("between")).await.unwrap();
                    server.send_encoded(&mixed).await.unwrap();
                    for expected in [&item, &json!("between"), &other] {
                        assert_eq!(client.next().await.unwrap().unwrap(), *expected);
                    }
                }
            }
            let (server, client) = pair_with(config(deflate), config(deflate)).await;
            let mut server = server.per_message(Json::<Value>::new(100_000));
            let mut client = client.per_message(Json::<Value>::new(100_000));
            for _ in 0..3 {
                server.feed_encoded(&encoded).await.unwrap();
                server.send_encoded(&mixed).await.unwrap();
                assert_eq!(client.next().await.unwrap().unwrap(), item);
                assert_eq!(client.next().await.unwrap().unwrap(), other);
            }
        }
    });
}

/// An item that waits when a stream is converted is not lost, and stays in order.
#[test]
fn waiting_item_survives_a_conversion() {
    run(async {
        let (server, client) = pair_with(config(alone()), config(alone())).await;
        let mut server = server.framed(LengthDelimited::new(1000));
        let item = Bytes::from(vec![b'x'; 500]);
        let encoded = Encoded::new(&mut LengthDelimited::new(1000), item.clone()).unwrap();
        server.feed(Bytes::from_static(b"first")).await.unwrap();
        server.feed_encoded(&encoded).await.unwrap();
        let mut server = server.into_stream();
        futures::AsyncWriteExt::write_all(&mut server, b"\0\0\0\x04last")
            .await
            .unwrap();
        futures::AsyncWriteExt::flush(&mut server).await.unwrap();
        let mut client = client.framed(LengthDelimited::new(1000));
        for expected in [&b"first"[..], &item, b"last"] {
            assert_eq!(client.next().await.unwrap().unwrap(), expected);
        }
    });
}
