//! Pings by a handle.

use std::{pin::pin, time::Duration};

use futures::{
    AsyncReadExt, AsyncWriteExt, FutureExt, SinkExt, StreamExt,
    future::{self, Either},
    stream::FuturesUnordered,
};
use support::{
    Frame, config_without_keepalive, describe, frame::PING, observe, on_all_transports, pair,
    read_to_end, timeout, while_reading,
};
use ws_framed::{CloseFrame, CloseOutcome, Config, Lines, LossCause, WsErr};

use super::drive;

fn short_ping_timeout() -> Config {
    config_without_keepalive().ping_timeout(Duration::from_millis(50))
}

/// `ping` returns the round-trip time of its own pong, not of one that was not asked for.
/// Statistics count pings and pongs, and neither as data.
#[test]
fn returns_the_round_trip_time() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        let handle = ours.handle();
        assert_eq!(handle.stats().last_round_trip, None);
        let script = async {
            peer.send(Frame::ping("theirs")).await;
            let ping = loop {
                let frame = peer.next().await.unwrap();
                if frame.opcode == PING {
                    break frame;
                }
                assert_eq!(frame, Frame::pong("theirs"));
            };
            peer.send(Frame::pong("unasked")).await;
            peer.send(Frame::pong(ping.payload)).await;
        };
        let start = std::time::Instant::now();
        let asking = async { future::join(handle.ping(), script).await.0 };
        let time = while_reading(&mut ours, asking).await.unwrap();
        assert!(time <= start.elapsed());
        let stats = handle.stats();
        assert_eq!((stats.pings_sent, stats.pongs_received), (1, 2));
        assert_eq!(stats.pings_received, 1);
        assert_eq!(stats.last_round_trip, Some(time));
        assert_eq!((stats.messages_sent, stats.bytes_sent), (0, 0));
        assert_eq!((stats.messages_received, stats.bytes_received), (0, 0));
        let events = describe(&mut events);
        assert_eq!(events.len(), 3, "a ping and both pongs are events");
    });
}

/// Hundreds of pings in flight at once, from as many tasks, are all answered.
#[tokio::test]
async fn concurrent_pings_are_all_answered() {
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

/// A pong answers its ping and all pings before it.
#[test]
fn pong_answers_earlier_pings() {
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
        assert_eq!(times.len(), 3);
        assert!(times.iter().all(Result::is_ok), "{times:?}");
    });
}

/// The pong of a ping that was dropped does not answer a later one.
#[test]
fn pong_of_a_dropped_ping() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let handle = ours.handle();
        let first = while_reading(&mut ours, async {
            match future::select(pin!(handle.ping()), pin!(peer.next())).await {
                Either::Left((answered, _)) => panic!("nothing answered: {answered:?}"),
                Either::Right((first, _)) => first.unwrap(),
            }
        })
        .await;
        let mut second = pin!(handle.ping());
        assert!(second.as_mut().now_or_never().is_none());
        let frame = while_reading(&mut ours, async {
            let frame = peer.next().await.unwrap();
            peer.send(Frame::pong(first.payload)).await;
            peer.send(Frame::ping("sync")).await;
            assert_eq!(peer.next().await, Some(Frame::pong("sync")));
            frame
        })
        .await;
        assert!(second.as_mut().now_or_never().is_none());
        let (answered, ()) = while_reading(
            &mut ours,
            future::join(second, peer.send(Frame::pong(frame.payload))),
        )
        .await;
        answered.unwrap();
    });
}

/// Pings do not disturb items in either direction.
#[tokio::test]
async fn pings_do_not_disturb_items() {
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

/// A ping on a connection that no task polls times out.
#[test]
fn unpolled_ping_times_out() {
    on_all_transports(&short_ping_timeout(), async |ours, _peer| {
        let error = ours.handle().ping().await.unwrap_err();
        assert!(matches!(error, WsErr::TimedOut(_)), "{error:?}");
    });
}

/// A ping without an answer times out. The connection goes on, and a late pong does no harm.
#[test]
fn unanswered_ping_times_out() {
    on_all_transports(&short_ping_timeout(), async |mut ours, mut peer| {
        let handle = ours.handle();
        let answer = while_reading(&mut ours, handle.ping()).await;
        assert!(matches!(answer, Err(WsErr::TimedOut(_))), "{answer:?}");
        assert_eq!(handle.stats().pings_sent, 1);
        assert_eq!(handle.stats().last_round_trip, None);
        let ping = peer.next().await.unwrap();
        peer.send(Frame::pong(ping.payload)).await;
        peer.send(Frame::binary("x")).await;
        ours.read_exact(&mut [0]).await.unwrap();
    });
}

/// A ping ends with `Closed` when the stream is dropped, whether it was sent before or not.
#[test]
fn dropped_stream_ends_pings() {
    on_all_transports(&config_without_keepalive(), async |ours, _peer| {
        let handle = ours.handle();
        let mut unsent = pin!(handle.ping());
        assert!(futures::poll!(&mut unsent).is_pending());
        drop(ours);
        assert!(matches!(unsent.await, Err(WsErr::Closed)));
        assert!(matches!(handle.ping().await, Err(WsErr::Closed)));
    });
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let handle = ours.handle();
        let sent = handle.clone();
        let (answer, closed) = (sent.ping(), handle.closed());
        let dropping = async {
            while_reading(&mut ours, peer.next()).await.expect("a ping");
            assert_eq!(handle.stats().pings_sent, 1);
            drop(ours);
        };
        let (answer, closed, ()) = future::join3(answer, closed, dropping).await;
        assert!(matches!(answer, Err(WsErr::Closed)), "{answer:?}");
        assert_eq!(closed, CloseOutcome::Lost(LossCause::Dropped));
        assert!(matches!(handle.ping().await, Err(WsErr::Closed)));
    });
}

/// A ping ends with `Closed` when the peer closes the connection, whether it was sent before or
/// not.
#[test]
fn closed_connection_ends_pings() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let handle = ours.handle();
        peer.send(Frame::close(1000, "")).await;
        let mut unsent = pin!(handle.ping());
        assert!(futures::poll!(&mut unsent).is_pending());
        read_to_end(&mut ours).await.1.unwrap();
        assert!(matches!(unsent.await, Err(WsErr::Closed)));
        assert!(matches!(handle.ping().await, Err(WsErr::Closed)));
    });
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

/// A closing connection sends no ping, because none may follow its close frame.
#[test]
fn closing_connection_does_not_ping() {
    on_all_transports(&config_without_keepalive(), async |mut ours, _peer| {
        let handle = ours.handle();
        ours.close().await.unwrap();
        let (ping, pending) = future::join(handle.ping(), async {
            futures::poll!(ours.read(&mut [0])).is_pending()
        })
        .await;
        assert!(matches!(ping, Err(WsErr::Closed)), "{ping:?}");
        assert!(pending, "the peer has not answered yet");
        assert_eq!(handle.stats().pings_sent, 0);
    });
}

/// A ping that is dropped before the connection is polled is not sent, and delays no other.
#[tokio::test]
async fn cancelled_pings_are_not_sent() {
    timeout(async {
        let (server, client) = pair().await;
        let handle = client.handle();
        for _ in 0..1000 {
            assert!(handle.ping().now_or_never().is_none());
        }
        let (_server, _client) = (drive(server), drive(client));
        handle.ping().await.unwrap();
        assert!(handle.stats().pings_sent <= 2, "{:?}", handle.stats());
    })
    .await;
}
