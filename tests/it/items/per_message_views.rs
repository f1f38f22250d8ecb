//! One message for each item, in the middle of other views, and however the peer cuts its messages.

use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt, executor::block_on, future};
use proptest::prelude::*;
use support::{
    Frame, ROLES, Setup, config_without_keepalive, fragments,
    frame::{BINARY, TEXT},
    on_all_transports, timeout,
};
use ws_framed::{
    Encoded, Json, LengthDelimited, Lines, WsFramed, WsFramedParts, WsStream, bytes::Bytes,
};

type Texts = WsFramed<String, Json<String>>;

fn texts(ours: WsStream) -> Texts {
    ours.per_message(Json::new(1 << 20))
}

#[test]
fn views_may_change_in_mid_stream_and_nothing_is_lost() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = ours.framed(Lines::new(80));
        ours.feed("line".to_owned()).await.unwrap();
        let mut ours = texts(ours.into_stream());
        ours.feed("one".to_owned()).await.unwrap();
        let mut ours = ours.into_stream();
        ours.write_all(b"bytes").await.unwrap();
        let mut ours = ours.per_message(LengthDelimited::new(80));
        ours.feed("two".into()).await.unwrap();
        let mut ours = ours.into_stream().framed(LengthDelimited::new(80));
        ours.feed("three".into()).await.unwrap();
        ours.flush().await.unwrap();
        peer.expect(Frame::binary("line\n")).await;
        peer.expect(Frame::text("\"one\"")).await;
        peer.expect(Frame::binary("bytes")).await;
        peer.expect(Frame::binary("two")).await;
        peer.expect(Frame::binary("\0\0\0\x05three")).await;

        for message in [
            "line\n",
            "\"one\"",
            "bytes and more",
            "two",
            "\0\0\0\x05three",
        ] {
            peer.send(Frame::binary(message)).await;
        }
        let mut ours = ours.into_stream().framed(Lines::new(80));
        assert_eq!(ours.next().await.unwrap().unwrap(), "line");
        let mut ours = texts(ours.into_stream());
        assert_eq!(ours.next().await.unwrap().unwrap(), "one");
        let mut ours = ours.into_stream();
        ours.read_exact(&mut [0; 5]).await.unwrap();
        // What is left of a message counts as one.
        let mut ours = ours.per_message(LengthDelimited::new(80));
        assert_eq!(ours.next().await.unwrap().unwrap(), " and more");
        assert_eq!(ours.next().await.unwrap().unwrap(), "two");
        let mut ours = ours.into_stream().framed(LengthDelimited::new(80));
        assert_eq!(ours.next().await.unwrap().unwrap(), "three");
    });
}

#[test]
fn parts_put_together_and_another_codec_of_the_kind_keep_one_message_for_each() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = texts(ours);
        ours.feed("one".to_owned()).await.unwrap();
        let mut parts = ours.into_parts();
        parts.codec = Json::new(3);
        let ours: Texts = WsFramed::from_parts(parts);
        let mut ours = ours.map_codec(|_| Json::<u8>::new(3));
        ours.send(2).await.unwrap();
        peer.expect(Frame::text("\"one\"")).await;
        peer.expect(Frame::text("2")).await;
        peer.send(Frame::text("3")).await;
        assert_eq!(ours.next().await.unwrap().unwrap(), 3);
        // New parts are packed.
        let parts = ours.into_parts();
        let mut ours = WsFramed::from_parts(WsFramedParts::new(parts.stream, parts.codec));
        ours.send(4).await.unwrap();
        peer.expect(Frame::binary("\0\0\0\x014")).await;
    });
}

/// What a codec has refused is what came, without the length that we put before it.
#[test]
fn a_message_that_was_refused_is_there_for_the_byte_view_as_it_came() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = ours.per_message(LengthDelimited::new(4));
        peer.send(Frame::binary("wrong")).await;
        let (error, code) = future::join(ours.next(), peer.expect_close()).await;
        error.unwrap().unwrap_err();
        assert_eq!(code, 1009);
        let mut rest = Vec::new();
        let mut ours = ours.into_stream();
        ours.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"wrong");
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Text and binary, in any fragments, with pings between them.
    #[test]
    fn however_the_peer_cuts_them_messages_are_items(
        sent in prop::collection::vec((".{0,40}", any::<bool>(), prop::collection::vec(0..60_usize, 0..4)), 1..12),
        role in prop::sample::select(&ROLES[..]),
    ) {
            block_on(timeout(async {
            let (ours, mut peer) = Setup::Pipe(role).open(config_without_keepalive()).await;
            let mut ours = texts(ours);
            for (text, is_text, cuts) in &sent {
                let json = serde_json::to_vec(text).unwrap();
                let mut cuts: Vec<_> = cuts.iter().map(|cut| *cut.min(&json.len())).collect();
                cuts.sort_unstable();
                let starts = [0].into_iter().chain(cuts.iter().copied());
                let ends = cuts.iter().copied().chain([json.len()]);
                let parts: Vec<_> = starts.zip(ends).map(|(from, to)| &json[from..to]).collect();
                let opcode = if *is_text { TEXT } else { BINARY };
                for frame in fragments(opcode, &parts) {
                    peer.send(frame).await;
                    peer.send(Frame::ping("")).await;
                }
            }
            peer.send(Frame::close(1000, "")).await;
            for (text, ..) in &sent {
                assert_eq!(&ours.next().await.unwrap().unwrap(), text);
            }
            assert!(ours.next().await.is_none());
        }));
    }

    /// Fed in any way, flushed at any time.
    #[test]
    fn however_they_are_fed_items_are_messages(
        fed in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..40), 0..3_u8, any::<bool>()), 1..20),
        role in prop::sample::select(&ROLES[..]),
    ) {
            block_on(timeout(async {
            let (ours, mut peer) = Setup::OneByte(role).open(config_without_keepalive()).await;
            let mut ours = ours.per_message(LengthDelimited::new(100));
            let feeding = async {
                for (bytes, how, flushes) in &fed {
                    let item = Bytes::copy_from_slice(bytes);
                    match how {
                        0 => ours.feed(item).await.unwrap(),
                        1 => ours.feed_ref(bytes).await.unwrap(),
                        _ => {
                            let item = Encoded::new(ours.codec_mut(), item).unwrap();
                            ours.feed_encoded(&item).await.unwrap();
                        }
                    }
                    if *flushes {
                        ours.flush().await.unwrap();
                    }
                }
                ours.flush().await.unwrap();
            };
            let reading = async {
                for (bytes, ..) in &fed {
                    peer.expect(Frame::binary(bytes.clone())).await;
                }
            };
            future::join(feeding, reading).await;
        }));
    }
}
