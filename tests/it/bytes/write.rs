//! Writing: writes are packed into messages, and wait for a peer that does not read.

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

/// Bytes that differ by position.
fn pattern(len: usize) -> Vec<u8> {
    (0..251_u8).cycle().take(len).collect()
}

/// Small writes are packed into one message.
#[test]
fn small_writes_share_a_message() {
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

/// A flush ends a message. A second flush sends nothing.
#[test]
fn flush_ends_a_message() {
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

/// A large write is split into messages of at most `max_send_message_len`.
#[test]
fn large_write_is_split() {
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

/// A full message is sent without a flush.
#[test]
fn full_message_needs_no_flush() {
    let config = config_without_keepalive().max_send_message_len(100);
    // A wrapped socket may buffer more of its own.
    on_transports(
        &[Tcp(Role::Server), Tcp(Role::Client), Memory],
        &config,
        async |mut ours, mut peer| {
            ours.write_all(&pattern(200)).await.unwrap();
            assert_eq!(peer.receive(100).await.0, pattern(100));
        },
    );
}

/// An empty write returns 0 at once and sends nothing, also after a close.
#[test]
fn empty_write_sends_nothing() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let now = ours.write(b"").now_or_never().expect("no wait");
        assert_eq!(now.unwrap(), 0);
        let empty = [IoSlice::new(b""), IoSlice::new(b"")];
        assert_eq!(ours.write_vectored(&empty).await.unwrap(), 0);
        assert_eq!(ours.write_vectored(&[]).await.unwrap(), 0);
        ours.flush().await.unwrap();
        ours.close().await.unwrap();
        assert_eq!(ours.write(b"").await.unwrap(), 0, "after the close");
        peer.expect(Frame::close(1000, "")).await;
    });
}

/// A vectored write takes all buffers, in order, into one message.
#[test]
fn vectored_write_takes_all_buffers() {
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

/// The same by the trait of tokio, and by a sending half through both.
#[test]
fn vectored_write_of_any_trait_and_half() {
    use tokio::io;

    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        let bufs = [b"one".as_slice(), b"", b" message"].map(IoSlice::new);
        assert!(io::AsyncWrite::is_write_vectored(&ours));
        let written = io::AsyncWriteExt::write_vectored(&mut ours, &bufs).await;
        assert_eq!(written.unwrap(), 11);
        ours.flush().await.unwrap();
        peer.expect(Frame::binary("one message")).await;
        let (_reader, mut writer) = ours.into_split();
        assert!(io::AsyncWrite::is_write_vectored(&writer));
        let written = io::AsyncWriteExt::write_vectored(&mut writer, &bufs).await;
        assert_eq!(written.unwrap(), 11);
        assert_eq!(writer.write_vectored(&bufs).await.unwrap(), 11);
        writer.flush().await.unwrap();
        peer.expect(Frame::binary("one messageone message")).await;
    });
}

/// A write waits for a peer that does not read. Until then, bounded data is taken, and none of it
/// is lost.
#[test]
fn write_waits_for_peer() {
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
        // The pipe, tungstenite's write buffer, and the write buffer of this library.
        let bound = PIPE_CAPACITY + 128 * 1024 + 4 * 4096;
        assert!(written < bound, "{written} bytes are buffered");
        // The data that was taken arrives when the peer reads.
        let (flushed, received) = future::join(ours.flush(), peer.receive(written)).await;
        flushed.unwrap();
        assert_eq!(received.0, data[..written]);
        assert!(received.1.iter().all(|&len| len <= 4096));
    });
}

/// A blocked write resumes when the peer reads.
#[test]
fn blocked_write_resumes() {
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
            assert!(received.0 == data, "wrong data");
        },
    );
}

/// A write and a flush that need not wait do not read.
#[test]
fn write_does_not_read() {
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

/// Writes to a peer that has disconnected return `BrokenPipe`, and a flush does so once.
#[test]
fn disconnected_peer_is_broken_pipe() {
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
