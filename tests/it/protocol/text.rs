//! Text messages, under each of the three policies.

use futures::{AsyncReadExt, future};
use support::{
    FRAMED, Frame, config_without_keepalive, describe, fragments, frame::TEXT, observe,
    on_all_transports, on_transports, read_to_end, ws_error,
};
use ws_framed::{CloseOutcome, TextPolicy, WsErr};

#[test]
fn text_is_rejected_after_the_bytes_before_it() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        peer.send(Frame::binary("before")).await;
        peer.send(Frame::text("no")).await;
        peer.send(Frame::binary("after the hole")).await;
        let closed = ours.handle();
        let ((data, end), code) = future::join(read_to_end(&mut ours), peer.expect_close()).await;
        assert_eq!(data, b"before", "what follows a hole is not data");
        let error = end.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
        assert!(matches!(ws_error(&error), WsErr::ReceivedText));
        assert_eq!(code, 1003);
        assert_eq!(describe(&mut events), ["error InvalidData", "closed"]);
        assert_eq!(closed.closed().await, CloseOutcome::Failed);
    });
}

#[test]
fn what_follows_rejected_text_is_drained() {
    on_transports(
        &FRAMED[..4],
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            let script = async {
                peer.send(Frame::text("no")).await;
                for _ in 0..40 {
                    peer.send(Frame::binary([7; 5000])).await;
                }
                peer.expect_close().await
            };
            // Were it not drained, the peer would be stuck, or its connection reset before it hears why.
            let ((data, end), code) = future::join(read_to_end(&mut ours), script).await;
            assert_eq!((data.len(), code), (0, 1003));
            assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::InvalidData);
        },
    );
}

#[test]
fn text_may_be_data() {
    let config = config_without_keepalive().text(TextPolicy::Bytes);
    on_all_transports(&config, async |mut ours, mut peer| {
        peer.send(Frame::binary("a")).await;
        peer.send(Frame::text("é")).await;
        peer.send(Frame::text("")).await;
        // A character may lie across two fragments.
        peer.send_all(fragments(TEXT, &[b"x\xc3", b"\xa9"])).await;
        peer.send(Frame::binary("b")).await;
        let mut data = [0; 7];
        ours.read_exact(&mut data).await.unwrap();
        assert_eq!(&data, "aéxéb".as_bytes());
        assert_eq!(ours.handle().stats().messages_received, 5);
    });
}

#[test]
fn text_may_be_an_event() {
    let config = config_without_keepalive().text(TextPolicy::Event);
    on_all_transports(&config, async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        peer.send(Frame::binary("a")).await;
        peer.send(Frame::text("hello")).await;
        peer.send(Frame::text("")).await;
        peer.send_all(fragments(TEXT, &[b"t", b"w", b"o"])).await;
        peer.send(Frame::binary("b")).await;
        let mut data = [0; 2];
        ours.read_exact(&mut data).await.unwrap();
        assert_eq!(&data, b"ab");
        assert_eq!(describe(&mut events), ["text hello", "text ", "text two"]);
    });
}

#[test]
fn text_over_the_limit_is_too_large_under_every_policy_that_takes_text() {
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
            let told = describe(&mut events);
            assert!(told.ends_with(&["error InvalidData".to_owned(), "closed".to_owned()]));
        });
    }
}

#[test]
fn text_that_is_not_utf8_is_a_violation_under_every_policy() {
    for policy in [TextPolicy::Reject, TextPolicy::Bytes, TextPolicy::Event] {
        let config = config_without_keepalive().text(policy);
        on_transports(&FRAMED, &config, async |mut ours, mut peer| {
            peer.send(Frame::text(b"fine\xff")).await;
            let (end, code) = future::join(read_to_end(&mut ours), peer.expect_close()).await;
            assert!(matches!(ws_error(&end.1.unwrap_err()), WsErr::Protocol(_)));
            assert_eq!(code, 1007);
        });
    }
}
