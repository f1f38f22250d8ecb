//! The futures of the item view may be dropped at any point: after each number of polls, over a connection
//! that moves one byte at a time, the work is then done another way, and no item is lost or repeated.

use bytes::Bytes;
use futures::{SinkExt, StreamExt, executor::block_on, future};
use support::{
    Frame, ROLES,
    cancel::{close_and_receive, encoded, framed, on_each_poll, receive_and_reply, small_pipe},
    poll_times, timeout,
};
use ws_framed::{CloseFrame, CloseOutcome, ClosedBy, LengthDelimited, WsFramed};

#[test]
fn a_next_loses_and_repeats_no_item() {
    on_each_poll(async |polls, ours, mut peer| {
        let mut ours = framed(ours);
        for payload in [
            &b"\0\0\0\x03on"[..],
            b"e\0\0\0\x03two\0\0\0\x00\0",
            b"\0\0\x05three",
        ] {
            peer.send(Frame::binary(payload)).await;
        }
        peer.send(Frame::close(1000, "")).await;
        let first = poll_times(polls, ours.next()).map(|item| item.unwrap().unwrap());
        let is_done = first.is_some();
        let mut items = Vec::from_iter(first);
        while let Some(item) = ours.next().await {
            items.push(item.unwrap());
        }
        assert_eq!(items, ["one", "two", "", "three"]);
        is_done
    });
}

/// With room, `send` hands its item over in the first poll; what it then waits for is the flush.
#[test]
fn a_send_that_was_polled_with_room_sends_its_item_once() {
    on_each_poll(async |polls, ours, peer| {
        let mut ours = framed(ours);
        ours.feed(Bytes::from("before")).await.unwrap();
        let is_done = poll_times(polls, ours.send(Bytes::from("this"))).is_some();
        ours.send(Bytes::from("after")).await.unwrap();
        let data = close_and_receive(&mut ours.into_stream(), peer).await;
        let expected: &[&[u8]] = match polls {
            0 => &[b"before", b"after"],
            _ => &[b"before", b"this", b"after"],
        };
        assert_eq!(data, encoded(expected));
        is_done
    });
}

/// Without, it holds its item until there is some: dropped before that, the item is dropped with it.
#[test]
fn a_send_that_waits_for_room_drops_its_item_and_no_other() {
    for role in ROLES {
        for polls in 0..20 {
            block_on(timeout(async {
                let (ours, peer) = small_pipe(role).await;
                let mut ours = WsFramed::new(ours, LengthDelimited::new(4096));
                let large = vec![7; 4096];
                ours.feed(Bytes::from(large.clone())).await.unwrap();
                let dropped = poll_times(polls, ours.send(Bytes::from("dropped")));
                assert!(dropped.is_none());
                let last = async {
                    ours.send(Bytes::from("after")).await.unwrap();
                    ours.close_with(CloseFrame::normal()).await.unwrap()
                };
                let (outcome, (data, _)) = future::join(last, receive_and_reply(peer)).await;
                assert!(matches!(outcome, CloseOutcome::Clean { .. }));
                assert!(data == encoded(&[&large, b"after"]), "{polls} polls");
            }));
        }
    }
}

#[test]
fn a_flush_of_items_may_be_done_again() {
    on_each_poll(async |polls, ours, peer| {
        let mut ours = framed(ours);
        ours.feed(Bytes::from("one")).await.unwrap();
        let is_done = poll_times(polls, SinkExt::<Bytes>::flush(&mut ours)).is_some();
        ours.feed(Bytes::from("two")).await.unwrap();
        SinkExt::<Bytes>::flush(&mut ours).await.unwrap();
        let data = close_and_receive(&mut ours.into_stream(), peer).await;
        assert_eq!(data, encoded(&[b"one", b"two"]));
        is_done
    });
}

#[test]
fn a_close_of_items_may_be_done_again() {
    on_each_poll(async |polls, ours, peer| {
        let mut ours = framed(ours);
        ours.feed(Bytes::from("one")).await.unwrap();
        let is_done = poll_times(polls, SinkExt::<Bytes>::close(&mut ours)).is_some();
        let others = async {
            SinkExt::<Bytes>::close(&mut ours).await.unwrap();
            assert!(ours.next().await.is_none());
        };
        let ((), (data, code)) = future::join(others, receive_and_reply(peer)).await;
        assert_eq!((data, code), (encoded(&[b"one"]), 1000));
        is_done
    });
}

#[test]
fn close_with_leaves_the_link_closing() {
    on_each_poll(async |polls, ours, mut peer| {
        let mut ours = framed(ours);
        ours.feed(Bytes::from("one")).await.unwrap();
        peer.send(Frame::binary(encoded(&[b"discarded, or read"])))
            .await;
        let done = CloseFrame::new(4000.into(), "done").unwrap();
        let closed = poll_times(polls, ours.close_with(done.clone()));
        assert!(closed.is_none(), "the peer has not answered");
        // If the first has begun, this one's frame is not sent, and reading finds nothing.
        let others = async {
            if polls == 0 {
                assert_eq!(ours.next().await.unwrap().unwrap(), "discarded, or read");
                return ours.close_with(done).await.unwrap();
            }
            assert!(ours.next().await.is_none());
            ours.close_with(CloseFrame::normal()).await.unwrap()
        };
        let (outcome, (data, code)) = future::join(others, receive_and_reply(peer)).await;
        assert!(matches!(
            outcome,
            CloseOutcome::Clean {
                by: ClosedBy::Us,
                ..
            }
        ));
        assert_eq!((data, code), (encoded(&[b"one"]), 4000));
        polls > 100
    });
}
