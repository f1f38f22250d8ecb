//! Closing by a handle, and waiting for the end.

use std::pin::pin;

use futures::{AsyncReadExt, AsyncWriteExt, future};
use support::{
    Frame, NO_TIMERS, Role, Setup, config_without_keepalive, on_all_transports, on_transports,
    pair, poll_until_idle, read_to_end, timeout,
};
use ws_framed::{CloseCode, CloseFrame, CloseOutcome, ClosedBy, Lines, WsErr};

use super::drive;

fn frame(code: u16, reason: &str) -> CloseFrame {
    CloseFrame::new(CloseCode::from(code), reason).unwrap()
}

#[tokio::test]
async fn a_handle_closes_the_link() {
    timeout(async {
        let (server, client) = pair().await;
        let (us, peer) = (client.handle(), server.handle());
        let (server, client) = (drive(server), drive(client));
        us.close(frame(4001, "session expired")).unwrap();
        // The first close counts.
        us.close(frame(4002, "too late")).unwrap();
        let outcome = us.closed().await;
        let CloseOutcome::Clean { code, reason, by } = outcome else {
            panic!("{outcome:?}");
        };
        // The peer answers with the frame that it got.
        assert_eq!(
            (u16::from(code), reason.as_str(), by),
            (4001, "session expired", ClosedBy::Us)
        );
        assert_eq!(
            peer.closed().await,
            CloseOutcome::Clean {
                code: CloseCode::from(4001),
                reason: "session expired".to_owned(),
                by: ClosedBy::Peer,
            }
        );
        assert_eq!(client.await.unwrap().unwrap(), 0);
        assert_eq!(server.await.unwrap().unwrap(), 0);
        // After the end it makes no difference, and is no error.
        us.close(CloseFrame::normal()).unwrap();
    })
    .await;
}

/// What was written before goes out before the close frame.
#[tokio::test]
async fn a_close_of_the_handle_flushes() {
    timeout(async {
        let (mut server, mut client) = pair().await;
        client.write_all(b"the last word").await.unwrap();
        client.handle().close(CloseFrame::normal()).unwrap();
        let mut got = String::new();
        let (read, end) =
            future::join(server.read_to_string(&mut got), client.read(&mut [0])).await;
        read.unwrap();
        assert_eq!(end.unwrap(), 0);
        assert_eq!(got, "the last word");
        let error = client.write(b"more").await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    })
    .await;
}

#[tokio::test]
async fn a_code_that_only_a_peer_may_use_is_refused() {
    timeout(async {
        let (_server, client) = pair().await;
        let from_peer = CloseFrame::from_peer(CloseCode::ABNORMAL, "");
        let error = client.handle().close(from_peer).unwrap_err();
        assert!(
            matches!(error, WsErr::InvalidCloseCode(CloseCode::ABNORMAL)),
            "{error:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn everybody_who_waits_for_the_end_learns_it() {
    timeout(async {
        let (server, client) = pair().await;
        let handle = client.handle();
        let waiting: Vec<_> = (0..20)
            .map(|_| {
                let handle = handle.clone();
                tokio::spawn(async move { handle.closed().await })
            })
            .collect();
        // Some have begun to wait, and one of those has given up.
        tokio::task::yield_now().await;
        waiting[0].abort();
        drop(server);
        drive(client).await.unwrap().unwrap_err();
        for outcome in waiting.into_iter().skip(1) {
            assert_eq!(outcome.await.unwrap(), CloseOutcome::Lost);
        }
        // So does who comes late.
        assert_eq!(handle.closed().await, CloseOutcome::Lost);
    })
    .await;
}

#[tokio::test]
async fn a_view_that_is_dropped_is_lost() {
    timeout(async {
        let (_server, client) = pair().await;
        let handle = client.framed(Lines::new(80)).handle();
        assert_eq!(handle.closed().await, CloseOutcome::Lost);
    })
    .await;
}

#[test]
fn a_handle_closes_the_link_under_a_reader() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let handle = ours.handle();
        ours.write_all(b"the last").await.unwrap();
        let frame = CloseFrame::new(CloseCode::from(4001), "from afar").unwrap();
        let script = async {
            handle.close(frame).unwrap();
            handle.close(CloseFrame::normal()).unwrap();
            let (data, code, reason) = peer.until_close().await;
            assert_eq!((data.as_slice(), code), (&b"the last"[..], 4001));
            assert_eq!(reason, "from afar");
            peer.send(Frame::close(1000, "")).await;
            handle.closed().await
        };
        let ((_, end), outcome) = future::join(read_to_end(&mut ours), script).await;
        end.unwrap();
        assert!(matches!(
            outcome,
            CloseOutcome::Clean {
                by: ClosedBy::Us,
                ..
            }
        ));
        peer.expect_end().await;
    });
}

#[test]
fn a_handle_closes_from_another_task() {
    let places = [Setup::Tcp(Role::Server), Setup::Tcp(Role::Client)];
    on_transports(
        &places,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            let handle = ours.handle();
            let reading = tokio::spawn(async move { read_to_end(&mut ours).await.1 });
            let ping = tokio::spawn({
                let handle = handle.clone();
                async move { handle.ping().await }
            });
            let frame = peer.next().await.unwrap();
            peer.send(Frame::pong(frame.payload)).await;
            ping.await.unwrap().unwrap();
            handle.close(CloseFrame::normal()).unwrap();
            peer.expect(Frame::close(1000, "")).await;
            peer.send(Frame::close(1000, "")).await;
            reading.await.unwrap().unwrap();
            assert!(matches!(handle.closed().await, CloseOutcome::Clean { .. }));
        },
    );
}

#[test]
fn a_handle_refuses_a_code_that_may_not_be_sent() {
    on_all_transports(&config_without_keepalive(), async |ours, _peer| {
        let frame = CloseFrame::from_peer(CloseCode::NO_STATUS, "");
        let error = ours.handle().close(frame).unwrap_err();
        assert!(matches!(
            error,
            WsErr::InvalidCloseCode(CloseCode::NO_STATUS)
        ));
    });
}

#[test]
fn a_handle_wakes_a_link_that_waits() {
    on_transports(
        &NO_TIMERS,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            let handle = ours.handle();
            let mut buf = [0; 8];
            let mut read = pin!(ours.read(&mut buf));
            assert!(poll_until_idle(read.as_mut()).is_pending());
            handle.close(CloseFrame::normal()).unwrap();
            // Driven by an executor that polls only what was woken.
            let closing = async {
                peer.expect(Frame::close(1000, "")).await;
                peer.send(Frame::close(1000, "")).await;
            };
            let (read, ()) = future::join(read, closing).await;
            assert_eq!(read.unwrap(), 0);
        },
    );
}
