//! Futures of the byte stream that are dropped after any number of polls. The transport moves one
//! byte at a time.

use std::pin::pin;

use futures::{
    AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, FutureExt, executor::block_on, future,
};
use support::{
    Frame, NO_TIMERS, Peer, ROLES,
    cancel::{close_and_receive, on_each_poll, receive_and_reply, small_pipe},
    config_without_keepalive, on_transports, poll_times, poll_until_idle, read_to_end, timeout,
    while_reading,
};
use ws_framed::{CloseFrame, CloseOutcome, ClosedBy};

use crate::bytes::fill;

/// Sends data in whole and fragmented messages, a ping, and a close frame.
async fn send_messages(peer: &mut Peer) {
    peer.send(Frame::binary("one ").unfinished()).await;
    peer.send(Frame::ping("?")).await;
    peer.send(Frame::continuation("two ")).await;
    peer.send(Frame::binary("three")).await;
    peer.send(Frame::close(1000, "")).await;
}

/// A read that is dropped after any number of polls loses and repeats no byte.
#[test]
fn dropped_read_loses_nothing() {
    on_each_poll(async |polls, mut ours, mut peer| {
        send_messages(&mut peer).await;
        let mut buf = [0; 3];
        let read = poll_times(polls, ours.read(&mut buf));
        let len = read.map_or(0, Result::unwrap);
        let mut data = buf[..len].to_vec();
        let (rest, end) = read_to_end(&mut ours).await;
        end.unwrap();
        data.extend(rest);
        assert_eq!(data, b"one two three");
        len > 0
    });
    // Over other transports: dropped before there is data, and when there may be a part of it.
    on_transports(
        &NO_TIMERS,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            let mut data = Vec::new();
            for byte in *b"nothing is lost" {
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

/// A `fill_buf` that is dropped after any number of polls loses and repeats no byte.
#[test]
fn dropped_buffered_read_loses_nothing() {
    on_each_poll(async |polls, mut ours, mut peer| {
        send_messages(&mut peer).await;
        let is_done = poll_times(polls, ours.fill_buf()).is_some();
        let (data, end) = read_to_end(&mut ours).await;
        end.unwrap();
        assert_eq!(data, b"one two three");
        is_done
    });
}

/// A write takes as many bytes as it returns. If it is dropped before, it takes none.
#[test]
fn dropped_write_takes_nothing() {
    for role in ROLES {
        for polls in 0..20 {
            block_on(timeout(async {
                let (mut ours, peer) = small_pipe(role).await;
                let mut taken = Vec::new();
                let mut blocked = 0;
                for byte in 0..=255 {
                    match poll_times(polls, ours.write(&[byte; 100])) {
                        Some(written) => taken.extend(vec![byte; written.unwrap()]),
                        None => blocked += 1,
                    }
                }
                assert!(blocked > 200, "few writes were blocked");
                assert!(
                    close_and_receive(&mut ours, peer).await == taken,
                    "{polls} polls"
                );
            }));
        }
    }
}

/// A flush that is dropped after any number of polls loses and repeats no byte.
#[test]
fn dropped_flush_sends_nothing_twice() {
    on_each_poll(async |polls, mut ours, peer| {
        ours.write_all(b"abc").await.unwrap();
        let is_done = poll_times(polls, ours.flush()).is_some();
        ours.write_all(b"def").await.unwrap();
        ours.flush().await.unwrap();
        assert_eq!(close_and_receive(&mut ours, peer).await, b"abcdef");
        is_done
    });
    // Over other transports: many flushes that are dropped after one poll.
    on_transports(
        &NO_TIMERS,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            let data: Vec<u8> = (0..251_u8).cycle().take(30_000).collect();
            let script = peer.receive(data.len());
            let writing = async {
                for part in data.chunks(777) {
                    ours.write_all(part).await.unwrap();
                    let _ = ours.flush().now_or_never();
                }
                ours.flush().await.unwrap();
            };
            let (received, ()) = future::join(script, writing).await;
            assert!(received.0 == data, "wrong data");
        },
    );
}

/// A close that is dropped can be repeated, or completed by `close_with`, a handle or reads.
#[test]
fn dropped_close_can_be_repeated() {
    for way in 0..3 {
        on_each_poll(async |polls, mut ours, peer| {
            ours.write_all(b"abc").await.unwrap();
            let is_done = poll_times(polls, ours.close()).is_some();
            let completing = async {
                match way {
                    0 => ours.close().await.unwrap(),
                    1 => drop(ours.close_with(CloseFrame::normal()).await.unwrap()),
                    _ => ours.handle().close(CloseFrame::normal()).unwrap(),
                }
                let (data, end) = read_to_end(&mut ours).await;
                end.unwrap();
                assert!(data.is_empty());
            };
            let ((), (data, code)) = future::join(completing, receive_and_reply(peer)).await;
            assert_eq!((data.as_slice(), code), (b"abc".as_slice(), 1000));
            is_done
        });
    }
}

/// A `close_with` that is dropped leaves the connection closing. A second one completes it and
/// sends no other frame.
#[test]
fn dropped_close_with_leaves_it_closing() {
    let frame = || CloseFrame::new(4000.into(), "done").unwrap();
    for reads in [false, true] {
        on_each_poll(async |polls, mut ours, mut peer| {
            ours.write_all(b"abc").await.unwrap();
            peer.send(Frame::binary("discarded, or read")).await;
            let closed = poll_times(polls, ours.close_with(frame()));
            assert!(closed.is_none(), "the peer has not replied");
            let completing = async {
                if reads && polls > 0 {
                    let (_, end) = read_to_end(&mut ours).await;
                    end.unwrap();
                }
                // Once the first has been polled, its frame is the one that is sent.
                let frame = if polls > 0 {
                    CloseFrame::normal()
                } else {
                    frame()
                };
                ours.close_with(frame).await.unwrap()
            };
            let (outcome, (data, code)) = future::join(completing, receive_and_reply(peer)).await;
            assert!(matches!(
                outcome,
                CloseOutcome::Clean {
                    by: ClosedBy::Us,
                    ..
                }
            ));
            assert_eq!((data.as_slice(), code), (b"abc".as_slice(), 4000));
            polls > 100
        });
    }
    // Over other transports.
    on_transports(
        &NO_TIMERS,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            assert!(poll_until_idle(pin!(ours.close_with(frame()))).is_pending());
            assert_eq!(peer.until_close().await.1, 4000);
            assert!(poll_until_idle(pin!(ours.close_with(CloseFrame::normal()))).is_pending());
            peer.send(Frame::close(1000, "")).await;
            peer.close_write().await;
            let outcome = ours.close_with(CloseFrame::normal()).await.unwrap();
            let expected = CloseOutcome::Clean {
                code: 1000.into(),
                reason: String::new(),
                our_code: Some(4000.into()),
                by: ClosedBy::Us,
            };
            assert_eq!(outcome, expected);
            peer.expect_end().await;
        },
    );
}

/// A blocked close that is dropped is completed by the next read.
#[test]
fn dropped_close_continues_with_read() {
    on_transports(
        &NO_TIMERS,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            fill(&mut ours);
            assert!(poll_until_idle(pin!(ours.close())).is_pending());
            let (_, code, _) = while_reading(&mut ours, peer.until_close()).await;
            assert_eq!(code, 1000);
            peer.send(Frame::close(1000, "")).await;
            read_to_end(&mut ours).await.1.unwrap();
        },
    );
}
