//! Compressed input that is broken, lies, or inflates to more than it should.

use std::io::ErrorKind;

use futures::AsyncReadExt;
use support::{Frame, ROLES, read_to_end, run, ws_error};
use ws_framed::{CloseCode, CloseOutcome, TextPolicy, WsErr};

use super::{alone, config, open, with_context};

/// "Hello", compressed (RFC 7692 section 7.2.3.1).
const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];

/// A block of 258 zeros, again and again, in two bits each.
fn bomb(len: usize) -> Vec<u8> {
    // A block with fixed codes: the literal 0, then matches of 258 at a distance of 1, each in the
    // same 13 bits.
    let mut bits: Vec<u8> = vec![0, 1, 0];
    bits.extend([0, 0, 1, 1, 0, 0, 0, 0]);
    for _ in 0..len / 258 {
        bits.extend([1, 1, 0, 0, 0, 1, 0, 1]);
        bits.extend([0, 0, 0, 0, 0]);
    }
    // The end of the block, and the header of an empty stored one.
    bits.extend([0; 7]);
    bits.extend([0; 3]);
    bits.chunks(8)
        .map(|bits| bits.iter().rev().fold(0, |byte, bit| byte << 1 | bit))
        .collect()
}

fn compressed(payload: impl Into<Vec<u8>>) -> Frame {
    Frame::binary(payload).rsv(4)
}

/// Sends these frames. Our end reads "Hello", and then an error with this code.
async fn assert_fails(frames: &[Frame], code: u16, is_expected: impl Fn(&WsErr) -> bool) {
    for role in ROLES {
        for (deflate, params) in [
            (
                alone(),
                "; server_no_context_takeover; client_no_context_takeover",
            ),
            (with_context(), ""),
        ] {
            let config = config(deflate)
                .max_recv_message_len(10_000)
                .text(TextPolicy::Bytes);
            let (mut ours, mut peer, _) = open(role, config, params).await;
            peer.send(&compressed(HELLO)).await;
            for frame in frames {
                peer.send(frame).await;
            }
            let script = async {
                let close = peer.next().await.unwrap().close_code().0;
                peer.close_write().await;
                close
            };
            let ((data, end), closed) = futures::future::join(read_to_end(&mut ours), script).await;
            assert_eq!(data, b"Hello");
            let error = end.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            assert!(is_expected(ws_error(&error)), "{error:?}");
            assert_eq!(closed, code);
            let failed = CloseOutcome::Failed(CloseCode::new(code));
            assert_eq!(ours.handle().closed().await, failed);
        }
    }
}

fn is_violation(error: &WsErr) -> bool {
    matches!(error, WsErr::Protocol(_))
}

/// A bomb fails the connection with 1009, in one frame or in fragments.
#[test]
fn bomb_is_too_large() {
    run(async {
        let bomb = bomb(1_000_000);
        assert!(bomb.len() < 10_000);
        let is_too_large = |error: &WsErr| {
            matches!(
                error,
                WsErr::MessageTooLarge {
                    len: 10_001,
                    max: 10_000
                }
            )
        };
        assert_fails(&[compressed(bomb.clone())], 1009, is_too_large).await;
        let (start, rest) = bomb.split_at(200);
        let fragments = [compressed(start).unfinished(), Frame::continuation(rest)];
        assert_fails(&fragments, 1009, is_too_large).await;
        let text = [Frame::text(bomb).rsv(4)];
        assert_fails(&text, 1009, is_too_large).await;
    });
}

/// A message of exactly the limit is received.
#[test]
fn message_of_the_limit_is_received() {
    run(async {
        for role in ROLES {
            let config = config(with_context()).max_recv_message_len(1 + 258 * 1000);
            let (mut ours, mut peer, _) = open(role, config, "").await;
            peer.send(&compressed(bomb(258 * 1000))).await;
            let mut data = vec![1; 1 + 258 * 1000];
            ours.read_exact(&mut data).await.unwrap();
            assert!(data.iter().all(|byte| *byte == 0));
        }
    });
}

/// Broken, truncated and empty streams fail the connection with 1007.
#[test]
fn broken_streams_are_invalid() {
    run(async {
        for payload in [&HELLO[..4], &HELLO[..6], &[0xff; 10], &[], &[0, 5, 0, 0, 0]] {
            assert_fails(&[compressed(payload)], 1007, is_violation).await;
            let (start, rest) = payload.split_at(payload.len() / 2);
            let fragments = [compressed(start).unfinished(), Frame::continuation(rest)];
            assert_fails(&fragments, 1007, is_violation).await;
        }
    });
}

/// Text that inflates to invalid UTF-8 fails the connection with 1007.
#[test]
fn inflated_text_must_be_valid() {
    run(async {
        // A stored block with one byte.
        let frame = Frame::text([0, 1, 0, 0xfe, 0xff, 0xff, 0]).rsv(4);
        assert_fails(&[frame], 1007, is_violation).await;
    });
}

/// Reserved bits on control frames and continuation frames, and the others on any, are violations
/// with 1002.
#[test]
fn misplaced_reserved_bits_are_violations() {
    run(async {
        for frames in [
            vec![Frame::ping(*b"p").rsv(4)],
            vec![Frame::close(1000, "").rsv(4)],
            vec![
                compressed(&HELLO[..3]).unfinished(),
                Frame::continuation(&HELLO[3..]).rsv(4),
            ],
            vec![
                Frame::binary(*b"x").unfinished(),
                Frame::continuation(*b"x").rsv(4),
            ],
            vec![Frame::binary(HELLO).rsv(6)],
            vec![Frame::binary(*b"x").rsv(1)],
        ] {
            assert_fails(&frames, 1002, is_violation).await;
        }
    });
}
