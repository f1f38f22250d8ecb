//! A peer that breaks a rule hears of it, even if it reads only when it has sent everything.

#![cfg(all(feature = "tokio", feature = "async-tungstenite"))]

mod common;

use common::{
    cancel::{narrow, poll_times},
    handshake::ROLES,
    raw::Frame,
    read_to_end,
    sockets::within,
};
use futures::{AsyncWriteExt, executor::block_on, future};

#[test]
fn a_peer_that_sends_all_before_it_reads_hears_of_its_offence() {
    for role in ROLES {
        block_on(within(async {
            let (mut ours, mut peer) = narrow(role).await;
            // We have more to send than the network holds.
            while poll_times(1, ours.write(&[1; 64])).is_some() {}
            let script = async move {
                peer.send(Frame::binary("?").rsv(4)).await;
                for _ in 0..100 {
                    peer.send(Frame::binary([2; 100])).await;
                }
                peer.until_close().await.1
            };
            let (_, code) = future::join(read_to_end(&mut ours), script).await;
            assert_eq!(code, 1002);
        }));
    }
}
