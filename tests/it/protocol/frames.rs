//! Whatever frames a peer sends, right or wrong, in either role: what the user sees, and what the peer hears.

use std::io::ErrorKind::{self, ConnectionAborted, InvalidData};

use futures::{future, io::AsyncReadExt};
use support::{
    Frame, Role, Setup, describe,
    frame::{BINARY, CLOSE, PING, TEXT},
    observe, on_transports, read_to_end,
};
use ws_framed::{CloseOutcome, ClosedBy, Config, TextPolicy};

const SOCKETS: [Setup; 2] = [Setup::Tcp(Role::Server), Setup::Tcp(Role::Client)];

/// In both roles: the peer sends "before" and then these frames. The user must read "before", this data and
/// this end; the peer must hear this code, once, and then the end of the connection.
fn sees(config: &Config, frames: &[Frame], data: &[u8], end: Result<(), ErrorKind>, code: u16) {
    on_transports(&SOCKETS, config, async |mut ours, mut peer| {
        let script = async {
            peer.send(Frame::binary("before ")).await;
            peer.send_all(frames.iter().cloned()).await;
            peer.expect_close().await
        };
        let ((read, ended), heard) = future::join(read_to_end(&mut ours), script).await;
        assert_eq!(read, [b"before ", data].concat(), "after {frames:?}");
        assert_eq!(ended.map_err(|error| error.kind()), end, "after {frames:?}");
        assert_eq!(heard, code, "after {frames:?}");
        let outcome = ours.handle().closed().await;
        let has_failed = end == Err(InvalidData);
        assert_eq!(outcome == CloseOutcome::Failed, has_failed, "{outcome:?}");
    });
}

/// Each is a violation of the protocol.
fn is_violation(rows: impl IntoIterator<Item = Vec<Frame>>) {
    for frames in rows {
        sees(&Config::default(), &frames, b"", Err(InvalidData), 1002);
    }
}

#[test]
fn reserved_bits_are_a_violation() {
    is_violation((1..8).map(|bits| vec![Frame::binary("?").rsv(bits)]));
    is_violation([PING, CLOSE, TEXT].map(|opcode| vec![Frame::new(opcode, []).rsv(4)]));
}

#[test]
fn reserved_opcodes_are_a_violation() {
    let reserved = (3..8).chain(11..16);
    is_violation(reserved.clone().map(|opcode| vec![Frame::new(opcode, "?")]));
    is_violation(
        reserved.map(|opcode| vec![Frame::binary("?").unfinished(), Frame::new(opcode, [])]),
    );
}

#[test]
fn a_wrong_mask_is_a_violation() {
    is_violation(
        [BINARY, TEXT, PING, CLOSE]
            .map(|opcode| vec![Frame::new(opcode, b"\x03\xe8".to_vec()).wrongly_masked()]),
    );
}

#[test]
fn control_frames_that_are_long_or_in_fragments_are_a_violation() {
    is_violation([9, 10].map(|opcode| vec![Frame::new(opcode, [b'?'; 126])]));
    is_violation([9, 10].map(|opcode| vec![Frame::new(opcode, "?").unfinished()]));
    is_violation([vec![Frame::close(1000, &"?".repeat(124))]]);
    is_violation([vec![Frame::close(1000, "").unfinished()]]);
}

#[test]
fn fragments_out_of_order_are_a_violation() {
    is_violation([
        vec![Frame::continuation("?")],
        vec![Frame::continuation("?").unfinished()],
        vec![Frame::binary("?").unfinished(), Frame::binary("?")],
        vec![Frame::binary("?").unfinished(), Frame::text("?")],
        vec![
            Frame::text("?").unfinished(),
            Frame::binary("?").unfinished(),
        ],
        vec![
            Frame::binary([]).unfinished(),
            Frame::ping("!"),
            Frame::continuation([]),
            Frame::continuation([]),
        ],
    ]);
}

/// Pings between the fragments of a message are answered, and are no part of it.
#[test]
fn control_frames_inside_fragments_are_no_part_of_the_message() {
    on_transports(&SOCKETS, &Config::default(), async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        let script = async {
            peer.send(Frame::binary("a").unfinished()).await;
            for byte in b'b'..b'z' {
                peer.send(Frame::ping([byte])).await;
                peer.send(Frame::continuation([byte]).unfinished()).await;
                peer.send(Frame::pong([byte])).await;
                peer.expect(Frame::pong([byte])).await;
            }
            peer.send(Frame::continuation("z")).await;
            peer.send(Frame::bare_close()).await;
            peer.expect(Frame::bare_close()).await;
            peer.expect_end().await;
        };
        let ((read, ended), ()) = future::join(read_to_end(&mut ours), script).await;
        ended.unwrap();
        assert!(read.iter().copied().eq(b'a'..=b'z'));
        assert_eq!(describe(&mut events).len(), 2 * 24 + 2);
    });
}

#[test]
fn a_close_inside_fragments_ends_the_link_without_the_message() {
    let frames = [Frame::binary("?").unfinished(), Frame::close(1000, "")];
    sees(&Config::default(), &frames, b"", Ok(()), 1000);
}

#[test]
fn close_codes_that_may_not_be_sent_are_answered_with_1002() {
    let codes = [
        0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 9999, 65535,
    ];
    for code in codes {
        let frames = [Frame::close(code, "?")];
        sees(
            &Config::default(),
            &frames,
            b"",
            Err(ConnectionAborted),
            1002,
        );
    }
}

#[test]
fn close_codes_of_applications_are_a_clean_end() {
    for code in [1000, 1001, 3000, 3999, 4000, 4999] {
        sees(
            &Config::default(),
            &[Frame::close(code, "bye")],
            b"",
            Ok(()),
            code,
        );
    }
    sees(
        &Config::default(),
        &[Frame::bare_close()],
        b"",
        Ok(()),
        1005,
    );
}

#[test]
fn close_codes_that_tell_of_a_failure_are_answered_and_no_clean_end() {
    for code in (1002..=1003).chain(1007..=1013) {
        sees(
            &Config::default(),
            &[Frame::close(code, "")],
            b"",
            Err(ConnectionAborted),
            code,
        );
    }
}

#[test]
fn close_payloads_that_are_none_are_a_violation() {
    is_violation([vec![Frame::new(CLOSE, [3])]]);
    let not_utf8 = Frame::new(CLOSE, *b"\x03\xe8\xff\xfe");
    sees(&Config::default(), &[not_utf8], b"", Err(InvalidData), 1007);
}

#[test]
fn what_follows_a_close_frame_is_not_seen() {
    let rows = [
        vec![Frame::binary("late")],
        vec![Frame::text("late"), Frame::ping("late")],
        vec![
            Frame::new(3, "bad"),
            Frame::binary("late").claiming(1 << 63),
        ],
        vec![Frame::close(1001, "again"), Frame::close(4000, "and again")],
    ];
    for late in rows {
        let frames = [vec![Frame::close(1000, "once")], late].concat();
        sees(&Config::default(), &frames, b"", Ok(()), 1000);
    }
}

#[test]
fn of_two_closes_the_first_counts() {
    on_transports(&SOCKETS, &Config::default(), async |mut ours, mut peer| {
        let script = async {
            peer.send(Frame::close(3001, "first")).await;
            peer.send(Frame::close(3002, "second")).await;
            peer.expect(Frame::close(3001, "first")).await;
            peer.expect_end().await;
        };
        let ((_, ended), ()) = future::join(read_to_end(&mut ours), script).await;
        ended.unwrap();
        let CloseOutcome::Clean { code, reason, by } = ours.handle().closed().await else {
            panic!("not clean");
        };
        assert_eq!(
            (u16::from(code), reason.as_str(), by),
            (3001, "first", ClosedBy::Peer)
        );
    });
}

/// Text of every kind: whole, in fragments, cut within a character.
fn texts() -> Vec<(Vec<Frame>, &'static str)> {
    let [euro, tail] = ["€".as_bytes()[..1].to_vec(), "€".as_bytes()[1..].to_vec()];
    vec![
        (vec![Frame::text("")], ""),
        (vec![Frame::text("text €")], "text €"),
        (
            vec![
                Frame::text(euro).unfinished(),
                Frame::ping([]),
                Frame::continuation([]).unfinished(),
                Frame::continuation(tail),
            ],
            "€",
        ),
    ]
}

#[test]
fn text_is_refused_given_or_told() {
    for (frames, text) in texts() {
        let reject = Config::default();
        sees(&reject, &frames, b"", Err(InvalidData), 1003);
        let closed = [frames.clone(), vec![Frame::close(1000, "")]].concat();
        let bytes = Config::default().text(TextPolicy::Bytes);
        sees(&bytes, &closed, text.as_bytes(), Ok(()), 1000);
        let event = Config::default().text(TextPolicy::Event);
        sees(&event, &closed, b"", Ok(()), 1000);
        on_transports(&SOCKETS, &event, async |mut ours, mut peer| {
            let mut events = observe(&mut ours).await;
            peer.send_all(closed.clone()).await;
            let (_, ended) = read_to_end(&mut ours).await;
            ended.unwrap();
            let told = describe(&mut events);
            let expected = format!("text {text}");
            assert_eq!(
                told.iter().filter(|told| **told == expected).count(),
                1,
                "{told:?}"
            );
        });
    }
}

#[test]
fn text_that_is_not_utf8_is_answered_with_1007_under_every_policy() {
    let rows = [
        vec![Frame::text(*b"\xff")],
        vec![Frame::text(*b"\xed\xa0\x80")],
        vec![Frame::text(*b"\xf4\x90\x80\x80")],
        // The message ends within a character.
        vec![Frame::text(*b"\xe2\x82")],
        vec![
            Frame::text(*b"\xe2").unfinished(),
            Frame::continuation(*b"\x82"),
        ],
        // It is over as soon as it is wrong, not at the end of the message.
        vec![
            Frame::text("fine").unfinished(),
            Frame::continuation(*b"\xff").unfinished(),
        ],
    ];
    for policy in [TextPolicy::Reject, TextPolicy::Bytes, TextPolicy::Event] {
        let config = Config::default().text(policy);
        for frames in &rows {
            sees(&config, frames, b"", Err(InvalidData), 1007);
        }
    }
}

/// Bytes that are no frames at all, right behind the handshake.
#[test]
fn garbage_after_the_handshake_is_an_error_that_the_peer_hears_of() {
    let tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(10_000);
    let http = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(3_000);
    let mut state = 1u32;
    let noise = std::iter::repeat_with(|| {
        // Numerical Recipes' generator: any noise will do.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    let noise: Vec<u8> = noise.take(100_000).collect();
    let config = Config::default().max_recv_message_len(1024);
    for garbage in [tls, http, vec![0xff; 100_000], vec![0; 100_000], noise] {
        on_transports(&SOCKETS, &config, async |mut ours, mut peer| {
            let script = async {
                peer.raw().send_bytes(&garbage).await;
                peer.until_close().await
            };
            let mut data = Vec::new();
            let reading = ours.read_to_end(&mut data);
            let (_, code, reason) = match future::select(Box::pin(reading), Box::pin(script)).await
            {
                future::Either::Left((ended, script)) => {
                    assert_eq!(ended.unwrap_err().kind(), InvalidData);
                    script.await
                }
                future::Either::Right((heard, _)) => heard,
            };
            assert!([1002, 1007, 1009].contains(&code), "{code} {reason}");
            assert!(!reason.is_empty());
        });
    }
}
