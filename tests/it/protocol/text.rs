//! Text messages, under each [`TextPolicy`].

use futures::{AsyncReadExt, future};
use support::{
    FRAMED, Frame, config_without_keepalive, describe, fragments, frame::TEXT, observe,
    on_all_transports, on_transports, read_to_end, ws_error,
};
use ws_framed::{CloseCode, CloseOutcome, TextPolicy, WsErr};

use super::assert_violation;

/// Text messages: whole, empty, fragmented, and with a character that spans two fragments. One has
/// a ping between its fragments.
fn texts() -> [(Vec<Frame>, &'static str); 6] {
    let (first, rest) = "€".as_bytes().split_at(1);
    let around_ping = vec![
        Frame::text(first).unfinished(),
        Frame::ping(""),
        Frame::continuation("").unfinished(),
        Frame::continuation(rest),
    ];
    [
        (vec![Frame::text("hello")], "hello"),
        (vec![Frame::text("")], ""),
        (vec![Frame::text("text €")], "text €"),
        (fragments(TEXT, &[b"t", b"w", b"o"]), "two"),
        (fragments(TEXT, &[b"x\xc3", b"\xa9"]), "xé"),
        (around_ping, "€"),
    ]
}

/// `Reject`: text fails the connection with 1003, after the data before it. Later data is
/// discarded.
#[test]
fn text_is_rejected() {
    for (frames, _) in texts() {
        on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
            let mut events = observe(&mut ours).await;
            peer.send(Frame::binary("before")).await;
            peer.send_all(frames.iter().cloned()).await;
            peer.send(Frame::binary("after")).await;
            let handle = ours.handle();
            let ((data, end), code) =
                future::join(read_to_end(&mut ours), peer.expect_close()).await;
            assert_eq!(data, b"before");
            let error = end.unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
            assert!(matches!(ws_error(&error), WsErr::ReceivedText));
            assert_eq!(code, 1003);
            let mut events = describe(&mut events);
            events.retain(|event| event != "ping ");
            assert_eq!(events, ["error InvalidData", "closed"]);
            let failed = CloseOutcome::Failed(CloseCode::UNSUPPORTED_DATA);
            assert_eq!(handle.closed().await, failed);
        });
    }
}

/// `Reject`: data after the text is read and discarded, so that the peer can send it and receive
/// the close frame.
#[test]
fn data_after_rejected_text() {
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
            let ((data, end), code) = future::join(read_to_end(&mut ours), script).await;
            assert_eq!((data.len(), code), (0, 1003));
            assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::InvalidData);
        },
    );
}

/// `Bytes`: text is data like any other.
#[test]
fn text_as_data() {
    let config = config_without_keepalive().text(TextPolicy::Bytes);
    on_all_transports(&config, async |mut ours, mut peer| {
        peer.send(Frame::binary("a")).await;
        peer.send_all(texts().into_iter().flat_map(|(frames, _)| frames))
            .await;
        peer.send(Frame::binary("b")).await;
        let text: String = texts().map(|(_, text)| text).concat();
        let expected = format!("a{text}b");
        let mut data = vec![0; expected.len()];
        ours.read_exact(&mut data).await.unwrap();
        assert_eq!(data, expected.as_bytes());
        assert_eq!(ours.handle().stats().messages_received, 8);
        peer.send(Frame::close(1000, "")).await;
        let ((rest, end), code) = future::join(read_to_end(&mut ours), peer.expect_close()).await;
        end.unwrap();
        assert_eq!((rest.len(), code), (0, 1000));
        assert!(ours.handle().closed().await.is_clean());
    });
}

/// `Event`: text is an event and no data.
#[test]
fn text_as_event() {
    let config = config_without_keepalive().text(TextPolicy::Event);
    on_all_transports(&config, async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        peer.send(Frame::binary("a")).await;
        peer.send_all(texts().into_iter().flat_map(|(frames, _)| frames))
            .await;
        peer.send(Frame::binary("b")).await;
        let mut data = [0; 2];
        ours.read_exact(&mut data).await.unwrap();
        assert_eq!(&data, b"ab");
        let mut events = describe(&mut events);
        events.retain(|event| event != "ping ");
        assert_eq!(events, texts().map(|(_, text)| format!("text {text}")));
        peer.send(Frame::close(1000, "")).await;
        let ((rest, end), code) = future::join(read_to_end(&mut ours), peer.expect_close()).await;
        end.unwrap();
        assert_eq!((rest.len(), code), (0, 1000));
        assert!(ours.handle().closed().await.is_clean());
    });
}

/// Text that is not UTF-8 fails the connection with 1007 under every policy.
#[test]
fn text_without_utf8() {
    let rows = [
        vec![Frame::text(*b"\xff")],
        vec![Frame::text(*b"fine\xff")],
        vec![Frame::text(*b"\xc3\x28")],
        vec![Frame::text(*b"\xed\xa0\x80")],
        vec![Frame::text(*b"\xf4\x90\x80\x80")],
        // The message ends within a character.
        vec![Frame::text(*b"\xe2\x82")],
        fragments(TEXT, &[b"x", b"\xc3"]),
        fragments(TEXT, &[b"\xe2", b"\x82"]),
        fragments(TEXT, &[b"\xc3", b"\x28"]),
        // The message need not be complete.
        vec![
            Frame::text("fine").unfinished(),
            Frame::continuation(*b"\xff").unfinished(),
        ],
    ];
    for policy in [TextPolicy::Reject, TextPolicy::Bytes, TextPolicy::Event] {
        let config = config_without_keepalive().text(policy);
        for frames in &rows {
            assert_violation(&FRAMED, &config, frames, 1007);
        }
    }
}
