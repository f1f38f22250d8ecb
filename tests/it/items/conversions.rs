//! Conversions between byte streams and item streams, while data is unflushed and unread: they lose
//! nothing, repeat nothing, and keep the order.

use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt, future};
use support::{pair, timeout};
use ws_framed::{
    CloseOutcome, CodecError, LengthDelimited, Lines, LossCause, Message, MessageTransport,
    WsFramed, WsFramedParts, WsStream, bytes::Buf,
};

/// One end converts its stream three times without a flush, and sends one message. The other end
/// reads each part in the stream that it belongs to.
#[tokio::test]
async fn items_bytes_and_other_items() {
    timeout(Box::pin(async {
        let (server, client) = pair().await;

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

/// `into_transport` returns the transport with the unread bytes, and ends the connection as `Lost`.
/// The transport can be wrapped again.
#[tokio::test]
async fn transport_comes_back_with_unread() {
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
        assert_eq!(
            handle.closed().await,
            CloseOutcome::Lost(LossCause::Dropped)
        );
        let message = future::poll_fn(|cx| transport.poll_next(cx)).await;
        let message = message.unwrap().unwrap();
        assert_eq!(message, Message::Binary("a message".into()));

        let mut server = WsStream::new(transport);
        client.close().await.unwrap();
        assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);
    })
    .await;
}

/// `map_codec` passes an item that one codec refused as too large to the next codec.
#[tokio::test]
async fn refused_item_reaches_next_codec() {
    timeout(async {
        let (server, client) = pair().await;
        let mut client = client.framed(LengthDelimited::new(80));
        client.feed("hello world".into()).await.unwrap();
        client.feed("end".into()).await.unwrap();
        client.flush().await.unwrap();

        let mut server = server.framed(LengthDelimited::new(10));
        // The client disconnects, which the server waits for.
        let (refused, ()) = futures::join!(server.next(), async move {
            assert!(client.next().await.is_none_or(|end| end.is_err()));
        });
        let refused = refused.unwrap();
        assert!(matches!(refused, Err(CodecError::FrameTooLarge { .. })));
        let mut server = server.map_codec(|_| LengthDelimited::new(80));
        assert_eq!(server.next().await.unwrap().unwrap(), "hello world");
        assert_eq!(server.next().await.unwrap().unwrap(), "end");
        assert!(server.next().await.is_none_or(|end| end.is_err()));
        assert!(server.next().await.is_none());
    })
    .await;
}

/// A partial item that the codec has looked at is kept, in the parts and for the next stream.
#[tokio::test]
async fn partial_item_is_kept_whole() {
    timeout(async {
        let (server, mut client) = pair().await;
        client.write_all(b"a line\nhalf").await.unwrap();
        client.flush().await.unwrap();
        let mut server = server.framed(Lines::new(80));
        assert_eq!(server.next().await.unwrap().unwrap(), "a line");
        // The codec sees that there is no whole line, and waits.
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

/// A codec that has looked at a part of the buffer, and is used again after another codec, sees all
/// that is left.
#[tokio::test]
async fn reused_codec_sees_all_bytes() {
    timeout(async {
        let (server, mut client) = pair().await;
        let mut server = server.framed(Lines::new(80));
        client.write_all(b"\0\0\0\x02x").await.unwrap();
        client.flush().await.unwrap();
        // All of it has arrived, and there is no line in it.
        while server.handle().stats().bytes_received < 5 {
            assert!(futures::poll!(server.next()).is_pending());
            tokio::task::yield_now().await;
        }
        let mut aside = None;
        let mut server = server.map_codec(|lines| {
            aside = Some(lines);
            LengthDelimited::new(80)
        });
        // The other codec reads on, and leaves more in the buffer than it consumes.
        client.write_all(b"ya\nb\n").await.unwrap();
        client.close().await.unwrap();
        assert_eq!(server.next().await.unwrap().unwrap(), "xy");
        let server = server.map_codec(|_| aside.take().unwrap().clone());
        let lines: Vec<_> = server.map(Result::unwrap).collect().await;
        assert_eq!(lines, ["a", "b"]);
    })
    .await;
}

/// `WsFramedParts::new` has no unread bytes, and makes a stream that works.
#[tokio::test]
async fn new_parts_have_no_bytes() {
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
