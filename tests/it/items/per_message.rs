//! Each item is one message of the right kind, without the length before it, so that whoever speaks WebSocket can
//! be the peer.

use std::pin::pin;

use futures::{FutureExt, SinkExt, StreamExt, future};
use support::{
    Frame, IMMEDIATE, Peer, Role,
    Setup::{self, Pipe},
    config_without_keepalive, fragments,
    frame::{BINARY, PING, TEXT},
    on_all_transports, on_transports, poll_until_idle, ws_error,
};
use ws_framed::{
    CloseFrame, CloseOutcome, ClosedBy, CodecError, Encoded, Json, LengthDelimited, Postcard,
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

/// The error of the library in that of an item.
fn cause(error: &CodecError) -> &WsErr {
    match error {
        CodecError::Io(error) => ws_error(error),
        other => panic!("{other:?} is not about messages"),
    }
}

#[test]
fn an_item_of_a_text_codec_is_one_text_message() {
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

#[test]
fn an_item_of_any_other_codec_is_one_binary_message_be_it_empty() {
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

#[test]
fn a_message_in_fragments_is_one_item() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = json(ours);
        peer.send_all(fragments(TEXT, &[b"[\"o", b"", b"ne\"", b"]"]))
            .await;
        peer.send_all(fragments(BINARY, &[b"", b"[]"])).await;
        assert_eq!(ours.next().await.unwrap().unwrap(), value(&["one"]));
        assert_eq!(ours.next().await.unwrap().unwrap(), value(&[]));
    });
}

#[test]
fn a_text_codec_takes_text_and_binary_under_every_policy() {
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

#[test]
fn text_for_any_other_codec_is_what_the_policy_says() {
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
        peer.send(Frame::text("text")).await;
        let (error, code) = future::join(ours.next(), peer.expect_close()).await;
        let error = error.unwrap().unwrap_err();
        assert!(matches!(cause(&error), WsErr::ReceivedText), "{error:?}");
        assert_eq!(code, 1003);
    });
}

#[test]
fn a_read_that_waits_sends_what_was_fed() {
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

#[test]
fn what_is_lent_or_encoded_before_is_a_message_like_any_other() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = json(ours);
        let encoded = Encoded::new(ours.codec_mut(), value(&["encoded"])).unwrap();
        ours.feed_encoded(&encoded).await.unwrap();
        ours.feed_ref(&value(&["lent"])).await.unwrap();
        ours.feed(value(&["given"])).await.unwrap();
        ours.feed_encoded(&encoded).await.unwrap();
        ours.flush().await.unwrap();
        for text in ["encoded", "lent", "given", "encoded"] {
            peer.expect(Frame::text(format!("[\"{text}\"]"))).await;
        }
        // The same bytes in the frames of a packed view.
        let mut ours = ours.into_stream().framed(Json::<Vec<String>>::new(1024));
        ours.feed_encoded(&encoded).await.unwrap();
        ours.flush().await.unwrap();
        peer.expect(Frame::binary("\0\0\0\x0b[\"encoded\"]")).await;
    });
}

#[test]
fn a_close_comes_after_what_was_fed_and_discards_what_still_comes() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = json(ours);
        ours.feed(value(&["last"])).await.unwrap();
        let script = async {
            peer.send(Frame::text("[]")).await;
            peer.expect(Frame::text(r#"["last"]"#)).await;
            peer.expect(Frame::close(1000, "")).await;
            // Text, which a view that is not of text would refuse.
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

/// An item counts as written though there may be no byte in it.
#[test]
fn an_item_that_did_not_go_out_is_told_of_once() {
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

/// What the transport was ready for may be taken up by a ping before the item comes.
#[test]
fn a_ping_between_room_and_item_loses_nothing() {
    let places: [Setup; 3] = [Pipe(Role::Server), Pipe(Role::Client), Setup::Memory];
    on_transports(
        &places,
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
