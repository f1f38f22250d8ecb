//! A link that ends because we refuse something: what was written before goes out in front of our close frame, and no flush
//! says that it did not.

use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, executor::block_on, future::join};
use support::{
    Frame, Peer, ROLES, Role, Setup, cancel::small_pipe, config_without_keepalive, timeout,
};
use ws_framed::{CloseFrame, WsStream};

fn refused() -> [(Frame, u16); 2] {
    [(Frame::text(""), 1003), (Frame::binary("").rsv(4), 1002)]
}

/// We read what we refuse: the data that the peer hears before our close frame, and its code.
async fn refuse(ours: &mut WsStream, peer: &mut Peer) -> (Vec<u8>, u16) {
    let script = async {
        let (data, code, _) = peer.until_close().await;
        peer.close_write().await;
        (data, code)
    };
    let mut buf = [0; 8];
    let (read, heard) = join(ours.read(&mut buf), script).await;
    read.unwrap_err();
    heard
}

#[test]
fn a_flush_after_a_refusal_is_ok_if_all_went_out_before_our_close_frame() {
    for role in ROLES {
        for (frame, code) in refused() {
            for close_with in [false, true] {
                println!("{role:?} {code} {close_with}");
                block_on(timeout(async {
                    // `accept` or `connect`, over a pipe of 64 bytes.
                    let (mut ours, mut peer) = small_pipe(role).await;
                    ours.write_all(&[1; 64]).await.unwrap();
                    // Parks, and fills the pipe.
                    assert!(ours.read(&mut [0; 8]).now_or_never().is_none());
                    peer.send(frame.clone()).await;
                    let heard = refuse(&mut ours, &mut peer).await;
                    assert_eq!(heard, (vec![1; 64], code));
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
fn a_flush_after_a_refusal_is_ok_over_a_socket_of_the_users_that_moves_a_byte_at_a_time() {
    for role in [Role::Server, Role::Client] {
        for (frame, code) in refused() {
            println!("{role:?} {code}");
            block_on(timeout(async {
                let (mut ours, mut peer) =
                    Setup::OneByte(role).open(config_without_keepalive()).await;
                ours.write_all(b"ours").await.unwrap();
                peer.send(frame.clone()).await;
                let heard = refuse(&mut ours, &mut peer).await;
                assert_eq!(heard, (b"ours".to_vec(), code));
                ours.flush().await.unwrap();
            }));
        }
    }
}
