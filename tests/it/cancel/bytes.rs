//! The futures of the byte view may be dropped at any point: after each number of polls, over a connection
//! that moves one byte at a time, the work is then done another way, and nothing is lost or repeated.

use futures::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, executor::block_on, future};
use support::{
    Frame, Peer, ROLES,
    cancel::{close_and_receive, on_each_poll, receive_and_reply, small_pipe},
    poll_times, read_to_end, timeout,
};
use ws_framed::{CloseFrame, CloseOutcome, ClosedBy};

/// What the peer sends to those who read.
async fn speak(peer: &mut Peer) {
    peer.send(Frame::binary("one ").unfinished()).await;
    peer.send(Frame::ping("?")).await;
    peer.send(Frame::continuation("two ")).await;
    peer.send(Frame::binary("three")).await;
    peer.send(Frame::close(1000, "")).await;
}

#[test]
fn a_read_loses_and_repeats_nothing() {
    on_each_poll(async |polls, mut ours, mut peer| {
        speak(&mut peer).await;
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
}

#[test]
fn a_buffered_read_loses_and_repeats_nothing() {
    on_each_poll(async |polls, mut ours, mut peer| {
        speak(&mut peer).await;
        let is_done = poll_times(polls, ours.fill_buf()).is_some();
        let (data, end) = read_to_end(&mut ours).await;
        end.unwrap();
        assert_eq!(data, b"one two three");
        is_done
    });
}

#[test]
fn a_write_takes_what_it_says_or_nothing() {
    for role in ROLES {
        for polls in 0..20 {
            block_on(timeout(async {
                let (mut ours, peer) = small_pipe(role).await;
                let mut taken = Vec::new();
                let mut waited = 0;
                for byte in 0..=255 {
                    match poll_times(polls, ours.write(&[byte; 100])) {
                        Some(written) => taken.extend(vec![byte; written.unwrap()]),
                        None => waited += 1,
                    }
                }
                assert!(waited > 200, "there was room for everything");
                assert!(
                    close_and_receive(&mut ours, peer).await == taken,
                    "{polls} polls"
                );
            }));
        }
    }
}

#[test]
fn a_flush_may_be_done_again() {
    on_each_poll(async |polls, mut ours, peer| {
        ours.write_all(b"abc").await.unwrap();
        let is_done = poll_times(polls, ours.flush()).is_some();
        ours.write_all(b"def").await.unwrap();
        ours.flush().await.unwrap();
        assert_eq!(close_and_receive(&mut ours, peer).await, b"abcdef");
        is_done
    });
}

#[test]
fn a_close_may_be_done_again_or_in_another_way() {
    for again in 0..3 {
        on_each_poll(async |polls, mut ours, peer| {
            ours.write_all(b"abc").await.unwrap();
            let is_done = poll_times(polls, ours.close()).is_some();
            let others = async {
                match again {
                    0 => ours.close().await.unwrap(),
                    1 => drop(ours.close_with(CloseFrame::normal()).await.unwrap()),
                    _ => ours.handle().close(CloseFrame::normal()).unwrap(),
                }
                let (data, end) = read_to_end(&mut ours).await;
                end.unwrap();
                assert!(data.is_empty());
            };
            let ((), (data, code)) = future::join(others, receive_and_reply(peer)).await;
            assert_eq!((data.as_slice(), code), (b"abc".as_slice(), 1000));
            is_done
        });
    }
}

#[test]
fn close_with_leaves_the_link_closing() {
    let frame = || CloseFrame::new(4000.into(), "done").unwrap();
    for again in 0..2 {
        on_each_poll(async |polls, mut ours, mut peer| {
            ours.write_all(b"abc").await.unwrap();
            peer.send(Frame::binary("discarded, or read")).await;
            let closed = poll_times(polls, ours.close_with(frame()));
            assert!(closed.is_none(), "the peer has not answered");
            let others = async {
                if again == 0 && polls > 0 {
                    let (_, end) = read_to_end(&mut ours).await;
                    end.unwrap();
                }
                // If the first has begun, this one's frame is not sent.
                let frame = if polls > 0 {
                    CloseFrame::normal()
                } else {
                    frame()
                };
                ours.close_with(frame).await.unwrap()
            };
            let (outcome, (data, code)) = future::join(others, receive_and_reply(peer)).await;
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
}
