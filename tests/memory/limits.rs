//! Limits: what exceeds one fails the connection in little memory.

use std::{io, time::Duration};

use futures::{StreamExt, future};
use support::{
    Frame, ROLES, Role,
    alloc::Meter,
    flood::{FloodPeer, scaled, small_tcp, with_peer},
    handshake::open,
    read_to_end, run, ws_error,
};
use tokio::io::AsyncWriteExt;
use ws_framed::{CloseCode, CloseOutcome, Config, LengthDelimited, WsErr};

use crate::{LIMIT, MAX_PEAK, small_limits};

/// Sends this frame, and then `repeated` for a while. Asserts that our end fails with this error,
/// and that the peer receives this code, in little memory.
fn assert_failure(
    first: &Frame,
    repeated: Option<&Frame>,
    is_expected: impl Fn(&WsErr) -> bool,
    code: u16,
) {
    for role in ROLES {
        let (first, repeated) = (first.clone(), repeated.cloned());
        let script = move |mut peer: FloodPeer| {
            let received = peer.receive_all();
            peer.send(&first);
            if let Some(frame) = repeated {
                peer.flood(&[frame], scaled(100_000));
                peer.close_write();
            }
            received.join().unwrap()
        };
        let (cost, received) = with_peer(role, small_limits(), script, async |mut ours| {
            let (data, end) = read_to_end(&mut ours).await;
            assert!(data.is_empty());
            let end = end.unwrap_err();
            assert_eq!(end.kind(), io::ErrorKind::InvalidData);
            assert!(is_expected(ws_error(&end)), "{end:?}");
            let failed = CloseOutcome::Failed(CloseCode::new(code));
            assert_eq!(ours.handle().closed().await, failed);
        });
        let (sent, reason) = received.close();
        assert_eq!(sent, code);
        assert!(!reason.is_empty());
        assert_eq!(received.frames, 1);
        assert!(cost.peak < MAX_PEAK, "{cost:?}");
    }
}

/// A fragmented message that never ends fails the connection with 1009 at the limit.
#[test]
fn endless_fragmented_message() {
    let first = Frame::binary([0; 100]).unfinished();
    let more = Frame::continuation([0; 100]).unfinished();
    let is_too_large = |error: &WsErr| matches!(error, WsErr::MessageTooLarge { max: LIMIT, .. });
    assert_failure(&first, Some(&more), is_too_large, 1009);
    let first = Frame::text([b'x'; 100]).unfinished();
    let more = Frame::continuation([b'x'; 100]).unfinished();
    assert_failure(&first, Some(&more), is_too_large, 1009);
}

/// A header that claims a length over the limit fails the connection with 1009 before the payload
/// arrives.
#[test]
fn claimed_length_over_limit() {
    // A length has 63 bits (RFC 6455 section 5.2).
    for claimed in [1 << 63, u64::MAX] {
        let is_violation = |error: &WsErr| matches!(error, WsErr::Protocol(_));
        let frame = Frame::binary([0; 100]).claiming(claimed);
        assert_failure(&frame, None, is_violation, 1002);
    }
    let lens = [(1 << 63) - 1, 1 << 32, LIMIT as u64 + 1];
    for claimed in lens {
        let is_too_large = |error: &WsErr| matches!(error, WsErr::MessageTooLarge { len, max: LIMIT } if *len as u64 == claimed);
        for payload in [vec![], vec![0; 100]] {
            let frame = Frame::binary(payload).claiming(claimed);
            assert_failure(&frame, None, is_too_large, 1009);
        }
    }
}

/// The length prefix of an item that claims 4 GiB fails the connection with 1009, in messages
/// within the limit.
#[test]
fn item_prefix_claims_4_gib() {
    for role in ROLES {
        let script = |mut peer: FloodPeer| {
            let received = peer.receive_all();
            peer.send(&Frame::binary(u32::MAX.to_be_bytes()));
            peer.flood(&[Frame::binary([0; 1000])], scaled(100_000));
            peer.close_write();
            received.join().unwrap()
        };
        let (cost, received) = with_peer(role, small_limits(), script, async |ours| {
            let mut ours = ours.framed(LengthDelimited::new(64 * 1024));
            let error = ours.next().await.unwrap().unwrap_err();
            let expected = "an encoded item of 4294967295 bytes exceeds the limit of 65536 bytes";
            assert_eq!(error.to_string(), expected);
            assert!(ours.next().await.is_none());
            let failed = CloseOutcome::Failed(CloseCode::MESSAGE_TOO_BIG);
            assert_eq!(ours.handle().closed().await, failed);
        });
        assert_eq!(received.close().0, 1009);
        assert!(cost.peak < MAX_PEAK, "{cost:?}");
    }
}

/// Data after a violation is discarded as it arrives.
#[test]
fn data_after_violation_is_discarded() {
    let bad = Frame::new(3, "?");
    let is_violation = |error: &WsErr| matches!(error, WsErr::Protocol(_));
    assert_failure(&bad, Some(&Frame::binary([0; 1000])), is_violation, 1002);
    let is_text = |error: &WsErr| matches!(error, WsErr::ReceivedText);
    assert_failure(
        &Frame::text("?"),
        Some(&Frame::binary([0; 1000])),
        is_text,
        1003,
    );
}

/// The first bytes that a peer sends to this role.
fn partial_head(role: Role) -> &'static [u8] {
    match role {
        Role::Server => b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n",
        Role::Client => b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n",
    }
}

/// Endless headers of a handshake get status 431 from a server, and fail the handshake of a client.
#[test]
fn endless_handshake_headers() {
    for role in ROLES {
        run(async {
            let (ours, mut peer) = small_tcp().await;
            let meter = Meter::start();
            let flood = async {
                peer.write_all(partial_head(role)).await.unwrap();
                for _ in 0..100_000 {
                    if peer
                        .write_all(b"X-Header: a value of about forty-five characters\r\n")
                        .await
                        .is_err()
                    {
                        break;
                    }
                }
            };
            let config = Config::default().handshake_timeout(Duration::from_secs(1));
            let (opened, ()) = future::join(open(role, config, ours), flood).await;
            let error = opened.map(drop).unwrap_err();
            match role {
                Role::Server => {
                    assert!(
                        matches!(&error, WsErr::Rejected(response) if response.status() == 431)
                    );
                }
                Role::Client => assert!(matches!(error, WsErr::Handshake(_)), "{error:?}"),
            }
            let cost = meter.cost();
            assert!(cost.peak < 256 * 1024, "{cost:?}");
        });
    }
}
