//! Errors of the packed item stream: items that cannot be decoded, and items that cannot be
//! encoded. Items of one message each are in `per_message_errors`.

use std::{io, panic::AssertUnwindSafe};

use futures::{
    AsyncReadExt, AsyncWriteExt, FutureExt, SinkExt, StreamExt, future, stream::FusedStream,
};
use support::{Frame, config_without_keepalive, on_all_transports, pair, pair_with, timeout};
use ws_framed::{
    Bincode, CloseCode, CloseFrame, CloseOutcome, CodecError, Decoder, Encoder, LengthDelimited,
    WsErr, WsEvent, WsStream,
    bytes::{Buf, BufMut, Bytes, BytesMut},
    pharos::{Observable, ObserveConfig},
};

/// Reads to the end of the connection, and returns the close frame of the peer.
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

/// A malformed item is an error, and the connection goes on: later items follow, items can be sent,
/// and the close is clean.
#[tokio::test]
async fn malformed_item_is_skipped() {
    timeout(async {
        let (mut peer, us) = pair().await;
        let mut us = us.framed(Bincode::<bool>::new(16));
        // Three items of one byte: 2 is not a bool.
        write(&mut peer, &[0, 0, 0, 1, 1, 0, 0, 0, 1, 2, 0, 0, 0, 1, 0]).await;
        assert!(us.next().await.unwrap().unwrap());
        assert!(matches!(
            us.next().await,
            Some(Err(CodecError::Malformed(_)))
        ));
        assert!(!us.next().await.unwrap().unwrap());
        assert!(!us.is_terminated());

        // Both directions go on, and the close is clean.
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

/// An item over the limit of the codec fails the connection with close code 1009. The error comes
/// once, then the end, and writing fails.
#[tokio::test]
async fn oversized_item_fails_with_1009() {
    timeout(async {
        let (mut peer, us) = pair().await;
        let mut us = us.framed(LengthDelimited::new(4));
        let handle = us.handle();
        let events = handle.events();
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
        assert_eq!(frame.unwrap().code(), CloseCode::MESSAGE_TOO_BIG);
        let failed = CloseOutcome::Failed(CloseCode::MESSAGE_TOO_BIG);
        assert_eq!(handle.closed().await, failed);
        let codes = events.filter_map(async |event| match event {
            WsEvent::Error(error) => error.close_code(),
            _ => None,
        });
        let codes: Vec<_> = codes.collect().await;
        assert_eq!(codes, [CloseCode::MESSAGE_TOO_BIG]);
        let error = us.send(Bytes::new()).await.unwrap_err();
        assert!(
            matches!(error, CodecError::Io(error) if error.kind() == io::ErrorKind::BrokenPipe)
        );
    })
    .await;
}

/// `lenient_eof` hides the error of the connection, but not that of the codec.
#[tokio::test]
async fn lenient_eof_keeps_decode_errors() {
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

/// A codec for bytes up to a zero. It refuses a one, and consumes nothing then.
#[derive(Debug)]
struct ZeroEnded;

/// An error type that is not related to those of the bundled codecs.
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

    /// Fails at a 13, when a part of the item is in the buffer already.
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

/// A decode error that consumes nothing fails the connection with close code 1007. The undecoded
/// bytes are left in the parts.
#[tokio::test]
async fn unrecoverable_error_fails_with_1007() {
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
        assert_eq!(frame.unwrap().code(), CloseCode::INVALID_PAYLOAD_DATA);
        let failed = CloseOutcome::Failed(CloseCode::INVALID_PAYLOAD_DATA);
        assert_eq!(handle.closed().await, failed);
        assert_eq!(us.into_parts().read_buffer, [1, 9, 0][..]);
    })
    .await;
}

/// A codec with its own error type gets errors of the connection through `From<io::Error>`.
#[tokio::test]
async fn codec_error_wraps_connection_error() {
    timeout(async {
        let (peer, us) = pair().await;
        let mut us = us.framed(ZeroEnded);
        drop(peer);
        let Some(Err(ZeroEndedError::Io(error))) = us.next().await else {
            panic!("a missing close frame is no clean end");
        };
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(matches!(WsErr::find_in(&error), Some(WsErr::UnexpectedEof)));
        assert!(us.next().await.is_none());
        let Err(ZeroEndedError::Io(error)) = us.send(vec![7]).await else {
            panic!("the connection has ended");
        };
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    })
    .await;
}

/// An item whose encoding fails halfway is not sent, not even in part, with and without unflushed
/// items before it.
#[tokio::test]
async fn failed_encoding_sends_nothing() {
    timeout(async {
        let (mut peer, us) = pair().await;
        let mut us = us.framed(ZeroEnded);
        us.feed(vec![7, 8]).await.unwrap();
        let error = us.feed(vec![9, 13, 9]).await.unwrap_err();
        assert!(matches!(error, ZeroEndedError::Unlucky));
        us.feed(vec![10]).await.unwrap();
        // The same with nothing unflushed before it.
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

/// A codec whose encoder panics in the middle of an item.
struct Panics;

impl Encoder for Panics {
    type Item<'a> = bool;
    type Error = CodecError;

    fn encode(&mut self, panics: bool, buffer: &mut BytesMut) -> Result<(), CodecError> {
        buffer.extend_from_slice(b"half");
        assert!(!panics, "on purpose");
        buffer.extend_from_slice(b"whole");
        Ok(())
    }
}

impl Decoder for Panics {
    type Item = ();
    type Error = CodecError;

    fn decode(&mut self, _: &mut BytesMut) -> Result<Option<()>, CodecError> {
        Ok(None)
    }
}

/// No part of an item is sent whose encoder panics.
#[test]
fn panic_of_an_encoder_leaves_no_part() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = ours.framed(Panics);
        ours.feed(false).await.unwrap();
        let panicking = AssertUnwindSafe(ours.feed(true)).catch_unwind();
        panicking.await.unwrap_err();
        ours.feed(false).await.unwrap();
        ours.flush().await.unwrap();
        assert_eq!(peer.receive(18).await.0, b"halfwholehalfwhole");
    });
}

/// A codec that panics under the lock of the halves leaves both of them usable.
#[test]
fn panic_of_an_encoder_leaves_the_halves() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let (mut sender, mut receiver) = ours.framed(Panics).into_split();
        let panicking = AssertUnwindSafe(sender.send(true)).catch_unwind();
        panicking.await.unwrap_err();
        sender.send(false).await.unwrap();
        assert_eq!(peer.receive(9).await.0, b"halfwhole");
        peer.send(Frame::close(1000, "")).await;
        assert!(receiver.next().await.is_none());
    });
}
