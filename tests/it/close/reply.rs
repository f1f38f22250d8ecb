//! The reply to the peer's close: it has left all buffers below before a read reports the end.

use std::pin::pin;

use async_tungstenite::tokio::TokioAdapter;
use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, executor::block_on, future, io::BufWriter};
use support::{
    Frame, PIPE_CAPACITY, ROLES, RawPeer, Role, SlowFlush, config_without_keepalive,
    from_raw_socket, handshake::open, pipe, poll_until_idle, run, timeout,
};
use tokio::io::{BufStream, duplex};

/// Over a buffered stream with `accept` and `connect`, a read does not end before the stream below
/// has taken the reply.
#[test]
fn blocked_reply_delays_end() {
    for role in ROLES {
        println!("{role:?}");
        run(async {
            let (ours, theirs) = duplex(1024);
            let peer = RawPeer::handshake(TokioAdapter::new(theirs), role.other());
            let ours = open(role, config_without_keepalive(), BufStream::new(ours));
            let (ours, mut peer) = future::join(ours, peer).await;
            let mut ours = ours.unwrap();
            // One byte of room is left.
            let header = if role == Role::Client { 8 } else { 4 };
            ours.write_all(&vec![1; 1023 - header]).await.unwrap();
            ours.flush().await.unwrap();
            peer.send(&Frame::close(1000, "")).await;
            assert!(ours.read(&mut [0]).now_or_never().is_none(), "{role:?}");
            let receive = async {
                assert_eq!(peer.next().await.unwrap().opcode, 2);
                peer.next().await
            };
            let mut buf = [0];
            let (end, received) = future::join(ours.read(&mut buf), receive).await;
            assert_eq!(end.unwrap(), 0);
            drop(ours);
            assert_eq!(received, Some(Frame::close(1000, "")));
        });
    }
}

/// Over a buffered stream that the caller wrapped, a read does not end before the stream below has
/// taken the reply.
#[test]
fn blocked_reply_of_wrapped_socket() {
    for (role, header) in ROLES.into_iter().zip([2, 6]) {
        println!("{role:?}");
        block_on(timeout(async {
            let (ours, theirs) = pipe(100);
            let mut ours =
                from_raw_socket(BufWriter::new(ours), role, config_without_keepalive()).await;
            let mut peer = RawPeer::new(theirs, role.other());
            // No room is left.
            ours.write_all(&vec![0; 100 - header]).await.unwrap();
            ours.flush().await.unwrap();
            peer.send(&Frame::close(1000, "")).await;
            let mut buf = [0; 8];
            assert!(poll_until_idle(pin!(ours.read(&mut buf))).is_pending());
            peer.next().await.unwrap();
            assert_eq!(ours.read(&mut buf).await.unwrap(), 0);
            assert_eq!(peer.next().await, Some(Frame::close(1000, "")));
        }));
    }
}

/// Over a buffered stream with room, the reply is flushed and the stream closed by the read that
/// ends.
#[test]
fn reply_leaves_buffered_stream() {
    for role in ROLES {
        block_on(timeout(async {
            let (ours, theirs) = pipe(PIPE_CAPACITY);
            let mut ours =
                from_raw_socket(BufWriter::new(ours), role, config_without_keepalive()).await;
            let mut peer = RawPeer::new(theirs, role.other());
            peer.send(&Frame::close(1000, "")).await;
            assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
            assert_eq!(peer.next().await, Some(Frame::close(1000, "")));
            assert_eq!(peer.next().await, None);
        }));
    }
}

/// Over a stream whose flush is always pending first, the reply is sent and the stream closed.
#[test]
fn pending_flush_does_not_stop_reply() {
    for role in ROLES {
        for disconnects in [false, true] {
            block_on(timeout(async {
                let (ours, theirs) = pipe(PIPE_CAPACITY);
                let ours = SlowFlush::new(ours);
                let mut ours = from_raw_socket(ours, role, config_without_keepalive()).await;
                let mut peer = RawPeer::new(theirs, role.other());
                peer.send(&Frame::close(1000, "")).await;
                if disconnects {
                    peer.close_write().await;
                }
                assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
                assert_eq!(peer.next().await, Some(Frame::close(1000, "")));
                assert_eq!(peer.next().await, None);
            }));
        }
    }
}
