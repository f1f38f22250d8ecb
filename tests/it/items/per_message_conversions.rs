//! Conversions between `per_message` and the other streams, while items are unflushed and unread.

use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt};
use support::{Frame, config_without_keepalive, on_all_transports};
use ws_framed::{Json, LengthDelimited, Lines, WsFramed, WsFramedParts, WsStream};

type Texts = WsFramed<String, Json<String>>;

fn texts(ours: WsStream) -> Texts {
    ours.per_message(Json::new(1 << 20))
}

/// A stream can be converted between bytes, packed items and items of one message each, at any
/// message. Unflushed items and received messages keep their form.
#[test]
fn conversions_lose_nothing() {
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
        // The rest of a message counts as one.
        let mut ours = ours.per_message(LengthDelimited::new(80));
        assert_eq!(ours.next().await.unwrap().unwrap(), " and more");
        assert_eq!(ours.next().await.unwrap().unwrap(), "two");
        let mut ours = ours.into_stream().framed(LengthDelimited::new(80));
        assert_eq!(ours.next().await.unwrap().unwrap(), "three");
    });
}

/// `from_parts` and `map_codec` keep one message for each item. `WsFramedParts::new` starts packed.
#[test]
fn parts_keep_the_message_mode() {
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
