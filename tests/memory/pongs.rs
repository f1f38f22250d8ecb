//! A peer that sends pings and does not read its pongs: data after the pongs waits, and the peer's
//! close gets its reply.

use std::{pin::pin, task::Poll};

use async_tungstenite::tokio::TokioAdapter;
use futures::{AsyncReadExt, AsyncWriteExt, executor::block_on, future};
use support::{
    Frame, Peer, ROLES, RawPeer, Role, config_without_keepalive,
    frame::{BINARY, CLOSE},
    handshake::open,
    timeout,
};
use tokio::io::duplex;
use ws_framed::WsStream;

/// The bytes that the connection holds in each direction.
const CAPACITY: usize = 16 * 1024;

/// The length of each frame that we send.
const FRAME_LEN: usize = 64;

/// How many pings the peer sends: fewer and more than the unsent pongs that a connection allows.
const PINGS: [usize; 3] = [90, 150, 400];

/// The payload of such a frame.
fn payload(role: Role) -> Vec<u8> {
    let header = if role == Role::Server { 2 } else { 6 };
    vec![7; FRAME_LEN - header]
}

/// Polls once. No other task runs in these tests, so that wakers do not matter.
fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    support::poll_once(future).0
}

/// A connection that is full to the last byte with our data.
async fn full(role: Role) -> (WsStream, Peer) {
    let (ours, theirs) = duplex(CAPACITY);
    let peer = RawPeer::handshake(TokioAdapter::new(theirs), role.other());
    let config = config_without_keepalive().max_send_message_len(payload(role).len());
    let (ours, peer) = future::join(open(role, config, ours), peer).await;
    let mut ours = ours.unwrap();
    for _ in 0..CAPACITY / FRAME_LEN {
        ours.write_all(&payload(role)).await.unwrap();
        ours.flush().await.unwrap();
    }
    (ours, Peer::Raw(peer))
}

async fn send_pings(ours: &mut WsStream, peer: &mut Peer, payload: &[u8], count: usize) {
    for _ in 0..count {
        peer.send(Frame::ping(payload)).await;
        assert_no_data(ours);
    }
}

/// Asserts that a read of ours has no data.
fn assert_no_data(ours: &mut WsStream) {
    assert!(poll_once(ours.read(&mut [0; 8])).is_pending());
}

/// Runs a test in both roles, after each number of pings.
fn after_unread_pongs(test: impl AsyncFn(Role, WsStream, Peer)) {
    for (role, pings) in ROLES.into_iter().flat_map(|role| PINGS.map(|n| (role, n))) {
        println!("{pings} pings to a {role:?}");
        block_on(timeout(async {
            let (mut ours, mut peer) = full(role).await;
            send_pings(&mut ours, &mut peer, &payload(role), pings).await;
            test(role, ours, peer).await;
        }));
    }
}

/// Data after unread pongs is sent when the peer reads.
#[test]
fn data_after_pongs_waits() {
    after_unread_pongs(async |role, mut ours, mut peer| {
        ours.write_all(&payload(role)).await.unwrap();
        assert!(poll_once(ours.flush()).is_pending());
        let data = async {
            let mut left = CAPACITY / FRAME_LEN + 1;
            while left > 0 {
                let frame = peer.next().await.expect("more");
                left -= usize::from(frame.opcode == BINARY);
            }
        };
        future::join(ours.flush(), data).await.0.unwrap();
    });
}

/// A ping of ours after unread pongs waits, and so does data after it.
#[test]
fn ping_after_pongs_waits() {
    after_unread_pongs(async |role, mut ours, mut peer| {
        // Fills the connection, so that it has no room for a ping.
        send_pings(&mut ours, &mut peer, b"", 60).await;
        let handle = ours.handle();
        let ping = handle.ping();
        let mut ping = pin!(ping);
        assert!(poll_once(ping.as_mut()).is_pending());
        assert_no_data(&mut ours);
        ours.write_all(&payload(role)).await.unwrap();
        assert!(poll_once(ours.flush()).is_pending());
    });
}

/// The close frame of a peer with unread pongs gets its reply when the peer reads.
#[test]
fn close_after_pongs_gets_reply() {
    after_unread_pongs(async |_, mut ours, mut peer| {
        // Fills the connection, so that it has no room for a close frame.
        send_pings(&mut ours, &mut peer, b"", 60).await;
        peer.send(Frame::close(1000, "")).await;
        assert_no_data(&mut ours);
        // The peer reads everything before our end is polled.
        let mut has_reply = false;
        while let Poll::Ready(frame) = poll_once(peer.next()) {
            has_reply |= frame.unwrap().opcode == CLOSE;
        }
        let rest = async {
            while let Some(frame) = peer.next().await {
                has_reply |= frame.opcode == CLOSE;
            }
        };
        let end = future::join(ours.read(&mut [0; 8]), rest).await.0;
        assert_eq!(end.unwrap(), 0);
        assert!(has_reply);
    });
}
