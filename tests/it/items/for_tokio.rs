//! `ForTokio`: codecs of this library in `tokio_util::codec::Framed`.

use std::io;

use futures::{SinkExt, StreamExt, TryStreamExt};
use support::{pair, timeout};
use tokio_util::codec::Framed;
use ws_framed::{CodecError, ForTokio, LengthDelimited, Lines};

const LINES: [&str; 4] = [
    "one",
    "",
    "zwölf Boxkämpfer",
    "and a longer one, to the end",
];

/// `Framed` with a codec of this library, over a `WsStream`, exchanges items with `WsFramed`.
#[tokio::test]
async fn framed_runs_over_the_stream() {
    timeout(Box::pin(async {
        let (server, client) = pair().await;
        let mut theirs = Framed::new(server, ForTokio::new(Lines::new(80)));
        let mut ours = client.framed(Lines::new(80));
        for line in LINES.map(str::to_owned) {
            theirs.feed(line.clone()).await.unwrap();
            ours.feed(line).await.unwrap();
        }
        SinkExt::<String>::close(&mut theirs).await.unwrap();
        ours.flush().await.unwrap_or_default();
        assert_eq!(ours.try_collect::<Vec<_>>().await.unwrap(), LINES);
    }))
    .await;
}

/// In `Framed`, a malformed item is an error once, and later items follow. A partial item at the
/// end is an error.
#[tokio::test]
async fn malformed_item_is_skipped() {
    timeout(Box::pin(async {
        let (io, mut peer) = tokio::io::duplex(100);
        let mut framed = Framed::new(io, ForTokio::new(Lines::new(80)));
        tokio::io::AsyncWriteExt::write_all(&mut peer, b"\xff\ngood\n")
            .await
            .unwrap();
        let bad = framed.next().await.unwrap();
        assert!(matches!(bad, Err(CodecError::Malformed(_))));
        assert!(framed.next().await.is_none());
        // `Framed` decodes on when more arrives.
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

/// `ForTokio` gives access to its codec, and gives it back.
#[test]
fn wrapped_codec_is_accessible() {
    let mut wrapped = ForTokio::new(Lines::new(7));
    assert_eq!(wrapped.get_mut().max_line_len(), 7);
    assert_eq!(
        wrapped.get_ref().max_line_len(),
        wrapped.into_inner().max_line_len()
    );
}
