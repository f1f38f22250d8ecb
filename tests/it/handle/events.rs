//! Observers: what happens on a link besides its data, in a queue that never holds it up.

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use support::{
    FRAMED, Frame, IMMEDIATE, config_without_keepalive, describe, observe, on_all_transports,
    on_transports, read_to_end,
};
use ws_framed::{
    CloseOutcome, TextPolicy, WsEvent,
    pharos::{Channel, Filter, Observable, ObserveConfig},
};

#[test]
fn closed_is_the_last_event_and_comes_once() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        peer.send(Frame::ping("1")).await;
        peer.send(Frame::close(1000, "")).await;
        read_to_end(&mut ours).await.1.unwrap();
        ours.close().await.unwrap();
        drop(ours);
        assert_eq!(describe(&mut events), ["ping 1", "close 1000", "closed"]);
        assert!(events.next().await.is_none());
    });
}

#[test]
fn a_view_that_is_dropped_closes_too() {
    on_all_transports(&config_without_keepalive(), async |mut ours, _peer| {
        let mut events = observe(&mut ours).await;
        let handle = ours.handle();
        let waiting = handle.closed();
        drop(ours);
        assert_eq!(waiting.await, CloseOutcome::Lost);
        assert_eq!(describe(&mut events), ["closed"]);
        assert!(events.next().await.is_none());
    });
}

#[test]
fn who_observes_after_the_end_learns_that_it_is_over() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let mut handle = ours.handle();
        peer.send(Frame::close(1000, "")).await;
        read_to_end(&mut ours).await.1.unwrap();
        assert_eq!(describe(&mut observe(&mut ours).await), ["closed"]);
        drop(ours);
        assert_eq!(describe(&mut observe(&mut handle).await), ["closed"]);
    });
}

#[test]
fn a_slow_observer_stalls_nobody_and_learns_what_it_missed() {
    on_transports(
        &FRAMED[..4],
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            // Asks for what cannot be had: a queue without bounds.
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

#[test]
fn texts_that_nobody_takes_are_bounded_in_bytes() {
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

#[test]
fn an_observer_with_a_filter_gets_what_it_asked_for() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let only_pongs = Filter::Pointer(|event| matches!(event, WsEvent::Pong(_)));
        let mut handle = ours.handle();
        let mut events = handle.observe(only_pongs.into()).await.unwrap();
        let mut ours = ours;
        peer.send(Frame::ping("")).await;
        peer.send(Frame::pong("yes")).await;
        peer.send(Frame::close(1000, "")).await;
        read_to_end(&mut ours).await.1.unwrap();
        assert_eq!(describe(&mut events), ["pong yes"]);
    });
}
