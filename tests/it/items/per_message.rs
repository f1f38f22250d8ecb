//! `per_message`: each item is one message of the right kind, without a length prefix, for peers
//! that do not know this library.

use std::pin::pin;

use futures::{FutureExt, SinkExt, StreamExt, future};
use support::{
    Frame, IMMEDIATE, Peer, Role,
    Setup::{self, Pipe},
    config_without_keepalive, fragments,
    frame::{BINARY, PING, TEXT},
    on_all_transports, on_transports, poll_until_idle,
};
use ws_framed::{
    CloseFrame, CloseOutcome, ClosedBy, CodecError, Encoded, Json, LengthDelimited, Postcard, Text,
    TextPolicy, WsErr, WsFramed, WsStream, bytes::Bytes,
};

type Values = WsFramed<Vec<String>, Json<Vec<String>>>;
type Blobs = WsFramed<Bytes, LengthDelimited>;

fn json(ours: WsStream) -> Values {
    ours.per_message(Json::new(1024))
}

fn blobs(ours: WsStream) -> Blobs {
    WsFramed::per_message(ours, LengthDelimited::new(1024))
}

fn value(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

/// The `WsErr` inside the error of an item.
fn cause(error: &CodecError) -> &WsErr {
    WsErr::find_in(error).expect("an error about messages")
}

/// Each item of a text codec is one text message, and counted as such.
#[test]
fn text_codec_sends_text_messages() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = json(ours);
        for texts in [&["one"][..], &[], &["two", "thrée"]] {
            ours.feed(value(texts)).await.unwrap();
        }
        ours.flush().await.unwrap();
        for text in [r#"["one"]"#, "[]", r#"["two","thrée"]"#] {
            peer.expect(Frame::text(text)).await;
        }
        let stats = ours.handle().stats();
        assert_eq!((stats.messages_sent, stats.bytes_sent), (3, 25));
    });
}

/// Each string of `Text` is one text message, whatever is in it, in both directions.
#[test]
fn strings_are_text_messages() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = ours.per_message(Text::new(1024));
        for text in ["", "two\nlines\r\n", "{\"a\":1}\u{1e}", "zwölf"] {
            ours.send(text.to_owned()).await.unwrap();
            peer.expect(Frame::text(text)).await;
            peer.send(Frame::text(text)).await;
            assert_eq!(ours.next().await.unwrap().unwrap(), text);
        }
    });
}

/// Each item of any other codec is one binary message, even an empty one, in both directions.
#[test]
fn other_codecs_send_binary_messages() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = blobs(ours);
        for item in ["one", "", "two"] {
            ours.send(item.into()).await.unwrap();
        }
        for item in ["one", "", "two"] {
            peer.expect(Frame::binary(item)).await;
        }
        for item in ["", "three", ""] {
            peer.send(Frame::binary(item)).await;
            assert_eq!(ours.next().await.unwrap().unwrap(), item);
        }
        let mut ours = ours.into_stream().per_message(Postcard::<u8>::new(16));
        ours.send(7).await.unwrap();
        peer.expect(Frame::binary([7])).await;
    });
}

/// A fragmented message is one item.
#[test]
fn fragmented_message_is_one_item() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = json(ours);
        peer.send_all(fragments(TEXT, &[b"[\"o", b"", b"ne\"", b"]"]))
            .await;
        peer.send_all(fragments(BINARY, &[b"", b"[]"])).await;
        assert_eq!(ours.next().await.unwrap().unwrap(), value(&["one"]));
        assert_eq!(ours.next().await.unwrap().unwrap(), value(&[]));
    });
}

/// A text codec accepts text and binary messages, under every `TextPolicy`.
#[test]
fn text_codec_accepts_both_kinds() {
    for policy in [TextPolicy::Reject, TextPolicy::Bytes, TextPolicy::Event] {
        on_all_transports(
            &config_without_keepalive().text(policy),
            async |ours, mut peer| {
                let mut ours = json(ours);
                peer.send(Frame::text(r#"["text"]"#)).await;
                peer.send(Frame::binary(r#"["binary"]"#)).await;
                assert_eq!(ours.next().await.unwrap().unwrap(), value(&["text"]));
                assert_eq!(ours.next().await.unwrap().unwrap(), value(&["binary"]));
            },
        );
    }
}

/// Text for a codec that is not of text is data, an event, or an error with close code 1003, as the
/// `TextPolicy` says. The items before it come first.
#[test]
fn text_policy_holds_for_other_codecs() {
    on_all_transports(
        &config_without_keepalive().text(TextPolicy::Bytes),
        async |ours, mut peer| {
            peer.send(Frame::text("text")).await;
            assert_eq!(blobs(ours).next().await.unwrap().unwrap(), "text");
        },
    );
    on_all_transports(
        &config_without_keepalive().text(TextPolicy::Event),
        async |ours, mut peer| {
            peer.send(Frame::text("text")).await;
            peer.send(Frame::binary("binary")).await;
            assert_eq!(blobs(ours).next().await.unwrap().unwrap(), "binary");
        },
    );
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = blobs(ours);
        peer.send(Frame::binary("one")).await;
        peer.send(Frame::binary("two")).await;
        peer.send(Frame::text("text")).await;
        assert_eq!(ours.next().await.unwrap().unwrap(), "one");
        assert_eq!(ours.next().await.unwrap().unwrap(), "two");
        let (error, code) = future::join(ours.next(), peer.expect_close()).await;
        let error = error.unwrap().unwrap_err();
        assert!(matches!(cause(&error), WsErr::ReceivedText), "{error:?}");
        assert_eq!(code, 1003);
    });
}

/// A read that waits sends unflushed items first.
#[test]
fn waiting_read_sends_unflushed_items() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = json(ours);
        ours.feed(value(&["question"])).await.unwrap();
        let (answer, ()) = future::join(ours.next(), async {
            peer.expect(Frame::text(r#"["question"]"#)).await;
            peer.send(Frame::text(r#"["answer"]"#)).await;
        })
        .await;
        assert_eq!(answer.unwrap().unwrap(), value(&["answer"]));
    });
}

/// Borrowed and encoded items are messages like owned ones. The same encoded item gets its length
/// prefix in a packed stream.
#[test]
fn encoded_items_are_messages() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = json(ours);
        let encoded = Encoded::new(ours.codec_mut(), value(&["encoded"])).unwrap();
        ours.feed_encoded(&encoded).await.unwrap();
        ours.feed_ref(&value(&["borrowed"])).await.unwrap();
        ours.feed(value(&["owned"])).await.unwrap();
        ours.feed_encoded(&encoded).await.unwrap();
        ours.flush().await.unwrap();
        for text in ["encoded", "borrowed", "owned", "encoded"] {
            peer.expect(Frame::text(format!("[\"{text}\"]"))).await;
        }
        let mut ours = ours.into_stream().framed(Json::<Vec<String>>::new(1024));
        ours.feed_encoded(&encoded).await.unwrap();
        ours.flush().await.unwrap();
        peer.expect(Frame::binary("\0\0\0\x0b[\"encoded\"]")).await;
    });
}

/// `close_with` sends unflushed items before its close frame, and discards what arrives after it,
/// text included.
#[test]
fn close_with_follows_fed_items() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = json(ours);
        ours.feed(value(&["last"])).await.unwrap();
        let script = async {
            peer.send(Frame::text("[]")).await;
            peer.expect(Frame::text(r#"["last"]"#)).await;
            peer.expect(Frame::close(1000, "")).await;
            // Text, which a byte stream would reject.
            peer.send(Frame::text("[]")).await;
            peer.send(Frame::close(1000, "")).await;
            peer.expect_end().await;
            drop(peer);
        };
        let (outcome, ()) = future::join(ours.close_with(CloseFrame::normal()), script).await;
        let outcome = outcome.unwrap();
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
        assert!(ours.feed(value(&["more"])).await.is_err());
    });
}

/// A flush after the end reports once that an item was not sent. An empty item counts as written.
#[test]
fn unsent_item_is_reported_once() {
    on_transports(
        &IMMEDIATE,
        &config_without_keepalive(),
        async |ours, mut peer| {
            let mut ours = blobs(ours);
            ours.feed("".into()).await.unwrap();
            peer.send(Frame::close(1000, "")).await;
            assert!(pin!(ours.next()).await.is_none());
            let error = ours.flush().await.unwrap_err();
            assert!(matches!(cause(&error), WsErr::Closed), "{error:?}");
            ours.flush().await.unwrap();
        },
    );
}

/// A ping may take the room that a transport had for an item. The item is sent after it.
#[test]
fn ping_before_item_loses_nothing() {
    let setups: [Setup; 3] = [Pipe(Role::Server), Pipe(Role::Client), Setup::Memory];
    on_transports(
        &setups,
        &config_without_keepalive(),
        async |ours, mut peer: Peer| {
            let mut ours = blobs(ours);
            let handle = ours.handle();
            future::poll_fn(|cx| ours.poll_ready_unpin(cx))
                .await
                .unwrap();
            let mut ping = pin!(handle.ping());
            assert!(poll_until_idle(ping.as_mut()).is_pending());
            assert!(poll_until_idle(pin!(ours.next())).is_pending());
            ours.start_send_unpin("item".into()).unwrap();
            let again = ours.start_send_unpin("too early".into());
            assert!(again.is_err(), "there is room for one");
            ours.flush().now_or_never().unwrap().unwrap();
            assert_eq!(peer.next().await.unwrap().opcode, PING);
            peer.expect(Frame::binary("item")).await;
        },
    );
}
