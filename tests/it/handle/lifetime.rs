//! What a handle needs: no runtime and no particular view, but a connection that is polled.

use std::{pin::pin, time::Duration};

use futures::{AsyncReadExt, FutureExt, SinkExt, StreamExt, future};
use support::{
    Frame, IMMEDIATE, NO_TIMERS, config_without_keepalive, frame::PING, on_all_transports,
    on_transports, pair, poll_until_idle, timeout, tungstenite_pair_with,
};
use ws_framed::{CloseFrame, CloseOutcome, ClosedBy, Lines, WsErr};

use super::drive;

/// A handle is of one link, whatever view it was taken from and whatever becomes of that view.
#[tokio::test]
async fn a_handle_outlives_the_views() {
    timeout(async {
        let (server, client) = pair().await;
        let first = client.handle();
        let client = client.framed(Lines::new(80));
        let second = client.handle();
        let (mut sender, receiver) = client.split();
        let _server = drive(server);
        let reader = tokio::spawn(receiver.map(Result::unwrap).collect::<Vec<_>>());
        sender.send("hello".to_owned()).await.unwrap();
        for handle in [&first, &second] {
            handle.ping().await.unwrap();
            assert_eq!(handle.stats().bytes_sent, 6);
        }
        assert_eq!(first.stats(), second.stats());
        second.close(CloseFrame::normal()).unwrap();
        assert!(matches!(first.closed().await, CloseOutcome::Clean { .. }));
        assert!(reader.await.unwrap().is_empty());
    })
    .await;
}

/// None of it needs a runtime: the timers have a thread of their own.
#[test]
fn a_handle_works_without_a_runtime() {
    futures::executor::block_on(timeout(async {
        let config = config_without_keepalive().ping_timeout(Duration::from_millis(20));
        let (mut server, mut client) = tungstenite_pair_with(1000, config.clone(), config).await;
        let handle = client.handle();
        assert!(matches!(handle.ping().await, Err(WsErr::TimedOut(_))));
        let talk = async {
            handle.ping().await.unwrap();
            handle.close(CloseFrame::normal()).unwrap();
            handle.closed().await
        };
        let (outcome, at_server, at_client) =
            future::join3(talk, server.read(&mut [0]), client.read(&mut [0])).await;
        assert!(matches!(
            outcome,
            CloseOutcome::Clean {
                by: ClosedBy::Us,
                ..
            }
        ));
        assert_eq!((at_server.unwrap(), at_client.unwrap()), (0, 0));
    }));
}

#[test]
fn a_peer_that_sends_without_pause_keeps_no_ping_and_no_close_back() {
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

#[test]
fn a_handle_outlives_the_change_of_views() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let handle = ours.handle();
        let framed = ours.framed(Lines::new(100));
        peer.send(Frame::binary("line\n")).await;
        let (sink, mut items) = framed.split::<String>();
        assert_eq!(items.next().await.unwrap().unwrap(), "line");
        let script = async {
            handle.close(CloseFrame::normal()).unwrap();
            peer.expect(Frame::close(1000, "")).await;
            peer.send(Frame::close(1000, "")).await;
            handle.closed().await
        };
        let (item, outcome) = future::join(items.next(), script).await;
        assert!(item.is_none());
        assert!(matches!(outcome, CloseOutcome::Clean { .. }));
        drop((sink, items));
        assert_eq!(handle.closed().await, outcome);
        assert_eq!(handle.stats().bytes_received, 5);
    });
}

#[test]
fn nothing_happens_on_a_link_that_nobody_polls() {
    on_transports(
        &NO_TIMERS,
        &config_without_keepalive(),
        async |ours, mut peer| {
            let handle = ours.handle();
            handle.close(CloseFrame::normal()).unwrap();
            assert!(poll_until_idle(pin!(handle.closed())).is_pending());
            assert!(peer.next().now_or_never().is_none());
            drop(ours);
            assert_eq!(handle.closed().await, CloseOutcome::Lost);
        },
    );
}
