//! A link that ends because we refuse something: what was written before goes out in front of our close frame, and no flush
//! says that it did not.

mod common;

use common::{
    Place,
    cancel::narrow,
    handshake::ROLES,
    raw::{Frame, Role},
    settings, sockets,
};
use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, executor::block_on, future::join};
use ws_framed::CloseFrame;

fn refused() -> [(Frame, u16); 2] {
    [(Frame::text(""), 1003), (Frame::binary("").rsv(4), 1002)]
}

#[test]
fn a_flush_after_a_refusal_is_ok_if_all_went_out_before_our_close_frame() {
    for role in ROLES {
        for (frame, code) in refused() {
            for close_with in [false, true] {
                println!("{role:?} {code} {close_with}");
                block_on(sockets::within(async {
                    // `accept` or `connect`, over a pipe of 64 bytes.
                    let (mut ours, mut peer) = narrow(role).await;
                    ours.write_all(&[1; 64]).await.unwrap();
                    // Parks, and fills the pipe.
                    assert!(ours.read(&mut [0; 8]).now_or_never().is_none());
                    peer.send(frame.clone()).await;
                    let script = async {
                        let got = peer.until_close().await;
                        peer.shut().await;
                        got
                    };
                    let mut buf = [0; 8];
                    let (read, (data, got, _)) = join(ours.read(&mut buf), script).await;
                    read.unwrap_err();
                    assert_eq!((data, got), (vec![1; 64], code));
                    if close_with {
                        ours.close_with(CloseFrame::normal()).await.unwrap();
                    } else {
                        ours.flush().await.unwrap();
                    }
                }));
            }
        }
    }
}

#[test]
fn the_same_over_a_socket_of_the_users_one_byte_at_a_time() {
    for role in [Role::Server, Role::Client] {
        for (frame, code) in refused() {
            println!("{role:?} {code}");
            block_on(sockets::within(async {
                let (mut ours, mut peer) = Place::Trickle(role).meet(settings()).await;
                ours.write_all(b"ours").await.unwrap();
                peer.send(frame.clone()).await;
                let script = async {
                    let got = peer.until_close().await;
                    peer.shut().await;
                    got
                };
                let mut buf = [0; 8];
                let (read, (data, got, _)) = join(ours.read(&mut buf), script).await;
                read.unwrap_err();
                assert_eq!((data.as_slice(), got), (&b"ours"[..], code));
                ours.flush().await.unwrap();
            }));
        }
    }
}
