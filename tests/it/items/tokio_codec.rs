//! `TokioCodec`: codecs of `tokio_util` in the item stream.

use std::io;

use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt, TryStreamExt};
use support::{pair, read_to_end, timeout};
use tokio_util::codec::{
    AnyDelimiterCodec, BytesCodec, Decoder, Encoder, LengthDelimitedCodec, LinesCodec,
    LinesCodecError,
};
use ws_framed::{
    CloseCode, CloseFrame, CloseOutcome, LengthDelimited, LengthPrefixed, Lines, TokioCodec, WsErr,
    WsFramed,
    bytes::{Buf, Bytes, BytesMut},
};

const LINES: [&str; 4] = [
    "one",
    "",
    "zwölf Boxkämpfer",
    "and a longer one, to the end",
];

fn lines() -> Vec<String> {
    LINES.map(str::to_owned).to_vec()
}

/// `LinesCodec` exchanges lines with `Lines`, to a clean end.
#[tokio::test]
async fn lines_codec_matches_lines() {
    timeout(Box::pin(async {
        let (server, client) = pair().await;
        let mut theirs: WsFramed<String, TokioCodec<LinesCodec, String>> =
            server.framed(TokioCodec::new(LinesCodec::new_with_max_length(80)));
        let mut ours = client.framed(Lines::new(80));
        for line in lines() {
            theirs.send(line.clone()).await.unwrap();
            assert_eq!(ours.next().await.unwrap().unwrap(), line);
            ours.send(line.clone()).await.unwrap();
            assert_eq!(theirs.next().await.unwrap().unwrap(), line);
        }
        SinkExt::<String>::close(&mut ours).await.unwrap();
        assert!(theirs.next().await.is_none());
        assert!(ours.next().await.is_none());
    }))
    .await;
}

/// `LengthDelimitedCodec` exchanges items with `LengthDelimited`, also items longer than a message.
#[tokio::test]
async fn length_codec_matches_length_delimited() {
    timeout(Box::pin(async {
        let (server, client) = pair().await;
        let codec = LengthDelimitedCodec::builder()
            .max_frame_length(200_000)
            .new_codec();
        let mut theirs = server.framed(TokioCodec::new(codec));
        let mut ours = client.framed(LengthDelimited::new(200_000));
        for len in [0, 1, 300, 200_000] {
            let item = Bytes::from(vec![7; len]);
            let (sent, got) = futures::join!(theirs.send(item.clone()), ours.next());
            sent.unwrap();
            assert_eq!(got.unwrap().unwrap(), item);
            let (sent, got) = futures::join!(ours.send(item.clone()), theirs.next());
            sent.unwrap();
            assert_eq!(got.unwrap().unwrap(), item);
        }
    }))
    .await;
}

/// `LengthDelimitedCodec` with its defaults: each encoded item is a length and its payload.
struct Prefixed(LengthDelimitedCodec);

impl LengthPrefixed for Prefixed {}

impl Decoder for Prefixed {
    type Item = BytesMut;
    type Error = io::Error;

    fn decode(&mut self, src: &mut BytesMut) -> io::Result<Option<BytesMut>> {
        self.0.decode(src)
    }
}

impl Encoder<Bytes> for Prefixed {
    type Error = io::Error;

    fn encode(&mut self, item: Bytes, dst: &mut BytesMut) -> io::Result<()> {
        self.0.encode(item, dst)
    }
}

/// A codec of `tokio_util` that is marked `LengthPrefixed` works with one message for each item.
#[tokio::test]
async fn length_codec_works_per_message() {
    timeout(Box::pin(async {
        let (server, client) = pair().await;
        let codec = TokioCodec::new(Prefixed(LengthDelimitedCodec::new()));
        let mut theirs = server.per_message(codec);
        let mut bytes = client;
        theirs.send("item".into()).await.unwrap();
        let mut wire = [0; 4];
        bytes.read_exact(&mut wire).await.unwrap();
        assert_eq!(&wire, b"item");
        bytes.write_all(b"another").await.unwrap();
        bytes.flush().await.unwrap();
        assert_eq!(theirs.next().await.unwrap().unwrap(), "another");
    }))
    .await;
}

/// The items that are sent may have another type than those that are received, and may be borrowed.
#[tokio::test]
async fn directions_have_their_own_types() {
    timeout(Box::pin(async {
        let (server, client) = pair().await;
        let codec = AnyDelimiterCodec::new_with_max_length(b";\n".to_vec(), b"\n".to_vec(), 80);
        let mut theirs = server.framed(TokioCodec::new(codec));
        let mut ours = client.framed(Lines::new(80));
        theirs.send("a borrowed one").await.unwrap();
        assert_eq!(ours.next().await.unwrap().unwrap(), "a borrowed one");
        ours.send("two;at once".to_owned()).await.unwrap();
        assert_eq!(theirs.next().await.unwrap().unwrap(), "two");
        assert_eq!(theirs.next().await.unwrap().unwrap(), "at once");
    }))
    .await;
}

/// `decode_eof` yields the last line at a clean end.
#[tokio::test]
async fn clean_end_completes_last_line() {
    timeout(Box::pin(async {
        for (sent, received) in [
            ("one\ntwo", vec!["one", "two"]),
            ("one\r\n\r", vec!["one"]),
            ("one\n", vec!["one"]),
            ("", vec![]),
        ] {
            let (server, mut client) = pair().await;
            let codec = TokioCodec::<_, String>::new(LinesCodec::new());
            let theirs = server.framed(codec);
            client.write_all(sent.as_bytes()).await.unwrap();
            client.close().await.unwrap();
            assert_eq!(theirs.try_collect::<Vec<_>>().await.unwrap(), received);
        }
    }))
    .await;
}

/// A partial item at a clean end is an error once, the one of the codec.
#[tokio::test]
async fn partial_item_fails_once() {
    timeout(Box::pin(async {
        let (server, mut client) = pair().await;
        let mut theirs = server.framed(TokioCodec::<_, Bytes>::new(LengthDelimitedCodec::new()));
        client.write_all(b"\0\0\0\x05abc").await.unwrap();
        client.close().await.unwrap();
        let error = theirs.next().await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "bytes remaining on stream");
        assert!(theirs.next().await.is_none());
    }))
    .await;
}

/// An item over the limit of the codec fails the connection with close code 1007.
#[tokio::test]
async fn oversized_item_fails_the_connection() {
    timeout(Box::pin(async {
        let (server, client) = pair().await;
        let codec = LengthDelimitedCodec::builder()
            .max_frame_length(10)
            .new_codec();
        let mut theirs = server.framed(TokioCodec::<_, Bytes>::new(codec));
        let mut ours = client.framed(LengthDelimited::new(100));
        ours.send(Bytes::from_static(b"ten and one")).await.unwrap();
        let (error, end) = futures::join!(theirs.next(), ours.next());
        assert_eq!(
            error.unwrap().unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
        assert!(end.unwrap().is_err());
        let outcome = ours.handle().closed().await;
        let code = CloseCode::INVALID_PAYLOAD_DATA;
        assert!(
            matches!(&outcome, CloseOutcome::Clean { code: sent, .. } if *sent == code),
            "{outcome:?}"
        );
    }))
    .await;
}

/// A line over the limit of the codec fails the connection.
#[tokio::test]
async fn oversized_line_fails_the_connection() {
    timeout(Box::pin(async {
        let (server, client) = pair().await;
        let codec = LinesCodec::new_with_max_length(10);
        let mut theirs = server.framed(TokioCodec::<_, String>::new(codec));
        let mut ours = client.framed(Lines::new(100));
        ours.feed("x".repeat(50)).await.unwrap();
        ours.send("another".to_owned()).await.unwrap();
        let (error, end) = futures::join!(theirs.next(), ours.next());
        match error.unwrap().unwrap_err() {
            LinesCodecError::Io(error) => {
                assert!(matches!(
                    WsErr::find_in(&error),
                    Some(WsErr::Undecodable(_))
                ));
            }
            LinesCodecError::MaxLineLengthExceeded => {}
        }
        assert!(end.unwrap().is_err());
        assert!(theirs.next().await.is_none());
    }))
    .await;
}

/// A codec that panics unless it is driven as `tokio_util` drives one.
#[derive(Default)]
struct Strict {
    at_the_end: usize,
}

impl Decoder for Strict {
    type Item = usize;
    type Error = io::Error;

    fn decode(&mut self, _: &mut BytesMut) -> io::Result<Option<usize>> {
        assert_eq!(self.at_the_end, 0, "decode after decode_eof");
        Ok(None)
    }

    /// Yields three items at the end, the last two from no bytes.
    fn decode_eof(&mut self, src: &mut BytesMut) -> io::Result<Option<usize>> {
        src.advance(src.len());
        self.at_the_end += 1;
        Ok((self.at_the_end <= 3).then_some(self.at_the_end))
    }
}

/// At the end, `decode_eof` is called until it yields nothing, and `decode` is not called again.
#[tokio::test]
async fn decode_eof_runs_until_empty() {
    timeout(async {
        let (server, mut client) = pair().await;
        let theirs = server.framed(TokioCodec::<_, ()>::new(Strict::default()));
        client.write_all(b"abc").await.unwrap();
        client.close().await.unwrap();
        assert_eq!(theirs.try_collect::<Vec<_>>().await.unwrap(), [1, 2, 3]);
    })
    .await;
}

/// `TokioCodec` gives access to its codec, and gives it back.
#[test]
fn wrapped_codec_is_accessible() {
    let mut wrapped = TokioCodec::<_, Bytes>::new(BytesCodec::new());
    let _: (&BytesCodec, &BytesCodec) = (wrapped.clone().get_ref(), wrapped.get_mut());
    let _: BytesCodec = wrapped.into_inner();
}

/// After `close_with`, done or dropped, a partial line is discarded.
#[tokio::test]
async fn close_with_stops_decoding() {
    timeout(Box::pin(async {
        for is_dropped in [false, true] {
            let (server, mut client) = pair().await;
            let mut lines: WsFramed<String, TokioCodec<LinesCodec, String>> =
                server.framed(TokioCodec::new(LinesCodec::new()));
            client
                .write_all(b"one\nand the beginning of the next")
                .await
                .unwrap();
            client.flush().await.unwrap();
            assert_eq!(lines.next().await.unwrap().unwrap(), "one");
            // The codec has seen the beginning of a line.
            assert!(futures::poll!(lines.next()).is_pending());
            let mut closing = Box::pin(lines.close_with(CloseFrame::normal()));
            // Disconnects at the end: the server waits for that.
            let disconnects = async move { read_to_end(&mut client).await.1.unwrap() };
            if is_dropped {
                assert!(futures::poll!(closing.as_mut()).is_pending());
                drop(closing);
                let (end, ()) = futures::join!(lines.next(), disconnects);
                assert!(end.is_none(), "{end:?}");
            } else {
                let (outcome, ()) = futures::join!(closing.as_mut(), disconnects);
                assert!(matches!(outcome, Ok(CloseOutcome::Clean { .. })));
                drop(closing);
                assert!(lines.next().await.is_none());
            }
        }
    }))
    .await;
}
