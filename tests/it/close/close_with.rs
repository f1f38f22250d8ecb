//! `close_with`: a close as a future that resolves to its outcome.

use std::{io, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt, executor::block_on, future};
use support::{
    FRAMED, Frame, MEMORY_CAPACITY, PIPE_CAPACITY, config_without_keepalive, describe,
    memory_transports, observe, on_all_transports, on_transports, pair, read_to_end, run, timeout,
    tungstenite_pair,
};
use ws_framed::{
    CloseCode, CloseFrame, CloseOutcome, ClosedBy, Lines, LossCause, MessageTransport, WsErr,
    WsStream,
};

use super::{clean, clean_with};
use crate::{
    bytes::{fill, on_small_transports},
    time::short_close_timeout,
};

fn custom_close() -> CloseFrame {
    CloseFrame::new(CloseCode::from(4001), "enough").unwrap()
}

/// A clean outcome holds the code and reason of the peer's reply. Data that arrives is discarded.
#[test]
fn clean_outcome_holds_the_reply() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let handle = ours.handle();
        ours.write_all(b"the last").await.unwrap();
        let script = async {
            peer.send(Frame::binary("discarded")).await;
            let (data, code, reason) = peer.until_close().await;
            assert_eq!(data, b"the last");
            assert_eq!((code, reason.as_str()), (4001, "enough"));
            peer.send(Frame::binary("discarded as well")).await;
            peer.send(Frame::close(4002, "likewise")).await;
            peer.expect_end().await;
            // Disconnects: `close_with` waits for the end of the transport.
            drop(peer);
        };
        let (outcome, ()) = future::join(ours.close_with(custom_close()), script).await;
        let outcome = outcome.unwrap();
        assert_eq!(
            outcome,
            clean_with(4002, "likewise", Some(4001), ClosedBy::Us)
        );
        assert_eq!(handle.closed().await, outcome);
        assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
        let again = ours.close_with(CloseFrame::normal()).await.unwrap();
        assert_eq!(again, outcome);
        ours.close().await.unwrap();
    });
}

/// A code that reports a failure in reply to our 1000 is in the outcome. What arrives before it is
/// discarded, and the error is not for a later read.
#[test]
fn outcome_holds_failure_of_peer() {
    on_all_transports(&short_close_timeout(), async |mut ours, mut peer| {
        let handle = ours.handle();
        let script = async {
            let (_, code, _) = peer.until_close().await;
            assert_eq!(code, 1000);
            peer.send(Frame::binary("discarded")).await;
            peer.send(Frame::close(1011, "out of disk")).await;
            drop(peer);
        };
        let (outcome, ()) = future::join(ours.close_with(CloseFrame::normal()), script).await;
        let outcome = outcome.unwrap();
        let expected = clean_with(1011, "out of disk", Some(1000), ClosedBy::Us);
        assert_eq!(outcome, expected);
        assert_eq!(handle.closed().await, outcome);
        assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
    });
}

/// After the peer's close frame was read, the outcome is that of the peer's close, whether or not
/// the peer disconnects.
#[test]
fn clean_by_peer_after_its_close() {
    for disconnects in [false, true] {
        println!("disconnects: {disconnects}");
        on_all_transports(&short_close_timeout(), async |mut ours, mut peer| {
            peer.send(Frame::close(4000, "first")).await;
            read_to_end(&mut ours).await.1.unwrap();
            // A client waits for the server to disconnect first (RFC 6455 section 7.1.1).
            let peer = (!disconnects).then_some(peer);
            let outcome = ours.close_with(custom_close()).await.unwrap();
            assert_eq!(outcome, clean(4000, "first", ClosedBy::Peer));
            assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
            if let Some(peer) = peer {
                // The reply, and no close frame of our own.
                assert_eq!(peer.expect_close().await, 4000);
            }
        });
    }
}

/// Close frames that cross are a clean close by this end, which sends one close frame only.
#[test]
fn crossing_closes_are_clean() {
    on_all_transports(&short_close_timeout(), async |mut ours, mut peer| {
        peer.send(Frame::close(4321, "me first")).await;
        ours.close().await.unwrap();
        let outcome = ours.close_with(custom_close()).await.unwrap();
        assert_eq!(
            outcome,
            clean_with(4321, "me first", Some(1000), ClosedBy::Us)
        );
        assert_eq!(peer.expect_close().await, 1000);
    });
}

async fn close_both_ends<M: MessageTransport>((mut one, mut two): (WsStream<M>, WsStream<M>)) {
    one.write_all(b"in flight").await.unwrap();
    one.flush().await.unwrap();
    let frame = |code: u16| CloseFrame::new(code.into(), "").unwrap();
    let (first, second) =
        future::join(one.close_with(frame(4001)), two.close_with(frame(4002))).await;
    assert_eq!(
        first.unwrap(),
        clean_with(4002, "", Some(4001), ClosedBy::Us)
    );
    assert_eq!(
        second.unwrap(),
        clean_with(4001, "", Some(4002), ClosedBy::Us)
    );
}

/// Two ends of this library that close at the same time both end cleanly.
#[test]
fn both_ends_close_at_once() {
    run(async { close_both_ends(pair().await).await });
    let over_pipe = async {
        let ends = tungstenite_pair(PIPE_CAPACITY).await;
        close_both_ends(ends).await;
    };
    block_on(timeout(over_pipe));
    let (one, two) = memory_transports(MEMORY_CAPACITY);
    block_on(timeout(close_both_ends((
        WsStream::new(one),
        WsStream::new(two),
    ))));
}

/// The outcome is `Lost` if the transport ends without a reply.
#[test]
fn lost_without_reply() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        peer.send(Frame::binary("half a")).await;
        peer.close_write().await;
        let outcome = ours.close_with(custom_close()).await.unwrap();
        assert_eq!(outcome, CloseOutcome::Lost(LossCause::UnexpectedEof));
        assert_eq!(describe(&mut events), ["error UnexpectedEof", "closed"]);
        assert_eq!(
            ours.close_with(custom_close()).await.unwrap(),
            CloseOutcome::Lost(LossCause::UnexpectedEof)
        );
    });
}

/// The outcome is `Failed` if the peer sends a violation in place of a reply.
#[test]
fn failed_by_violation_after_close() {
    on_transports(
        &FRAMED,
        &short_close_timeout(),
        async |mut ours, mut peer| {
            let mut events = observe(&mut ours).await;
            peer.send(Frame::new(3, "not a frame")).await;
            let outcome = ours.close_with(custom_close()).await.unwrap();
            assert_eq!(outcome, CloseOutcome::Failed(CloseCode::PROTOCOL_ERROR));
            assert_eq!(describe(&mut events), ["error InvalidData", "closed"]);
            assert_eq!(
                peer.expect_close().await,
                4001,
                "no second close frame is sent"
            );
        },
    );
}

/// The outcome is `Failed` if the connection failed before the close.
#[test]
fn failed_by_violation_before_close() {
    on_all_transports(&short_close_timeout(), async |mut ours, mut peer| {
        peer.send(Frame::text("no")).await;
        ours.read(&mut [0; 8]).await.unwrap_err();
        let outcome = ours.close_with(custom_close()).await.unwrap();
        assert_eq!(outcome, CloseOutcome::Failed(CloseCode::UNSUPPORTED_DATA));
    });
}

/// A reason that is too long for a close frame is truncated at a character.
#[test]
fn long_reason_is_truncated() {
    on_all_transports(&short_close_timeout(), async |mut ours, mut peer| {
        // A close frame holds 123 bytes, so 62 characters of two bytes are too long.
        let frame = CloseFrame::new(CloseCode::NORMAL_CLOSURE, "é".repeat(100)).unwrap();
        ours.close_with(frame).await.unwrap();
        assert_eq!(peer.until_close().await.2, "é".repeat(61));
    });
}

/// A close frame cannot be constructed with a code that an endpoint must not send.
#[test]
fn close_frame_needs_sendable_code() {
    let sendable = |code: &u16| CloseFrame::new((*code).into(), "").is_ok();
    let codes: Vec<u16> = (0..=u16::MAX).filter(sendable).collect();
    let expected: Vec<u16> = (1000..=1003)
        .chain(1007..=1014)
        .chain(3000..=4999)
        .collect();
    assert_eq!(codes, expected);
}

/// A close frame of a peer with a code that must not be sent is refused, and the connection stays
/// open.
#[test]
fn unsendable_code_is_refused() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let frame = CloseFrame::from_peer(CloseCode::ABNORMAL_CLOSURE, "");
        let error = ours.close_with(frame).await.unwrap_err();
        assert!(matches!(
            error,
            WsErr::InvalidCloseCode(CloseCode::ABNORMAL_CLOSURE)
        ));
        ours.write_all(b"still here").await.unwrap();
        ours.flush().await.unwrap();
        assert_eq!(peer.receive(10).await.0, b"still here");
    });
}

/// The same of an item stream, which keeps what it has not decoded.
#[test]
fn refused_close_keeps_undecoded_items() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let mut ours = ours.framed(Lines::new(80));
        peer.send(Frame::binary("one\ntwo\n")).await;
        assert_eq!(ours.next().await.unwrap().unwrap(), "one");
        let frame = CloseFrame::from_peer(CloseCode::ABNORMAL_CLOSURE, "");
        let error = ours.close_with(frame).await.unwrap_err();
        assert!(matches!(error, WsErr::InvalidCloseCode(_)), "{error:?}");
        assert_eq!(ours.next().await.unwrap().unwrap(), "two");
        ours.send("still here".to_owned()).await.unwrap();
        peer.expect(Frame::binary("still here\n")).await;
    });
}

/// `close_within` ends after its limit, although `close_timeout` is longer and restarts, and
/// reports `TimedOut` to the caller and to handles. A close that succeeds is not limited.
#[test]
fn close_within_has_a_total_limit() {
    let config = config_without_keepalive().close_timeout(Duration::from_secs(3600));
    on_all_transports(&config, async |mut ours, peer| {
        let handle = ours.handle();
        let limit = Duration::from_millis(20);
        let outcome = ours.close_within(custom_close(), limit).await.unwrap();
        assert_eq!(outcome, CloseOutcome::TimedOut);
        assert_eq!(handle.closed().await, outcome);
        assert_eq!(ours.close_with(custom_close()).await.unwrap(), outcome);
        drop(peer);
    });
    on_all_transports(&config, async |ours, peer| {
        let mut items = ours.framed(Lines::new(80));
        let closing = items.close_within(custom_close(), Duration::from_secs(3600));
        let (outcome, code) = future::join(closing, peer.expect_close_and_reply()).await;
        assert_eq!(code, 4001);
        assert_eq!(outcome.unwrap(), clean(4001, "enough", ClosedBy::Us));
    });
}

/// An outcome says in one line how a connection ended.
#[test]
fn outcomes_are_displayed() {
    let with_reason = clean(4001, "enough", ClosedBy::Us);
    assert_eq!(
        with_reason.to_string(),
        "closed by this endpoint with 4001 (\"enough\")"
    );
    assert!(with_reason.is_clean());
    let lost = CloseOutcome::Lost(LossCause::Io(io::ErrorKind::ConnectionReset));
    assert_eq!(lost.to_string(), "lost: connection reset");
    assert!(!lost.is_clean());
}

/// `close_within` reports written data that it gave up like `close_with`, and closes the transport.
#[test]
fn abandoned_close_reports_loss() {
    on_small_transports(async |mut ours, peer| {
        fill(&mut ours);
        let handle = ours.handle();
        let limit = Duration::from_millis(20);
        let error = ours.close_within(custom_close(), limit).await.unwrap_err();
        assert!(matches!(error, WsErr::Closed), "{error:?}");
        assert_eq!(handle.closed().await, CloseOutcome::TimedOut);
        let again = ours.close_within(custom_close(), limit).await.unwrap();
        assert_eq!(again, CloseOutcome::TimedOut, "the loss is reported once");
        drop(peer);
    });
}
