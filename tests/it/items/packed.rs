//! The item view in the ways that programs use it: types, packing, splitting, forwarding, cancelling.

use futures::{AsyncReadExt, FutureExt, SinkExt, StreamExt, TryStreamExt, future, stream};
use serde::{Deserialize, Serialize};
use support::{
    config_without_keepalive, pair, pair_with, timeout, tungstenite_pair, tungstenite_pair_with,
};
use ws_framed::{
    Bincode, CloseFrame, CloseOutcome, ClosedBy, LengthDelimited, Lines, WsFramed, bytes::Bytes,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Chat {
    from: String,
    text: String,
}

fn chat(text: &str) -> Chat {
    Chat {
        from: "Ann".to_owned(),
        text: text.to_owned(),
    }
}

/// `WsFramed<Chat>` is a type that a program can write down, whatever the connection is made of.
struct Room {
    guests: Vec<WsFramed<Chat>>,
}

impl Room {
    async fn tell_all(&mut self, chat: &Chat) {
        for guest in &mut self.guests {
            guest.send(chat.clone()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn the_item_view_fits_into_a_struct_whatever_lies_below() {
    timeout(Box::pin(async {
        let (over_tcp, tcp_guest) = pair().await;
        let (in_memory, memory_guest) = tungstenite_pair(1000).await;
        let mut room = Room {
            guests: vec![
                over_tcp.framed(Bincode::new(100)),
                in_memory.boxed().framed(Bincode::new(100)),
            ],
        };
        let mut tcp_guest: WsFramed<Chat> = tcp_guest.framed(Bincode::new(100));
        let mut memory_guest = memory_guest.framed(Bincode::<Chat>::new(100));
        let hello = chat("Hello!");
        room.tell_all(&hello).await;
        assert_eq!(tcp_guest.next().await.unwrap().unwrap(), hello);
        assert_eq!(memory_guest.next().await.unwrap().unwrap(), hello);
    }))
    .await;
}

#[tokio::test]
async fn each_direction_has_a_type_of_its_own() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Question {
        Sum(Vec<u32>),
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Answer(u64);

    timeout(async {
        let (server, client) = pair().await;
        let mut server: WsFramed<Question, Bincode<Question, Answer>> =
            server.framed(Bincode::new(1000));
        let mut client: WsFramed<Answer, Bincode<Answer, Question>> =
            client.framed(Bincode::new(1000));
        client.send(Question::Sum(vec![20, 22])).await.unwrap();
        let Question::Sum(numbers) = server.next().await.unwrap().unwrap();
        let sum = numbers.into_iter().map(u64::from).sum();
        server.send(Answer(sum)).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), Answer(42));
    })
    .await;
}

#[tokio::test]
async fn many_items_share_few_messages() {
    timeout(async {
        let max = 1000;
        let config = config_without_keepalive().max_send_message_len(max);
        let (server, client) = pair_with(config, config_without_keepalive()).await;
        let mut server = server.framed(LengthDelimited::new(100));
        let client = client.framed(LengthDelimited::new(100));
        let (sent, received) = (server.handle(), client.handle());
        // 7 bytes and a prefix of 4, so that items lie across the ends of messages.
        let items = vec![Bytes::from_static(b"1234567"); 5000];
        let bytes = 11 * items.len();

        let reader = tokio::spawn(client.try_collect::<Vec<_>>());
        for item in &items {
            server.feed(item.clone()).await.unwrap();
        }
        server.close().await.unwrap();
        assert_eq!(reader.await.unwrap().unwrap(), items);

        let stats = sent.stats();
        assert_eq!(stats.bytes_sent, bytes as u64);
        assert_eq!(stats.messages_sent, bytes.div_ceil(max) as u64);
        let stats = received.stats();
        assert_eq!(stats.bytes_received, bytes as u64);
        assert_eq!(stats.messages_received, bytes.div_ceil(max) as u64);
    })
    .await;
}

#[tokio::test]
async fn each_send_is_on_its_way_when_it_is_done() {
    timeout(async {
        let (mut server, client) = pair().await;
        let mut client = client.framed(Lines::new(100));
        let sent = client.handle();
        for n in 1..=3 {
            client.send("now".to_owned()).await.unwrap();
            // The client is not polled while the server reads.
            server.read_exact(&mut [0; 4]).await.unwrap();
            assert_eq!(sent.stats().messages_sent, n);
        }
    })
    .await;
}

#[tokio::test]
async fn the_halves_of_a_split_work_in_two_tasks() {
    timeout(async {
        let (server, client) = pair().await;
        let (mut to_client, mut from_client) = server.framed(Lines::new(100)).split();
        let (mut to_server, from_server) = client.framed(Lines::new(100)).split();
        let echo = tokio::spawn(async move {
            while let Some(line) = from_client.try_next().await.unwrap() {
                to_client.send(line).await.unwrap();
            }
            to_client.reunite(from_client).unwrap()
        });
        let lines: Vec<String> = (0..100).map(|n| format!("line {n}")).collect();
        let reader = tokio::spawn(async move {
            let mut from_server = from_server;
            let echoes = from_server.by_ref().take(100).try_collect::<Vec<_>>().await;
            (echoes.unwrap(), from_server)
        });
        for line in &lines {
            to_server.send(line.clone()).await.unwrap();
        }
        let (echoes, from_server) = reader.await.unwrap();
        assert_eq!(echoes, lines);

        // Put together again, it closes as one.
        let mut client = to_server.reunite(from_server).unwrap();
        let outcome = client.close_with(CloseFrame::normal()).await.unwrap();
        assert!(
            matches!(
                outcome,
                CloseOutcome::Clean {
                    by: ClosedBy::Us,
                    ..
                }
            ),
            "{outcome:?}"
        );
        echo.await.unwrap();
    })
    .await;
}

/// `forward` closes the sink at the end, so a proxy needs one line a direction.
#[tokio::test]
async fn a_stream_of_items_can_be_forwarded() {
    timeout(async {
        let (proxy_front, client) = pair().await;
        let (server, proxy_back) = pair().await;
        let front = proxy_front.framed(Lines::new(100));
        let back = proxy_back.framed(Lines::new(100));
        let proxy = tokio::spawn(front.forward(back));

        let mut client = client.framed(Lines::new(100));
        let lines: Vec<String> = (0..1000).map(|n| format!("line {n}")).collect();
        let writer = tokio::spawn({
            let lines = lines.clone();
            async move {
                let mut lines = stream::iter(lines.into_iter().map(Ok));
                client.send_all(&mut lines).await.unwrap();
                client.close().await.unwrap();
                client
            }
        });
        let got: Vec<_> = server.framed(Lines::new(100)).try_collect().await.unwrap();
        assert_eq!(got, lines);
        proxy.await.unwrap().unwrap();
        writer.await.unwrap();
    })
    .await;
}

/// A codec's settings can change while the stream is open.
#[tokio::test]
async fn the_codec_can_be_reached() {
    timeout(async {
        let (server, client) = pair().await;
        let mut server = server.framed(LengthDelimited::new(4));
        let mut client = client.framed(LengthDelimited::new(10));
        assert_eq!(server.codec().max_frame_len(), 4);
        *server.codec_mut() = LengthDelimited::new(10);
        client.send("ten bytes.".into()).await.unwrap();
        assert_eq!(server.next().await.unwrap().unwrap(), "ten bytes.");
    })
    .await;
}

/// What a cancelled `feed` or `send` did not hand over is not sent; what it did hand over is sent once;
/// and no item is ever sent in part.
#[tokio::test]
async fn a_cancelled_send_sends_its_item_once_or_not_at_all() {
    timeout(async {
        // The peer does not read, and the network holds less than an item.
        let config = config_without_keepalive().max_send_message_len(64);
        let (us, peer) = tungstenite_pair_with(16, config.clone(), config).await;
        let mut us = us.framed(LengthDelimited::new(1000));
        let item = |n: u32| Bytes::from(n.to_be_bytes().repeat(50));

        let mut taken = Vec::new();
        for n in 0..10_000 {
            match us.feed(item(n)).now_or_never() {
                Some(fed) => {
                    fed.unwrap();
                    taken.push(item(n));
                }
                // Dropped while it waits for room: it has not handed its item over.
                None => break,
            }
        }
        assert!(
            (1..10_000).contains(&taken.len()),
            "{} were taken",
            taken.len()
        );
        // A flush that is dropped has lost nothing.
        assert!(us.flush().now_or_never().is_none());
        assert!(us.send(item(20_000)).now_or_never().is_none());
        taken.push(item(20_001));

        let (got, ()) = future::join(
            peer.framed(LengthDelimited::new(1000))
                .try_collect::<Vec<_>>(),
            async {
                us.send(item(20_001)).await.unwrap();
                us.close().await.unwrap();
            },
        )
        .await;
        assert_eq!(got.unwrap(), taken);
    })
    .await;
}

/// The other half of the promise: an item that waits in the flush has been handed over.
#[tokio::test]
async fn a_send_cancelled_in_its_flush_has_sent_its_item() {
    timeout(async {
        let (us, peer) = tungstenite_pair(16).await;
        let mut us = us.framed(LengthDelimited::new(1000));
        let item = Bytes::from(vec![7; 100]);
        // There is room for it, but the network does not hold it.
        assert!(us.send(item.clone()).now_or_never().is_none());
        let mut peer = peer.framed(LengthDelimited::new(1000));
        let (got, closed) = future::join(peer.next(), us.close()).await;
        assert_eq!(got.unwrap().unwrap(), item);
        closed.unwrap();
        assert!(peer.next().await.is_none());
    })
    .await;
}

/// A `next` that is dropped, after every single byte that arrives, loses none of them.
#[tokio::test]
async fn a_cancelled_next_loses_nothing() {
    timeout(async {
        let config = config_without_keepalive().max_send_message_len(1);
        let (us, peer) = tungstenite_pair_with(64, config_without_keepalive(), config).await;
        let mut us = us.framed(Lines::new(100));
        let mut peer = peer.framed(Lines::new(100));
        let lines = ["first", "", "third"];
        let mut got = Vec::new();
        let (closed, ()) = future::join(
            async {
                for line in lines {
                    peer.send(line.to_owned()).await.unwrap();
                }
                peer.close().await
            },
            async {
                loop {
                    match us.next().now_or_never() {
                        Some(Some(line)) => got.push(line.unwrap()),
                        Some(None) => break,
                        None => tokio::task::yield_now().await,
                    }
                }
            },
        )
        .await;
        closed.unwrap();
        assert_eq!(got, lines);
    })
    .await;
}
