//! After a violation by the peer: buffered data and then our close frame are sent, even to a peer
//! that reads only when it has sent everything.

use std::{io, pin::pin};

use async_tungstenite::tokio::TokioAdapter;
use futures::future::{join, join3};
use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, SinkExt, StreamExt, executor::block_on};
use support::{
    Frame, Peer, ROLES, RawPeer, Role, Setup,
    cancel::{framed, small_pipe, small_pipe_with},
    config_without_keepalive, from_raw_socket, poll_until_idle, read_to_end, timeout,
};
use tokio::io::duplex;
use ws_framed::{CloseFrame, Lines, WsErr, WsStream};

use crate::bytes::{SMALL, fill, on_small_transports};

/// A violation of the protocol, refused text, and a message over the limit, with their close codes.
fn violations() -> [(Frame, u16); 3] {
    [
        (Frame::binary("?").rsv(4), 1002),
        (Frame::text("?"), 1003),
        (Frame::binary([2; 2000]), 1009),
    ]
}

/// Like [`small_pipe`], over a wrapped socket. tungstenite passes messages that are over our limit.
async fn small_wrapped_pipe(role: Role) -> (WsStream, Peer) {
    let (ours, theirs) = duplex(SMALL);
    let config = config_without_keepalive().max_recv_message_len(1000);
    let ours = from_raw_socket(TokioAdapter::new(ours), role, config).await;
    let peer = RawPeer::new(TokioAdapter::new(theirs), role.other());
    (ours, Peer::Raw(peer))
}

/// Sends the violation among more data than the pipe holds, and then reads. Returns the close code.
async fn send_all_then_read(mut peer: Peer, violation: Frame) -> u16 {
    peer.send(Frame::ping("before")).await;
    peer.send(violation).await;
    for _ in 0..100 {
        peer.send(Frame::ping("after")).await;
        peer.send(Frame::binary([2; 100])).await;
    }
    peer.until_close().await.1
}

/// A peer that sends all its data before it reads receives the close frame.
#[test]
fn close_reaches_peer_that_sends_first() {
    for role in ROLES {
        for (violation, expected) in violations() {
            for is_wrapped in [false, true] {
                println!("{role:?} {expected}, a wrapped socket: {is_wrapped}");
                block_on(timeout(async {
                    let (mut ours, peer) = if is_wrapped {
                        small_wrapped_pipe(role).await
                    } else if expected == 1009 {
                        // The message is within the limit here.
                        return;
                    } else {
                        small_pipe(role).await
                    };
                    fill(&mut ours);
                    let script = send_all_then_read(peer, violation.clone());
                    let ((_, end), code) = join(read_to_end(&mut ours), script).await;
                    assert_eq!(code, expected);
                    end.unwrap_err();
                }));
            }
        }
    }
}

/// The same peer receives the close frame of an item stream, for an item over the limit of the
/// codec.
#[test]
fn close_for_item_over_limit() {
    for role in ROLES {
        block_on(timeout(async {
            let (mut ours, peer) = small_pipe(role).await;
            fill(&mut ours);
            let mut items = framed(ours);
            let script = send_all_then_read(peer, Frame::binary([0xff; 4]));
            let (end, code) = join(items.next(), script).await;
            assert_eq!(code, 1009);
            end.unwrap().unwrap_err();
        }));
    }
}

/// A close frame of the peer after its violation does not change the code of ours.
#[test]
fn later_peer_close_changes_nothing() {
    for role in ROLES {
        block_on(timeout(async {
            let (mut ours, mut peer) = small_pipe(role).await;
            fill(&mut ours);
            let script = async move {
                peer.send(Frame::text("?")).await;
                peer.send(Frame::binary([2; 1000])).await;
                peer.send(Frame::close(1000, "done")).await;
                for _ in 0..10 {
                    // Until our end has read it.
                    tokio::task::yield_now().await;
                }
                peer.until_close().await.1
            };
            let ((_, end), code) = join(read_to_end(&mut ours), script).await;
            assert_eq!(code, 1003);
            end.unwrap_err();
        }));
    }
}

/// A peer that ends its stream after its violation receives the close frame when it reads. Over a
/// wrapped socket this holds for what tungstenite itself refuses: it sends nothing after the end.
#[test]
fn close_reaches_peer_that_ends() {
    let cases = violations().into_iter().map(|case| (case, false));
    let cases = cases.chain([(violations()[0].clone(), true)]);
    for ((violation, expected), is_wrapped) in cases {
        for role in ROLES {
            let violation = violation.clone();
            println!("{role:?} {expected}, a wrapped socket: {is_wrapped}");
            block_on(timeout(async {
                let (mut ours, mut peer) = if is_wrapped {
                    small_wrapped_pipe(role).await
                } else {
                    let config = config_without_keepalive().max_recv_message_len(1000);
                    small_pipe_with(role, config).await
                };
                fill(&mut ours);
                let script = async move {
                    peer.send(violation).await;
                    peer.close_write().await;
                    for _ in 0..10 {
                        // Until our end has read the end.
                        tokio::task::yield_now().await;
                    }
                    peer.until_close().await.1
                };
                let ((_, end), code) = join(read_to_end(&mut ours), script).await;
                assert_eq!(code, expected);
                end.unwrap_err();
            }));
        }
    }
}

/// Empty frames that violate a rule, so that they fit into a full pipe.
fn empty_violations() -> [(Frame, u16); 2] {
    [(Frame::text(""), 1003), (Frame::binary("").rsv(4), 1002)]
}

/// Reads the violation. Returns the data that the peer receives before our close frame, and its
/// code.
async fn read_violation(ours: &mut WsStream, peer: &mut Peer) -> (Vec<u8>, u16) {
    let script = async {
        let (data, code, _) = peer.until_close().await;
        peer.close_write().await;
        (data, code)
    };
    let mut buf = [0; 8];
    let (read, received) = join(ours.read(&mut buf), script).await;
    read.unwrap_err();
    received
}

/// A flush or `close_with` after the error returns `Ok` if all data was sent before our close
/// frame.
#[test]
fn later_flush_is_ok() {
    for role in ROLES {
        for (frame, code) in empty_violations() {
            for is_close_with in [false, true] {
                println!("{role:?} {code}, by `close_with`: {is_close_with}");
                block_on(timeout(async {
                    let (mut ours, mut peer) = small_pipe(role).await;
                    ours.write_all(&[1; SMALL]).await.unwrap();
                    // Parks, and fills the pipe.
                    assert!(ours.read(&mut [0; 8]).now_or_never().is_none());
                    peer.send(frame.clone()).await;
                    let received = read_violation(&mut ours, &mut peer).await;
                    assert_eq!(received, (vec![1; SMALL], code));
                    if is_close_with {
                        ours.close_with(CloseFrame::normal()).await.unwrap();
                    } else {
                        ours.flush().await.unwrap();
                    }
                }));
            }
        }
    }
}

/// The same flush returns `Ok` over a wrapped socket that moves one byte at a time.
#[test]
fn later_flush_byte_by_byte() {
    for role in ROLES {
        for (frame, code) in empty_violations() {
            println!("{role:?} {code}");
            block_on(timeout(async {
                let (mut ours, mut peer) =
                    Setup::OneByte(role).open(config_without_keepalive()).await;
                ours.write_all(b"ours").await.unwrap();
                peer.send(frame.clone()).await;
                let received = read_violation(&mut ours, &mut peer).await;
                assert_eq!(received, (b"ours".to_vec(), code));
                ours.flush().await.unwrap();
            }));
        }
    }
}

/// A `send` of an item that is blocked when its peer violates a rule returns `Ok` once the peer
/// reads. The peer receives both items and then the close frame, and a later `send` returns
/// `BrokenPipe`.
#[test]
fn blocked_send_of_item_completes() {
    // The second item is one message, and more than one.
    for second in ["b".repeat(40), "c".repeat(200)] {
        on_small_transports(async |ours, mut peer| {
            let first = "a".repeat(40);
            let (mut sink, mut items) = ours.framed(Lines::new(1000)).split();
            sink.send(first.clone()).await.unwrap();
            let (sent, end, received) = {
                let mut send = pin!(sink.send(second.clone()));
                assert!(poll_until_idle(send.as_mut()).is_pending());
                peer.send(Frame::text("")).await;
                let mut next = pin!(items.next());
                assert!(poll_until_idle(next.as_mut()).is_pending());
                // The item is not sent before the peer reads.
                assert!(poll_until_idle(send.as_mut()).is_pending());
                let script = async {
                    let received = peer.until_close().await;
                    peer.expect_end().await;
                    peer.close_write().await;
                    received
                };
                join3(send, next, script).await
            };
            sent.unwrap();
            let error = io::Error::from(end.unwrap().unwrap_err());
            assert!(matches!(WsErr::find_in(&error), Some(WsErr::ReceivedText)));
            let (data, code, _) = received;
            assert_eq!(data, format!("{first}\n{second}\n").into_bytes());
            assert_eq!(code, 1003);
            assert!(items.next().await.is_none());
            let late = io::Error::from(sink.send(first).await.unwrap_err());
            assert_eq!(late.kind(), io::ErrorKind::BrokenPipe);
        });
    }
}
