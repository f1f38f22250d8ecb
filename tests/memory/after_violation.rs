//! A peer that sends on after its violation receives the close frame with the reason. The close
//! frame is sent before the caller gets the error. A stream that is dropped then has unread data in
//! its socket, which does not discard the close frame.

use std::{io::ErrorKind, time::Duration};

use futures::{AsyncReadExt, StreamExt};
use support::{
    Frame, ROLES,
    flood::{FloodPeer, with_peer},
};
use ws_framed::{CloseCode, CloseOutcome, Config, LengthDelimited, Lines, TextPolicy, WsErr};

/// More messages than the socket holds, so that it has unread data when the read returns the error.
const LATER_MESSAGES: usize = 300;

fn config() -> Config {
    Config::default().max_recv_message_len(1000)
}

/// A script that sends these frames, which end in a violation, and later messages. Returns the
/// close frame that the peer receives.
fn violate(frames: Vec<Frame>) -> impl FnOnce(FloodPeer) -> (u16, String) + Send + 'static {
    move |mut peer| {
        for frame in &frames {
            peer.send(frame);
        }
        let received = peer.receive_all();
        assert_eq!(
            peer.flood(&[Frame::binary([7; 1000])], LATER_MESSAGES),
            LATER_MESSAGES,
            "not all was read"
        );
        peer.close_write();
        received.join().unwrap().close()
    }
}

fn assert_short(reason: &str, part: &str) {
    assert!(reason.contains(part), "{reason:?}");
    assert!(reason.len() <= 123);
}

/// Each violation and each exceeded limit has its close code and reason over a byte stream.
#[test]
fn close_code_over_byte_stream() {
    let rows = [
        (
            vec![Frame::binary([0; 1001])],
            1009,
            "exceeds the limit of 1000 bytes",
        ),
        (
            vec![
                Frame::binary([0; 600]).unfinished(),
                Frame::continuation([0; 600]),
            ],
            1009,
            "exceeds the limit of 1000 bytes",
        ),
        (
            vec![Frame::binary([0]).claiming((1 << 63) - 1)],
            1009,
            "exceeds the limit of 1000 bytes",
        ),
        (vec![Frame::text("text")], 1003, "text"),
        (vec![Frame::new(5, "?")], 1002, ""),
        (vec![Frame::binary("?").rsv(2)], 1002, ""),
        (vec![Frame::binary("?").wrongly_masked()], 1002, ""),
        (vec![Frame::continuation("?")], 1002, ""),
        (vec![Frame::text(*b"\xff")], 1007, "UTF-8"),
    ];
    for role in ROLES {
        for (frames, code, part) in &rows {
            let (_, (sent, reason)) =
                with_peer(role, config(), violate(frames.clone()), async |mut ours| {
                    let mut data = Vec::new();
                    let error = ours.read_to_end(&mut data).await.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::InvalidData);
                    assert!(data.is_empty());
                });
            assert_eq!(sent, *code, "for {frames:?}");
            assert_short(&reason, part);
            assert!(!reason.is_empty());
        }
    }
}

/// An item over the limit of its codec has close code 1009 over an item stream.
#[test]
fn close_code_over_item_stream() {
    for role in ROLES {
        let too_large = violate(vec![Frame::binary(501u32.to_be_bytes())]);
        let (_, (sent, reason)) = with_peer(role, config(), too_large, async |ours| {
            let mut ours = ours.framed(LengthDelimited::new(500));
            ours.next().await.unwrap().unwrap_err();
        });
        assert_eq!(sent, 1009);
        assert_short(&reason, "501");

        let too_long = violate(vec![Frame::binary([b'x'; 501])]);
        let (_, (sent, reason)) = with_peer(role, config(), too_long, async |ours| {
            let mut ours = ours.framed(Lines::new(500));
            ours.next().await.unwrap().unwrap_err();
        });
        assert_eq!(sent, 1009);
        assert_short(&reason, "500");
    }
}

/// `lenient_eof` hides the error from the caller. The peer receives the same close code.
#[test]
fn close_code_under_lenient_eof() {
    for role in ROLES {
        let script = violate(vec![Frame::text("text")]);
        let config = config().lenient_eof(true);
        let (_, (sent, _)) = with_peer(role, config, script, async |mut ours| {
            assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
            let failed = CloseOutcome::Failed(CloseCode::UNSUPPORTED_DATA);
            assert_eq!(ours.handle().closed().await, failed);
        });
        assert_eq!(sent, 1003);
    }
}

/// A peer that sends forever after its violation delays the error until `close_timeout` at most.
#[test]
fn endless_data_after_violation() {
    for role in ROLES {
        for violation in [Frame::new(3, "?"), Frame::text("?")] {
            let script = move |mut peer: FloodPeer| {
                let received = peer.receive_all();
                peer.send(&violation);
                let times = peer.flood(&[Frame::binary([7; 1000])], usize::MAX);
                assert!(times < usize::MAX);
                drop(received);
            };
            let config = config()
                .close_timeout(Duration::from_millis(100))
                .text(TextPolicy::Reject);
            with_peer(role, config, script, async |mut ours| {
                let error = ours.read(&mut [0; 8]).await.unwrap_err();
                let error = WsErr::find_in(&error).unwrap();
                assert!(
                    matches!(error, WsErr::Protocol(_) | WsErr::ReceivedText),
                    "{error:?}"
                );
            });
        }
    }
}
