//! Events: every observer gets all of them, in order, and `Closed` last.

use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt, future::join};
use support::{
    Frame, config_without_keepalive, describe, observe, on_all_transports, pair, read_to_end,
    timeout,
};
use ws_framed::{
    CloseCode, CloseFrame, CloseOutcome, LengthDelimited, LossCause, WsEvent,
    pharos::{Channel, Events, Filter, Observable, ObserveConfig},
};

use super::drive;

/// The kinds of all events up to the end.
async fn kinds(events: Events<WsEvent>) -> Vec<&'static str> {
    let kind = |event| match event {
        WsEvent::Ping(_) => "ping",
        WsEvent::Pong(_) => "pong",
        WsEvent::CloseFrame(_) => "close frame",
        WsEvent::Closed => "closed",
        _ => "other",
    };
    events.map(kind).collect().await
}

/// Observers of the byte stream, of the item stream, of a split one and of the handle get the same
/// events. Their queues end with the connection, before the stream is dropped.
#[tokio::test]
async fn observers_get_all_events() {
    timeout(async {
        let (server, mut client) = pair().await;
        let mut handle = client.handle();
        let of_bytes = observe(&mut client).await;
        let mut client = client.framed(LengthDelimited::new(80));
        let of_items = observe(&mut client).await;
        let of_handle = observe(&mut handle).await;
        let (mut sender, mut receiver) = client.split();
        let of_split = observe(&mut handle.clone()).await;

        let peer = server.handle();
        let server = drive(server);
        let reader = tokio::spawn(async move { receiver.next().await.is_none() });
        peer.ping().await.unwrap();
        handle.ping().await.unwrap();
        sender.close().await.unwrap();
        assert!(reader.await.unwrap(), "a clean end");
        server.await.unwrap().unwrap();
        let expected = ["ping", "pong", "close frame", "closed"];
        for events in [of_bytes, of_items, of_handle, of_split] {
            assert_eq!(kinds(events).await, expected);
        }
        drop(sender);
    })
    .await;
}

/// The plain stream of events has the same events as an observer of `pharos`, and they can be
/// compared.
#[test]
fn plain_events_can_be_compared() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let (of_stream, of_handle) = (ours.events(), ours.handle().events());
        peer.send(Frame::ping("1")).await;
        peer.send(Frame::close(4001, "enough")).await;
        read_to_end(&mut ours).await.1.unwrap();
        drop(ours);
        let frame = CloseFrame::new(CloseCode::from(4001), "enough").unwrap();
        let expected = [
            WsEvent::Ping("1".into()),
            WsEvent::CloseFrame(Some(frame)),
            WsEvent::Closed,
        ];
        for events in [of_stream, of_handle] {
            assert_eq!(events.collect::<Vec<_>>().await, expected);
        }
    });
}

/// `Closed` comes once and last, whatever the caller still does with the stream.
#[test]
fn closed_is_the_last_event() {
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

/// A stream that is dropped emits `Closed`, and its outcome is `Lost`.
#[test]
fn dropped_stream_emits_closed() {
    on_all_transports(&config_without_keepalive(), async |mut ours, _peer| {
        let mut events = observe(&mut ours).await;
        let mut handle = ours.handle();
        let waiting = handle.closed();
        drop(ours);
        assert_eq!(waiting.await, CloseOutcome::Lost(LossCause::Dropped));
        assert_eq!(describe(&mut events), ["closed"]);
        assert!(events.next().await.is_none());
        let late = observe(&mut handle).await;
        assert_eq!(kinds(late).await, ["closed"]);
    });
}

/// An observer that begins after the end gets `Closed` alone, from the stream and from a handle.
#[test]
fn late_observer_gets_closed() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let mut handle = ours.handle();
        peer.send(Frame::close(1000, "")).await;
        read_to_end(&mut ours).await.1.unwrap();
        assert_eq!(describe(&mut observe(&mut ours).await), ["closed"]);
        drop(ours);
        assert_eq!(describe(&mut observe(&mut handle).await), ["closed"]);
    });
}

/// A filter selects the events of one observer, in a queue of any kind, and of no other observer.
#[test]
fn filter_selects_the_events() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let only_pongs = Filter::Pointer(|event| matches!(event, WsEvent::Pong(_)));
        let only_closed = Filter::Pointer(|event| matches!(event, WsEvent::Closed));
        let mut handle = ours.handle();
        let mut pongs = handle.observe(only_pongs.into()).await.unwrap();
        let options = ObserveConfig::from(only_closed).channel(Channel::Unbounded);
        let closed = ours.observe(options).await.unwrap();
        let mut all = observe(&mut ours).await;
        peer.send(Frame::ping("")).await;
        peer.send(Frame::pong("yes")).await;
        peer.send(Frame::close(1000, "")).await;
        read_to_end(&mut ours).await.1.unwrap();
        assert_eq!(describe(&mut pongs), ["pong yes"]);
        assert_eq!(kinds(closed).await, ["closed"]);
        let expected = ["ping ", "pong yes", "close 1000", "closed"];
        assert_eq!(describe(&mut all), expected);
    });
}

/// For an observer with a filter, `Lagged` counts all events that were missed, and the filter
/// decides about it, too.
#[test]
fn filter_decides_about_lagged() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let pongs = Filter::Pointer(|event| matches!(event, WsEvent::Pong(_)));
        let with_lagged =
            Filter::Pointer(|event| matches!(event, WsEvent::Pong(_) | WsEvent::Lagged(_)));
        let mut only_pongs = ours.observe(pongs.into()).await.unwrap();
        let mut both = ours.observe(with_lagged.into()).await.unwrap();
        let sending = async {
            for _ in 0..128 {
                peer.send(Frame::pong("")).await;
            }
            for _ in 0..10 {
                peer.send(Frame::ping("")).await;
                peer.next().await;
            }
            peer.send(Frame::binary("1")).await;
        };
        let mut byte = [0];
        join(sending, ours.read_exact(&mut byte)).await.1.unwrap();
        for events in [&mut only_pongs, &mut both] {
            assert_eq!(describe(events).len(), 128);
        }
        peer.send(Frame::pong("last")).await;
        peer.send(Frame::binary("2")).await;
        ours.read_exact(&mut [0]).await.unwrap();
        assert_eq!(describe(&mut only_pongs), ["pong last"]);
        assert_eq!(describe(&mut both), ["lagged 10", "pong last"]);
    });
}
