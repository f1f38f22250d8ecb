//! Writes are packed into messages, and wait for a peer that does not read.

use std::{
    future::poll_fn,
    io::{self, IoSlice},
    pin::{Pin, pin},
    task::Poll,
};

use futures::{AsyncWrite, AsyncWriteExt, FutureExt, future};
use support::{
    Frame, IMMEDIATE, NO_TIMERS, PIPE_CAPACITY, Role,
    Setup::{Memory, Tcp},
    config_without_keepalive, describe, observe, on_all_transports, on_transports, poll_until_idle,
};

/// Bytes that tell where they belong.
fn pattern(len: usize) -> Vec<u8> {
    (0..251_u8).cycle().take(len).collect()
}

#[test]
fn many_small_writes_are_one_message() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let data = pattern(3000);
        for piece in data.chunks(10) {
            assert_eq!(ours.write(piece).await.unwrap(), 10);
        }
        ours.flush().await.unwrap();
        assert_eq!(peer.receive(3000).await, (data, vec![3000]));
        let stats = ours.handle().stats();
        assert_eq!((stats.messages_sent, stats.bytes_sent), (1, 3000));
    });
}

#[test]
fn each_flush_ends_a_message() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        for part in [&b"one"[..], b"two", b"three"] {
            ours.write_all(part).await.unwrap();
            ours.flush().await.unwrap();
            ours.flush().await.unwrap();
        }
        let (data, lens) = peer.receive(11).await;
        assert_eq!(
            (data.as_slice(), lens),
            (&b"onetwothree"[..], vec![3, 3, 5])
        );
    });
}

#[test]
fn large_writes_are_cut_into_messages_of_the_limit() {
    let config = config_without_keepalive().max_send_message_len(1000);
    on_all_transports(&config, async |mut ours, mut peer| {
        let data = pattern(10_500);
        let writing = async {
            ours.write_all(&data).await.unwrap();
            ours.flush().await.unwrap();
        };
        let ((), received) = future::join(writing, peer.receive(10_500)).await;
        let lens = [vec![1000; 10], vec![500]].concat();
        assert_eq!(received, (data.clone(), lens));
    });
}

#[test]
fn a_full_message_goes_out_without_a_flush() {
    let config = config_without_keepalive().max_send_message_len(100);
    // A socket that the user opened may gather more of its own.
    on_transports(
        &[Tcp(Role::Server), Tcp(Role::Client), Memory],
        &config,
        async |mut ours, mut peer| {
            ours.write_all(&pattern(200)).await.unwrap();
            assert_eq!(peer.receive(100).await.0, pattern(100));
        },
    );
}

#[test]
fn an_empty_write_is_nothing() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let now = ours
            .write(b"")
            .now_or_never()
            .expect("it waits for nothing");
        assert_eq!(now.unwrap(), 0);
        let empty = [IoSlice::new(b""), IoSlice::new(b"")];
        assert_eq!(ours.write_vectored(&empty).await.unwrap(), 0);
        assert_eq!(ours.write_vectored(&[]).await.unwrap(), 0);
        ours.flush().await.unwrap();
        ours.close().await.unwrap();
        assert_eq!(ours.write(b"").await.unwrap(), 0, "after the close, too");
        peer.expect(Frame::close(1000, "")).await;
    });
}

#[test]
fn a_vectored_write_takes_one_buffer_after_the_other() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let big = pattern(5000);
        let bufs = [
            IoSlice::new(b""),
            IoSlice::new(&big),
            IoSlice::new(b""),
            IoSlice::new(b"end"),
        ];
        assert_eq!(ours.write_vectored(&bufs).await.unwrap(), 5003);
        ours.flush().await.unwrap();
        let (data, lens) = peer.receive(5003).await;
        assert_eq!(data, [big.as_slice(), b"end"].concat());
        assert_eq!(lens, [5003]);
    });
}

#[test]
fn a_peer_that_never_reads_makes_writes_wait() {
    let config = config_without_keepalive().max_send_message_len(4096);
    on_transports(&NO_TIMERS, &config, async |mut ours, mut peer| {
        const MUCH: usize = 1024 * 1024;
        let data = pattern(MUCH);
        let mut written = 0;
        {
            let writing = pin!(async {
                while written < MUCH {
                    let len = (MUCH - written).min(10_000);
                    written += ours.write(&data[written..written + len]).await.unwrap();
                }
            });
            assert!(poll_until_idle(writing).is_pending());
        }
        // What is under way, then the 128 KiB that the engine gathers unless told otherwise, then ours.
        let bound = PIPE_CAPACITY + 128 * 1024 + 4 * 4096;
        assert!(written < bound, "{written} bytes are kept");
        // What was taken arrives when the peer reads again.
        let (flushed, received) = future::join(ours.flush(), peer.receive(written)).await;
        flushed.unwrap();
        assert_eq!(received.0, data[..written]);
        assert!(received.1.iter().all(|&len| len <= 4096));
    });
}

#[test]
fn a_write_that_waits_goes_on_when_the_peer_reads() {
    on_transports(
        &IMMEDIATE,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            // More than the transport in memory holds.
            let data = pattern(2 * 1024 * 1024);
            let mut writing = pin!(async {
                ours.write_all(&data).await.unwrap();
                ours.flush().await.unwrap();
            });
            assert!(poll_until_idle(writing.as_mut()).is_pending());
            let ((), received) = future::join(writing, peer.receive(data.len())).await;
            assert!(received.0 == data, "the bytes have changed on their way");
        },
    );
}

#[test]
fn writes_that_need_not_wait_do_not_read() {
    on_transports(
        &IMMEDIATE,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            let mut events = observe(&mut ours).await;
            peer.send(Frame::ping("unread")).await;
            peer.send(Frame::binary("unread")).await;
            ours.write_all(&pattern(1000)).await.unwrap();
            ours.flush().await.unwrap();
            assert_eq!(peer.receive(1000).await.0, pattern(1000));
            assert_eq!(describe(&mut events), <[&str; 0]>::default());
            assert_eq!(ours.handle().stats().pings_received, 0);
        },
    );
}

#[test]
fn a_flush_that_is_dropped_sends_nothing_twice() {
    on_transports(
        &NO_TIMERS,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            let data = pattern(30_000);
            let script = peer.receive(data.len());
            let writing = async {
                for piece in data.chunks(777) {
                    ours.write_all(piece).await.unwrap();
                    // Polled once, and dropped wherever that got it.
                    let _ = ours.flush().now_or_never();
                }
                ours.flush().await.unwrap();
            };
            let (received, ()) = future::join(script, writing).await;
            assert!(received.0 == data, "the bytes have changed on their way");
        },
    );
}

#[test]
fn writing_to_a_peer_that_has_gone_fails_sooner_or_later() {
    on_transports(
        &IMMEDIATE,
        &config_without_keepalive(),
        async |mut ours, peer| {
            drop(peer);
            let data = pattern(100_000);
            let error = loop {
                if let Err(error) = ours.write(&data).await {
                    break error;
                }
            };
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
            let again = poll_fn(|cx| Pin::new(&mut ours).poll_write(cx, b"x")).await;
            assert_eq!(again.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
            assert!(matches!(
                ours.flush().now_or_never(),
                Some(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe
            ));
            assert!(matches!(
                poll_until_idle(pin!(ours.flush())),
                Poll::Ready(Ok(()))
            ));
        },
    );
}
