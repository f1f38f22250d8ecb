//! The handle: pings, closing, waiting for the end, and statistics, from outside of the views.

#![cfg(all(feature = "tokio", feature = "async-tungstenite"))]

#[path = "common/sockets.rs"]
mod sockets;

use std::time::Duration;

use futures::{
    AsyncReadExt, AsyncWriteExt, FutureExt, SinkExt, StreamExt, future, stream::FuturesUnordered,
};
use sockets::{engine_pair_with, pair, pair_with, quiet, within};
use ws_framed::{CloseCode, CloseFrame, CloseOutcome, ClosedBy, Lines, Stats, WsErr, WsStream};

/// Reads to the end, in a task of its own: a link lives from being polled.
fn drive(mut stream: WsStream) -> tokio::task::JoinHandle<std::io::Result<usize>> {
    tokio::spawn(async move { stream.read_to_end(&mut Vec::new()).await })
}

fn frame(code: u16, reason: &str) -> CloseFrame {
    CloseFrame::new(CloseCode::from(code), reason).unwrap()
}

#[tokio::test]
async fn a_ping_gives_the_round_trip_time() {
    within(async {
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
    within(async {
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
    within(async {
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
    within(async {
        let config = quiet().ping_timeout(Duration::from_millis(20));
        let (_server, client) = pair_with(quiet(), config).await;
        let error = client.handle().ping().await.unwrap_err();
        assert!(matches!(error, WsErr::TimedOut(_)), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn a_ping_that_the_peer_does_not_answer_times_out() {
    within(async {
        let config = quiet().ping_timeout(Duration::from_millis(20));
        let (_server, client) = pair_with(quiet(), config).await;
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
    within(Box::pin(async {
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
    within(async {
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
    within(async {
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

#[tokio::test]
async fn a_handle_closes_the_link() {
    within(async {
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
    within(async {
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
    within(async {
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
    within(async {
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
    within(async {
        let (_server, client) = pair().await;
        let handle = client.framed(Lines::new(80)).handle();
        assert_eq!(handle.closed().await, CloseOutcome::Lost);
    })
    .await;
}

/// A handle is of one link, whatever view it was taken from and whatever becomes of that view.
#[tokio::test]
async fn a_handle_outlives_the_views() {
    within(async {
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

#[tokio::test]
async fn the_statistics_are_exact() {
    within(async {
        let config = quiet().max_send_message_len(100);
        let (mut server, mut client) = pair_with(quiet(), config).await;
        let (us, peer) = (client.handle(), server.handle());
        assert_eq!(us.stats(), Stats::default());

        // 250 bytes: two full messages and a rest.
        client.write_all(&[0; 250]).await.unwrap();
        assert_eq!((us.stats().messages_sent, us.stats().bytes_sent), (2, 200));
        client.flush().await.unwrap();
        assert_eq!((us.stats().messages_sent, us.stats().bytes_sent), (3, 250));
        // A flush with nothing to send, and an empty write, send nothing.
        client.write_all(&[]).await.unwrap();
        client.flush().await.unwrap();
        assert_eq!(us.stats().messages_sent, 3);

        server.read_exact(&mut [0; 250]).await.unwrap();
        server.write_all(b"answer").await.unwrap();
        server.flush().await.unwrap();
        client.read_exact(&mut [0; 6]).await.unwrap();
        server.close().await.unwrap();
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        assert_eq!(server.read(&mut [0]).await.unwrap(), 0);

        let (us, peer) = (us.stats(), peer.stats());
        assert_eq!((us.messages_sent, us.bytes_sent), (3, 250));
        assert_eq!((us.messages_received, us.bytes_received), (1, 6));
        assert_eq!((peer.messages_sent, peer.bytes_sent), (1, 6));
        assert_eq!((peer.messages_received, peer.bytes_received), (3, 250));
        for stats in [us, peer] {
            let control = (stats.pings_sent, stats.pings_received, stats.pongs_received);
            assert_eq!(control, (0, 0, 0));
        }
    })
    .await;
}

/// None of it needs a runtime: the timers have a thread of their own.
#[test]
fn a_handle_works_without_a_runtime() {
    futures::executor::block_on(within(async {
        let config = quiet().ping_timeout(Duration::from_millis(20));
        let (mut server, mut client) = engine_pair_with(1000, config.clone(), config).await;
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
