//! Floods of valid frames: the connection goes on working in little memory.

use std::{io, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use support::{
    Frame, ROLES,
    flood::{FloodPeer, scaled, with_peer},
    observe, read_to_end,
};
use ws_framed::{CloseOutcome, Keepalive, TextPolicy};

use crate::{MAX_PEAK, small_limits};

/// Asserts that, in both roles, reads skip this flood up to the data and the close after it.
/// Returns how many frames the peer receives before the reply to its close.
fn assert_skipped(
    first: Option<&Frame>,
    repeated: &Frame,
    times: usize,
    last: &Frame,
) -> [usize; 2] {
    ROLES.map(|role| {
        let (first, last, repeated) = (first.cloned(), last.clone(), repeated.clone());
        let script = move |mut peer: FloodPeer| {
            let received = peer.receive_all();
            if let Some(frame) = first {
                peer.send(&frame);
            }
            assert_eq!(peer.flood(&[repeated], times), times);
            peer.send(&last);
            peer.send(&Frame::close(1000, ""));
            received.join().unwrap()
        };
        let (cost, received) = with_peer(role, small_limits(), script, async |mut ours| {
            let (data, end) = read_to_end(&mut ours).await;
            end.unwrap();
            assert_eq!(data, b"end");
        });
        assert_eq!(received.close(), (1000, String::new()));
        assert!(cost.peak < MAX_PEAK, "{cost:?}");
        received.frames - 1
    })
}

/// A million empty pings get pongs. A pong may stand for several pings.
#[test]
fn million_empty_pings() {
    let times = scaled(1_000_000);
    for pongs in assert_skipped(None, &Frame::ping([]), times, &Frame::binary("end")) {
        assert!((1..=times).contains(&pongs), "{pongs} pongs");
    }
}

/// A million unsolicited pongs are skipped.
#[test]
fn million_unsolicited_pongs() {
    let unsolicited = Frame::pong([b'?'; 125]);
    assert_eq!(
        assert_skipped(None, &unsolicited, scaled(1_000_000), &Frame::binary("end")),
        [0, 0]
    );
}

/// A hundred thousand empty messages are skipped.
#[test]
fn many_empty_messages() {
    let empty = Frame::binary([]);
    assert_eq!(
        assert_skipped(None, &empty, scaled(100_000), &Frame::binary("end")),
        [0, 0]
    );
}

/// A million empty fragments of one message are skipped.
#[test]
fn million_empty_fragments() {
    let first = Frame::binary([]).unfinished();
    let empty = Frame::continuation([]).unfinished();
    let last = Frame::continuation("end");
    assert_eq!(
        assert_skipped(Some(&first), &empty, scaled(1_000_000), &last),
        [0, 0]
    );
}

/// Pings between a million empty fragments get pongs.
#[test]
fn pings_between_million_fragments() {
    let first = Frame::binary([]).unfinished();
    let last = Frame::continuation("end");
    for role in ROLES {
        let (first, last) = (first.clone(), last.clone());
        let script = move |mut peer: FloodPeer| {
            let received = peer.receive_all();
            peer.send(&first);
            let pair = [Frame::continuation([]).unfinished(), Frame::ping("?")];
            peer.flood(&pair, scaled(500_000));
            peer.send(&last);
            peer.send(&Frame::close(1000, ""));
            received.join().unwrap()
        };
        let (cost, received) = with_peer(role, small_limits(), script, async |mut ours| {
            let (data, end) = read_to_end(&mut ours).await;
            end.unwrap();
            assert_eq!(data, b"end");
        });
        assert!(received.frames > 1, "no pongs");
        assert_eq!(received.close(), (1000, String::new()));
        assert!(cost.peak < MAX_PEAK, "{cost:?}");
    }
}

/// Reads stop when the peer does not read its pongs, and keepalive ends the connection with
/// `TimedOut`.
#[test]
fn unread_pongs_time_out() {
    let short = Duration::from_millis(100);
    let keepalive = Keepalive::default().interval(short).timeout(short);
    for role in ROLES {
        let times = scaled(10_000_000);
        let script = move |mut peer: FloodPeer| peer.flood(&[Frame::ping([b'?'; 125])], times);
        let config = small_limits().keepalive(keepalive);
        let (cost, sent) = with_peer(role, config, script, async |mut ours| {
            let handle = ours.handle();
            let (data, end) = read_to_end(&mut ours).await;
            assert!(data.is_empty());
            assert_eq!(end.unwrap_err().kind(), io::ErrorKind::TimedOut);
            assert_eq!(handle.closed().await, CloseOutcome::TimedOut);
        });
        assert!(sent < times, "all pings were read");
        assert!(cost.peak < MAX_PEAK, "{cost:?}");
    }
}

/// Observers that take no events hold a bounded queue each.
#[test]
fn slow_observers_hold_bounded_queues() {
    for role in ROLES {
        let script = |mut peer: FloodPeer| {
            let received = peer.receive_all();
            let events = [Frame::ping([b'?'; 125]), Frame::text("!")];
            peer.flood(&events, scaled(200_000));
            peer.send(&Frame::close(1000, ""));
            received.join().unwrap()
        };
        let config = small_limits().text(TextPolicy::Event);
        let (cost, _) = with_peer(role, config, script, async |mut ours| {
            let mut observers = Vec::new();
            for _ in 0..4 {
                observers.push(observe(&mut ours).await);
            }
            let (data, end) = read_to_end(&mut ours).await;
            end.unwrap();
            assert!(data.is_empty());
            drop(ours);
            for events in observers {
                assert!(events.count().await <= 130, "a queue is bounded");
            }
        });
        assert!(cost.peak < MAX_PEAK + 4 * 64 * 1024, "{cost:?}");
    }
}

/// Data that the caller does not read stays in the socket. Writes receive no more than one message.
#[test]
fn unread_data_stays_in_socket() {
    for role in ROLES {
        let times = scaled(100_000);
        let script = move |mut peer: FloodPeer| {
            let received = peer.receive_all();
            peer.flood(&[Frame::binary([7; 1000])], times);
            // Our end is dropped with unread data, which may reset the connection within a frame.
            let _ = received.join();
        };
        let (cost, ()) = with_peer(role, small_limits(), script, async |mut ours| {
            ours.read_exact(&mut [0; 1500]).await.unwrap();
            // Two messages were received, and writes receive no more.
            for _ in 0..100 {
                ours.write_all(&[1; 1000]).await.unwrap();
                ours.flush().await.unwrap();
            }
            assert_eq!(ours.handle().stats().messages_received, 2);
        });
        assert!(cost.peak < MAX_PEAK, "{cost:?}");
    }
}
