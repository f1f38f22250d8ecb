//! A peer that breaks the WebSocket protocol or a limit: it is told why, and then the reader is.

use std::{io, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt, future};
use support::{
    FRAMED, Frame, NO_TIMERS, Role, Setup, config_without_keepalive, describe, fragments,
    frame::{BINARY, CLOSE, CONTINUATION, PING, TEXT},
    observe, on_all_transports, on_transports, poll_until_idle, read_to_end, ws_error,
};
use ws_framed::{CloseOutcome, TextPolicy, Violation, WsErr};

/// Sends `frames` after some data, and looks at all that has to follow.
fn is_refused(places: &[Setup], frames: &[Frame], code: u16) {
    let config = config_without_keepalive().text(TextPolicy::Bytes);
    on_transports(places, &config, async |mut ours, mut peer| {
        println!("{frames:?}");
        let mut events = observe(&mut ours).await;
        let handle = ours.handle();
        peer.send(Frame::binary("before")).await;
        peer.send_all(frames.iter().cloned()).await;
        let ((data, end), heard) = future::join(read_to_end(&mut ours), peer.expect_close()).await;
        assert_eq!(data, b"before");
        let error = end.expect_err("a violation is no clean end");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let WsErr::Protocol(violation) = ws_error(&error) else {
            panic!("{error:?}");
        };
        assert_eq!((u16::from(violation.code()), heard), (code, code));
        assert_eq!(describe(&mut events), ["error InvalidData", "closed"]);
        assert_eq!(handle.closed().await, CloseOutcome::Failed);
        let write = ours.write(b"x").await.unwrap_err();
        assert_eq!(write.kind(), io::ErrorKind::BrokenPipe);
        ours.flush().await.unwrap();
        ours.close().await.unwrap();
    });
}

#[test]
fn reserved_bits() {
    for bits in [1, 2, 4, 7] {
        is_refused(&FRAMED, &[Frame::binary("x").rsv(bits)], 1002);
        is_refused(&FRAMED, &[Frame::ping("x").rsv(bits)], 1002);
    }
}

#[test]
fn reserved_opcodes() {
    for opcode in (3..8).chain(0xb..=0xf) {
        is_refused(&FRAMED, &[Frame::new(opcode, "x")], 1002);
    }
}

#[test]
fn frames_that_are_masked_the_wrong_way_round() {
    let bad = [
        Frame::binary("x").wrongly_masked(),
        Frame::ping("").wrongly_masked(),
        Frame::close(1000, "").wrongly_masked(),
    ];
    for frame in bad {
        is_refused(&FRAMED, &[frame], 1002);
    }
}

#[test]
fn control_frames_in_fragments() {
    for opcode in [PING, CLOSE] {
        let begun = Frame::new(opcode, [3, 232]).unfinished();
        is_refused(&FRAMED, &[begun], 1002);
    }
}

#[test]
fn control_frames_of_more_than_125_bytes() {
    is_refused(&FRAMED, &[Frame::ping([b'x'; 126])], 1002);
    is_refused(&FRAMED, &[Frame::pong([b'x'; 1000])], 1002);
    is_refused(&FRAMED, &[Frame::close(1000, &"x".repeat(124))], 1002);
}

#[test]
fn fragments_out_of_order() {
    is_refused(&FRAMED, &[Frame::continuation("x")], 1002);
    is_refused(&FRAMED, &[Frame::continuation("x").unfinished()], 1002);
    for second in [BINARY, TEXT] {
        let frames = [Frame::binary("x").unfinished(), Frame::new(second, "y")];
        is_refused(&FRAMED, &frames, 1002);
    }
    let after_its_end = [
        Frame::binary("").unfinished(),
        Frame::continuation(""),
        Frame::continuation(""),
    ];
    is_refused(&FRAMED, &after_its_end, 1002);
}

#[test]
fn half_a_close_code() {
    is_refused(&FRAMED, &[Frame::new(CLOSE, [3])], 1002);
}

#[test]
fn text_and_close_reasons_that_are_not_utf8() {
    is_refused(&FRAMED, &[Frame::text(b"\xc3\x28")], 1007);
    // Half a character at the end of the last fragment.
    is_refused(&FRAMED, &fragments(TEXT, &[b"x", b"\xc3"]), 1007);
    is_refused(&FRAMED, &[Frame::new(CLOSE, b"\x03\xe8\xff")], 1007);
}

#[test]
fn a_violation_that_another_transport_reports() {
    for (violation, code) in [
        (Violation::new("it did not take turns"), 1002),
        (Violation::invalid_utf8(), 1007),
    ] {
        on_transports(
            &[Setup::Memory],
            &config_without_keepalive(),
            async |mut ours, mut peer| {
                peer.send(Frame::binary("before")).await;
                peer.send_error(WsErr::Protocol(violation.clone())).await;
                peer.send(Frame::binary("after")).await;
                let ((data, end), heard) =
                    future::join(read_to_end(&mut ours), peer.expect_close()).await;
                assert_eq!(data, b"before");
                assert_eq!(end.unwrap_err().kind(), io::ErrorKind::InvalidData);
                assert_eq!(heard, code);
            },
        );
    }
}

#[test]
fn the_error_comes_after_the_close_frame_is_on_the_wire() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        peer.send(Frame::text("no")).await;
        peer.close_write().await;
        // A codec that stops at the first error polls no more.
        ours.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(peer.until_close().await.1, 1003);
        peer.expect_end().await;
        drop(ours);
    });
}

#[test]
fn a_peer_that_does_not_hang_up_delays_the_error_by_close_timeout_at_the_most() {
    let config = config_without_keepalive().close_timeout(Duration::from_millis(100));
    on_all_transports(&config, async |mut ours, mut peer| {
        peer.send(Frame::binary("before")).await;
        peer.send(Frame::text("no")).await;
        let (data, end) = read_to_end(&mut ours).await;
        assert_eq!(data, b"before");
        assert!(matches!(ws_error(&end.unwrap_err()), WsErr::ReceivedText));
        assert_eq!(peer.expect_close().await, 1003);
    });
}

#[test]
fn a_peer_that_never_reads_delays_the_error_by_close_timeout_at_the_most() {
    let config = config_without_keepalive().close_timeout(Duration::from_millis(100));
    on_transports(&NO_TIMERS, &config, async |mut ours, mut peer| {
        // Written until nothing more fits, so that the close frame does not fit either.
        let full = std::pin::pin!(async { while ours.write(&[0; 4096]).await.is_ok() {} });
        assert!(poll_until_idle(full).is_pending());
        peer.send(Frame::text("no")).await;
        let (_, end) = read_to_end(&mut ours).await;
        assert!(matches!(ws_error(&end.unwrap_err()), WsErr::ReceivedText));
        assert_eq!(ours.handle().closed().await, CloseOutcome::Failed);
        assert_eq!(
            ours.flush().await.unwrap_err().kind(),
            io::ErrorKind::BrokenPipe
        );
        ours.flush().await.unwrap();
    });
}

/// The frames of a message that is one byte too long, and what the error says of its length.
fn too_long() -> [(Vec<Frame>, usize); 4] {
    let ten: Vec<&[u8]> = vec![&[0; 100]; 10];
    let mut eleven = ten.clone();
    eleven.push(b"x");
    [
        (vec![Frame::binary([0; 1001])], 1001),
        (fragments(BINARY, &[&[0; 1000], b"x"]), 1001),
        (fragments(BINARY, &[b"x", b"", &[0; 1000]]), 1001),
        (fragments(BINARY, &eleven), 1001),
    ]
}

#[test]
fn a_message_over_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let config = config_without_keepalive().max_recv_message_len(1000);
    for (frames, total) in too_long() {
        on_all_transports(&config, async |mut ours, mut peer| {
            let mut events = observe(&mut ours).await;
            peer.send(Frame::binary([1; 1000])).await;
            peer.send_all(fragments(BINARY, &[&[2; 500], b"", &[2; 500]]))
                .await;
            peer.send_all(frames.iter().cloned()).await;
            let ((data, end), code) =
                future::join(read_to_end(&mut ours), peer.expect_close()).await;
            assert_eq!(data, [[1; 1000], [2; 1000]].concat());
            let error = end.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            let WsErr::MessageTooLarge { len, max } = ws_error(&error) else {
                panic!("{error:?}");
            };
            assert_eq!((*len, *max), (total, 1000));
            assert_eq!(code, 1009);
            assert_eq!(describe(&mut events), ["error InvalidData", "closed"]);
        });
    }
}

#[test]
fn a_length_that_is_over_the_limit_is_refused_before_the_payload_comes() {
    let config = config_without_keepalive().max_recv_message_len(1000);
    let places = [Setup::Tcp(Role::Server), Setup::Tcp(Role::Client)];
    for claimed in [1001, 1 << 32, u64::MAX >> 1] {
        on_transports(&places, &config, async |mut ours, mut peer| {
            peer.send(Frame::binary("").claiming(claimed)).await;
            let (end, code) = future::join(read_to_end(&mut ours), peer.expect_close()).await;
            assert_eq!(end.1.unwrap_err().kind(), io::ErrorKind::InvalidData);
            assert_eq!(code, 1009);
        });
    }
}

#[test]
fn a_length_beyond_any_limit_is_refused_on_a_socket_of_the_user_too() {
    on_transports(
        &FRAMED,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            peer.send(Frame::new(CONTINUATION, "").claiming(u64::MAX))
                .await;
            let (end, code) = future::join(read_to_end(&mut ours), peer.expect_close()).await;
            assert_eq!(end.1.unwrap_err().kind(), io::ErrorKind::InvalidData);
            assert!([1002, 1009].contains(&code));
        },
    );
}
