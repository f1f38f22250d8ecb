//! Events: every observer sees all of them, `Closed` comes last, and nobody is held up by who is slow.

use futures::{AsyncReadExt, FutureExt, SinkExt, StreamExt};
use support::{pair, timeout};
use ws_framed::{
    CloseFrame, LengthDelimited, WsErr, WsEvent, WsHandle, WsStream,
    pharos::{Channel, Events, Filter, Observable, ObserveConfig},
};

/// Reads to the end, in a task of its own: a link lives from being polled.
fn drive(mut stream: WsStream) -> tokio::task::JoinHandle<std::io::Result<usize>> {
    tokio::spawn(async move { stream.read_to_end(&mut Vec::new()).await })
}

async fn observe(observable: &mut impl Observable<WsEvent, Error = WsErr>) -> Events<WsEvent> {
    observable.observe(ObserveConfig::default()).await.unwrap()
}

/// The names of events, which is what most of these tests care for.
fn name(event: &WsEvent) -> &'static str {
    match event {
        WsEvent::Ping(_) => "ping",
        WsEvent::Pong(_) => "pong",
        WsEvent::Text(_) => "text",
        WsEvent::CloseFrame(_) => "close frame",
        WsEvent::Error(_) => "error",
        WsEvent::Lagged(_) => "lagged",
        WsEvent::Closed => "closed",
        _ => "unknown",
    }
}

async fn names(events: Events<WsEvent>) -> Vec<&'static str> {
    events.map(|event| name(&event)).collect().await
}

/// Observers of the byte view, of the item view and of the handle see the same, to the end.
#[tokio::test]
async fn every_observer_sees_everything() {
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
        // The events end without the view being dropped.
        for events in [of_bytes, of_items, of_handle, of_split] {
            assert_eq!(names(events).await, expected);
        }
        drop(sender);
    })
    .await;
}

#[tokio::test]
async fn events_of_a_cut_connection() {
    timeout(async {
        let (server, mut client) = pair().await;
        let events = observe(&mut client).await;
        drop(server);
        let error = client.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
        assert_eq!(names(events).await, ["error", "closed"]);
    })
    .await;
}

#[tokio::test]
async fn events_of_a_view_that_is_dropped() {
    timeout(async {
        let (_server, mut client) = pair().await;
        let events = observe(&mut client).await;
        let handle = client.handle();
        drop(client);
        assert_eq!(names(events).await, ["closed"]);
        // Whoever observes what is over learns just that.
        let mut handle = handle;
        let events = observe(&mut handle).await;
        assert_eq!(names(events).await, ["closed"]);
    })
    .await;
}

#[tokio::test]
async fn an_observer_may_choose() {
    timeout(async {
        let (server, mut client) = pair().await;
        let only_the_end = Filter::Pointer(|event| matches!(event, WsEvent::Closed));
        let options = ObserveConfig::from(only_the_end).channel(Channel::Unbounded);
        let chosen = client.observe(options).await.unwrap();
        let all = observe(&mut client).await;
        let peer = server.handle();
        let (server, client) = (drive(server), drive(client));
        peer.ping().await.unwrap();
        peer.close(CloseFrame::normal()).unwrap();
        client.await.unwrap().unwrap();
        server.await.unwrap().unwrap();
        assert_eq!(names(chosen).await, ["closed"]);
        assert_eq!(names(all).await, ["ping", "close frame", "closed"]);
    })
    .await;
}

/// An observer that takes nothing out of its queue holds up neither the link nor another observer, and
/// learns how much it missed. `Closed` reaches it, too, since it drains its queue before the view goes.
#[tokio::test]
async fn a_slow_observer_holds_up_nobody() {
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
            assert_eq!(name(&fast.next().await.unwrap()), "ping");
        }
        handle.close(CloseFrame::normal()).unwrap();
        let (reader, end) = reading.await.unwrap();
        assert_eq!(end.unwrap(), 0);
        assert_eq!(names(fast).await, ["close frame", "closed"]);

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
