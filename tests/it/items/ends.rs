//! How an item stream ends, and what becomes of an item that is not complete then.

use std::io;

use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt, future, stream::FusedStream};
use support::{Frame, NO_TIMERS, config_without_keepalive, on_transports, pair, timeout, ws_error};
use ws_framed::{
    Bincode, CloseCode, CloseFrame, CloseOutcome, CodecError, LengthDelimited, Lines, WsErr,
    WsFramed,
};

/// The error of a malformed item comes before the clean end.
#[tokio::test]
async fn malformed_item_precedes_clean_end() {
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

/// A clean end inside an item is an error once. The partial item is left in the parts.
#[tokio::test]
async fn clean_end_inside_item_fails() {
    timeout(async {
        let (mut peer, us) = pair().await;
        let mut us = us.framed(LengthDelimited::new(10));
        peer.write_all(b"\0\0\0\x03abc\0\0\0\x05whe").await.unwrap();
        peer.close().await.unwrap();
        assert_eq!(us.next().await.unwrap().unwrap(), "abc");
        let Some(Err(CodecError::Io(error))) = us.next().await else {
            panic!("a partial item must not vanish");
        };
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(us.next().await.is_none());
        assert!(us.is_terminated());
        assert_eq!(us.into_parts().read_buffer, b"\0\0\0\x05whe"[..]);
    })
    .await;
}

/// At a clean end, the last line needs no line feed.
#[tokio::test]
async fn clean_end_completes_last_line() {
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

/// A partial line of a connection that ends without a close frame is an error, and no item. Another
/// codec does not yield it either. The byte stream does.
#[test]
fn disconnect_drops_partial_line() {
    on_transports(
        &NO_TIMERS,
        &config_without_keepalive(),
        async |ours, mut peer| {
            peer.send(Frame::binary("whole\nDELETE /tmp")).await;
            peer.close_write().await;
            let mut lines = ours.framed(Lines::new(80));
            assert_eq!(lines.next().await.unwrap().unwrap(), "whole");
            let Some(Err(CodecError::Io(error))) = lines.next().await else {
                panic!("a partial line is no item");
            };
            assert!(matches!(ws_error(&error), WsErr::UnexpectedEof));
            assert!(lines.next().await.is_none());
            let mut lines = lines.map_codec(|_| Lines::new(80));
            assert!(lines.next().await.is_none());
            let mut lines = WsFramed::from_parts(lines.into_parts());
            assert!(lines.next().await.is_none());
            let mut rest = String::new();
            lines.into_stream().read_to_string(&mut rest).await.unwrap();
            assert_eq!(rest, "DELETE /tmp");
        },
    );
}

/// Under `lenient_eof` a missing close frame is a clean end, so the last line needs no line feed.
#[test]
fn lenient_eof_completes_last_line() {
    let config = config_without_keepalive().lenient_eof(true);
    on_transports(&NO_TIMERS, &config, async |ours, mut peer| {
        peer.send(Frame::binary("whole\nhal")).await;
        peer.close_write().await;
        let mut lines = ours.framed(Lines::new(80));
        assert_eq!(lines.next().await.unwrap().unwrap(), "whole");
        let mut lines = lines.map_codec(|_| Lines::new(80));
        assert_eq!(lines.next().await.unwrap().unwrap(), "hal");
        assert!(lines.next().await.is_none());
    });
}

/// A partial line is an error, and no item, when the peer closes with a code that reports a
/// failure.
#[tokio::test]
async fn error_close_drops_partial_line() {
    timeout(async {
        let (mut peer, us) = pair().await;
        let mut us = us.framed(Lines::new(10));
        peer.write_all(b"half").await.unwrap();
        peer.flush().await.unwrap();
        let why = CloseFrame::new(CloseCode::INTERNAL_ERROR, "out of disk").unwrap();
        let (outcome, line) = future::join(peer.close_with(why.clone()), us.next()).await;
        assert!(matches!(outcome, Ok(CloseOutcome::Clean { .. })));
        let Some(Err(CodecError::Io(error))) = line else {
            panic!("a partial line is no item");
        };
        assert!(matches!(WsErr::find_in(&error), Some(WsErr::Aborted(frame)) if *frame == why));
        assert!(us.next().await.is_none());
    })
    .await;
}

/// A code that reports a failure is an error of the items, also when it crosses a close of this end.
#[test]
fn failure_crosses_close_of_items() {
    on_transports(
        &NO_TIMERS,
        &config_without_keepalive(),
        async |ours, mut peer| {
            let mut us = ours.framed(Lines::new(80));
            us.close().await.unwrap();
            peer.send(Frame::binary("last\nhalf")).await;
            peer.send(Frame::close(1011, "out of disk")).await;
            assert_eq!(us.next().await.unwrap().unwrap(), "last");
            let Some(Err(CodecError::Io(error))) = us.next().await else {
                panic!("a failure is no end");
            };
            let code = ws_error(&error).close_code();
            assert_eq!(code, Some(CloseCode::INTERNAL_ERROR));
            assert!(us.next().await.is_none());
        },
    );
}
