//! A peer that pings much while it reads nothing: what is written behind the pongs waits, and the answer to its close
//! is sent.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use async_tungstenite::tokio::TokioAdapter;
use futures::{AsyncReadExt, AsyncWriteExt, executor::block_on, future};
use support::{
    Frame, Peer, ROLES, RawPeer, Role,
    alloc::exclusive,
    config_without_keepalive,
    frame::{BINARY, CLOSE},
    handshake::open,
    timeout,
};
use tokio::io::duplex;
use ws_framed::WsStream;

/// How many bytes the connection holds each way.
const ROOM: usize = 16 * 1024;

/// How long each frame is that we send.
const FRAME: usize = 64;

/// How many pings come: fewer than a connection lets itself owe, and more.
const PINGS: [usize; 3] = [90, 150, 400];

/// The payload of such a frame.
fn payload(role: Role) -> Vec<u8> {
    let header = if role == Role::Server { 2 } else { 6 };
    vec![7; FRAME - header]
}

/// Polls once. Nothing is woken: nothing happens here but by polling.
fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// A connection that is full to the last byte of what we sent.
async fn full(role: Role) -> (WsStream, Peer) {
    let (ours, theirs) = duplex(ROOM);
    let peer = RawPeer::handshake(TokioAdapter::new(theirs), role.other());
    let config = config_without_keepalive().max_send_message_len(payload(role).len());
    let (ours, peer) = future::join(open(role, config, ours), peer).await;
    let mut ours = ours.unwrap();
    for _ in 0..ROOM / FRAME {
        ours.write_all(&payload(role)).await.unwrap();
        ours.flush().await.unwrap();
    }
    (ours, Peer::Raw(peer))
}

async fn ping(ours: &mut WsStream, peer: &mut Peer, payload: &[u8], count: usize) {
    for _ in 0..count {
        peer.send(Frame::ping(payload)).await;
        finds_nothing(ours);
    }
}

fn finds_nothing(ours: &mut WsStream) {
    assert!(poll_once(ours.read(&mut [0; 8])).is_pending());
}

/// Runs the test with so many pings in both roles.
fn behind_pongs(test: impl AsyncFn(Role, WsStream, Peer)) {
    for (role, pings) in ROLES.into_iter().flat_map(|role| PINGS.map(|n| (role, n))) {
        println!("{pings} pings to a {role:?}");
        block_on(timeout(async {
            let (mut ours, mut peer) = full(role).await;
            ping(&mut ours, &mut peer, &payload(role), pings).await;
            test(role, ours, peer).await;
        }));
    }
}

#[test]
fn what_is_written_behind_them_waits_for_the_peer() {
    let _alone = exclusive();
    behind_pongs(async |role, mut ours, mut peer| {
        ours.write_all(&payload(role)).await.unwrap();
        assert!(poll_once(ours.flush()).is_pending());
        let data = async {
            let mut left = ROOM / FRAME + 1;
            while left > 0 {
                let frame = peer.next().await.expect("more");
                left -= usize::from(frame.opcode == BINARY);
            }
        };
        future::join(ours.flush(), data).await.0.unwrap();
    });
}

#[test]
fn a_ping_of_ours_behind_them_waits_for_the_peer() {
    let _alone = exclusive();
    behind_pongs(async |role, mut ours, mut peer| {
        // So that not even a ping fits behind them.
        ping(&mut ours, &mut peer, b"", 60).await;
        let handle = ours.handle();
        let ping = handle.ping();
        let mut ping = pin!(ping);
        assert!(poll_once(ping.as_mut()).is_pending());
        finds_nothing(&mut ours);
        ours.write_all(&payload(role)).await.unwrap();
        assert!(poll_once(ours.flush()).is_pending());
    });
}

#[test]
fn a_close_of_the_peer_is_answered() {
    let _alone = exclusive();
    behind_pongs(async |_, mut ours, mut peer| {
        // So that not even a close frame fits behind them.
        ping(&mut ours, &mut peer, b"", 60).await;
        peer.send(Frame::close(1000, "")).await;
        finds_nothing(&mut ours);
        // The peer reads everything before we do anything.
        let mut is_answered = false;
        while let Poll::Ready(frame) = poll_once(peer.next()) {
            is_answered |= frame.unwrap().opcode == CLOSE;
        }
        let rest = async {
            while let Some(frame) = peer.next().await {
                is_answered |= frame.opcode == CLOSE;
            }
        };
        let end = future::join(ours.read(&mut [0; 8]), rest).await.0;
        assert_eq!(end.unwrap(), 0);
        assert!(is_answered);
    });
}
