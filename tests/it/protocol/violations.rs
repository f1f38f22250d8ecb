//! Violations of the protocol: each fails the connection with its close code.

use std::io;

use futures::{AsyncReadExt, future};
use support::{
    FRAMED, Frame, Role, Setup, config_without_keepalive,
    frame::{BINARY, CLOSE, PING, PONG, TEXT},
    on_transports, read_to_end,
};
use ws_framed::{Config, TextPolicy, Violation, WsErr};

use super::assert_violation;

const TCP: [Setup; 2] = [Setup::Tcp(Role::Server), Setup::Tcp(Role::Client)];

/// Asserts that each row fails the connection with 1002.
fn assert_violations(rows: impl IntoIterator<Item = Vec<Frame>>) {
    let text_as_bytes = config_without_keepalive().text(TextPolicy::Bytes);
    for frames in rows {
        assert_violation(&FRAMED, &text_as_bytes, &frames, 1002);
        // A violation takes precedence over the rejection of text.
        assert_violation(&TCP, &Config::default(), &frames, 1002);
    }
}

/// A reserved bit in a data frame or a control frame is a violation.
#[test]
fn reserved_bits() {
    assert_violations((1..8).map(|bits| vec![Frame::binary("x").rsv(bits)]));
    assert_violations((1..8).map(|bits| vec![Frame::ping("x").rsv(bits)]));
    assert_violations([PING, CLOSE, TEXT].map(|opcode| vec![Frame::new(opcode, "").rsv(4)]));
}

/// A reserved opcode is a violation, also within a fragmented message.
#[test]
fn reserved_opcodes() {
    let reserved = (3..8).chain(0xb..=0xf);
    assert_violations(reserved.clone().map(|opcode| vec![Frame::new(opcode, "x")]));
    assert_violations(
        reserved.map(|opcode| vec![Frame::binary("x").unfinished(), Frame::new(opcode, "")]),
    );
}

/// An unmasked frame of a client is a violation, and so is a masked frame of a server.
#[test]
fn wrongly_masked_frames() {
    let frames = [BINARY, TEXT, PING, CLOSE].map(|opcode| Frame::new(opcode, [3, 232]));
    let frames = frames
        .into_iter()
        .chain([Frame::binary("x"), Frame::ping("")]);
    assert_violations(frames.map(|frame| vec![frame.wrongly_masked()]));
}

/// A control frame without the FIN bit is a violation.
#[test]
fn fragmented_control_frames() {
    let frames = [PING, PONG, CLOSE].map(|opcode| Frame::new(opcode, [3, 232]));
    assert_violations(frames.map(|frame| vec![frame.unfinished()]));
}

/// A control frame with a payload of more than 125 bytes is a violation.
#[test]
fn control_frames_over_125_bytes() {
    assert_violations([
        vec![Frame::ping([b'x'; 126])],
        vec![Frame::pong([b'x'; 126])],
        vec![Frame::pong([b'x'; 1000])],
        vec![Frame::close(1000, &"x".repeat(124))],
    ]);
}

/// A continuation without a message is a violation, and so is a new message within a fragmented
/// one.
#[test]
fn fragments_out_of_order() {
    assert_violations([
        vec![Frame::continuation("x")],
        vec![Frame::continuation("x").unfinished()],
        vec![Frame::binary("x").unfinished(), Frame::binary("y")],
        vec![Frame::binary("x").unfinished(), Frame::text("y")],
        vec![
            Frame::text("x").unfinished(),
            Frame::binary("y").unfinished(),
        ],
        vec![
            Frame::binary("").unfinished(),
            Frame::continuation(""),
            Frame::continuation(""),
        ],
        vec![
            Frame::binary("").unfinished(),
            Frame::ping("!"),
            Frame::continuation(""),
            Frame::continuation(""),
        ],
    ]);
}

/// A close frame with a payload of one byte is a violation.
#[test]
fn close_code_of_one_byte() {
    assert_violations([vec![Frame::new(CLOSE, [3])]]);
}

/// A close reason that is not UTF-8 fails the connection with 1007.
#[test]
fn invalid_utf8_in_close_reason() {
    for reason in [b"\xff".as_slice(), b"\xff\xfe"] {
        let frame = Frame::new(CLOSE, [b"\x03\xe8", reason].concat());
        let config = config_without_keepalive();
        assert_violation(&FRAMED, &config, std::slice::from_ref(&frame), 1007);
        assert_violation(&TCP, &Config::default(), &[frame], 1007);
    }
}

/// A violation that a custom transport reports fails the connection with the code of the violation.
#[test]
fn violation_from_custom_transport() {
    for (violation, code) in [
        (Violation::new("frames out of order"), 1002),
        (Violation::invalid_utf8(), 1007),
    ] {
        on_transports(
            &[Setup::Memory],
            &config_without_keepalive(),
            async |mut ours, mut peer| {
                peer.send(Frame::binary("before")).await;
                peer.send_error(WsErr::Protocol(violation.clone())).await;
                peer.send(Frame::binary("after")).await;
                let ((data, end), sent) =
                    future::join(read_to_end(&mut ours), peer.expect_close()).await;
                assert_eq!(data, b"before");
                assert_eq!(end.unwrap_err().kind(), io::ErrorKind::InvalidData);
                assert_eq!(sent, code);
            },
        );
    }
}

/// Bytes after the handshake that are no WebSocket frames fail the connection with a close code and
/// a reason.
#[test]
fn garbage_after_handshake() {
    let tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(10_000);
    let http = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(3_000);
    let mut state = 1u32;
    let random = std::iter::repeat_with(|| {
        // The generator of Numerical Recipes.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    let random: Vec<u8> = random.take(100_000).collect();
    let config = Config::default().max_recv_message_len(1024);
    for garbage in [tls, http, vec![0xff; 100_000], vec![0; 100_000], random] {
        on_transports(&TCP, &config, async |mut ours, mut peer| {
            let script = async {
                peer.raw().send_bytes(&garbage).await;
                peer.until_close().await
            };
            let mut data = Vec::new();
            let reading = ours.read_to_end(&mut data);
            let (_, code, reason) = match future::select(Box::pin(reading), Box::pin(script)).await
            {
                future::Either::Left((end, script)) => {
                    assert_eq!(end.unwrap_err().kind(), io::ErrorKind::InvalidData);
                    script.await
                }
                future::Either::Right((close, _)) => close,
            };
            assert!([1002, 1007, 1009].contains(&code), "{code} {reason}");
            assert!(!reason.is_empty());
        });
    }
}
