//! What a handle outlives, and what it needs: a connection that is polled.

use std::pin::pin;

use futures::{AsyncReadExt, FutureExt, SinkExt, StreamExt, future};
use support::{
    Frame, IMMEDIATE, NO_TIMERS, config_without_keepalive, frame::PING, on_all_transports,
    on_transports, pair, poll_until_idle, timeout,
};
use ws_framed::{CloseFrame, CloseOutcome, Lines, LossCause};

use super::drive;

/// A handle belongs to a connection. It works after its stream was converted or split, and after
/// the end.
#[test]
fn outlives_its_streams() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let of_bytes = ours.handle();
        let ours = ours.framed(Lines::new(100));
        let of_items = ours.handle();
        peer.send(Frame::binary("line\n")).await;
        let (mut sink, mut items) = ours.split();
        assert_eq!(items.next().await.unwrap().unwrap(), "line");
        sink.send("hello".to_owned()).await.unwrap();
        let script = async {
            peer.expect(Frame::binary("hello\n")).await;
            for handle in [&of_bytes, &of_items] {
                let reply = async {
                    let ping = peer.next().await.unwrap();
                    assert_eq!(ping.opcode, PING);
                    peer.send(Frame::pong(ping.payload)).await;
                };
                future::join(handle.ping(), reply).await.0.unwrap();
                assert_eq!(handle.stats().bytes_sent, 6);
            }
            assert_eq!(of_bytes.stats(), of_items.stats());
            of_items.close(CloseFrame::normal()).unwrap();
            peer.expect(Frame::close(1000, "")).await;
            peer.send(Frame::close(1000, "")).await;
            of_bytes.closed().await
        };
        let (item, outcome) = future::join(items.next(), script).await;
        assert!(item.is_none());
        assert!(matches!(outcome, CloseOutcome::Clean { .. }));
        drop((sink, items));
        assert_eq!(of_items.closed().await, outcome);
        assert_eq!(of_bytes.stats().bytes_received, 5);
    });
}

/// Every task that waits for the outcome gets it: one that began before the end, and one that
/// begins after it. A task that stops waiting disturbs no other.
#[tokio::test]
async fn all_waiters_get_the_outcome() {
    timeout(async {
        let (server, client) = pair().await;
        let handle = client.handle();
        let waiting: Vec<_> = (0..20)
            .map(|_| {
                let handle = handle.clone();
                tokio::spawn(async move { handle.closed().await })
            })
            .collect();
        tokio::task::yield_now().await;
        waiting[0].abort();
        drop(server);
        drive(client).await.unwrap().unwrap_err();
        for outcome in waiting.into_iter().skip(1) {
            assert_eq!(
                outcome.await.unwrap(),
                CloseOutcome::Lost(LossCause::UnexpectedEof)
            );
        }
        assert_eq!(
            handle.closed().await,
            CloseOutcome::Lost(LossCause::UnexpectedEof)
        );
    })
    .await;
}

/// The outcome of a connection whose item stream is dropped is `Lost`.
/// `events::dropped_stream_emits_closed` holds the same of a byte stream.
#[test]
fn dropped_items_are_lost() {
    on_all_transports(&config_without_keepalive(), async |ours, _peer| {
        let handle = ours.framed(Lines::new(80)).handle();
        assert_eq!(
            handle.closed().await,
            CloseOutcome::Lost(LossCause::Dropped)
        );
    });
}

/// A peer that sends data without pause delays neither a ping nor a close of a handle.
#[test]
fn busy_peer_delays_no_request() {
    on_transports(
        &IMMEDIATE,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            let handle = ours.handle();
            for _ in 0..8 {
                peer.send(Frame::binary("data")).await;
            }
            let mut buf = [0; 4];
            let mut ping = pin!(handle.ping());
            assert!(poll_until_idle(ping.as_mut()).is_pending());
            // There is always something to read, so none of these reads waits.
            ours.read_exact(&mut buf).await.unwrap();
            assert_eq!(peer.next().await.unwrap().opcode, PING);
            handle.close(CloseFrame::normal()).unwrap();
            ours.read_exact(&mut buf).await.unwrap();
            peer.expect(Frame::close(1000, "")).await;
        },
    );
}

/// A close of a handle does nothing on a connection that no task polls.
#[test]
fn unpolled_connection_sends_nothing() {
    on_transports(
        &NO_TIMERS,
        &config_without_keepalive(),
        async |ours, mut peer| {
            let handle = ours.handle();
            handle.close(CloseFrame::normal()).unwrap();
            assert!(poll_until_idle(pin!(handle.closed())).is_pending());
            assert!(peer.next().now_or_never().is_none());
            drop(ours);
            assert_eq!(
                handle.closed().await,
                CloseOutcome::Lost(LossCause::Dropped)
            );
        },
    );
}
