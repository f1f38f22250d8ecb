//! Bytes, items, bytes again, items in another codec: changing the view in the middle of the traffic
//! loses nothing, repeats nothing and keeps everything in order, on the sending side and on the receiving
//! side.

use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt, future};
use proptest::prelude::*;
use support::{Pipe, config_without_keepalive, pair, run, timeout, tungstenite_pair_with};
use ws_framed::{
    CloseOutcome, CodecError, LengthDelimited, Lines, Message, MessageTransport, Tungstenite,
    WsFramed, WsFramedParts, WsStream,
    bytes::{Buf, Bytes},
};

const MAX_FRAME_LEN: usize = 300;

#[tokio::test]
async fn items_then_bytes_then_other_items() {
    timeout(Box::pin(async {
        let (server, client) = pair().await;

        // One side sends it all at once, changing its view three times without a flush.
        let mut client = client.framed(Lines::new(80));
        client.feed("UPGRADE raw".to_owned()).await.unwrap();
        let mut client = client.into_stream();
        client.write_all(b"raw bytes").await.unwrap();
        let mut client = client.framed(LengthDelimited::new(80));
        client.feed("framed".into()).await.unwrap();
        let mut client = client.map_codec(|_| Lines::new(80));
        client.feed("bye".to_owned()).await.unwrap();
        assert_eq!(client.handle().stats().messages_sent, 0);
        client.close().await.unwrap();

        // The other side gets all of it in one message, and takes what belongs to each view.
        let mut server = server.framed(Lines::new(80));
        assert_eq!(server.next().await.unwrap().unwrap(), "UPGRADE raw");
        let mut server = server.into_stream();
        assert_eq!(server.handle().stats().messages_received, 1);
        let mut raw = [0; 9];
        server.read_exact(&mut raw).await.unwrap();
        assert_eq!(&raw, b"raw bytes");
        let mut server = server.framed(LengthDelimited::new(80));
        assert_eq!(server.next().await.unwrap().unwrap(), "framed");
        let mut server = server.map_codec(|_| Lines::new(80));
        assert_eq!(server.next().await.unwrap().unwrap(), "bye");
        assert!(server.next().await.is_none());
    }))
    .await;
}

#[tokio::test]
async fn items_then_bytes_then_messages_of_the_transport_itself() {
    timeout(async {
        let (server, client) = pair().await;
        let mut client = client.framed(Lines::new(80));
        for line in ["line", "rest"] {
            client.feed(line.to_owned()).await.unwrap();
        }
        client.flush().await.unwrap();
        let mut client = client.into_stream();
        client.write_all(b"a message").await.unwrap();
        client.flush().await.unwrap();

        let mut server = server.framed(Lines::new(80));
        assert_eq!(server.next().await.unwrap().unwrap(), "line");
        let handle = server.handle();
        let (mut transport, unread) = server.into_stream().into_transport();
        assert_eq!(&unread[..], b"rest\n");
        assert_eq!(handle.closed().await, CloseOutcome::Lost);
        let message = future::poll_fn(|cx| transport.poll_next(cx)).await;
        let message = message.unwrap().unwrap();
        assert_eq!(message, Message::Binary("a message".into()));

        // And up again.
        let mut server = WsStream::new(transport);
        client.close().await.unwrap();
        assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);
    })
    .await;
}

/// What one codec refuses to take is for the next.
#[tokio::test]
async fn a_frame_that_is_too_large_for_one_codec_is_there_for_the_next() {
    timeout(async {
        let (server, client) = pair().await;
        let mut client = client.framed(LengthDelimited::new(80));
        client.feed("hello world".into()).await.unwrap();
        client.feed("end".into()).await.unwrap();
        client.flush().await.unwrap();

        let mut server = server.framed(LengthDelimited::new(10));
        let refused = server.next().await.unwrap();
        assert!(matches!(refused, Err(CodecError::FrameTooLarge { .. })));
        let mut server = server.map_codec(|_| LengthDelimited::new(80));
        assert_eq!(server.next().await.unwrap().unwrap(), "hello world");
        assert_eq!(server.next().await.unwrap().unwrap(), "end");
        assert!(server.next().await.is_none_or(|end| end.is_err()));
        assert!(server.next().await.is_none());
    })
    .await;
}

/// What has been looked at and not understood belongs to the next view, too.
#[tokio::test]
async fn a_partial_frame_is_whole_for_the_next_view() {
    timeout(async {
        let (server, mut client) = pair().await;
        client.write_all(b"a line\nhalf").await.unwrap();
        client.flush().await.unwrap();
        let mut server = server.framed(Lines::new(80));
        assert_eq!(server.next().await.unwrap().unwrap(), "a line");
        // It sees that there is no whole line, and waits.
        assert!(futures::poll!(server.next()).is_pending());
        let mut parts = server.into_parts();
        assert_eq!(parts.read_buffer, b"half"[..]);

        // Bytes may be taken from the front of the parts.
        parts.read_buffer.advance(2);
        let mut server = WsFramed::from_parts(parts);
        client.write_all(b" a line\nrest").await.unwrap();
        client.close().await.unwrap();
        assert_eq!(server.next().await.unwrap().unwrap(), "lf a line");
        let mut rest = Vec::new();
        server.into_stream().read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"rest");
    })
    .await;
}

/// A codec that looked at a part of the buffer, was put aside, and comes back after another has read on.
#[tokio::test]
async fn a_codec_that_comes_back_sees_everything_that_is_left() {
    timeout(async {
        let (server, mut client) = pair().await;
        let mut server = server.framed(Lines::new(80));
        client.write_all(b"\0\0\0\x02x").await.unwrap();
        client.flush().await.unwrap();
        // All of it is there, and there is no line in it.
        while server.handle().stats().bytes_received < 5 {
            assert!(futures::poll!(server.next()).is_pending());
            tokio::task::yield_now().await;
        }
        let mut aside = None;
        let mut server = server.map_codec(|lines| {
            aside = Some(lines);
            LengthDelimited::new(80)
        });
        // The other codec reads on, and leaves more in the buffer than it takes out.
        client.write_all(b"ya\nb\n").await.unwrap();
        client.close().await.unwrap();
        assert_eq!(server.next().await.unwrap().unwrap(), "xy");
        let server = server.map_codec(|_| aside.take().unwrap().clone());
        let lines: Vec<_> = server.map(Result::unwrap).collect().await;
        assert_eq!(lines, ["a", "b"]);
    })
    .await;
}

#[tokio::test]
async fn parts_put_together_by_hand_begin_with_nothing() {
    timeout(async {
        let (server, client) = pair().await;
        let parts = WsFramedParts::new(server, Lines::new(80));
        assert!(parts.read_buffer.is_empty());
        let mut server = WsFramed::from_parts(parts);
        let mut client = WsFramed::new(client, Lines::new(80));
        client.send("hello".to_owned()).await.unwrap();
        assert_eq!(server.next().await.unwrap().unwrap(), "hello");
    })
    .await;
}

/// A stretch of the conversation in one view.
#[derive(Clone, Debug)]
enum Stretch {
    Bytes(Vec<u8>),
    Lines(Vec<String>),
    Frames(Vec<Bytes>),
}

/// How a view is taken off between two items, or between two stretches.
#[derive(Clone, Copy, Debug)]
enum Turn {
    Stay,
    IntoStream,
    Parts,
    MapCodec,
}

#[derive(Clone, Debug)]
struct Plan {
    stretches: Vec<Stretch>,
    /// Whether to flush, and how to turn, after each thing that is sent.
    habits: Vec<(bool, Turn)>,
    /// How to turn after each thing that is received.
    turns: Vec<Turn>,
    max_send_message_len: usize,
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        Just(Turn::Stay),
        Just(Turn::IntoStream),
        Just(Turn::Parts),
        Just(Turn::MapCodec)
    ]
}

fn stretch() -> impl Strategy<Value = Stretch> {
    let blob = proptest::collection::vec(any::<u8>(), 0..MAX_FRAME_LEN);
    let line = "[a-zé ]{0,60}";
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..2000).prop_map(Stretch::Bytes),
        proptest::collection::vec(line, 0..6).prop_map(Stretch::Lines),
        proptest::collection::vec(blob.prop_map(Bytes::from), 0..6).prop_map(Stretch::Frames),
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    (
        proptest::collection::vec(stretch(), 0..8),
        proptest::collection::vec((any::<bool>(), turn()), 1..9),
        proptest::collection::vec(turn(), 1..9),
        prop_oneof![1..20_usize, 20..3000_usize],
    )
        .prop_map(|(stretches, habits, turns, max_send_message_len)| Plan {
            stretches,
            habits,
            turns,
            max_send_message_len,
        })
}

/// Takes the view off and puts it on again.
fn turn_lines<M: MessageTransport>(
    framed: WsFramed<String, Lines, M>,
    turn: Turn,
) -> WsFramed<String, Lines, M> {
    match turn {
        Turn::Stay => framed,
        Turn::IntoStream => framed.into_stream().framed(Lines::new(MAX_FRAME_LEN)),
        Turn::Parts => WsFramed::from_parts(framed.into_parts()),
        Turn::MapCodec => framed
            .map_codec(|_| LengthDelimited::new(1))
            .map_codec(|_| Lines::new(MAX_FRAME_LEN)),
    }
}

fn turn_frames<M: MessageTransport>(
    framed: WsFramed<Bytes, LengthDelimited, M>,
    turn: Turn,
) -> WsFramed<Bytes, LengthDelimited, M> {
    match turn {
        Turn::Stay => framed,
        Turn::IntoStream => framed
            .into_stream()
            .framed(LengthDelimited::new(MAX_FRAME_LEN)),
        Turn::Parts => WsFramed::from_parts(framed.into_parts()),
        Turn::MapCodec => framed
            .map_codec(|_| Lines::new(1))
            .map_codec(|_| LengthDelimited::new(MAX_FRAME_LEN)),
    }
}

async fn send(plan: Plan, mut stream: WsStream<Tungstenite<Pipe>>) -> WsStream<Tungstenite<Pipe>> {
    let mut habits = plan.habits.into_iter().cycle();
    for stretch in plan.stretches {
        match stretch {
            Stretch::Bytes(bytes) => {
                for piece in bytes.chunks(500) {
                    stream.write_all(piece).await.unwrap();
                    if habits.next().unwrap().0 {
                        stream.flush().await.unwrap();
                    }
                }
            }
            Stretch::Lines(lines) => {
                let mut framed = stream.framed(Lines::new(MAX_FRAME_LEN));
                for line in lines {
                    framed.feed(line).await.unwrap();
                    let (flush, turn) = habits.next().unwrap();
                    if flush {
                        framed.flush().await.unwrap();
                    }
                    framed = turn_lines(framed, turn);
                }
                stream = framed.into_stream();
            }
            Stretch::Frames(items) => {
                let mut framed = stream.framed(LengthDelimited::new(MAX_FRAME_LEN));
                for item in items {
                    framed.feed(item).await.unwrap();
                    let (flush, turn) = habits.next().unwrap();
                    if flush {
                        framed.flush().await.unwrap();
                    }
                    framed = turn_frames(framed, turn);
                }
                stream = framed.into_stream();
            }
        }
    }
    stream.close().await.unwrap();
    // The answer may not fit into the network unless somebody takes it out.
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    stream
}

async fn receive(plan: Plan, mut stream: WsStream<Tungstenite<Pipe>>) {
    let mut turns = plan.turns.into_iter().cycle();
    for stretch in plan.stretches {
        match stretch {
            Stretch::Bytes(bytes) => {
                let mut got = vec![0; bytes.len()];
                stream.read_exact(&mut got).await.unwrap();
                assert_eq!(got, bytes);
            }
            Stretch::Lines(lines) => {
                let mut framed = stream.framed(Lines::new(MAX_FRAME_LEN));
                for line in lines {
                    assert_eq!(framed.next().await.unwrap().unwrap(), line);
                    framed = turn_lines(framed, turns.next().unwrap());
                }
                stream = framed.into_stream();
            }
            Stretch::Frames(items) => {
                let mut framed = stream.framed(LengthDelimited::new(MAX_FRAME_LEN));
                for item in items {
                    assert_eq!(framed.next().await.unwrap().unwrap(), item);
                    framed = turn_frames(framed, turns.next().unwrap());
                }
                stream = framed.into_stream();
            }
        }
    }
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty(), "{} bytes too many", rest.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// A network that holds little, so that much of each plan is still under way when the views change.
    #[test]
    fn changing_views_at_any_time_loses_nothing(plan in plan(), capacity in 1..4000_usize) {
        run(async {
            let config = config_without_keepalive().max_send_message_len(plan.max_send_message_len);
            let (server, client) = tungstenite_pair_with(capacity, config.clone(), config).await;
            future::join(send(plan.clone(), server), receive(plan, client)).await;
        });
    }
}
