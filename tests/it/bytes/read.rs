//! Reading: a read returns the bytes of binary messages, in order, and nothing else.

use std::{future::poll_fn, io::IoSliceMut, pin::Pin};

use futures::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, FutureExt};
use support::{
    Frame, Role, Setup, config_without_keepalive, describe, fragments, frame::BINARY, observe,
    on_all_transports, on_transports, read_to_end, while_reading,
};

/// The payloads of messages are joined, whether or not the messages are fragmented.
#[test]
fn messages_are_joined() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        peer.send(Frame::binary("one ")).await;
        peer.send_all(fragments(BINARY, &[b"tw", b"", b"o "])).await;
        peer.send(Frame::binary("three")).await;
        let mut data = [0; 13];
        ours.read_exact(&mut data).await.unwrap();
        assert_eq!(&data, b"one two three");
    });
}

/// Control frames between the fragments of a message are no part of its data.
#[test]
fn control_frames_between_fragments() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        peer.send(Frame::binary("be").unfinished()).await;
        peer.send(Frame::ping("x")).await;
        peer.send(Frame::continuation("fo").unfinished()).await;
        peer.send(Frame::pong("y")).await;
        peer.send(Frame::continuation("re")).await;
        let mut data = [0; 6];
        ours.read_exact(&mut data).await.unwrap();
        assert_eq!(&data, b"before");
    });
}

/// Reads into a buffer shorter than a message return the message in parts.
#[test]
fn short_buffer_splits_message() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        peer.send(Frame::binary("pieces")).await;
        peer.send(Frame::close(1000, "")).await;
        let mut data = Vec::new();
        let mut byte = [0];
        while ours.read(&mut byte).await.unwrap() == 1 {
            data.push(byte[0]);
        }
        assert_eq!(data, b"pieces");
    });
}

/// An empty message, whole or fragmented, is neither data nor the end of file.
#[test]
fn empty_message_is_no_end() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        peer.send(Frame::binary("")).await;
        peer.send_all(fragments(BINARY, &[b"", b"", b""])).await;
        // The pong shows that the empty messages before the ping were received.
        peer.send(Frame::ping("")).await;
        while_reading(&mut ours, peer.expect(Frame::pong(""))).await;
        peer.send(Frame::binary("")).await;
        peer.send(Frame::binary("x")).await;
        let mut data = [0; 8];
        assert_eq!(ours.read(&mut data).await.unwrap(), 1);
    });
}

/// A read that waits replies to pings.
#[test]
fn read_replies_to_pings() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        for payload in ["", "payload", &"x".repeat(125)] {
            peer.send(Frame::ping(payload)).await;
            while_reading(&mut ours, peer.expect(Frame::pong(payload))).await;
            assert_eq!(describe(&mut events), [format!("ping {payload}")]);
        }
        assert_eq!(ours.handle().stats().pings_received, 3);
    });
}

/// A ping gets its reply even if no read has to wait.
#[test]
fn reply_needs_no_idle_read() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        peer.send(Frame::ping("now")).await;
        for _ in 0..4 {
            peer.send(Frame::binary("x")).await;
        }
        // The data is there, so none of these reads waits for the peer.
        ours.read_exact(&mut [0; 4]).await.unwrap();
        peer.expect(Frame::pong("now")).await;
    });
}

/// A pong is an event, and no data.
#[test]
fn pong_is_an_event_only() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        peer.send(Frame::pong("unasked")).await;
        peer.send(Frame::binary("data")).await;
        let mut data = [0; 8];
        assert_eq!(ours.read(&mut data).await.unwrap(), 4);
        assert_eq!(describe(&mut events), ["pong unasked"]);
        assert_eq!(ours.handle().stats().pongs_received, 1);
    });
}

/// `AsyncBufRead` returns the same bytes as `AsyncRead`.
#[test]
fn buffered_reads_return_same_bytes() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        peer.send(Frame::binary("first li")).await;
        peer.send(Frame::binary("")).await;
        peer.send(Frame::binary("ne\nsecond")).await;
        peer.send(Frame::close(1000, "")).await;
        let mut line = String::new();
        ours.read_line(&mut line).await.unwrap();
        assert_eq!(line, "first line\n");
        let mut ours = Pin::new(&mut ours);
        let buffered = poll_fn(|cx| ours.as_mut().poll_fill_buf(cx).map_ok(<[u8]>::to_vec)).await;
        assert_eq!(buffered.unwrap(), b"second");
        ours.as_mut().consume(3);
        let (rest, end) = read_to_end(&mut ours).await;
        assert_eq!(rest, b"ond");
        end.unwrap();
    });
}

/// A vectored read fills the buffers in order.
#[test]
fn vectored_read_fills_buffers() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        peer.send(Frame::binary("abcdef")).await;
        let (mut one, mut two) = ([0; 2], [0; 8]);
        let mut bufs = [
            IoSliceMut::new(&mut []),
            IoSliceMut::new(&mut one),
            IoSliceMut::new(&mut two),
        ];
        let read = poll_fn(|cx| Pin::new(&mut ours).poll_read_vectored(cx, &mut bufs)).await;
        assert_eq!(read.unwrap(), 6);
        assert_eq!((&one, &two[..4]), (b"ab", &b"cdef"[..]));
    });
}

/// A read into an empty buffer returns 0 at once, takes no data and sends nothing.
#[test]
fn empty_buffer_reads_nothing() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let nothing = ours.read(&mut []).now_or_never();
        assert_eq!(nothing.expect("no wait").unwrap(), 0);
        peer.send(Frame::binary("data")).await;
        assert_eq!(ours.read(&mut [0; 1]).await.unwrap(), 1);
        assert_eq!(ours.read(&mut []).await.unwrap(), 0);
        let empty: &mut [IoSliceMut<'_>] =
            &mut [IoSliceMut::new(&mut []), IoSliceMut::new(&mut [])];
        assert_eq!(ours.read_vectored(empty).await.unwrap(), 0);
        ours.read_exact(&mut [0; 3]).await.unwrap();
        // A frame that such a read sent would precede this one.
        ours.close().await.unwrap();
        peer.expect(Frame::close(1000, "")).await;
    });
}

/// The same through the traits of tokio, and of a receiving half through both.
#[test]
fn empty_buffer_of_any_trait_and_half() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let nothing = tokio::io::AsyncReadExt::read(&mut ours, &mut []).now_or_never();
        assert_eq!(nothing.expect("no wait").unwrap(), 0);
        let (mut reader, mut writer) = ours.into_split();
        let nothing = tokio::io::AsyncReadExt::read(&mut reader, &mut []).now_or_never();
        assert_eq!(nothing.expect("no wait").unwrap(), 0);
        let nothing = reader.read(&mut []).now_or_never();
        assert_eq!(nothing.expect("no wait").unwrap(), 0);
        peer.send(Frame::binary("data")).await;
        let mut data = [0; 4];
        reader.read_exact(&mut data).await.unwrap();
        assert_eq!(&data, b"data");
        // A frame that such a read sent would precede this one.
        writer.close().await.unwrap();
        peer.expect(Frame::close(1000, "")).await;
    });
}

/// The traits of tokio return the same bytes as those of futures.
#[test]
fn tokio_reads_same_bytes() {
    use tokio::io::{AsyncBufReadExt, AsyncReadExt};

    let setups = [Setup::Tcp(Role::Server), Setup::Tcp(Role::Client)];
    on_transports(
        &setups,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            peer.send(Frame::binary("ab")).await;
            peer.send(Frame::binary("")).await;
            peer.send(Frame::binary("cd\nef")).await;
            peer.send(Frame::close(1000, "")).await;
            let mut data = [0; 3];
            AsyncReadExt::read_exact(&mut ours, &mut data)
                .await
                .unwrap();
            assert_eq!(&data, b"abc");
            assert_eq!(AsyncReadExt::read(&mut ours, &mut []).await.unwrap(), 0);
            let mut line = String::new();
            AsyncBufReadExt::read_line(&mut ours, &mut line)
                .await
                .unwrap();
            assert_eq!(line, "d\n");
            let mut rest = String::new();
            AsyncReadExt::read_to_string(&mut ours, &mut rest)
                .await
                .unwrap();
            assert_eq!(rest, "ef");
            assert_eq!(AsyncReadExt::read(&mut ours, &mut data).await.unwrap(), 0);
        },
    );
}
