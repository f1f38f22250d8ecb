//! Futures of the item stream that are dropped after any number of polls. The transport moves one
//! byte at a time.

use bytes::Bytes;
use futures::{SinkExt, StreamExt, executor::block_on, future};
use support::{
    Frame, Peer, ROLES,
    cancel::{close_and_receive, encoded, framed, on_each_poll, receive_and_reply, small_pipe},
    poll_times, timeout,
};
use ws_framed::{CloseFrame, CloseOutcome, ClosedBy, LengthDelimited, WsFramed};

/// Sends items that end at other places than messages do, and a close frame.
async fn send_items(peer: &mut Peer) {
    for payload in [
        &b"\0\0\0\x03on"[..],
        b"e\0\0\0\x03two\0\0\0\x00\0",
        b"\0\0\x05three",
    ] {
        peer.send(Frame::binary(payload)).await;
    }
    peer.send(Frame::close(1000, "")).await;
}

/// A `next` that is dropped after any number of polls, once or each time, loses and repeats no
/// item.
#[test]
fn dropped_next_loses_no_item() {
    on_each_poll(async |polls, ours, mut peer| {
        let mut ours = framed(ours);
        send_items(&mut peer).await;
        let first = poll_times(polls, ours.next()).map(|item| item.unwrap().unwrap());
        let is_done = first.is_some();
        let mut items = Vec::from_iter(first);
        while let Some(item) = ours.next().await {
            items.push(item.unwrap());
        }
        assert_eq!(items, ["one", "two", "", "three"]);
        is_done
    });
    // Each `next` is dropped after so many polls.
    on_each_poll(async |polls, ours, mut peer| {
        let mut ours = framed(ours);
        send_items(&mut peer).await;
        let mut items = Vec::new();
        loop {
            match poll_times(polls + 1, ours.next()) {
                Some(Some(item)) => items.push(item.unwrap()),
                Some(None) => break,
                None => {}
            }
        }
        assert_eq!(items, ["one", "two", "", "three"]);
        polls > 20
    });
}

/// A `send` that has room hands its item over in the first poll. Dropped in its flush, the item is
/// sent once.
#[test]
fn dropped_send_sends_item_once() {
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

/// A `send` that waits for room holds its item. Dropped before there is room, it drops this item
/// and no other.
#[test]
fn blocked_send_drops_its_item() {
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

/// A flush that is dropped after any number of polls loses and repeats no item.
#[test]
fn dropped_flush_sends_nothing_twice() {
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

/// A close that is dropped after any number of polls can be repeated.
#[test]
fn dropped_close_can_be_repeated() {
    on_each_poll(async |polls, ours, peer| {
        let mut ours = framed(ours);
        ours.feed(Bytes::from("one")).await.unwrap();
        let is_done = poll_times(polls, SinkExt::<Bytes>::close(&mut ours)).is_some();
        let completing = async {
            SinkExt::<Bytes>::close(&mut ours).await.unwrap();
            assert!(ours.next().await.is_none());
        };
        let ((), (data, code)) = future::join(completing, receive_and_reply(peer)).await;
        assert_eq!((data, code), (encoded(&[b"one"]), 1000));
        is_done
    });
}

/// A `close_with` that is dropped leaves the connection closing. A second one completes it and
/// sends no other frame.
#[test]
fn dropped_close_with_leaves_it_closing() {
    on_each_poll(async |polls, ours, mut peer| {
        let mut ours = framed(ours);
        ours.feed(Bytes::from("one")).await.unwrap();
        peer.send(Frame::binary(encoded(&[b"discarded, or read"])))
            .await;
        let done = CloseFrame::new(4000.into(), "done").unwrap();
        let closed = poll_times(polls, ours.close_with(done.clone()));
        assert!(closed.is_none(), "the peer has not replied");
        // Once the first has been polled, its frame is the one that is sent, and data is discarded.
        let completing = async {
            if polls == 0 {
                assert_eq!(ours.next().await.unwrap().unwrap(), "discarded, or read");
                return ours.close_with(done).await.unwrap();
            }
            assert!(ours.next().await.is_none());
            ours.close_with(CloseFrame::normal()).await.unwrap()
        };
        let (outcome, (data, code)) = future::join(completing, receive_and_reply(peer)).await;
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
