//! Statistics of a connection.

use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, SinkExt, future};
use support::{config_without_keepalive, on_all_transports, pair_with, timeout};
use ws_framed::{Message, Stats};

/// Statistics count the messages and bytes of data exactly, at both ends. A flush with nothing to
/// send and an empty write count nothing.
#[tokio::test]
async fn data_is_counted_exactly() {
    timeout(async {
        let config = config_without_keepalive().max_send_message_len(100);
        let (mut server, mut client) = pair_with(config_without_keepalive(), config).await;
        let (us, peer) = (client.handle(), server.handle());
        assert_eq!(us.stats(), Stats::default());

        // 250 bytes: two full messages and a rest.
        client.write_all(&[0; 250]).await.unwrap();
        assert_eq!((us.stats().messages_sent, us.stats().bytes_sent), (2, 200));
        client.flush().await.unwrap();
        assert_eq!((us.stats().messages_sent, us.stats().bytes_sent), (3, 250));
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

/// The gauge of unsent bytes shows what waits for the transport, and is 0 when nothing does.
#[test]
fn unsent_bytes_are_a_gauge() {
    let config = config_without_keepalive().max_send_message_len(1000);
    on_all_transports(&config, async |mut ours, mut peer| {
        let handle = ours.handle();
        assert_eq!(handle.stats().bytes_unsent, 0);
        let mut written = 0;
        while let Some(taken) = ours.write(&[7; 600]).now_or_never() {
            written += taken.unwrap();
        }
        let unsent = handle.stats().bytes_unsent;
        assert!((1..=1600).contains(&unsent), "{unsent}");
        let (flushed, _) = future::join(ours.flush(), peer.receive(written)).await;
        flushed.unwrap();
        assert_eq!(handle.stats().bytes_unsent, 0);
    });
}

/// The gauge counts a whole message that waits.
#[test]
fn unsent_message_counts() {
    let config = config_without_keepalive().max_send_message_len(1000);
    on_all_transports(&config, async |ours, peer| {
        let handle = ours.handle();
        let mut ours = ours.messages();
        let message = || Message::Binary(vec![7; 600].into());
        while let Some(fed) = ours.feed(message()).now_or_never() {
            fed.unwrap();
        }
        let unsent = handle.stats().bytes_unsent;
        assert_eq!(unsent, 600);
        drop(peer);
    });
}

/// The statistics of several connections add up.
#[test]
fn statistics_add_up() {
    let mut one = Stats::default();
    one.bytes_sent = 3;
    one.bytes_unsent = 1;
    one.last_round_trip = Some(Duration::from_millis(5));
    for time in [None, Some(Duration::from_millis(2))] {
        let mut two = one;
        two.last_round_trip = time;
        for both in [[one, two], [two, one]] {
            let sum: Stats = both.into_iter().sum();
            assert_eq!((sum.bytes_sent, sum.bytes_unsent), (6, 2));
            // The longest.
            assert_eq!(sum.last_round_trip, one.last_round_trip);
        }
    }
}
