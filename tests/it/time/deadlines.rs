//! Nothing waits for ever for a peer, over real sockets: closing, being kept alive, writing.

use std::{io::ErrorKind, time::Duration};

use async_tungstenite::tokio::TokioAdapter;
use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, future};
use support::{
    Frame, Peer, ROLES, RawPeer, Role, Setup, describe,
    flood::{endless_peer, small_tcp},
    frame::PING,
    handshake::open,
    observe, on_transports, read_to_end, run, ws_error,
};
use ws_framed::{CloseFrame, CloseOutcome, ClosedBy, Config, Keepalive, WsErr, WsStream};

const SOCKETS: [Setup; 2] = [Setup::Tcp(Role::Server), Setup::Tcp(Role::Client)];

const SOON: Duration = Duration::from_millis(150);

/// Nothing but the deadline of a close can end a wait.
fn closing_soon() -> Config {
    Config::default().close_timeout(SOON).keepalive(None)
}

/// Nothing but keepalive can end a wait.
fn watched() -> Config {
    let keepalive = Keepalive::default().interval(SOON).timeout(SOON);
    Config::default()
        .close_timeout(Duration::from_secs(600))
        .keepalive(keepalive)
}

#[test]
fn close_with_does_not_wait_for_ever_for_an_answer() {
    on_transports(&SOCKETS, &closing_soon(), async |mut ours, mut peer| {
        let outcome = ours.close_with(CloseFrame::normal()).await.unwrap();
        assert_eq!(outcome, CloseOutcome::TimedOut);
        peer.expect(Frame::close(1000, "")).await;
        peer.expect_end().await;
    });
}

#[test]
fn close_with_does_not_wait_for_ever_for_the_end_of_tcp() {
    on_transports(&SOCKETS, &closing_soon(), async |mut ours, mut peer| {
        let script = async {
            peer.expect(Frame::close(1000, "")).await;
            peer.send(Frame::close(1000, "")).await;
            peer.expect_end().await;
        };
        let (outcome, ()) = future::join(ours.close_with(CloseFrame::normal()), script).await;
        let outcome = outcome.unwrap();
        assert!(
            matches!(
                outcome,
                CloseOutcome::Clean {
                    by: ClosedBy::Us,
                    ..
                }
            ),
            "{outcome:?}"
        );
    });
}

#[test]
fn a_read_after_a_close_does_not_wait_for_ever() {
    on_transports(&SOCKETS, &closing_soon(), async |mut ours, mut peer| {
        ours.close().await.unwrap();
        let (data, end) = read_to_end(&mut ours).await;
        assert!(data.is_empty());
        assert_eq!(end.unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(ours.handle().closed().await, CloseOutcome::TimedOut);
        peer.expect(Frame::close(1000, "")).await;
        peer.expect_end().await;
    });
}

#[test]
fn a_close_by_a_handle_does_not_wait_for_ever() {
    on_transports(&SOCKETS, &closing_soon(), async |mut ours, mut peer| {
        let handle = ours.handle();
        handle.close(CloseFrame::normal()).unwrap();
        let ((_, end), outcome) = future::join(read_to_end(&mut ours), handle.closed()).await;
        assert_eq!(end.unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(outcome, CloseOutcome::TimedOut);
        peer.expect(Frame::close(1000, "")).await;
        peer.expect_end().await;
    });
}

/// The peer goes on sending after our close, without end.
#[test]
fn a_close_ends_in_time_under_a_flood() {
    for role in ROLES {
        for frame in [Frame::binary([7; 1000]), Frame::ping([]), Frame::binary([])] {
            run(async {
                let (mut ours, _) =
                    endless_peer(role, closing_soon(), &[], &[frame], usize::MAX).await;
                let outcome = ours.close_with(CloseFrame::normal()).await.unwrap();
                assert_eq!(outcome, CloseOutcome::TimedOut);
            });
        }
    }
}

/// Whoever broke a rule is describe, and given this long to hang up.
#[test]
fn the_error_of_a_violation_does_not_wait_for_ever() {
    on_transports(&SOCKETS, &closing_soon(), async |mut ours, mut peer| {
        peer.send(Frame::new(3, "bad")).await;
        let (_, end) = read_to_end(&mut ours).await;
        assert_eq!(end.unwrap_err().kind(), ErrorKind::InvalidData);
        let (_, code, _) = peer.until_close().await;
        assert_eq!(code, 1002);
    });
}

/// A peer that does not read, and our end, with all buffers between them full.
async fn stuffed(role: Role, config: Config) -> (WsStream, RawPeer) {
    let (ours, theirs) = small_tcp().await;
    let theirs = RawPeer::handshake(TokioAdapter::new(theirs), role.other());
    // Far more than the socket holds.
    let config = config.max_send_message_len(512 * 1024);
    let (ours, theirs) = future::join(open(role, config, ours), theirs).await;
    let mut ours = ours.unwrap();
    // A write that waits leaves a whole message unsent.
    while let Some(written) = ours.write(&[0; 8 * 1024]).now_or_never() {
        written.unwrap();
    }
    (ours, theirs)
}

#[test]
fn a_close_does_not_wait_for_ever_for_a_peer_that_does_not_take_it() {
    for role in ROLES {
        run(async {
            let (mut ours, _peer) = stuffed(role, closing_soon()).await;
            let error = ours.close().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert_eq!(ours.handle().closed().await, CloseOutcome::TimedOut);
            // Once told is enough.
            ours.close().await.unwrap();
        });
        run(async {
            let (mut ours, _peer) = stuffed(role, closing_soon()).await;
            let handle = ours.handle();
            // What was written is lost, and `close_with` says so.
            let error = ours.close_with(CloseFrame::normal()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);
            assert_eq!(handle.closed().await, CloseOutcome::TimedOut);
        });
        run(async {
            let (mut ours, _peer) = stuffed(role, closing_soon()).await;
            ours.handle().close(CloseFrame::normal()).unwrap();
            let error = ours.flush().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
        });
    }
}

/// The peer closes, and does not take our answer.
#[test]
fn an_answer_that_is_not_taken_does_not_keep_the_link() {
    for role in ROLES {
        run(async {
            let (mut ours, mut peer) = stuffed(role, closing_soon()).await;
            peer.send(&Frame::close(1000, "")).await;
            let (_, end) = read_to_end(&mut ours).await;
            assert_eq!(end.unwrap_err().kind(), ErrorKind::TimedOut);
            assert_eq!(ours.handle().closed().await, CloseOutcome::TimedOut);
        });
    }
}

#[test]
fn a_silent_peer_is_pinged_and_given_up() {
    on_transports(&SOCKETS, &watched(), async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        let handle = ours.handle();
        let (data, end) = read_to_end(&mut ours).await;
        assert!(data.is_empty());
        let end = end.unwrap_err();
        assert_eq!(end.kind(), ErrorKind::TimedOut);
        assert!(matches!(ws_error(&end), WsErr::TimedOut(_)));
        assert_eq!(handle.closed().await, CloseOutcome::TimedOut);
        assert_eq!(describe(&mut events), ["error TimedOut", "closed"]);
        assert_eq!(
            ours.write(b"?").await.unwrap_err().kind(),
            ErrorKind::BrokenPipe
        );
        // The transport is shut although our end is still there.
        assert_eq!(peer.next().await.unwrap().opcode, PING);
        peer.expect_end().await;
        drop(ours);
    });
}

#[test]
fn a_peer_that_answers_pings_is_kept() {
    on_transports(&SOCKETS, &watched(), async |mut ours, mut peer| {
        let script = async {
            for _ in 0..4 {
                let ping = peer.next().await.unwrap();
                assert_eq!(ping.opcode, PING);
                peer.send(Frame::pong(ping.payload)).await;
            }
            peer.send(Frame::binary("still here")).await;
        };
        let mut buf = [0; 10];
        let (read, ()) = future::join(ours.read_exact(&mut buf), script).await;
        read.unwrap();
        assert_eq!(&buf, b"still here");
    });
}

#[test]
fn a_peer_that_takes_nothing_is_given_up_by_whoever_writes() {
    for role in ROLES {
        run(async {
            let (mut ours, _peer) = stuffed(role, watched()).await;
            let error = ours.flush().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert_eq!(ours.handle().closed().await, CloseOutcome::TimedOut);
        });
        run(async {
            let (mut ours, _peer) = stuffed(role, watched()).await;
            let error = async {
                loop {
                    if let Err(error) = ours.write_all(&[0; 1000]).await {
                        break error;
                    }
                }
            };
            assert_eq!(error.await.kind(), ErrorKind::TimedOut);
        });
    }
}

#[test]
fn a_ping_does_not_wait_for_ever() {
    let config = Config::default().ping_timeout(SOON);
    on_transports(&SOCKETS, &config, async |mut ours, peer: Peer| {
        let handle = ours.handle();
        let mut buf = [0; 1];
        let (pinged, reading) =
            match future::select(Box::pin(handle.ping()), ours.read(&mut buf)).await {
                future::Either::Left(done) => done,
                future::Either::Right(_) => panic!("nothing came"),
            };
        assert_eq!(pinged.unwrap_err().kind(), ErrorKind::TimedOut);
        drop((reading, peer));
    });
}

#[test]
fn a_message_that_never_ends_is_given_up_where_there_is_a_limit() {
    let config = Config::default().message_timeout(SOON);
    on_transports(&SOCKETS, &config, async |mut ours, mut peer| {
        peer.send(Frame::binary("before")).await;
        let mut before = [0; 6];
        ours.read_exact(&mut before).await.unwrap();
        peer.send(Frame::binary("begun").unfinished()).await;
        let (data, end) = read_to_end(&mut ours).await;
        assert!(data.is_empty());
        assert_eq!(end.unwrap_err().kind(), ErrorKind::TimedOut);
        peer.expect_end().await;
    });
}
