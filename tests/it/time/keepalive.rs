//! Keepalive and `message_timeout`: how a silent or very slow peer is detected by a reader.

use std::io::ErrorKind;
#[cfg(any(target_os = "android", target_os = "linux"))]
use std::{pin::pin, time::Duration};

#[cfg(any(target_os = "android", target_os = "linux"))]
use futures::SinkExt;
use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, future};
use support::{
    Frame, config_without_keepalive, describe,
    frame::{PING, PONG},
    observe, on_transports, read_to_end, ws_error,
};
#[cfg(any(target_os = "android", target_os = "linux"))]
use support::{Peer, ROLES, RawPeer, Setup, run};
use ws_framed::{CloseOutcome, Config, WsErr};
#[cfg(any(target_os = "android", target_os = "linux"))]
use ws_framed::{Keepalive, LengthDelimited, WsStream, bytes::Bytes};

use super::{SHORT_TIMEOUT, TCP, short_keepalive};

/// A silent peer gets a ping. Without a reply, the connection ends with `TimedOut` and the
/// transport is closed.
#[test]
fn silent_peer_times_out() {
    on_transports(&TCP, &short_keepalive(), async |mut ours, mut peer| {
        let mut events = observe(&mut ours).await;
        let handle = ours.handle();
        let (data, end) = read_to_end(&mut ours).await;
        assert!(data.is_empty());
        let end = end.unwrap_err();
        assert_eq!(end.kind(), ErrorKind::TimedOut);
        assert!(matches!(ws_error(&end), WsErr::TimedOut(_)));
        assert_eq!(handle.closed().await, CloseOutcome::TimedOut);
        assert_eq!(describe(&mut events), ["error TimedOut", "closed"]);
        assert_eq!(
            ours.write(b"?").await.unwrap_err().kind(),
            ErrorKind::BrokenPipe
        );
        // The transport is closed although our end still exists.
        assert_eq!(peer.next().await.unwrap().opcode, PING);
        peer.expect_end().await;
        drop(ours);
    });
}

/// A peer that replies to pings stays connected, however long it sends no data.
#[test]
fn pongs_keep_peer_alive() {
    on_transports(&TCP, &short_keepalive(), async |mut ours, mut peer| {
        let script = async {
            for _ in 0..4 {
                let ping = peer.next().await.unwrap();
                assert_eq!(ping.opcode, PING);
                peer.send(Frame::pong(ping.payload)).await;
            }
            peer.send(Frame::binary("still here")).await;
        };
        let mut buf = [0; 10];
        let (read, ()) = future::join(ours.read_exact(&mut buf), script).await;
        read.unwrap();
        assert_eq!(&buf, b"still here");
    });
}

/// A pong waits behind little data, also when the peer has not read for long: the operating system
/// holds at most 64 KiB unsent, where it would hold megabytes.
#[cfg(any(target_os = "android", target_os = "linux"))]
#[test]
fn pong_waits_behind_little_data() {
    on_transports(
        &TCP,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            let block = vec![0; 64 * 1024];
            let mut written = block.len();
            while let Some(len) = ours.write(&block).now_or_never() {
                written += len.unwrap();
                tokio::task::yield_now().await;
            }
            peer.send(Frame::ping("alive?")).await;
            let handle = ours.handle();
            while handle.stats().pings_received == 0 {
                assert!(ours.write(&block).now_or_never().is_none());
                tokio::task::yield_now().await;
            }
            let writing = async {
                ours.write_all(&block).await.unwrap();
                ours.flush().await.unwrap();
            };
            let script = async {
                let (mut received, mut before) = (0, None);
                while received < written {
                    let frame = peer.next().await.unwrap();
                    if frame.opcode == PONG {
                        before = Some(received);
                    } else {
                        received += frame.payload.len();
                    }
                }
                before
            };
            let ((), before) = future::join(writing, script).await;
            assert!(before.unwrap() < 512 * 1024, "{before:?} bytes");
        },
    );
}

/// A pong does not wait for the end of a large item: it goes out behind a part of it.
#[cfg(any(target_os = "android", target_os = "linux"))]
#[test]
fn pong_waits_behind_a_part_of_an_item() {
    const LEN: usize = 8 * 1024 * 1024;
    on_transports(&TCP, &config_without_keepalive(), async |ours, mut peer| {
        let handle = ours.handle();
        let mut ours = ours.framed(LengthDelimited::new(LEN));
        let mut sending = pin!(ours.send(Bytes::from(vec![0; LEN])));
        // Until the kernel takes no more.
        let mut sent = u64::MAX;
        while sent != handle.stats().bytes_unsent {
            sent = handle.stats().bytes_unsent;
            for _ in 0..100 {
                assert!(sending.as_mut().now_or_never().is_none());
                tokio::task::yield_now().await;
            }
        }
        peer.send(Frame::ping("alive?")).await;
        while handle.stats().pings_received == 0 {
            assert!(sending.as_mut().now_or_never().is_none());
            tokio::task::yield_now().await;
        }
        let script = async {
            let (mut received, mut before) = (0, None);
            while received < LEN + 4 {
                let frame = peer.next().await.unwrap();
                if frame.opcode == PONG {
                    before = Some(received);
                } else {
                    received += frame.payload.len();
                }
            }
            before
        };
        let (sent, before) = future::join(sending, script).await;
        sent.unwrap();
        assert!(before.unwrap() < 1024 * 1024, "{before:?} bytes");
    });
}

/// Runs a test in both roles, with a keepalive of 1600 ms, and with a peer that reads 2 MiB slowly:
/// that takes 2500 ms or more. Without a limit, the operating system would hold all of it.
#[cfg(any(target_os = "android", target_os = "linux"))]
fn with_slow_receiver(test: impl AsyncFn(WsStream, future::LocalBoxFuture<'static, RawPeer>)) {
    let limit = SHORT_TIMEOUT * 8;
    let keepalive = Keepalive::default().interval(limit).timeout(limit);
    for role in ROLES {
        run(async {
            let setup = Setup::Tcp(role);
            let (ours, peer) = setup.open(Config::default().keepalive(keepalive)).await;
            let Peer::Raw(peer) = peer else {
                unreachable!("a peer over TCP")
            };
            test(ours, Box::pin(receive_slowly(peer))).await;
        });
    }
}

#[cfg(any(target_os = "android", target_os = "linux"))]
const SLOW_LEN: usize = 2 * 1024 * 1024;

/// Reads a block at each tick until it has everything, and replies to pings. Then it sends a
/// message.
#[cfg(any(target_os = "android", target_os = "linux"))]
async fn receive_slowly(mut peer: RawPeer) -> RawPeer {
    let mut received = 0;
    while received < SLOW_LEN {
        let frame = peer.next_in_time(Duration::from_millis(5)).await;
        let frame = frame.expect("a connection");
        if frame.opcode == PING {
            peer.send(&Frame::pong(frame.payload)).await;
        } else {
            received += frame.payload.len();
        }
    }
    peer.send(&Frame::binary("done")).await;
    peer
}

/// A peer that reads slowly stays connected: its pong comes in time, although the ping is behind
/// data.
#[cfg(any(target_os = "android", target_os = "linux"))]
#[test]
fn slow_receiver_stays_connected() {
    with_slow_receiver(async |ours, peer| {
        let (mut reader, mut writer) = ours.into_split();
        let writing = async {
            for _ in 0..SLOW_LEN / 4096 {
                writer.write_all(&[7; 4096]).await.unwrap();
                writer.flush().await.unwrap();
            }
        };
        let mut done = [0; 4];
        let reading = reader.read_exact(&mut done);
        let ((), read, _peer) = future::join3(writing, reading, peer).await;
        read.unwrap();
        assert_eq!(&done, b"done");
    });
}

/// The same for a task that writes more than the sockets hold, and reads nothing meanwhile.
#[cfg(any(target_os = "android", target_os = "linux"))]
#[test]
fn slow_receiver_fails_no_write() {
    with_slow_receiver(async |mut ours, peer| {
        let mut done = [0; 4];
        let all = async {
            ours.write_all(&vec![7; SLOW_LEN]).await.unwrap();
            ours.flush().await.unwrap();
            ours.read_exact(&mut done).await.unwrap();
        };
        future::join(all, peer).await;
        assert_eq!(&done, b"done");
    });
}

/// With `message_timeout`, a message that does not end in time ends the connection with `TimedOut`.
#[test]
fn unfinished_message_times_out() {
    let config = Config::default().message_timeout(SHORT_TIMEOUT);
    on_transports(&TCP, &config, async |mut ours, mut peer| {
        peer.send(Frame::binary("before")).await;
        let mut before = [0; 6];
        ours.read_exact(&mut before).await.unwrap();
        peer.send(Frame::binary("begun").unfinished()).await;
        let (data, end) = read_to_end(&mut ours).await;
        assert!(data.is_empty());
        assert_eq!(end.unwrap_err().kind(), ErrorKind::TimedOut);
        peer.expect_end().await;
    });
}
