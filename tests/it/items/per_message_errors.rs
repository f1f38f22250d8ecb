//! Errors of `per_message`: a bad message or item fails alone, where the codec can go on.

use futures::{AsyncReadExt, SinkExt, StreamExt, future};
use support::{Frame, config_without_keepalive, on_all_transports};
use ws_framed::{
    CodecError, Compressed, Decoder, Encoded, Encoder, Json, LengthDelimited, LengthPrefixed,
    WsErr,
    bytes::{Buf, BufMut, BytesMut},
};

/// The `WsErr` inside the error of an item.
fn cause(error: &CodecError) -> &WsErr {
    WsErr::find_in(error).expect("an error about messages")
}

/// A malformed message is an error, and the next message is the next item.
#[test]
fn malformed_message_is_skipped() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = ours.per_message(Json::<Vec<String>>::new(1024));
        for bad in ["", "[", "[] []", "{}", "\0\0\0\x02[]"] {
            peer.send(Frame::text(bad)).await;
            peer.send(Frame::text(r#"["good"]"#)).await;
            let error = ours.next().await.unwrap().unwrap_err();
            assert!(matches!(error, CodecError::Malformed(_)), "{error:?}");
            assert_eq!(ours.next().await.unwrap().unwrap(), ["good"]);
        }
    });
}

/// A message over the limit of the codec fails the connection with close code 1009. The byte stream
/// then yields the message as it was received, without a length prefix.
#[test]
fn oversized_message_fails_with_1009() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = ours.per_message(LengthDelimited::new(4));
        peer.send(Frame::binary("good")).await;
        peer.send(Frame::binary("wrong")).await;
        assert_eq!(ours.next().await.unwrap().unwrap(), "good");
        let (error, code) = future::join(ours.next(), peer.expect_close()).await;
        let error = error.unwrap().unwrap_err();
        assert!(
            matches!(error, CodecError::FrameTooLarge { len: 5, max: 4 }),
            "{error:?}"
        );
        assert_eq!(code, 1009);
        assert!(ours.next().await.is_none());
        let mut rest = Vec::new();
        let mut ours = ours.into_stream();
        ours.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"wrong");
    });
}

/// An item over the limit of messages or of the codec, however it is fed, is an error of its
/// sender. The next item is sent.
#[test]
fn oversized_item_is_not_sent() {
    let config = config_without_keepalive().max_send_message_len(8);
    on_all_transports(&config, async |ours, mut peer| {
        let mut ours = ours.per_message(LengthDelimited::new(10));
        ours.feed("12345678".into()).await.unwrap();
        let nine = Encoded::new(ours.codec_mut(), "123456789".into()).unwrap();
        for refused in [
            ours.feed("123456789".into()).await,
            ours.feed_ref(b"123456789").await,
            ours.feed_encoded(&nine).await,
        ] {
            let error = refused.unwrap_err();
            assert!(
                matches!(error, CodecError::ItemTooLarge { len: 9, max: 8 }),
                "{error:?}"
            );
        }
        let error = ours.feed("12345678901".into()).await.unwrap_err();
        assert!(
            matches!(error, CodecError::ItemTooLarge { len: 11, max: 10 }),
            "{error:?}"
        );
        ours.send("next".into()).await.unwrap();
        peer.expect(Frame::binary("12345678")).await;
        peer.expect(Frame::binary("next")).await;
    });
}

/// The byte of `Compressed` before a frame that does not become shorter counts against the limit of
/// messages, not against its own.
#[test]
fn compressed_needs_one_byte_more() {
    const MAX: usize = 100;
    const MAX_COMPRESSED: usize = MAX + 4;
    let noise: Vec<u8> = (0..100).map(|at: u8| at.wrapping_mul(97)).collect();
    let expected = [&[0, 0, 0, 0, 100], noise.as_slice()].concat();
    for (max, fits) in [(MAX_COMPRESSED, false), (MAX_COMPRESSED + 1, true)] {
        let config = config_without_keepalive().max_send_message_len(max);
        on_all_transports(&config, async |ours, mut peer| {
            let codec = Compressed::new(LengthDelimited::new(MAX), MAX_COMPRESSED);
            let mut ours = ours.per_message(codec);
            let sent = ours.send(noise.clone().into()).await;
            if fits {
                sent.unwrap();
                peer.expect(Frame::binary(expected.clone())).await;
                return;
            }
            let error = sent.unwrap_err();
            assert!(
                matches!(error, CodecError::ItemTooLarge { len: 105, max: 104 }),
                "{error:?}"
            );
        });
    }
}

/// A codec that writes an item as it is, without a prefix, and consumes `takes` bytes of each
/// message. A message that begins with `!` is malformed.
struct Odd {
    is_text: bool,
    takes: usize,
}

impl LengthPrefixed for Odd {
    fn is_text(&self) -> bool {
        self.is_text
    }
}

impl Encoder for Odd {
    type Item<'a> = &'a [u8];
    type Error = CodecError;

    fn encode(&mut self, item: &[u8], dst: &mut BytesMut) -> Result<(), CodecError> {
        dst.put(item);
        Ok(())
    }
}

impl Decoder for Odd {
    type Item = ();
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<()>, CodecError> {
        if src.get(4) == Some(&b'!') {
            src.advance(5);
            return Err(CodecError::Malformed("begins with !".into()));
        }
        if self.takes == 0 || src.len() < self.takes {
            return Ok(None);
        }
        src.advance(self.takes);
        Ok(Some(()))
    }
}

/// An item whose encoding is not one length prefix with its payload, in UTF-8 where it is text, is
/// not sent.
#[test]
fn invalid_encoding_is_not_sent() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let takes = 0;
        let mut ours = ours.per_message(Odd {
            is_text: true,
            takes,
        });
        let odd: [&[u8]; 6] = [
            b"",
            b"\0\0\0",
            b"\0\0\0\x01",
            b"\0\0\0\x02abc",
            b"line\n",
            b"\0\0\0\x02\xc3\x28",
        ];
        for frame in odd {
            let error = ours.feed(frame).await.unwrap_err();
            assert!(matches!(error, CodecError::Unencodable(_)), "{error:?}");
            assert!(matches!(cause(&error), WsErr::NotOneFrame(_)), "{error:?}");
        }
        ours.send(b"\0\0\0\x02\xc3\xa9").await.unwrap();
        peer.expect(Frame::text("é")).await;
    });
}

/// Bytes of a message that the codec does not consume are an error, and no part of the next item.
#[test]
fn unconsumed_bytes_are_dropped() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let is_text = false;
        let mut ours = ours.per_message(Odd { is_text, takes: 6 });
        for (message, is_item) in [("1", false), ("12", true), ("123", false), ("12", true)] {
            peer.send(Frame::binary(message)).await;
            match ours.next().await.unwrap() {
                Ok(()) => assert!(is_item, "{message}"),
                Err(error) => {
                    assert!(matches!(error, CodecError::Malformed(_)), "{error:?}");
                    assert!(matches!(cause(&error), WsErr::NotOneFrame(_)), "{error:?}");
                    assert!(!is_item, "{message}");
                }
            }
        }
        peer.send(Frame::binary("!!")).await;
        peer.send(Frame::binary("12")).await;
        let error = ours.next().await.unwrap().unwrap_err();
        assert!(matches!(error, CodecError::Malformed(_)), "{error:?}");
        ours.next().await.unwrap().unwrap();
        peer.send(Frame::close(1000, "")).await;
        assert!(ours.next().await.is_none());
    });
}
