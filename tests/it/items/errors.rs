//! What the item view does when an item cannot be read or cannot be written, and how a stream ends.

use std::io;

use futures::{
    AsyncReadExt, AsyncWriteExt, FutureExt, SinkExt, StreamExt, future, stream::FusedStream,
};
use support::{config_without_keepalive, pair, pair_with, timeout};
use ws_framed::{
    Bincode, CloseCode, CloseFrame, CloseOutcome, CodecError, Decoder, Encoder, LengthDelimited,
    Lines, WsErr, WsEvent, WsStream,
    bytes::{Buf, BufMut, Bytes, BytesMut},
    pharos::{Observable, ObserveConfig},
};

/// Reads to the end of the link and gives what the peer said when it closed.
async fn close_frame_at(stream: &mut WsStream) -> Option<CloseFrame> {
    let mut events = stream.observe(ObserveConfig::default()).await.unwrap();
    let _ = stream.read_to_end(&mut Vec::new()).await;
    while let Some(event) = events.next().await {
        if let WsEvent::CloseFrame(frame) = event {
            return frame;
        }
    }
    None
}

async fn write(stream: &mut WsStream, bytes: &[u8]) {
    stream.write_all(bytes).await.unwrap();
    stream.flush().await.unwrap();
}

#[tokio::test]
async fn one_bad_value_does_not_end_the_connection() {
    timeout(async {
        let (mut peer, us) = pair().await;
        let mut us = us.framed(Bincode::<bool>::new(16));
        // Three frames of one byte: 2 is not a bool.
        write(&mut peer, &[0, 0, 0, 1, 1, 0, 0, 0, 1, 2, 0, 0, 0, 1, 0]).await;
        assert!(us.next().await.unwrap().unwrap());
        assert!(matches!(
            us.next().await,
            Some(Err(CodecError::Malformed(_)))
        ));
        assert!(!us.next().await.unwrap().unwrap());
        assert!(!us.is_terminated());

        // The link is as it was: both directions work, and it closes cleanly.
        us.send(true).await.unwrap();
        let mut got = [0; 5];
        peer.read_exact(&mut got).await.unwrap();
        assert_eq!(got, [0, 0, 0, 1, 1]);
        peer.close().await.unwrap();
        assert!(us.next().await.is_none());
        assert!(us.is_terminated());
    })
    .await;
}

#[tokio::test]
async fn a_bad_value_is_told_before_a_clean_end() {
    timeout(async {
        let (mut peer, us) = pair().await;
        let mut us = us.framed(Bincode::<bool>::new(16));
        peer.write_all(&[0, 0, 0, 1, 2]).await.unwrap();
        peer.close().await.unwrap();
        assert!(matches!(
            us.next().await,
            Some(Err(CodecError::Malformed(_)))
        ));
        assert!(us.next().await.is_none());
        assert!(us.next().await.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_frame_over_the_limit_ends_the_link_with_1009() {
    timeout(async {
        let (mut peer, us) = pair().await;
        let mut us = us.framed(LengthDelimited::new(4));
        let handle = us.handle();
        write(&mut peer, b"\0\0\0\x04good\0\0\0\x05wrong\0\0\0\x04good").await;
        let (frame, ()) = future::join(close_frame_at(&mut peer), async {
            assert_eq!(us.next().await.unwrap().unwrap(), "good");
            let error = us.next().await.unwrap().unwrap_err();
            assert!(
                matches!(error, CodecError::FrameTooLarge { len: 5, max: 4 }),
                "{error:?}"
            );
            assert!(us.next().await.is_none(), "the error comes once");
            assert!(us.next().await.is_none(), "and the end stays the end");
            assert!(us.is_terminated());
        })
        .await;
        assert_eq!(frame.unwrap().code(), CloseCode::TOO_LARGE);
        assert_eq!(handle.closed().await, CloseOutcome::Failed);
        let error = us.send(Bytes::new()).await.unwrap_err();
        assert!(
            matches!(error, CodecError::Io(error) if error.kind() == io::ErrorKind::BrokenPipe)
        );
    })
    .await;
}

/// The peer has learnt why before the error is given, so that code that stops at the first error has not
/// cut the connection in the middle of the goodbye.
#[tokio::test]
async fn the_peer_is_told_before_the_error_comes() {
    timeout(async {
        let (mut peer, us) = pair().await;
        let mut us = us.framed(LengthDelimited::new(4));
        write(&mut peer, b"\0\0\0\x05").await;
        let (frame, ()) = future::join(close_frame_at(&mut peer), async move {
            us.next().await.unwrap().unwrap_err();
            drop(us);
        })
        .await;
        assert_eq!(frame.unwrap().code(), CloseCode::TOO_LARGE);
    })
    .await;
}

/// With `lenient_eof` the error of the link is hidden, but that of the codec is not.
#[tokio::test]
async fn a_decoder_that_cannot_go_on_is_an_error_under_lenient_eof_too() {
    timeout(async {
        let lenient = config_without_keepalive().lenient_eof(true);
        let (mut peer, us) = pair_with(lenient.clone(), lenient).await;
        let mut us = us.framed(LengthDelimited::new(4));
        write(&mut peer, b"\0\0\0\x05").await;
        let (rest, ()) = future::join(
            peer.read_to_end(&mut Vec::new()).map(Result::unwrap),
            async {
                let error = us.next().await.unwrap().unwrap_err();
                assert!(matches!(error, CodecError::FrameTooLarge { .. }));
                assert!(us.next().await.is_none());
            },
        )
        .await;
        assert_eq!(rest, 0);
    })
    .await;
}

/// Bytes up to a zero. A one is nonsense that it will not touch.
#[derive(Debug)]
struct ZeroEnded;

/// An error that has nothing to do with those of the bundled codecs.
#[derive(Debug)]
enum ZeroEndedError {
    Nonsense,
    Unlucky,
    Io(io::Error),
}

impl From<io::Error> for ZeroEndedError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Decoder for ZeroEnded {
    type Item = Vec<u8>;
    type Error = ZeroEndedError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Vec<u8>>, ZeroEndedError> {
        let Some(end) = src.iter().position(|byte| *byte < 2) else {
            return Ok(None);
        };
        if src[end] == 1 {
            return Err(ZeroEndedError::Nonsense);
        }
        let item = src.split_to(end).to_vec();
        src.advance(1);
        Ok(Some(item))
    }
}

impl Encoder for ZeroEnded {
    type Item<'a> = Vec<u8>;
    type Error = ZeroEndedError;

    /// Finds out in the middle that it cannot write a 13, when half of the item is in the buffer already.
    fn encode(&mut self, item: Vec<u8>, dst: &mut BytesMut) -> Result<(), ZeroEndedError> {
        for byte in item {
            if byte == 13 {
                return Err(ZeroEndedError::Unlucky);
            }
            dst.put_u8(byte);
        }
        dst.put_u8(0);
        Ok(())
    }
}

#[tokio::test]
async fn a_codec_that_is_stuck_ends_the_link_with_1007() {
    timeout(async {
        let (mut peer, us) = pair().await;
        let mut us = us.framed(ZeroEnded);
        let handle = us.handle();
        write(&mut peer, &[7, 0, 1, 9, 0]).await;
        let (frame, ()) = future::join(close_frame_at(&mut peer), async {
            assert_eq!(us.next().await.unwrap().unwrap(), [7]);
            assert!(matches!(
                us.next().await,
                Some(Err(ZeroEndedError::Nonsense))
            ));
            assert!(us.next().await.is_none());
        })
        .await;
        assert_eq!(frame.unwrap().code(), CloseCode::INVALID_DATA);
        assert_eq!(handle.closed().await, CloseOutcome::Failed);
        // What could not be decoded is still there for whoever wants to look at it.
        assert_eq!(us.into_parts().read_buffer, [1, 9, 0][..]);
    })
    .await;
}

/// A codec of the user's own gets the errors of the link through its `From<io::Error>`.
#[tokio::test]
async fn errors_of_the_link_come_in_the_codecs_own_type() {
    timeout(async {
        let (peer, us) = pair().await;
        let mut us = us.framed(ZeroEnded);
        drop(peer);
        let Some(Err(ZeroEndedError::Io(error))) = us.next().await else {
            panic!("a cut connection must not look like an end");
        };
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(matches!(WsErr::find_in(&error), Some(WsErr::UnexpectedEof)));
        assert!(us.next().await.is_none());
        let Err(ZeroEndedError::Io(error)) = us.send(vec![7]).await else {
            panic!("nobody is there to send to");
        };
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    })
    .await;
}

#[tokio::test]
async fn an_item_that_cannot_be_encoded_is_not_sent_at_all() {
    timeout(async {
        let (mut peer, us) = pair().await;
        let mut us = us.framed(ZeroEnded);
        us.feed(vec![7, 8]).await.unwrap();
        let error = us.feed(vec![9, 13, 9]).await.unwrap_err();
        assert!(matches!(error, ZeroEndedError::Unlucky));
        us.feed(vec![10]).await.unwrap();
        // Also when there is nothing before it that was not sent.
        us.flush().await.unwrap();
        let error = us.send(vec![9, 13]).await.unwrap_err();
        assert!(matches!(error, ZeroEndedError::Unlucky));
        us.close().await.unwrap();

        let mut got = Vec::new();
        peer.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, [7, 8, 0, 10, 0]);
    })
    .await;
}

#[tokio::test]
async fn an_item_over_the_limit_leaves_the_sink_usable() {
    timeout(async {
        let (peer, us) = pair().await;
        let mut us = us.framed(LengthDelimited::new(3));
        us.feed("one".into()).await.unwrap();
        let error = us.feed("three".into()).await.unwrap_err();
        assert!(matches!(
            error,
            CodecError::FrameTooLarge { len: 5, max: 3 }
        ));
        us.feed("two".into()).await.unwrap();
        us.close().await.unwrap();
        let peer = peer.framed(LengthDelimited::new(3));
        let got: Vec<_> = peer.map(Result::unwrap).collect().await;
        assert_eq!(got, ["one", "two"]);
    })
    .await;
}

#[tokio::test]
async fn a_clean_end_within_a_frame_is_an_error() {
    timeout(async {
        let (mut peer, us) = pair().await;
        let mut us = us.framed(LengthDelimited::new(10));
        peer.write_all(b"\0\0\0\x03abc\0\0\0\x05whe").await.unwrap();
        peer.close().await.unwrap();
        assert_eq!(us.next().await.unwrap().unwrap(), "abc");
        let Some(Err(CodecError::Io(error))) = us.next().await else {
            panic!("half a frame must not vanish");
        };
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(us.next().await.is_none());
        assert!(us.is_terminated());
        assert_eq!(us.into_parts().read_buffer, b"\0\0\0\x05whe"[..]);
    })
    .await;
}

#[tokio::test]
async fn the_last_line_needs_no_end_at_a_clean_end() {
    timeout(async {
        let (mut peer, us) = pair().await;
        let mut us = us.framed(Lines::new(10));
        peer.write_all(b"one\r\ntwo\nthree").await.unwrap();
        peer.close().await.unwrap();
        for line in ["one", "two", "three"] {
            assert_eq!(us.next().await.unwrap().unwrap(), line);
        }
        assert!(us.next().await.is_none());
    })
    .await;
}

/// Half a line of a connection that was cut must not pass for a line.
#[tokio::test]
async fn the_last_line_needs_its_end_when_the_connection_is_cut() {
    timeout(async {
        let (mut peer, us) = pair().await;
        let mut us = us.framed(Lines::new(80));
        write(&mut peer, b"one\nDELETE /tmp").await;
        drop(peer);
        assert_eq!(us.next().await.unwrap().unwrap(), "one");
        let Some(Err(CodecError::Io(error))) = us.next().await else {
            panic!("half a line came through");
        };
        assert!(matches!(WsErr::find_in(&error), Some(WsErr::UnexpectedEof)));
        assert!(us.next().await.is_none());
    })
    .await;
}

/// The same for a peer that closes because something went wrong on its side.
#[tokio::test]
async fn the_last_line_needs_its_end_when_the_peer_aborts() {
    timeout(async {
        let (mut peer, us) = pair().await;
        let mut us = us.framed(Lines::new(10));
        write(&mut peer, b"half").await;
        let why = CloseFrame::new(CloseCode::INTERNAL_ERROR, "out of disk").unwrap();
        let (outcome, line) = future::join(peer.close_with(why.clone()), us.next()).await;
        assert!(matches!(outcome, Ok(CloseOutcome::Clean { .. })));
        let Some(Err(CodecError::Io(error))) = line else {
            panic!("half a line came through");
        };
        assert!(matches!(WsErr::find_in(&error), Some(WsErr::Aborted(frame)) if *frame == why));
        assert!(us.next().await.is_none());
    })
    .await;
}
