//! Messages that arrive as they were sent, and what is on the wire.

use std::{future::poll_fn, task::Poll};

use futures::{
    AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt,
    future::{join, try_join},
};
use serde_json::{Value, json};
use support::{ROLES, RawPeer, pair_with, run};
use ws_framed::{Acceptor, Connector, Json, LengthDelimited, Message};

use super::{alone, config, open, with_context};

const NO_CONTEXT: &str = "; server_no_context_takeover; client_no_context_takeover";

/// The next frame, with its reserved bits.
async fn next(peer: &mut RawPeer) -> (u8, Vec<u8>) {
    peer.next_with_rsv().await.unwrap()
}

fn value(id: usize) -> Value {
    json!({"id": id, "name": "a name", "tags": ["first", "second"], "rest": "x".repeat(id % 50)})
}

/// Items, packed and one in each message, and messages of either kind, arrive in both directions:
/// with context in both, in one, or in none.
#[test]
fn all_views_carry_compressed_messages() {
    run(async {
        let short_windows = with_context().send_window_bits(9);
        let sends = alone().send_context(true);
        let receives = alone().recv_context(true);
        for (ours, theirs) in [
            (alone(), alone()),
            (with_context(), with_context()),
            (short_windows, short_windows),
            // In one direction only.
            (sends, receives),
            (receives, sends),
            (sends.send_window_bits(10), with_context()),
        ] {
            let (server, client) = pair_with(config(ours), config(theirs)).await;
            let mut server = server.framed(Json::<Value>::new(10_000));
            let mut client = client.framed(Json::<Value>::new(10_000));
            for id in 0..200 {
                server.feed(value(id)).await.unwrap();
            }
            server.flush().await.unwrap();
            for id in 0..200 {
                assert_eq!(client.next().await.unwrap().unwrap(), value(id));
                client.send(value(id)).await.unwrap();
                assert_eq!(server.next().await.unwrap().unwrap(), value(id));
            }
            let mut server = server.into_stream().messages();
            let mut client = client.into_stream().messages();
            for message in [
                Message::Text("text ".repeat(100)),
                Message::Binary(vec![1; 10_000].into()),
                Message::Text(String::new()),
            ] {
                server.send(message.clone()).await.unwrap();
                assert_eq!(client.next().await.unwrap().unwrap(), message);
            }
        }
    });
}

/// A large write of the byte stream, which takes many messages, arrives in both directions at once.
#[test]
fn bytes_arrive_compressed() {
    run(async {
        for deflate in [alone(), with_context()] {
            let (server, client) = pair_with(config(deflate), config(deflate)).await;
            let data: Vec<u8> = (0..3_000_000_u32)
                .flat_map(|at| (at / 7 % 1000).to_be_bytes())
                .collect();
            let (mut here, mut there) = (vec![0; data.len()], vec![0; data.len()]);
            let (mut to, mut from) = server.into_split();
            let (mut forth, mut back) = client.into_split();
            let write = async {
                from.write_all(&data).await.unwrap();
                from.flush().await.unwrap();
            };
            let write_back = async {
                back.write_all(&data).await.unwrap();
                back.flush().await.unwrap();
            };
            let reads = join(to.read_exact(&mut here), forth.read_exact(&mut there));
            let (_, reads) = join(join(write, write_back), reads).await;
            reads.0.unwrap();
            reads.1.unwrap();
            assert!(here == data && there == data);
        }
    });
}

/// Packed items are one compressed frame. Short messages, and those that do not become shorter, are
/// sent as they are.
#[test]
fn frames_are_compressed_where_it_helps() {
    run(async {
        for role in ROLES {
            let deflate = alone().min_len(20);
            let (ours, mut peer, _) = open(role, config(deflate), NO_CONTEXT).await;
            let mut items = ours.framed(Json::<Value>::new(10_000));
            for id in 0..20 {
                items.feed(value(id)).await.unwrap();
            }
            items.flush().await.unwrap();
            let (rsv, payload) = next(&mut peer).await;
            let sent: usize = (0..20).map(|id| value(id).to_string().len() + 4).sum();
            assert_eq!(rsv, 4);
            assert!(payload.len() < sent / 4, "{} of {sent}", payload.len());
            items.send(json!("short")).await.unwrap();
            assert_eq!(next(&mut peer).await, (0, b"\0\0\0\x07\"short\"".to_vec()));
            let mut stream = items.into_stream();
            let noise: Vec<u8> = (0..100_u32).map(|at| (at * at * 31 % 251) as u8).collect();
            stream.write_all(&noise).await.unwrap();
            stream.flush().await.unwrap();
            assert_eq!(next(&mut peer).await, (0, noise));
        }
    });
}

/// With context, the same message is shorter the second time; without, it is the same again.
#[test]
fn context_shortens_repetitions() {
    run(async {
        for (deflate, params) in [(alone(), NO_CONTEXT), (with_context(), "")] {
            let takes_over = deflate.send_context;
            for role in ROLES {
                let (ours, mut peer, _) = open(role, config(deflate), params).await;
                let mut items = ours.per_message(Json::<Value>::new(10_000));
                let mut payloads = Vec::new();
                for _ in 0..2 {
                    items.send(value(7)).await.unwrap();
                    let (rsv, payload) = next(&mut peer).await;
                    assert_eq!(rsv, 4);
                    payloads.push(payload);
                }
                let is_shorter = payloads[1].len() < payloads[0].len() / 2;
                assert_eq!(is_shorter, takes_over);
                assert_eq!(payloads[0] == payloads[1], !takes_over);
            }
        }
    });
}

/// What is compressed ends a poll after 256 KiB, even if the socket takes everything at once.
#[test]
fn compression_ends_a_poll() {
    const LEN: usize = 1000;
    run(async {
        for deflate in [alone(), with_context()] {
            let (ours, theirs) = tokio::io::duplex(64 * 1024 * 1024);
            let connector = Connector::new().config(config(deflate));
            let acceptor = Acceptor::new().config(config(deflate));
            let ours = connector.connect_over(ours, "ws://localhost/");
            let (ours, _theirs) = try_join(ours, acceptor.accept(theirs)).await.unwrap();
            let mut items = ours.framed(LengthDelimited::new(LEN));
            let fed = poll_fn(|cx| {
                let mut fed = 0;
                while items.poll_ready_unpin(cx).is_ready() {
                    items.start_send_unpin(vec![7; LEN].into()).unwrap();
                    fed += LEN;
                }
                Poll::Ready(fed)
            });
            let fed = fed.await;
            assert!((200_000..400_000).contains(&fed), "{fed}");
        }
    });
}
