//! Late reads: a caller that reads late or slowly still gets what the peer had in flight at our
//! close.

use std::{io, time::Duration};

use async_tungstenite::tokio::TokioAdapter;
use futures::{AsyncReadExt, AsyncWriteExt, future};
use support::{Frame, IMMEDIATE, Peer, RawPeer, Role, Setup, on_transports, read_to_end, run};
use ws_framed::{Acceptor, WsStream};

use crate::time::{SHORT_TIMEOUT, TCP, short_close_timeout};

/// The length of the data that is read at this pace, and how it ends.
async fn drain(ours: &mut WsStream, pace: Duration) -> (usize, io::Result<()>) {
    let mut chunk = vec![0; 16 * 1024];
    let mut len = 0;
    loop {
        match ours.read(&mut chunk).await {
            Ok(0) => return (len, Ok(())),
            Ok(read) => len += read,
            Err(error) => return (len, Err(error)),
        }
        tokio::time::sleep(pace).await;
    }
}

/// Closes, lets the peer send these frames and a close frame, and reads them all after the
/// deadline.
async fn read_late(frames: Vec<Frame>, mut ours: WsStream, mut peer: Peer, pace: Duration) {
    let expected: usize = frames
        .iter()
        .filter(|frame| frame.opcode != 10)
        .map(|frame| frame.payload.len())
        .sum();
    ours.close().await.unwrap();
    let send = async {
        peer.send_all(frames).await;
        peer.send(Frame::close(1000, "")).await;
        peer
    };
    let read = async {
        tokio::time::sleep(SHORT_TIMEOUT * 3).await;
        drain(&mut ours, pace).await
    };
    let ((len, end), _peer) = future::join(read, send).await;
    assert_eq!(len, expected, "and then {end:?}");
    end.unwrap();
}

/// A late read returns a small message and the clean end, on every kind of transport.
#[test]
fn small_message_is_read() {
    on_transports(
        &IMMEDIATE,
        &short_close_timeout(),
        async |mut ours, mut peer| {
            ours.close().await.unwrap();
            peer.send(Frame::binary("in time")).await;
            peer.send(Frame::close(1000, "")).await;
            // The peer has replied in time, and the caller pauses for longer than that.
            std::thread::sleep(SHORT_TIMEOUT * 2);
            let (data, end) = read_to_end(&mut ours).await;
            assert_eq!(data, b"in time");
            end.unwrap();
        },
    );
}

/// Late reads return more messages than the sockets hold.
#[test]
fn many_messages_are_read() {
    on_transports(&TCP, &short_close_timeout(), async |ours, peer| {
        let frames = vec![Frame::binary([7; 1024]); 2048];
        read_late(frames, ours, peer, Duration::ZERO).await;
    });
}

/// Late reads may be slow, too.
#[test]
fn slow_reads_get_all_messages() {
    on_transports(&TCP, &short_close_timeout(), async |ours, peer| {
        let frames = vec![Frame::binary([7; 16 * 1024]); 128];
        read_late(frames, ours, peer, Duration::from_millis(3)).await;
    });
}

/// Late reads return a message that is longer than what one poll reads.
#[test]
fn message_of_many_polls() {
    on_transports(&TCP, &short_close_timeout(), async |ours, peer| {
        let frames = vec![Frame::binary(vec![7; 1_000_000])];
        read_late(frames, ours, peer, Duration::ZERO).await;
    });
}

/// Late reads return data after more control frames than one poll handles.
#[test]
fn data_after_many_control_frames() {
    on_transports(&TCP, &short_close_timeout(), async |ours, peer| {
        let mut frames = vec![Frame::pong(""); 1000];
        frames.push(Frame::binary("data"));
        read_late(frames, ours, peer, Duration::ZERO).await;
    });
}

/// Late reads return a long message over a wrapped socket, which holds a part of it and does not
/// report that.
#[test]
fn long_message_of_wrapped_socket() {
    for setup in [Setup::Pipe(Role::Server), Setup::Pipe(Role::Client)] {
        run(async {
            let (ours, peer) = setup.open(short_close_timeout()).await;
            let frames = vec![Frame::binary(vec![7; 1_000_000])];
            read_late(frames, ours, peer, Duration::ZERO).await;
        });
    }
}

/// Late reads return data that arrived before a write of ours failed. The stream is a pipe, since a
/// reset of TCP discards unread data.
#[test]
fn data_before_failed_write() {
    run(async {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let peer = RawPeer::handshake(TokioAdapter::new(theirs), Role::Client);
        let acceptor = Acceptor::new().config(short_close_timeout());
        let (ours, mut peer) = future::join(acceptor.accept(ours), peer).await;
        let mut ours = ours.unwrap();
        for _ in 0..700 {
            peer.send(&Frame::binary([7; 1024])).await;
        }
        drop(peer);
        ours.write_all(b"x").await.unwrap();
        ours.flush().await.unwrap_err();
        tokio::time::sleep(SHORT_TIMEOUT * 2).await;
        let (len, end) = drain(&mut ours, Duration::ZERO).await;
        assert_eq!(len, 700 * 1024, "and then {end:?}");
        end.unwrap_err();
    });
}
