//! Slow observers: they delay neither the connection nor each other, and are informed of their
//! losses.

use futures::{AsyncReadExt, FutureExt, StreamExt};
use support::{
    FRAMED, Frame, IMMEDIATE, config_without_keepalive, describe, observe, on_transports, pair,
    timeout,
};
use ws_framed::{
    CloseFrame, TextPolicy, WsEvent, WsHandle,
    pharos::{Channel, Observable, ObserveConfig},
};

use super::drive;

/// An observer that takes nothing keeps the first events, bounded even if it asks for an unbounded
/// queue. `Lagged` then carries the number of events that it missed. Another observer gets all
/// events meanwhile.
#[test]
fn slow_observer_delays_no_other() {
    on_transports(
        &FRAMED[..4],
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            let unbounded = ObserveConfig::default().channel(Channel::Unbounded);
            let mut slow = ours.observe(unbounded).await.unwrap();
            let mut fast = observe(&mut ours).await;
            let mut seen = Vec::new();
            for round in 0..10 {
                for n in 0..100 {
                    peer.send(Frame::pong(format!("{round}{n:02}"))).await;
                }
                peer.send(Frame::binary("x")).await;
                ours.read_exact(&mut [0]).await.unwrap();
                seen.extend(describe(&mut fast));
            }
            let all: Vec<_> = (0..1000).map(|n| format!("pong {n:03}")).collect();
            assert_eq!(seen, all);
            let held = describe(&mut slow);
            assert!(held.len() < 200, "{} events are kept", held.len());
            assert_eq!(held, all[..held.len()]);
            peer.send(Frame::pong("last")).await;
            peer.send(Frame::binary("x")).await;
            ours.read_exact(&mut [0]).await.unwrap();
            let lagged = format!("lagged {}", 1000 - held.len());
            assert_eq!(describe(&mut slow), [lagged.as_str(), "pong last"]);
        },
    );
}

/// An observer with a full queue gets `Closed` if it drains the queue before the stream is dropped.
/// The events that it got and those that it missed are all that there were.
#[tokio::test]
async fn full_queue_still_gets_closed() {
    const PINGS: u64 = 400;
    timeout(async {
        let (server, client) = pair().await;
        let mut handle: WsHandle = client.handle();
        let mut slow = handle.observe(Channel::Bounded(1).into()).await.unwrap();
        let mut fast = observe(&mut handle).await;
        let peer = server.handle();
        let _server = drive(server);
        let (mut reader, writer) = client.split();
        let reading = tokio::spawn(async move {
            let end = reader.read(&mut [0]).await;
            (reader, end)
        });
        for _ in 0..PINGS {
            peer.ping().await.unwrap();
            assert!(matches!(fast.next().await, Some(WsEvent::Ping(_))));
        }
        handle.close(CloseFrame::normal()).unwrap();
        let (reader, end) = reading.await.unwrap();
        assert_eq!(end.unwrap(), 0);
        assert_eq!(describe(&mut fast), ["close 1000", "closed"]);
        assert!(fast.next().await.is_none());

        let mut seen = 0;
        let mut missed = 0;
        while let Some(Some(event)) = slow.next().now_or_never() {
            match event {
                WsEvent::Lagged(count) => missed += count,
                _ => seen += 1,
            }
        }
        assert!(seen >= 1, "its queue had room");
        // Now there is room again.
        drop((reader, writer));
        while let Some(event) = slow.next().await {
            match event {
                WsEvent::Lagged(count) => missed += count,
                WsEvent::Closed => assert_eq!(seen + missed, PINGS + 1),
                other => panic!("{other:?} after the end"),
            }
        }
        assert!(missed > 0);
    })
    .await;
}

/// The texts in the queue of an observer that takes nothing are bounded in bytes.
#[test]
fn queued_texts_are_bounded() {
    let config = config_without_keepalive().text(TextPolicy::Event);
    on_transports(&IMMEDIATE, &config, async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        for _ in 0..30 {
            peer.send(Frame::text("x".repeat(40_000))).await;
            peer.send(Frame::binary("x")).await;
            ours.read_exact(&mut [0]).await.unwrap();
        }
        let held: usize = describe(&mut events).iter().map(String::len).sum();
        assert!(held < 400_000, "{held} bytes of text are kept");
    });
}
