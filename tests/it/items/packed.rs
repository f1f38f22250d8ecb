//! The packed item stream as programs use it: types, packing, splitting and forwarding.

use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, SinkExt, StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use support::{config_without_keepalive, pair, pair_with, timeout, tungstenite_pair};
use tokio_util::codec::AnyDelimiterCodec;
use ws_framed::{
    Bincode, CloseFrame, CloseOutcome, ClosedBy, LengthDelimited, Lines, TokioCodec, WsFramed,
    bytes::Bytes,
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

struct Room {
    guests: Vec<WsFramed<Chat>>,
}

impl Room {
    async fn send_all(&mut self, chat: &Chat) {
        for guest in &mut self.guests {
            guest.send(chat.clone()).await.unwrap();
        }
    }
}

/// `WsFramed<Chat>` names the item stream in a struct field, over any transport.
#[tokio::test]
async fn struct_field_holds_any_transport() {
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
        room.send_all(&hello).await;
        assert_eq!(tcp_guest.next().await.unwrap().unwrap(), hello);
        assert_eq!(memory_guest.next().await.unwrap().unwrap(), hello);
    }))
    .await;
}

/// The items that are sent may have another type than those that are received.
#[tokio::test]
async fn directions_have_their_own_types() {
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

/// Items are packed into messages of the maximum length, across the ends of messages, until a
/// flush.
#[tokio::test]
async fn items_fill_whole_messages() {
    timeout(async {
        let max = 1000;
        let config = config_without_keepalive().max_send_message_len(max);
        let (server, client) = pair_with(config, config_without_keepalive()).await;
        let mut server = server.framed(LengthDelimited::new(100));
        let client = client.framed(LengthDelimited::new(100));
        let (sent, received) = (server.handle(), client.handle());
        // 11 bytes each, prefix included, so that items lie across the ends of messages.
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

/// `send` flushes its item before it is ready, as one message.
#[tokio::test]
async fn send_flushes_its_item() {
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

/// The halves of a split stream send and receive in tasks of their own. Reunited, they close as one
/// stream.
#[tokio::test]
async fn split_halves_work_in_tasks() {
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

/// `forward` sends all items of one connection to another, and closes that at the end.
#[tokio::test]
async fn forward_closes_the_sink() {
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

/// After `codec_mut`, the decoder is called for the bytes that are there, without waiting for more.
#[tokio::test]
async fn changed_codec_sees_what_is_there() {
    timeout(async {
        let (mut server, client) = pair().await;
        let delimited_by = |delimiter: &[u8]| {
            TokioCodec::<_, &str>::new(AnyDelimiterCodec::new(delimiter.to_vec(), Vec::new()))
        };
        let mut client = client.framed(delimited_by(b"\n"));
        server.write_all(b"there;").await.unwrap();
        server.flush().await.unwrap();
        // The poll that receives the bytes calls the decoder for them.
        while client.handle().stats().bytes_received == 0 {
            assert!(client.next().now_or_never().is_none());
            tokio::task::yield_now().await;
        }
        *client.codec_mut() = delimited_by(b";");
        assert_eq!(client.next().await.unwrap().unwrap(), "there");
    })
    .await;
}

/// `codec_mut` changes the settings of the codec while the stream is open.
#[tokio::test]
async fn codec_can_be_replaced() {
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
