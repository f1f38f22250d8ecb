//! Every future of this library may be dropped at any point: after each number of polls, over a connection
//! that moves one byte at a time, the work is then done another way, and nothing is lost or repeated.

#![cfg(all(feature = "tokio", feature = "async-tungstenite"))]

mod common;

use std::{
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use async_tungstenite::tokio::TokioAdapter;
use bytes::Bytes;
use common::{
    Place,
    peer::Peer,
    raw::{Frame, PING, RawPeer, Role},
    read_to_end,
    sockets::within,
};
use futures::{
    AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt,
    executor::block_on,
    future::{self, Either},
};
use tokio::io::duplex;
use ws_framed::{
    Acceptor, CloseFrame, CloseOutcome, ClosedBy, Config, Connector, LengthDelimited, WsFramed,
    WsStream,
};

const PLACES: [Place; 2] = [Place::Trickle(Role::Server), Place::Trickle(Role::Client)];

const ROLES: [Role; 2] = [Role::Server, Role::Client];

/// Our end of a connection that holds very little, and makes writes wait for its peer.
async fn narrow(role: Role) -> (WsStream, Peer) {
    let (ours, theirs) = duplex(64);
    let config = Config::default().max_send_message_len(64).keepalive(None);
    let peer = RawPeer::shake_hands(TokioAdapter::new(theirs), role.other());
    let ours = async {
        match role {
            Role::Server => Acceptor::new().config(config).accept(ours).await,
            Role::Client => {
                let connector = Connector::new().config(config);
                connector.connect_over(ours, "ws://localhost/").await
            }
        }
    };
    let (ours, peer) = future::join(ours, peer).await;
    (ours.unwrap(), Peer::Raw(peer))
}

/// Polls so many times, or until it is done, whether or not anything has woken it.
fn poll_times<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let cx = &mut Context::from_waker(Waker::noop());
    for _ in 0..times {
        if let Poll::Ready(output) = Pin::as_mut(&mut future).poll(cx) {
            return Some(output);
        }
    }
    None
}

/// Runs a test on fresh connections: with one poll before it drops its future, with two, and so on, until the
/// test says that the future was done in time.
fn for_every_poll(test: impl AsyncFn(usize, WsStream, Peer) -> bool) {
    for place in PLACES {
        block_on(within(async {
            for polls in 0.. {
                // Shown when the test fails.
                println!("in {place:?}, {polls} polls");
                assert!(polls < 10_000, "it is never done");
                let (ours, peer) = place.meet(Config::default().keepalive(None)).await;
                if test(polls, ours, peer).await {
                    assert!(polls > 1, "it was done at once: nothing was tried");
                    return;
                }
            }
        }));
    }
}

/// What the peer gets: data, and the close frame, which it answers.
async fn gets(mut peer: Peer) -> (Vec<u8>, u16) {
    let (data, code, _) = peer.until_close().await;
    peer.send(Frame::close(code, "")).await;
    peer.expect_end().await;
    (data, code)
}

/// Closes our end, and gives what the peer got.
async fn hears(ours: &mut WsStream, peer: Peer) -> Vec<u8> {
    let closing = ours.close_with(CloseFrame::normal());
    let (outcome, (data, code)) = future::join(closing, gets(peer)).await;
    let outcome = outcome.unwrap();
    assert!(
        matches!(
            outcome,
            CloseOutcome::Clean {
                by: ClosedBy::Us,
                ..
            }
        ),
        "{outcome:?}"
    );
    assert_eq!(code, 1000);
    data
}

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
    for_every_poll(async |polls, mut ours, mut peer| {
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
    for_every_poll(async |polls, mut ours, mut peer| {
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
            block_on(within(async {
                let (mut ours, peer) = narrow(role).await;
                let mut taken = Vec::new();
                let mut waited = 0;
                for byte in 0..=255 {
                    match poll_times(polls, ours.write(&[byte; 100])) {
                        Some(written) => taken.extend(vec![byte; written.unwrap()]),
                        None => waited += 1,
                    }
                }
                assert!(waited > 200, "there was room for everything");
                assert!(hears(&mut ours, peer).await == taken, "{polls} polls");
            }));
        }
    }
}

#[test]
fn a_flush_may_be_done_again() {
    for_every_poll(async |polls, mut ours, peer| {
        ours.write_all(b"abc").await.unwrap();
        let is_done = poll_times(polls, ours.flush()).is_some();
        ours.write_all(b"def").await.unwrap();
        ours.flush().await.unwrap();
        assert_eq!(hears(&mut ours, peer).await, b"abcdef");
        is_done
    });
}

#[test]
fn a_close_may_be_done_again_or_in_another_way() {
    for again in 0..3 {
        for_every_poll(async |polls, mut ours, peer| {
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
                assert_eq!(data, b"");
            };
            let ((), (data, code)) = future::join(others, gets(peer)).await;
            assert_eq!((data.as_slice(), code), (b"abc".as_slice(), 1000));
            is_done
        });
    }
}

#[test]
fn close_with_leaves_the_link_closing() {
    let frame = || CloseFrame::new(4000.into(), "done").unwrap();
    for again in 0..2 {
        for_every_poll(async |polls, mut ours, mut peer| {
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
            let (outcome, (data, code)) = future::join(others, gets(peer)).await;
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

/// A handle's futures: the link goes on without them.
#[test]
fn a_ping_may_be_forgotten() {
    for_every_poll(async |polls, mut ours, mut peer| {
        let handle = ours.handle();
        // The link is polled in between: the ping may leave, and be forgotten after that.
        let mut buf = [0; 8];
        {
            let forgotten = future::join(handle.ping(), ours.read(&mut buf));
            assert!(poll_times(polls, forgotten).is_none());
        }
        let script = async {
            loop {
                let frame = peer.next().await.unwrap();
                if frame.opcode != PING {
                    break frame;
                }
                peer.send(Frame::pong(frame.payload)).await;
            }
        };
        let others = async {
            match future::select(pin!(handle.ping()), ours.read(&mut buf)).await {
                Either::Left((pinged, _)) => pinged.unwrap(),
                Either::Right((read, _)) => panic!("there is nothing to read: {read:?}"),
            };
            ours.write_all(b"end").await.unwrap();
            ours.flush().await.unwrap();
        };
        let (last, ()) = future::join(script, others).await;
        assert_eq!(last, Frame::binary("end"));
        polls > 60
    });
}

#[test]
fn waiting_for_the_end_may_be_forgotten() {
    for_every_poll(async |polls, mut ours, mut peer| {
        let handle = ours.handle();
        assert!(poll_times(polls, handle.closed()).is_none());
        peer.send(Frame::close(1000, "")).await;
        let (outcome, (_, end)) = future::join(handle.closed(), read_to_end(&mut ours)).await;
        end.unwrap();
        assert!(matches!(
            outcome,
            CloseOutcome::Clean {
                by: ClosedBy::Peer,
                ..
            }
        ));
        polls > 3
    });
}

type Framed = WsFramed<Bytes, LengthDelimited>;

fn framed(ours: WsStream) -> Framed {
    WsFramed::new(ours, LengthDelimited::new(1024))
}

#[test]
fn a_next_loses_and_repeats_no_item() {
    for_every_poll(async |polls, ours, mut peer| {
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

/// An item as it is on the wire.
fn wire(items: &[&[u8]]) -> Vec<u8> {
    let prefixed =
        |item: &&[u8]| [&u32::try_from(item.len()).unwrap().to_be_bytes(), *item].concat();
    items.iter().map(prefixed).collect::<Vec<_>>().concat()
}

/// With room, `send` hands its item over in the first poll; what it then waits for is the flush.
#[test]
fn a_send_that_was_polled_with_room_sends_its_item_once() {
    for_every_poll(async |polls, ours, peer| {
        let mut ours = framed(ours);
        ours.feed(Bytes::from("before")).await.unwrap();
        let is_done = poll_times(polls, ours.send(Bytes::from("this"))).is_some();
        ours.send(Bytes::from("after")).await.unwrap();
        let data = hears(&mut ours.into_stream(), peer).await;
        let expected: &[&[u8]] = match polls {
            0 => &[b"before", b"after"],
            _ => &[b"before", b"this", b"after"],
        };
        assert_eq!(data, wire(expected));
        is_done
    });
}

/// Without, it holds its item until there is some: dropped before that, the item is dropped with it.
#[test]
fn a_send_that_waits_for_room_drops_its_item_and_no_other() {
    for role in ROLES {
        for polls in 0..20 {
            block_on(within(async {
                let (ours, peer) = narrow(role).await;
                let mut ours = WsFramed::new(ours, LengthDelimited::new(4096));
                let large = vec![7; 4096];
                ours.feed(Bytes::from(large.clone())).await.unwrap();
                let dropped = poll_times(polls, ours.send(Bytes::from("dropped")));
                assert!(dropped.is_none());
                let last = async {
                    ours.send(Bytes::from("after")).await.unwrap();
                    ours.close_with(CloseFrame::normal()).await.unwrap()
                };
                let (outcome, (data, _)) = future::join(last, gets(peer)).await;
                assert!(matches!(outcome, CloseOutcome::Clean { .. }));
                assert!(data == wire(&[&large, b"after"]), "{polls} polls");
            }));
        }
    }
}

#[test]
fn a_flush_of_items_may_be_done_again() {
    for_every_poll(async |polls, ours, peer| {
        let mut ours = framed(ours);
        ours.feed(Bytes::from("one")).await.unwrap();
        let is_done = poll_times(polls, SinkExt::<Bytes>::flush(&mut ours)).is_some();
        ours.feed(Bytes::from("two")).await.unwrap();
        SinkExt::<Bytes>::flush(&mut ours).await.unwrap();
        let data = hears(&mut ours.into_stream(), peer).await;
        assert_eq!(data, wire(&[b"one", b"two"]));
        is_done
    });
}

#[test]
fn a_close_of_items_may_be_done_again() {
    for_every_poll(async |polls, ours, peer| {
        let mut ours = framed(ours);
        ours.feed(Bytes::from("one")).await.unwrap();
        let is_done = poll_times(polls, SinkExt::<Bytes>::close(&mut ours)).is_some();
        let others = async {
            SinkExt::<Bytes>::close(&mut ours).await.unwrap();
            assert!(ours.next().await.is_none());
        };
        let ((), (data, code)) = future::join(others, gets(peer)).await;
        assert_eq!((data, code), (wire(&[b"one"]), 1000));
        is_done
    });
}
