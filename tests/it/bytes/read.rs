//! What a read gives: the bytes of binary messages, in order, and nothing else.

use std::{
    future::poll_fn,
    io::IoSliceMut,
    pin::{Pin, pin},
};

use futures::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, FutureExt};
use support::{
    Frame, IMMEDIATE, NO_TIMERS, Role, Setup, config_without_keepalive, describe, fragments,
    frame::BINARY, observe, on_all_transports, on_transports, poll_until_idle, read_to_end,
    while_reading,
};

#[test]
fn messages_are_joined_whole_or_in_fragments() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        peer.send(Frame::binary("one ")).await;
        peer.send_all(fragments(BINARY, &[b"tw", b"", b"o "])).await;
        peer.send(Frame::binary("three")).await;
        let mut data = [0; 13];
        ours.read_exact(&mut data).await.unwrap();
        assert_eq!(&data, b"one two three");
    });
}

#[test]
fn control_frames_between_fragments_do_not_show() {
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

#[test]
fn a_small_buffer_gets_a_message_in_pieces() {
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

#[test]
fn an_empty_message_is_not_the_end() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        peer.send(Frame::binary("")).await;
        peer.send_all(fragments(BINARY, &[b"", b"", b""])).await;
        // The answer shows that the empty messages before the ping were received.
        peer.send(Frame::ping("")).await;
        while_reading(&mut ours, peer.expect(Frame::pong(""))).await;
        peer.send(Frame::binary("")).await;
        peer.send(Frame::binary("x")).await;
        let mut data = [0; 8];
        assert_eq!(ours.read(&mut data).await.unwrap(), 1);
    });
}

#[test]
fn a_ping_is_answered_by_reading_alone() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        for payload in ["", "are you there?", &"x".repeat(125)] {
            peer.send(Frame::ping(payload)).await;
            while_reading(&mut ours, peer.expect(Frame::pong(payload))).await;
            assert_eq!(describe(&mut events), [format!("ping {payload}")]);
        }
        assert_eq!(ours.handle().stats().pings_received, 3);
    });
}

#[test]
fn a_ping_is_answered_while_data_keeps_coming() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        peer.send(Frame::ping("now")).await;
        for _ in 0..4 {
            peer.send(Frame::binary("x")).await;
        }
        // None of these reads has to wait for the peer.
        ours.read_exact(&mut [0; 4]).await.unwrap();
        peer.expect(Frame::pong("now")).await;
    });
}

#[test]
fn a_pong_is_an_event_only() {
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

#[test]
fn a_buffered_reader_sees_the_same_bytes() {
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

#[test]
fn a_vectored_read_fills_one_buffer_after_the_other() {
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

#[test]
fn a_read_into_an_empty_buffer_does_nothing() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let nothing = ours.read(&mut []).now_or_never();
        assert_eq!(nothing.expect("it waits for nothing").unwrap(), 0);
        peer.send(Frame::binary("data")).await;
        assert_eq!(ours.read(&mut [0; 1]).await.unwrap(), 1);
        assert_eq!(ours.read(&mut []).await.unwrap(), 0);
        let empty: &mut [IoSliceMut<'_>] =
            &mut [IoSliceMut::new(&mut []), IoSliceMut::new(&mut [])];
        assert_eq!(ours.read_vectored(empty).await.unwrap(), 0);
        ours.read_exact(&mut [0; 3]).await.unwrap();
        // Had it put anything on the wire, it would be in front of this.
        ours.close().await.unwrap();
        peer.expect(Frame::close(1000, "")).await;
    });
}

#[test]
fn a_read_that_is_dropped_loses_nothing() {
    on_transports(
        &NO_TIMERS,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            let mut data = Vec::new();
            for byte in *b"nothing is lost" {
                // One read is dropped before there is anything, one when there may be a part of it.
                assert!(poll_until_idle(pin!(ours.read(&mut [0; 4]))).is_pending());
                peer.send(Frame::binary([byte])).await;
                let mut buf = [0; 4];
                let first = ours.read(&mut buf).now_or_never();
                let read = match first {
                    Some(read) => read.unwrap(),
                    None => ours.read(&mut buf).await.unwrap(),
                };
                data.extend_from_slice(&buf[..read]);
            }
            assert_eq!(data, b"nothing is lost");
        },
    );
}

#[test]
fn reading_needs_no_more_polls_than_there_are_wakes() {
    on_transports(
        &IMMEDIATE,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            let mut data = [0; 8];
            let mut read = pin!(ours.read(&mut data));
            assert!(poll_until_idle(read.as_mut()).is_pending());
            peer.send(Frame::ping("")).await;
            assert!(poll_until_idle(read.as_mut()).is_pending());
            peer.expect(Frame::pong("")).await;
            peer.send(Frame::binary("x")).await;
            assert!(matches!(
                poll_until_idle(read),
                std::task::Poll::Ready(Ok(1))
            ));
        },
    );
}

#[test]
fn tokio_reads_the_same_bytes() {
    use tokio::io::{AsyncBufReadExt, AsyncReadExt};

    let places = [Setup::Tcp(Role::Server), Setup::Tcp(Role::Client)];
    on_transports(
        &places,
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
