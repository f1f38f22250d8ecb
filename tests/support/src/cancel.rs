//! Futures that are dropped before they are done: after each number of polls, over connections that
//! move one byte at a time, until they are done before they are dropped.

use async_tungstenite::tokio::TokioAdapter;
use bytes::Bytes;
use futures::{executor::block_on, future};
use tokio::io::duplex;
use ws_framed::{CloseFrame, CloseOutcome, ClosedBy, Config, LengthDelimited, WsFramed, WsStream};

use crate::{
    Frame, Peer, RawPeer, Role, Setup, config_without_keepalive, handshake::open, timeout,
};

const SETUPS: [Setup; 2] = [Setup::OneByte(Role::Server), Setup::OneByte(Role::Client)];

/// More polls than anything here needs.
const MAX_POLLS: usize = 10_000;

/// Our end of a connection that holds 64 bytes in each direction, so that writes wait for the peer.
pub async fn small_pipe(role: Role) -> (WsStream, Peer) {
    small_pipe_with(role, config_without_keepalive()).await
}

/// The same with these settings.
pub async fn small_pipe_with(role: Role, config: Config) -> (WsStream, Peer) {
    let (ours, theirs) = duplex(64);
    let config = config.max_send_message_len(64);
    let peer = RawPeer::handshake(TokioAdapter::new(theirs), role.other());
    let ours = open(role, config, ours);
    let (ours, peer) = future::join(ours, peer).await;
    (ours.unwrap(), Peer::Raw(peer))
}

/// Runs a test that drops its future after one poll, after two, and so on, until the test says that
/// the future was done before.
pub async fn after_each_poll(mut test: impl AsyncFnMut(usize) -> bool) {
    for polls in 0..MAX_POLLS {
        // Shown when the test fails.
        println!("{polls} polls");
        if test(polls).await {
            assert!(polls > 1, "it was done at once: nothing was tried");
            return;
        }
    }
    panic!("it is never done");
}

/// [`after_each_poll`], with a new connection for each number of polls, in both roles.
pub fn on_each_poll(test: impl AsyncFn(usize, WsStream, Peer) -> bool) {
    for setup in SETUPS {
        println!("in {setup:?}");
        block_on(timeout(after_each_poll(async |polls| {
            let (ours, peer) = setup.open(config_without_keepalive()).await;
            test(polls, ours, peer).await
        })));
    }
}

/// Receives data and the close frame, replies to it, and expects the end.
pub async fn receive_and_reply(mut peer: Peer) -> (Vec<u8>, u16) {
    let (data, code, _) = peer.until_close().await;
    peer.send(Frame::close(code, "")).await;
    peer.expect_end().await;
    (data, code)
}

/// Closes our end cleanly. Returns the data that the peer received.
pub async fn close_and_receive(ours: &mut WsStream, peer: Peer) -> Vec<u8> {
    let closing = ours.close_with(CloseFrame::normal());
    let (outcome, (data, code)) = future::join(closing, receive_and_reply(peer)).await;
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

/// The item stream whose encoded items are those of [`encoded`].
pub fn framed(ours: WsStream) -> WsFramed<Bytes, LengthDelimited> {
    WsFramed::new(ours, LengthDelimited::new(1024))
}

/// These items, each behind its length.
pub fn encoded(items: &[&[u8]]) -> Vec<u8> {
    let prefixed =
        |item: &&[u8]| [&u32::try_from(item.len()).unwrap().to_be_bytes(), *item].concat();
    items.iter().map(prefixed).collect::<Vec<_>>().concat()
}
