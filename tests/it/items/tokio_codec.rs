//! Codecs of `tokio_util` in the item view, and ours in `tokio_util`, over real connections.

use std::io;

use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt, TryStreamExt};
use support::{pair, timeout};
use tokio_util::codec::{
    AnyDelimiterCodec, BytesCodec, Decoder, Encoder, Framed, LengthDelimitedCodec, LinesCodec,
    LinesCodecError,
};
use ws_framed::{
    CloseCode, CloseFrame, CloseOutcome, CodecError, ForTokio, LengthDelimited, LengthPrefixed,
    Lines, TokioCodec, WsErr, WsFramed,
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

#[tokio::test]
async fn their_lines_and_ours_understand_each_other() {
    timeout(Box::pin(async {
        let (server, client) = pair().await;
        // A type that a program can write down.
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

#[tokio::test]
async fn their_frames_with_a_length_and_ours_understand_each_other() {
    timeout(Box::pin(async {
        let (server, client) = pair().await;
        let codec = LengthDelimitedCodec::builder()
            .max_frame_length(200_000)
            .new_codec();
        let mut theirs = server.framed(TokioCodec::new(codec));
        let mut ours = client.framed(LengthDelimited::new(200_000));
        // Longer than a message, too.
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

/// Theirs with the defaults, about which they do not say that each frame is a length and a payload.
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

#[tokio::test]
async fn their_frames_with_a_length_can_be_messages() {
    timeout(Box::pin(async {
        let (server, client) = pair().await;
        let codec = TokioCodec::new(Prefixed(LengthDelimitedCodec::new()));
        let mut theirs = server.per_message(codec);
        // As they are on the wire.
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

#[tokio::test]
async fn what_is_sent_may_be_another_type_than_what_is_received() {
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

#[tokio::test]
async fn a_last_line_without_an_end_comes_at_a_clean_end() {
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

#[tokio::test]
async fn a_frame_that_is_cut_is_an_error_once() {
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

#[tokio::test]
async fn a_frame_that_is_too_large_ends_the_connection() {
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
        let code = CloseCode::INVALID_DATA;
        assert!(
            matches!(&outcome, CloseOutcome::Clean { code: told, .. } if *told == code),
            "{outcome:?}"
        );
    }))
    .await;
}

#[tokio::test]
async fn a_line_that_is_too_long_ends_the_connection() {
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
                assert!(matches!(WsErr::find_in(&error), Some(WsErr::Undecodable)));
            }
            LinesCodecError::MaxLineLengthExceeded => {}
        }
        assert!(end.unwrap().is_err());
        assert!(theirs.next().await.is_none());
    }))
    .await;
}

/// Insists on being driven as `tokio_util` drives a codec.
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

    /// Three items in the end, the last two out of nothing.
    fn decode_eof(&mut self, src: &mut BytesMut) -> io::Result<Option<usize>> {
        src.advance(src.len());
        self.at_the_end += 1;
        Ok((self.at_the_end <= 3).then_some(self.at_the_end))
    }
}

#[tokio::test]
async fn the_end_is_asked_for_until_it_gives_nothing() {
    timeout(async {
        let (server, mut client) = pair().await;
        let theirs = server.framed(TokioCodec::<_, ()>::new(Strict::default()));
        client.write_all(b"abc").await.unwrap();
        client.close().await.unwrap();
        assert_eq!(theirs.try_collect::<Vec<_>>().await.unwrap(), [1, 2, 3]);
    })
    .await;
}

#[tokio::test]
async fn our_codecs_work_in_their_framed_over_our_stream() {
    timeout(Box::pin(async {
        let (server, client) = pair().await;
        let mut theirs = Framed::new(server, ForTokio::new(Lines::new(80)));
        let mut ours = client.framed(Lines::new(80));
        for line in lines() {
            theirs.feed(line.clone()).await.unwrap();
            ours.feed(line).await.unwrap();
        }
        SinkExt::<String>::close(&mut theirs).await.unwrap();
        ours.flush().await.unwrap_or_default();
        assert_eq!(ours.try_collect::<Vec<_>>().await.unwrap(), LINES);
    }))
    .await;
}

#[tokio::test]
async fn in_their_framed_a_bad_frame_is_stepped_over_and_a_cut_one_is_an_error() {
    timeout(Box::pin(async {
        let (io, mut peer) = tokio::io::duplex(100);
        let mut framed = Framed::new(io, ForTokio::new(Lines::new(80)));
        tokio::io::AsyncWriteExt::write_all(&mut peer, b"\xff\ngood\n")
            .await
            .unwrap();
        let bad = framed.next().await.unwrap();
        assert!(matches!(bad, Err(CodecError::Malformed(_))));
        assert!(framed.next().await.is_none());
        // It decodes on when more has come.
        tokio::io::AsyncWriteExt::write_all(&mut peer, b"more\n")
            .await
            .unwrap();
        assert_eq!(framed.next().await.unwrap().unwrap(), "good");
        assert_eq!(framed.next().await.unwrap().unwrap(), "more");

        let (io, mut peer) = tokio::io::duplex(100);
        let mut framed = Framed::new(io, ForTokio::new(LengthDelimited::new(80)));
        tokio::io::AsyncWriteExt::write_all(&mut peer, b"\0\0\0\x03ab")
            .await
            .unwrap();
        drop(peer);
        match framed.next().await.unwrap() {
            Err(CodecError::Io(error)) => assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof),
            other => panic!("{other:?}"),
        }
        assert!(framed.next().await.is_none());
    }))
    .await;
}

#[test]
fn the_codec_comes_back_out() {
    let mut wrapped = TokioCodec::<_, Bytes>::new(BytesCodec::new());
    let _: (&BytesCodec, &BytesCodec) = (wrapped.clone().get_ref(), wrapped.get_mut());
    let _: BytesCodec = wrapped.into_inner();
    let mut wrapped = ForTokio::new(Lines::new(7));
    assert_eq!(wrapped.get_mut().max_line_len(), 7);
    assert_eq!(
        wrapped.get_ref().max_line_len(),
        wrapped.into_inner().max_line_len()
    );
}

#[tokio::test]
async fn a_codec_is_not_asked_any_more_after_close_with() {
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
            // The codec has looked at the beginning of a line.
            assert!(futures::poll!(lines.next()).is_pending());
            let mut closing = Box::pin(lines.close_with(CloseFrame::normal()));
            if is_dropped {
                assert!(futures::poll!(closing.as_mut()).is_pending());
            } else {
                let (outcome, end) = futures::join!(closing.as_mut(), client.close());
                assert!(matches!(outcome, Ok(CloseOutcome::Clean { .. })));
                end.unwrap();
            }
            drop(closing);
            let (end, _) = futures::join!(lines.next(), client.close());
            assert!(end.is_none(), "{end:?}");
        }
    }))
    .await;
}
