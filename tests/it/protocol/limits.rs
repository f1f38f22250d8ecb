//! `max_recv_message_len`. What a claimed length costs is in `memory::limits`.

use std::io;

use futures::future;
use support::{
    FRAMED, Frame, config_without_keepalive, describe, fragments,
    frame::{BINARY, CONTINUATION},
    observe, on_all_transports, on_transports, read_to_end, ws_error,
};
use ws_framed::{TextPolicy, WsErr};

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
/// sockets too.
#[test]
fn largest_claimed_length() {
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
