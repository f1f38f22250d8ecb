//! Whoever breaks a rule reads which one it was: the close frame is on its way before our user sees the error,
//! so that dropping our end right then, with more unread in the socket, does not swallow it.

use std::{io::ErrorKind, time::Duration};

use futures::{AsyncReadExt, StreamExt};
use support::{
    Frame, ROLES,
    alloc::exclusive,
    flood::{FloodPeer, with_peer},
};
use ws_framed::{CloseOutcome, Config, LengthDelimited, Lines, TextPolicy, WsErr};

/// More than the socket holds, so that there is something unread in it when the error is seen.
const MORE: usize = 300;

fn config() -> Config {
    Config::default().max_recv_message_len(1000)
}

/// Breaks a rule, goes on for a while as if nothing had happened, and then reads: the close frame.
fn breaks(frames: Vec<Frame>) -> impl FnOnce(FloodPeer) -> (u16, String) + Send + 'static {
    move |mut wire| {
        for frame in &frames {
            wire.send(frame);
        }
        let listening = wire.receive_all();
        assert_eq!(
            wire.flood(&[Frame::binary([7; 1000])], MORE),
            MORE,
            "nobody takes it"
        );
        wire.close_write();
        listening.join().unwrap().close()
    }
}

fn assert_short(reason: &str, part: &str) {
    assert!(reason.contains(part), "{reason:?}");
    assert!(reason.len() <= 123);
}

#[test]
fn in_the_byte_view() {
    let _alone = exclusive();
    let rows = [
        (
            vec![Frame::binary([0; 1001])],
            1009,
            "over the limit of 1000",
        ),
        (
            vec![
                Frame::binary([0; 600]).unfinished(),
                Frame::continuation([0; 600]),
            ],
            1009,
            "over the limit of 1000",
        ),
        (
            vec![Frame::binary([0]).claiming((1 << 63) - 1)],
            1009,
            "over the limit of 1000",
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
            let (_, (told, reason)) =
                with_peer(role, config(), breaks(frames.clone()), async |mut ours| {
                    let mut data = Vec::new();
                    let error = ours.read_to_end(&mut data).await.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::InvalidData);
                    assert!(data.is_empty());
                });
            assert_eq!(told, *code, "for {frames:?}");
            assert_short(&reason, part);
            assert!(!reason.is_empty());
        }
    }
}

#[test]
fn in_the_item_view() {
    let _alone = exclusive();
    for role in ROLES {
        let too_large = breaks(vec![Frame::binary(501u32.to_be_bytes())]);
        let (_, (told, reason)) = with_peer(role, config(), too_large, async |ours| {
            let mut ours = ours.framed(LengthDelimited::new(500));
            ours.next().await.unwrap().unwrap_err();
        });
        assert_eq!(told, 1009);
        assert_short(&reason, "501");

        let too_long = breaks(vec![Frame::binary([b'x'; 501])]);
        let (_, (told, reason)) = with_peer(role, config(), too_long, async |ours| {
            let mut ours = ours.framed(Lines::new(500));
            ours.next().await.unwrap().unwrap_err();
        });
        assert_eq!(told, 1009);
        assert_short(&reason, "500");
    }
}

/// What the user is told is kinder, what the peer is told is the same.
#[test]
fn under_lenient_eof_too() {
    let _alone = exclusive();
    for role in ROLES {
        let script = breaks(vec![Frame::text("text")]);
        let config = config().lenient_eof(true);
        let (_, (told, _)) = with_peer(role, config, script, async |mut ours| {
            assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
            assert_eq!(ours.handle().closed().await, CloseOutcome::Failed);
        });
        assert_eq!(told, 1003);
    }
}

/// A peer that goes on for ever is told, too, and let go when its time is over.
#[test]
fn as_far_as_time_allows() {
    let _alone = exclusive();
    for role in ROLES {
        for bad in [Frame::new(3, "?"), Frame::text("?")] {
            let script = move |mut wire: FloodPeer| {
                let listening = wire.receive_all();
                wire.send(&bad);
                let sent = wire.flood(&[Frame::binary([7; 1000])], usize::MAX);
                assert!(sent < usize::MAX);
                drop(listening);
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
