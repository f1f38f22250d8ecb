//! Futures that are dropped before they are done: after each number of polls, over connections that move one
//! byte at a time, until they are done in time.

use std::{
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use async_tungstenite::tokio::TokioAdapter;
use bytes::Bytes;
use futures::{
    executor::block_on,
    future::{self, poll_fn},
};
use tokio::io::duplex;
use ws_framed::{CloseFrame, CloseOutcome, ClosedBy, LengthDelimited, WsFramed, WsStream};

use super::{
    Place,
    handshake::open,
    peer::Peer,
    raw::{Frame, RawPeer, Role},
    settings,
    sockets::within,
};

const PLACES: [Place; 2] = [Place::Trickle(Role::Server), Place::Trickle(Role::Client)];

/// More polls than anything here needs.
const MANY: usize = 10_000;

/// Our end of a connection that holds very little, and makes writes wait for its peer.
pub async fn narrow(role: Role) -> (WsStream, Peer) {
    let (ours, theirs) = duplex(64);
    let config = settings().max_send_message_len(64);
    let peer = RawPeer::shake_hands(TokioAdapter::new(theirs), role.other());
    let ours = open(role, config, ours);
    let (ours, peer) = future::join(ours, peer).await;
    (ours.unwrap(), Peer::Raw(peer))
}

/// Polls so many times, or until it is done, whether or not anything has woken it.
pub fn poll_times<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let cx = &mut Context::from_waker(Waker::noop());
    for _ in 0..times {
        if let Poll::Ready(output) = Pin::as_mut(&mut future).poll(cx) {
            return Some(output);
        }
    }
    None
}

/// Polls whenever it is woken, but only so many times.
pub async fn after_polls<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = times;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        let polled = future.as_mut().poll(cx).map(Some);
        if polled.is_pending() && left == 0 {
            return Poll::Ready(None);
        }
        polled
    })
    .await
}

/// Runs a test with one poll before it drops its future, with two, and so on, until the test says that the
/// future was done in time.
pub async fn until_done(mut test: impl AsyncFnMut(usize) -> bool) {
    for polls in 0..MANY {
        // Shown when the test fails.
        println!("{polls} polls");
        if test(polls).await {
            assert!(polls > 1, "it was done at once: nothing was tried");
            return;
        }
    }
    panic!("it is never done");
}

/// The same on fresh connections.
pub fn for_every_poll(test: impl AsyncFn(usize, WsStream, Peer) -> bool) {
    for place in PLACES {
        println!("in {place:?}");
        block_on(within(until_done(async |polls| {
            let (ours, peer) = place.meet(settings()).await;
            test(polls, ours, peer).await
        })));
    }
}

/// What the peer gets: data, and the close frame, which it answers.
pub async fn gets(mut peer: Peer) -> (Vec<u8>, u16) {
    let (data, code, _) = peer.until_close().await;
    peer.send(Frame::close(code, "")).await;
    peer.expect_end().await;
    (data, code)
}

/// Closes our end, and gives what the peer got.
pub async fn hears(ours: &mut WsStream, peer: Peer) -> Vec<u8> {
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

/// The item view whose frames are [`wire`]'s.
pub fn framed(ours: WsStream) -> WsFramed<Bytes, LengthDelimited> {
    WsFramed::new(ours, LengthDelimited::new(1024))
}

/// An item as it is on the wire.
pub fn wire(items: &[&[u8]]) -> Vec<u8> {
    let prefixed =
        |item: &&[u8]| [&u32::try_from(item.len()).unwrap().to_be_bytes(), *item].concat();
    items.iter().map(prefixed).collect::<Vec<_>>().concat()
}
