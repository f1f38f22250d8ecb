//! A peer that sends without end costs no more memory than one message does, and the link works on, or
//! says what is wrong: to the user and to the peer.

use std::{io, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use support::{
    Frame, ROLES,
    alloc::exclusive,
    flood::{FloodPeer, scaled, with_peer},
    observe, read_to_end, ws_error,
};
use ws_framed::{CloseOutcome, Config, Keepalive, LengthDelimited, TextPolicy, WsErr};

/// Far less than any of these floods carries, more than a connection with small limits may hold: the
/// buffers of the engine and of the scripted peer are in it.
const LITTLE: usize = 96 * 1024;

const LIMIT: usize = 4 * 1024;

fn small() -> Config {
    Config::default()
        .max_send_message_len(LIMIT)
        .max_recv_message_len(LIMIT)
}

/// In both roles, this flood is read over as if there were nothing, up to the data after it and the close.
/// Returns how many frames the peer got back, before the answer to its close.
fn is_nothing(first: Option<&Frame>, repeated: &Frame, times: usize, last: &Frame) -> [usize; 2] {
    ROLES.map(|role| {
        let (first, last, repeated) = (first.cloned(), last.clone(), repeated.clone());
        let script = move |mut wire: FloodPeer| {
            let heard = wire.receive_all();
            if let Some(frame) = first {
                wire.send(&frame);
            }
            assert_eq!(wire.flood(&[repeated], times), times);
            wire.send(&last);
            wire.send(&Frame::close(1000, ""));
            heard.join().unwrap()
        };
        let (cost, heard) = with_peer(role, small(), script, async |mut ours| {
            let (data, end) = read_to_end(&mut ours).await;
            end.unwrap();
            assert_eq!(data, b"end");
        });
        assert_eq!(heard.close(), (1000, String::new()));
        assert!(cost.peak < LITTLE, "{cost:?}");
        heard.frames - 1
    })
}

#[test]
fn a_million_empty_pings_are_answered_in_little_memory() {
    let _alone = exclusive();
    let times = scaled(1_000_000);
    for pongs in is_nothing(None, &Frame::ping([]), times, &Frame::binary("end")) {
        assert!((1..=times).contains(&pongs), "{pongs} pongs");
    }
}

#[test]
fn a_million_pongs_that_nobody_asked_for_are_nothing() {
    let _alone = exclusive();
    let unasked = Frame::pong([b'?'; 125]);
    assert_eq!(
        is_nothing(None, &unasked, scaled(1_000_000), &Frame::binary("end")),
        [0, 0]
    );
}

#[test]
fn a_hundred_thousand_empty_messages_are_nothing() {
    let _alone = exclusive();
    let empty = Frame::binary([]);
    assert_eq!(
        is_nothing(None, &empty, scaled(100_000), &Frame::binary("end")),
        [0, 0]
    );
}

#[test]
fn a_million_empty_fragments_are_nothing() {
    let _alone = exclusive();
    let first = Frame::binary([]).unfinished();
    let empty = Frame::continuation([]).unfinished();
    let last = Frame::continuation("end");
    assert_eq!(
        is_nothing(Some(&first), &empty, scaled(1_000_000), &last),
        [0, 0]
    );
}

#[test]
fn pings_between_a_million_fragments_are_answered_in_little_memory() {
    let _alone = exclusive();
    let first = Frame::binary([]).unfinished();
    let last = Frame::continuation("end");
    for role in ROLES {
        let (first, last) = (first.clone(), last.clone());
        let script = move |mut wire: FloodPeer| {
            let heard = wire.receive_all();
            wire.send(&first);
            let pair = [Frame::continuation([]).unfinished(), Frame::ping("?")];
            wire.flood(&pair, scaled(500_000));
            wire.send(&last);
            wire.send(&Frame::close(1000, ""));
            heard.join().unwrap()
        };
        let (cost, heard) = with_peer(role, small(), script, async |mut ours| {
            let (data, end) = read_to_end(&mut ours).await;
            end.unwrap();
            assert_eq!(data, b"end");
        });
        assert!(heard.frames > 1, "there are pongs");
        assert_eq!(heard.close(), (1000, String::new()));
        assert!(cost.peak < LITTLE, "{cost:?}");
    }
}

/// It is read no further when pongs can no longer leave, and given up when that does not change.
#[test]
fn a_peer_that_pings_and_never_reads_is_given_up_in_little_memory() {
    let _alone = exclusive();
    let soon = Duration::from_millis(100);
    let keepalive = Keepalive::default().interval(soon).timeout(soon);
    for role in ROLES {
        let times = scaled(10_000_000);
        let script = move |mut wire: FloodPeer| wire.flood(&[Frame::ping([b'?'; 125])], times);
        let config = small().keepalive(keepalive);
        let (cost, sent) = with_peer(role, config, script, async |mut ours| {
            let handle = ours.handle();
            let (data, end) = read_to_end(&mut ours).await;
            assert!(data.is_empty());
            assert_eq!(end.unwrap_err().kind(), io::ErrorKind::TimedOut);
            assert_eq!(handle.closed().await, CloseOutcome::TimedOut);
        });
        assert!(sent < times, "it was held up");
        assert!(cost.peak < LITTLE, "{cost:?}");
    }
}

#[test]
fn observers_that_never_look_cost_little_under_a_flood_of_events() {
    let _alone = exclusive();
    for role in ROLES {
        let script = |mut wire: FloodPeer| {
            let heard = wire.receive_all();
            let events = [Frame::ping([b'?'; 125]), Frame::text("!")];
            wire.flood(&events, scaled(200_000));
            wire.send(&Frame::close(1000, ""));
            heard.join().unwrap()
        };
        let config = small().text(TextPolicy::Event);
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
        assert!(cost.peak < LITTLE + 4 * 64 * 1024, "{cost:?}");
    }
}

/// Sends this, and then `repeated` until nobody takes it. Ours must fail with this error, and the peer
/// hear this code, in little memory.
fn is_refused(first: &Frame, repeated: Option<&Frame>, error: impl Fn(&WsErr) -> bool, code: u16) {
    for role in ROLES {
        let (first, repeated) = (first.clone(), repeated.cloned());
        let script = move |mut wire: FloodPeer| {
            let heard = wire.receive_all();
            wire.send(&first);
            if let Some(frame) = repeated {
                wire.flood(&[frame], scaled(100_000));
            }
            wire.close_write();
            heard.join().unwrap()
        };
        let (cost, heard) = with_peer(role, small(), script, async |mut ours| {
            let (data, end) = read_to_end(&mut ours).await;
            assert!(data.is_empty());
            let end = end.unwrap_err();
            assert_eq!(end.kind(), io::ErrorKind::InvalidData);
            assert!(error(ws_error(&end)), "{end:?}");
            assert_eq!(ours.handle().closed().await, CloseOutcome::Failed);
        });
        let (told, reason) = heard.close();
        assert_eq!(told, code);
        assert!(!reason.is_empty());
        assert_eq!(heard.frames, 1);
        assert!(cost.peak < LITTLE, "{cost:?}");
    }
}

#[test]
fn a_fragmented_message_that_never_ends_is_refused_in_little_memory() {
    let _alone = exclusive();
    let first = Frame::binary([0; 100]).unfinished();
    let more = Frame::continuation([0; 100]).unfinished();
    let is_too_large = |error: &WsErr| matches!(error, WsErr::MessageTooLarge { max: LIMIT, .. });
    is_refused(&first, Some(&more), is_too_large, 1009);
    let first = Frame::text([b'x'; 100]).unfinished();
    let more = Frame::continuation([b'x'; 100]).unfinished();
    is_refused(&first, Some(&more), is_too_large, 1009);
}

#[test]
fn a_header_that_claims_2_to_the_63_bytes_is_refused_in_little_memory() {
    let _alone = exclusive();
    // A length has 63 bits (RFC 6455 section 5.2).
    for len in [1 << 63, u64::MAX] {
        let liar = Frame::binary([0; 100]).claiming(len);
        let is_violation = |error: &WsErr| matches!(error, WsErr::Protocol(_));
        is_refused(&liar, None, is_violation, 1002);
    }
    for len in [(1 << 63) - 1, 1 << 32, LIMIT as u64 + 1] {
        let liar = Frame::binary([0; 100]).claiming(len);
        let is_too_large = |error: &WsErr| matches!(error, WsErr::MessageTooLarge { len: told, max: LIMIT } if *told as u64 == len);
        is_refused(&liar, None, is_too_large, 1009);
    }
}

/// The frame of a codec, in messages that are all within the limit.
#[test]
fn a_codec_prefix_that_claims_4_gib_is_refused_in_little_memory() {
    let _alone = exclusive();
    for role in ROLES {
        let script = |mut wire: FloodPeer| {
            let heard = wire.receive_all();
            wire.send(&Frame::binary(u32::MAX.to_be_bytes()));
            wire.flood(&[Frame::binary([0; 1000])], scaled(100_000));
            wire.close_write();
            heard.join().unwrap()
        };
        let (cost, heard) = with_peer(role, small(), script, async |ours| {
            let mut ours = ours.framed(LengthDelimited::new(64 * 1024));
            let error = ours.next().await.unwrap().unwrap_err();
            let expected = "a frame of 4294967295 bytes exceeds the limit of 65536 bytes";
            assert_eq!(error.to_string(), expected);
            assert!(ours.next().await.is_none());
            assert_eq!(ours.handle().closed().await, CloseOutcome::Failed);
        });
        assert_eq!(heard.close().0, 1009);
        assert!(cost.peak < LITTLE, "{cost:?}");
    }
}

/// What we throw away after an error is not kept before it is thrown away.
#[test]
fn data_after_a_violation_is_discarded_in_little_memory() {
    let _alone = exclusive();
    let bad = Frame::new(3, "?");
    let is_violation = |error: &WsErr| matches!(error, WsErr::Protocol(_));
    is_refused(&bad, Some(&Frame::binary([0; 1000])), is_violation, 1002);
    let is_text = |error: &WsErr| matches!(error, WsErr::ReceivedText);
    is_refused(
        &Frame::text("?"),
        Some(&Frame::binary([0; 1000])),
        is_text,
        1003,
    );
}

/// A user who does not read is not made to hold what comes.
#[test]
fn a_peer_that_sends_to_a_user_who_does_not_read_is_held_up() {
    let _alone = exclusive();
    for role in ROLES {
        let times = scaled(100_000);
        let script = move |mut wire: FloodPeer| {
            let heard = wire.receive_all();
            wire.flood(&[Frame::binary([7; 1000])], times);
            // We leave with much unread, so the connection may be reset in the middle of a frame.
            let _ = heard.join();
        };
        let (cost, ()) = with_peer(role, small(), script, async |mut ours| {
            ours.read_exact(&mut [0; 1500]).await.unwrap();
            // Two messages have been taken from the transport, and writing takes no more.
            for _ in 0..100 {
                ours.write_all(&[1; 1000]).await.unwrap();
                ours.flush().await.unwrap();
            }
            assert_eq!(ours.handle().stats().messages_received, 2);
        });
        assert!(cost.peak < LITTLE, "{cost:?}");
    }
}
