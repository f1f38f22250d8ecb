//! A peer that breaks a rule hears of it, even if it reads only when it has sent everything.

use async_tungstenite::tokio::TokioAdapter;
use futures::{AsyncWriteExt, StreamExt, executor::block_on, future};
use support::{
    Frame, Peer, ROLES, RawPeer, Role,
    cancel::{framed, small_pipe},
    config_without_keepalive, from_raw_socket, poll_times, read_to_end, timeout,
};
use tokio::io::duplex;
use ws_framed::WsStream;

/// What the peer does, and what it hears.
fn offences() -> [(Frame, u16); 3] {
    [
        (Frame::binary("?").rsv(4), 1002),
        (Frame::text("?"), 1003),
        (Frame::binary([2; 2000]), 1009),
    ]
}

/// The same as [`narrow`] over a socket of the user's, whose engine lets pass what our limit does not.
async fn narrow_of_the_user(role: Role) -> (WsStream, Peer) {
    let (ours, theirs) = duplex(64);
    let config = config_without_keepalive().max_recv_message_len(1000);
    let ours = from_raw_socket(TokioAdapter::new(ours), role, config).await;
    let peer = RawPeer::new(TokioAdapter::new(theirs), role.other());
    (ours, Peer::Raw(peer))
}

/// Sends all of it, more than the network holds, and then reads.
async fn send_and_hear(mut peer: Peer, offence: Frame) -> u16 {
    peer.send(Frame::ping("before")).await;
    peer.send(offence).await;
    for _ in 0..100 {
        peer.send(Frame::ping("behind")).await;
        peer.send(Frame::binary([2; 100])).await;
    }
    peer.until_close().await.1
}

/// We have more to send than the network holds.
fn fill(ours: &mut WsStream) {
    while poll_times(1, ours.write(&[1; 64])).is_some() {}
}

#[test]
fn a_peer_that_sends_all_before_it_reads_hears_of_its_offence() {
    for role in ROLES {
        for (offence, expected) in offences() {
            for is_the_users in [false, true] {
                println!("{role:?} {expected}, a socket of the user's: {is_the_users}");
                block_on(timeout(async {
                    let (mut ours, peer) = if is_the_users {
                        narrow_of_the_user(role).await
                    } else if expected == 1009 {
                        // No offence under the limits of this one.
                        return;
                    } else {
                        small_pipe(role).await
                    };
                    fill(&mut ours);
                    let script = send_and_hear(peer, offence.clone());
                    let ((_, end), code) = future::join(read_to_end(&mut ours), script).await;
                    assert_eq!(code, expected);
                    end.unwrap_err();
                }));
            }
        }
    }
}

#[test]
fn a_peer_that_sends_what_is_no_item_hears_of_it_too() {
    for role in ROLES {
        block_on(timeout(async {
            let (mut ours, peer) = small_pipe(role).await;
            fill(&mut ours);
            let mut items = framed(ours);
            // A frame that claims more than the codec admits.
            let script = send_and_hear(peer, Frame::binary([0xff; 4]));
            let (end, code) = future::join(items.next(), script).await;
            assert_eq!(code, 1009);
            end.unwrap().unwrap_err();
        }));
    }
}

#[test]
fn a_close_of_the_peers_behind_its_offence_changes_nothing_of_what_it_hears() {
    for role in ROLES {
        block_on(timeout(async {
            let (mut ours, mut peer) = small_pipe(role).await;
            fill(&mut ours);
            let script = async move {
                peer.send(Frame::text("?")).await;
                peer.send(Frame::binary([2; 1000])).await;
                peer.send(Frame::close(1000, "done")).await;
                for _ in 0..10 {
                    // Until it has been read on our side.
                    tokio::task::yield_now().await;
                }
                peer.until_close().await.1
            };
            let ((_, end), code) = future::join(read_to_end(&mut ours), script).await;
            assert_eq!(code, 1003);
            end.unwrap_err();
        }));
    }
}

#[test]
fn a_peer_that_ends_its_stream_behind_its_offence_hears_of_it_when_it_reads() {
    for role in ROLES {
        for (offence, expected) in offences() {
            println!("{role:?} {expected}");
            block_on(timeout(async {
                let (mut ours, mut peer) = narrow_of_the_user(role).await;
                fill(&mut ours);
                let script = async move {
                    peer.send(offence).await;
                    peer.close_write().await;
                    for _ in 0..10 {
                        // Until the end has been seen on our side.
                        tokio::task::yield_now().await;
                    }
                    peer.until_close().await.1
                };
                let ((_, end), code) = future::join(read_to_end(&mut ours), script).await;
                assert_eq!(code, expected);
                end.unwrap_err();
            }));
        }
    }
}
