//! `max_recv_message_len`. What a claimed length costs is in `memory::limits`.

use std::io;

use futures::{AsyncWriteExt, SinkExt, future};
use support::{
    FRAMED, Frame, Peer, config_without_keepalive, describe, fragments,
    frame::{BINARY, CONTINUATION, TEXT},
    observe, on_all_transports, on_transports, read_to_end, ws_error,
};
use ws_framed::{Json, TextPolicy, WsErr};

/// The frames of messages that are one byte over the limit of 1000, whole and fragmented.
fn too_long() -> [Vec<Frame>; 4] {
    let ten: Vec<&[u8]> = vec![&[0; 100]; 10];
    let mut eleven = ten.clone();
    eleven.push(b"x");
    [
        vec![Frame::binary([0; 1001])],
        fragments(BINARY, &[&[0; 1000], b"x"]),
        fragments(BINARY, &[b"x", b"", &[0; 1000]]),
        fragments(BINARY, &eleven),
    ]
}

/// A message over the limit fails the connection with 1009. A message of exactly the limit is data.
#[test]
fn message_over_limit() {
    let config = config_without_keepalive().max_recv_message_len(1000);
    for frames in too_long() {
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
            assert_eq!((*len, *max), (1001, 1000));
            assert_eq!(code, 1009);
            assert_eq!(describe(&mut events), ["error InvalidData", "closed"]);
        });
    }
}

/// Text over the limit fails the connection with 1009 under each policy that accepts text.
#[test]
fn text_over_limit() {
    for policy in [TextPolicy::Bytes, TextPolicy::Event] {
        let config = config_without_keepalive()
            .text(policy)
            .max_recv_message_len(5);
        on_all_transports(&config, async |mut ours, mut peer| {
            let mut events = observe(&mut ours).await;
            peer.send(Frame::text("fives")).await;
            peer.send(Frame::text("sixsix")).await;
            let (end, code) = future::join(read_to_end(&mut ours), peer.expect_close()).await;
            assert!(matches!(
                ws_error(&end.1.unwrap_err()),
                WsErr::MessageTooLarge { len: 6, max: 5 }
            ));
            assert_eq!(code, 1009);
            let events = describe(&mut events);
            assert!(events.ends_with(&["error InvalidData".to_owned(), "closed".to_owned()]));
        });
    }
}

/// A length that no payload can have fails the connection under the default limit, over wrapped
/// sockets too. tungstenite looks at the limit first.
#[test]
fn largest_claimed_length() {
    let (own, wrapped) = FRAMED.split_at(2);
    for (transports, expected) in [(own, [1002, 1002]), (wrapped, [1002, 1009])] {
        let config = config_without_keepalive();
        on_transports(transports, &config, async |mut ours, mut peer| {
            peer.send(Frame::new(CONTINUATION, "").claiming(u64::MAX))
                .await;
            let (end, code) = future::join(read_to_end(&mut ours), peer.expect_close()).await;
            assert_eq!(end.1.unwrap_err().kind(), io::ErrorKind::InvalidData);
            assert!(expected.contains(&code), "{code}");
        });
    }
}

/// A message over `max_send_frame_len` is sent in fragments of at most that length, in both roles:
/// small writes, a large write, and an item that is one message of text.
#[test]
fn messages_are_fragmented() {
    let config = config_without_keepalive()
        .max_send_message_len(40_000)
        .max_send_frame_len(1000);
    on_transports(&FRAMED[..2], &config, async |mut ours, mut peer| {
        let data: Vec<u8> = (0..100_000_u32).flat_map(u32::to_be_bytes).collect();
        let (small, large) = data.split_at(3500);
        let write = async {
            for part in small.chunks(7) {
                ours.write_all(part).await.unwrap();
            }
            ours.flush().await.unwrap();
            ours.write_all(large).await.unwrap();
            let codec = Json::<String>::new(40_000);
            let mut items = ours.per_message(codec);
            items.send("t".repeat(2500)).await.unwrap();
        };
        let receive = async {
            let (mut received, mut messages) = (Vec::new(), Vec::new());
            while messages.last().is_none_or(|(opcode, _)| *opcode != TEXT) {
                let (opcode, message) = expect_fragments(&mut peer).await;
                if opcode == BINARY {
                    received.extend_from_slice(&message);
                }
                messages.push((opcode, message.len()));
            }
            assert!(received == data);
            assert_eq!(messages.first(), Some(&(BINARY, 3500)));
            assert_eq!(messages.last(), Some(&(TEXT, 2502)));
            assert!(messages.iter().all(|(_, len)| *len <= 40_000));
        };
        future::join(write, receive).await;
    });
}

/// Receives one message, and asserts that each of its fragments but the last has 1000 bytes.
async fn expect_fragments(peer: &mut Peer) -> (u8, Vec<u8>) {
    let first = peer.next().await.unwrap();
    let opcode = first.opcode;
    let (mut message, mut is_final) = (first.payload, first.fin);
    while !is_final {
        assert_eq!(message.len() % 1000, 0);
        let frame = peer.next().await.unwrap();
        assert_eq!(frame.opcode, CONTINUATION);
        assert!((1..=1000).contains(&frame.payload.len()));
        message.extend_from_slice(&frame.payload);
        is_final = frame.fin;
    }
    (opcode, message)
}
