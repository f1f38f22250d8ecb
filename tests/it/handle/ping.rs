//! Pings by a handle.

use std::time::Duration;

use futures::{
    AsyncReadExt, AsyncWriteExt, FutureExt, SinkExt, StreamExt, future, stream::FuturesUnordered,
};
use support::{
    Frame, config_without_keepalive, describe, frame::PING, observe, on_all_transports, pair,
    pair_with, read_to_end, timeout, while_reading,
};
use ws_framed::{CloseFrame, CloseOutcome, Lines, WsErr};

use super::drive;

#[tokio::test]
async fn a_ping_gives_the_round_trip_time() {
    timeout(async {
        let (server, client) = pair().await;
        let (us, peer) = (client.handle(), server.handle());
        assert_eq!(us.stats().last_round_trip, None);
        let (_server, _client) = (drive(server), drive(client));
        let start = std::time::Instant::now();
        let time = us.ping().await.unwrap();
        assert!(time <= start.elapsed());
        assert_eq!(us.stats().last_round_trip, Some(time));
        assert_eq!(us.stats().pings_sent, 1);
        assert_eq!(us.stats().pongs_received, 1);
        assert_eq!(peer.stats().pings_received, 1);
        assert_eq!(peer.stats().pongs_received, 0);
        // Data it is not.
        assert_eq!(us.stats().messages_sent, 0);
        assert_eq!(peer.stats().messages_received, 0);
        assert_eq!(peer.stats().bytes_received, 0);
    })
    .await;
}

#[tokio::test]
async fn many_pings_at_once_are_all_answered() {
    const PINGS: u64 = 500;
    timeout(async {
        let (server, client) = pair().await;
        let (us, peer) = (client.handle(), server.handle());
        let (_server, _client) = (drive(server), drive(client));
        let mut pings: FuturesUnordered<_> = (0..PINGS)
            .map(|_| {
                let handle = us.clone();
                tokio::spawn(async move { handle.ping().await })
            })
            .collect();
        while let Some(time) = pings.next().await {
            time.unwrap().unwrap();
        }
        // A peer may answer the last of several pings only, so there may be fewer pongs than pings.
        assert_eq!(us.stats().pings_sent, PINGS);
        assert_eq!(peer.stats().pings_received, PINGS);
        assert!((1..=PINGS).contains(&us.stats().pongs_received));
    })
    .await;
}

/// Pings do not disturb what goes on in either direction.
#[tokio::test]
async fn pings_among_data() {
    timeout(async {
        let (server, client) = pair().await;
        let handle = client.handle();
        let mut server = server.framed(Lines::new(80));
        let echo = tokio::spawn(async move {
            while let Some(line) = server.next().await {
                server.send(line.unwrap()).await.unwrap();
            }
        });
        let (mut sender, mut receiver) = client.framed(Lines::new(80)).split();
        let reader = tokio::spawn(async move {
            for n in 0..200 {
                assert_eq!(receiver.next().await.unwrap().unwrap(), n.to_string());
            }
            receiver
        });
        for n in 0..200 {
            sender.feed(n.to_string()).await.unwrap();
            if n % 10 == 0 {
                sender.flush().await.unwrap();
                handle.ping().await.unwrap();
            }
        }
        sender.flush().await.unwrap();
        let mut client = sender.reunite(reader.await.unwrap()).unwrap();
        client.close_with(CloseFrame::normal()).await.unwrap();
        echo.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_ping_that_nobody_drives_times_out() {
    timeout(async {
        let config = config_without_keepalive().ping_timeout(Duration::from_millis(20));
        let (_server, client) = pair_with(config_without_keepalive(), config).await;
        let error = client.handle().ping().await.unwrap_err();
        assert!(matches!(error, WsErr::TimedOut(_)), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn a_ping_that_the_peer_does_not_answer_times_out() {
    timeout(async {
        let config = config_without_keepalive().ping_timeout(Duration::from_millis(20));
        let (_server, client) = pair_with(config_without_keepalive(), config).await;
        let handle = client.handle();
        let _client = drive(client);
        let error = handle.ping().await.unwrap_err();
        assert!(matches!(error, WsErr::TimedOut(_)), "{error:?}");
        assert_eq!(handle.stats().pings_sent, 1);
        assert_eq!(handle.stats().last_round_trip, None);
    })
    .await;
}

#[tokio::test]
async fn a_ping_ends_with_its_link() {
    // Boxed, because it holds so many ends.
    timeout(Box::pin(async {
        // Dropped before, and in the middle.
        let (server, client) = pair().await;
        let handle = client.handle();
        let mut waiting = std::pin::pin!(handle.ping());
        assert!(futures::poll!(&mut waiting).is_pending());
        drop(client);
        assert!(matches!(waiting.await, Err(WsErr::Closed)));
        assert!(matches!(handle.ping().await, Err(WsErr::Closed)));
        drop(server);

        // Under way when the view is dropped: it was sent, and its pong never read.
        let (_server, mut client) = pair().await;
        let handle = client.handle();
        let mut waiting = std::pin::pin!(handle.ping());
        assert!(futures::poll!(&mut waiting).is_pending());
        assert!(futures::poll!(client.read(&mut [0])).is_pending());
        assert_eq!(handle.stats().pings_sent, 1);
        drop(client);
        assert!(matches!(waiting.await, Err(WsErr::Closed)));

        // Ended: the peer closed.
        let (mut server, mut client) = pair().await;
        let handle = client.handle();
        server.close().await.unwrap();
        let mut waiting = std::pin::pin!(handle.ping());
        assert!(futures::poll!(&mut waiting).is_pending());
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        assert!(matches!(waiting.await, Err(WsErr::Closed)));
        assert!(matches!(handle.ping().await, Err(WsErr::Closed)));
    }))
    .await;
}

/// After our close frame no ping may follow.
#[tokio::test]
async fn a_link_that_is_closing_does_not_ping() {
    timeout(async {
        let (_server, mut client) = pair().await;
        let handle = client.handle();
        client.close().await.unwrap();
        let (ping, pending) = future::join(handle.ping(), async {
            futures::poll!(client.read(&mut [0])).is_pending()
        })
        .await;
        assert!(matches!(ping, Err(WsErr::Closed)), "{ping:?}");
        assert!(pending, "the peer has not answered yet");
        assert_eq!(handle.stats().pings_sent, 0);
    })
    .await;
}

/// What was asked for by a future that is gone is not answered, and stands in nobody's way.
#[tokio::test]
async fn a_ping_can_be_cancelled() {
    timeout(async {
        let (server, client) = pair().await;
        let handle = client.handle();
        for _ in 0..1000 {
            assert!(handle.ping().now_or_never().is_none());
        }
        let (_server, _client) = (drive(server), drive(client));
        handle.ping().await.unwrap();
        // Those that were cancelled before anybody looked need not have been sent.
        assert!(handle.stats().pings_sent <= 2, "{:?}", handle.stats());
    })
    .await;
}

#[test]
fn a_ping_is_answered_with_its_round_trip_time() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        let handle = ours.handle();
        assert_eq!(handle.stats().last_round_trip, None);
        let script = async {
            let ping = peer.next().await.unwrap();
            assert_eq!(ping.opcode, PING);
            peer.send(Frame::pong("unasked")).await;
            peer.send(Frame::pong(ping.payload)).await;
            handle.clone()
        };
        let asking = async { future::join(handle.ping(), script).await.0 };
        let time = while_reading(&mut ours, asking).await.unwrap();
        let stats = handle.stats();
        assert_eq!((stats.pings_sent, stats.pongs_received), (1, 2));
        assert_eq!(stats.last_round_trip, Some(time));
        assert_eq!(describe(&mut events).len(), 2, "both pongs are events");
    });
}

#[test]
fn one_pong_answers_all_pings_before_it() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let handle = ours.handle();
        let pings = future::join_all((0..3).map(|_| handle.ping()));
        let script = async {
            peer.next().await.unwrap();
            peer.next().await.unwrap();
            let last = peer.next().await.unwrap();
            peer.send(Frame::pong(last.payload)).await;
        };
        let (times, ()) = while_reading(&mut ours, future::join(pings, script)).await;
        assert!(times.iter().all(Result::is_ok), "{times:?}");
    });
}

#[test]
fn a_ping_has_a_deadline_and_the_link_goes_on() {
    let config = config_without_keepalive().ping_timeout(Duration::from_millis(50));
    on_all_transports(&config, async |mut ours, mut peer| {
        let handle = ours.handle();
        let answer = while_reading(&mut ours, handle.ping()).await;
        assert!(matches!(answer, Err(WsErr::TimedOut(_))), "{answer:?}");
        // The pong is late, and no harm.
        let ping = peer.next().await.unwrap();
        peer.send(Frame::pong(ping.payload)).await;
        peer.send(Frame::binary("x")).await;
        ours.read_exact(&mut [0]).await.unwrap();
    });
}

#[test]
fn a_view_that_is_dropped_lets_nobody_wait() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let handle = ours.handle();
        let sent = handle.clone();
        let (answer, closed) = (sent.ping(), handle.closed());
        let dropping = async move {
            while_reading(&mut ours, peer.next()).await.expect("a ping");
            drop(ours);
        };
        let (answer, closed, ()) = future::join3(answer, closed, dropping).await;
        assert!(matches!(answer, Err(WsErr::Closed)), "{answer:?}");
        assert_eq!(closed, CloseOutcome::Lost);
        assert!(matches!(handle.ping().await, Err(WsErr::Closed)));
    });
}

#[test]
fn a_link_that_closes_lets_no_ping_wait() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let handle = ours.handle();
        let script = async {
            peer.next().await.expect("a ping");
            peer.send(Frame::close(1000, "")).await;
        };
        let (answer, (_, end), ()) =
            future::join3(handle.ping(), read_to_end(&mut ours), script).await;
        end.unwrap();
        assert!(matches!(answer, Err(WsErr::Closed)), "{answer:?}");
    });
}
