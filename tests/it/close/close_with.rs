//! `close_with`: a close as a value, that tells how it ended.

use std::{io, pin::pin, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt, executor::block_on, future};
use support::{
    FRAMED, Frame, MEMORY_CAPACITY, NO_TIMERS, PIPE_CAPACITY, Role, Setup,
    config_without_keepalive, describe, memory_transports, observe, on_all_transports,
    on_transports, pair, poll_until_idle, run, timeout, tungstenite_pair,
};
use ws_framed::{
    CloseCode, CloseFrame, CloseOutcome, ClosedBy, Config, MessageTransport, WsErr, WsStream,
};

fn clean(code: u16, reason: &str, by: ClosedBy) -> CloseOutcome {
    CloseOutcome::Clean {
        code: code.into(),
        reason: reason.to_owned(),
        by,
    }
}

fn goodbye() -> CloseFrame {
    CloseFrame::new(CloseCode::from(4001), "enough").unwrap()
}

fn impatient() -> Config {
    config_without_keepalive().close_timeout(Duration::from_millis(100))
}

#[test]
fn clean_by_us_with_what_the_peer_answers() {
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
            // Hangs up: the end of the transport is waited for.
            drop(peer);
        };
        let (outcome, ()) = future::join(ours.close_with(goodbye()), script).await;
        let outcome = outcome.unwrap();
        assert_eq!(outcome, clean(4002, "likewise", ClosedBy::Us));
        assert_eq!(handle.closed().await, outcome);
        assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
        let again = ours.close_with(CloseFrame::normal()).await.unwrap();
        assert_eq!(again, outcome);
        ours.close().await.unwrap();
    });
}

#[test]
fn clean_by_peer_if_its_close_was_read_first() {
    on_all_transports(&impatient(), async |mut ours, mut peer| {
        peer.send(Frame::close(1001, "restart")).await;
        assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
        let outcome = ours.close_with(goodbye()).await.unwrap();
        assert_eq!(outcome, clean(1001, "restart", ClosedBy::Peer));
        // The answer, not the close frame of a link that has ended.
        assert_eq!(peer.expect_close().await, 1001);
    });
}

#[test]
fn closes_that_cross_are_clean_by_us() {
    on_all_transports(&impatient(), async |mut ours, mut peer| {
        peer.send(Frame::close(4321, "me first")).await;
        ours.close().await.unwrap();
        let outcome = ours.close_with(goodbye()).await.unwrap();
        assert_eq!(outcome, clean(4321, "me first", ClosedBy::Us));
        // One close frame of ours stands for both.
        assert_eq!(peer.expect_close().await, 1000);
    });
}

async fn cross<M: MessageTransport>((mut one, mut two): (WsStream<M>, WsStream<M>)) {
    one.write_all(b"on its way").await.unwrap();
    one.flush().await.unwrap();
    let frame = |code: u16| CloseFrame::new(code.into(), "").unwrap();
    let (first, second) =
        future::join(one.close_with(frame(4001)), two.close_with(frame(4002))).await;
    assert_eq!(first.unwrap(), clean(4002, "", ClosedBy::Us));
    assert_eq!(second.unwrap(), clean(4001, "", ClosedBy::Us));
}

#[test]
fn two_links_that_close_at_once_both_end_cleanly() {
    run(async { cross(pair().await).await });
    let over_pipe = async {
        let engines = tungstenite_pair(PIPE_CAPACITY).await;
        cross(engines).await;
    };
    block_on(timeout(over_pipe));
    let (one, two) = memory_transports(MEMORY_CAPACITY);
    block_on(timeout(cross((WsStream::new(one), WsStream::new(two)))));
}

#[test]
fn timed_out_if_the_peer_never_answers() {
    on_all_transports(&impatient(), async |mut ours, peer| {
        let mut events = observe(&mut ours).await;
        let outcome = ours.close_with(goodbye()).await.unwrap();
        assert_eq!(outcome, CloseOutcome::TimedOut);
        assert_eq!(describe(&mut events), ["error TimedOut", "closed"]);
        assert_eq!(
            ours.read(&mut [0; 8]).await.unwrap(),
            0,
            "it was told already"
        );
        drop(ours);
        assert_eq!(peer.expect_close().await, 4001);
    });
}

#[test]
fn a_peer_that_only_sends_data_cannot_put_the_end_off() {
    on_transports(&FRAMED, &impatient(), async |mut ours, mut peer| {
        let chatter = async {
            loop {
                peer.send(Frame::binary("and another thing")).await;
                // The connection may break while it talks on.
                tokio::task::yield_now().await;
            }
        };
        let closing = pin!(ours.close_with(goodbye()));
        match future::select(closing, pin!(chatter)).await {
            future::Either::Left((outcome, _)) => {
                assert_eq!(outcome.unwrap(), CloseOutcome::TimedOut);
            }
            future::Either::Right((never, _)) => never,
        }
    });
}

#[test]
fn a_server_that_never_hangs_up_does_not_keep_a_client() {
    let places = [
        Setup::Tcp(Role::Client),
        Setup::Pipe(Role::Client),
        Setup::Memory,
    ];
    on_transports(&places, &impatient(), async |mut ours, mut peer| {
        peer.send(Frame::close(1000, "")).await;
        let outcome = ours.close_with(goodbye()).await.unwrap();
        assert_eq!(outcome, clean(1000, "", ClosedBy::Us));
        drop(peer);
    });
}

#[test]
fn lost_if_the_connection_ends_without_an_answer() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        peer.send(Frame::binary("half a")).await;
        peer.close_write().await;
        let outcome = ours.close_with(goodbye()).await.unwrap();
        assert_eq!(outcome, CloseOutcome::Lost);
        assert_eq!(describe(&mut events), ["error UnexpectedEof", "closed"]);
        assert_eq!(
            ours.close_with(goodbye()).await.unwrap(),
            CloseOutcome::Lost
        );
    });
}

#[test]
fn failed_if_the_peer_answers_with_a_violation() {
    on_transports(&FRAMED, &impatient(), async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        peer.send(Frame::new(3, "not a frame")).await;
        let outcome = ours.close_with(goodbye()).await.unwrap();
        assert_eq!(outcome, CloseOutcome::Failed);
        assert_eq!(describe(&mut events), ["error InvalidData", "closed"]);
        assert_eq!(
            peer.expect_close().await,
            4001,
            "one close frame is all there is"
        );
    });
}

#[test]
fn failed_if_the_link_failed_before() {
    on_all_transports(&impatient(), async |mut ours, mut peer| {
        peer.send(Frame::text("no")).await;
        ours.read(&mut [0; 8]).await.unwrap_err();
        let outcome = ours.close_with(goodbye()).await.unwrap();
        assert_eq!(outcome, CloseOutcome::Failed);
    });
}

#[test]
fn unsent_bytes_are_a_broken_pipe_and_the_outcome_is_still_to_be_had() {
    on_transports(&NO_TIMERS, &impatient(), async |mut ours, peer| {
        let full = pin!(async { while ours.write(&[0; 4096]).await.is_ok() {} });
        assert!(poll_until_idle(full).is_pending());
        let error = ours.close_with(goodbye()).await.unwrap_err();
        assert!(matches!(error, WsErr::Closed), "{error:?}");
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::BrokenPipe);
        let outcome = ours.close_with(goodbye()).await.unwrap();
        assert_eq!(outcome, CloseOutcome::TimedOut);
        drop(peer);
    });
}

#[test]
fn a_close_with_that_is_dropped_can_be_called_again() {
    on_transports(
        &NO_TIMERS,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            assert!(poll_until_idle(pin!(ours.close_with(goodbye()))).is_pending());
            assert_eq!(peer.until_close().await.1, 4001);
            assert!(poll_until_idle(pin!(ours.close_with(CloseFrame::normal()))).is_pending());
            peer.send(Frame::close(1000, "")).await;
            peer.close_write().await;
            let outcome = ours.close_with(CloseFrame::normal()).await.unwrap();
            assert_eq!(outcome, clean(1000, "", ClosedBy::Us));
            peer.expect_end().await;
        },
    );
}

#[test]
fn a_reason_is_cut_at_a_character_to_what_a_close_frame_holds() {
    on_all_transports(&impatient(), async |mut ours, mut peer| {
        // 62 times two bytes would be one too many.
        let frame = CloseFrame::new(CloseCode::NORMAL, "é".repeat(100)).unwrap();
        ours.close_with(frame).await.unwrap();
        assert_eq!(peer.until_close().await.2, "é".repeat(61));
    });
}

#[test]
fn a_close_frame_cannot_be_made_with_a_code_that_may_not_be_sent() {
    let sendable = |code: &u16| CloseFrame::new((*code).into(), "").is_ok();
    let codes: Vec<u16> = (0..=u16::MAX).filter(sendable).collect();
    let expected: Vec<u16> = (1000..=1003)
        .chain(1007..=1014)
        .chain(3000..=4999)
        .collect();
    assert_eq!(codes, expected);
}

#[test]
fn a_close_frame_that_only_a_peer_may_send_is_refused_and_the_link_stays_open() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let frame = CloseFrame::from_peer(CloseCode::ABNORMAL, "");
        let error = ours.close_with(frame).await.unwrap_err();
        assert!(matches!(
            error,
            WsErr::InvalidCloseCode(CloseCode::ABNORMAL)
        ));
        ours.write_all(b"still here").await.unwrap();
        ours.flush().await.unwrap();
        assert_eq!(peer.receive(10).await.0, b"still here");
    });
}
