//! A user who reads late, or slowly, finds what the peer had under way when he closed.

use std::{io, time::Duration};

use async_tungstenite::tokio::TokioAdapter;
use futures::{AsyncReadExt, AsyncWriteExt, future};
use support::{Frame, Peer, RawPeer, Role, Setup, config_without_keepalive, on_transports, run};
use ws_framed::{Acceptor, Config, WsStream};

const SOCKETS: [Setup; 2] = [Setup::Tcp(Role::Server), Setup::Tcp(Role::Client)];

const SOON: Duration = Duration::from_millis(100);

fn closing_soon() -> Config {
    config_without_keepalive().close_timeout(SOON)
}

/// The length of what is read, and how it ends.
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

/// Closes, lets the peer send these frames and a close frame, and reads what of that fits into the sockets after the
/// deadline is over, and then the rest.
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
        tokio::time::sleep(SOON * 3).await;
        drain(&mut ours, pace).await
    };
    let ((len, end), _peer) = future::join(read, send).await;
    assert_eq!(len, expected, "and then {end:?}");
    end.unwrap();
}

#[test]
fn many_messages() {
    on_transports(&SOCKETS, &closing_soon(), async |ours, peer| {
        let frames = vec![Frame::binary([7; 1024]); 2048];
        read_late(frames, ours, peer, Duration::ZERO).await;
    });
}

#[test]
fn many_messages_slowly() {
    on_transports(&SOCKETS, &closing_soon(), async |ours, peer| {
        let frames = vec![Frame::binary([7; 16 * 1024]); 128];
        read_late(frames, ours, peer, Duration::from_millis(3)).await;
    });
}

#[test]
fn one_message_that_is_more_than_one_poll_reads() {
    on_transports(&SOCKETS, &closing_soon(), async |ours, peer| {
        let frames = vec![Frame::binary(vec![7; 1_000_000])];
        read_late(frames, ours, peer, Duration::ZERO).await;
    });
}

#[test]
fn data_behind_more_control_messages_than_one_poll_takes() {
    on_transports(&SOCKETS, &closing_soon(), async |ours, peer| {
        let mut frames = vec![Frame::pong(""); 1000];
        frames.push(Frame::binary("data"));
        read_late(frames, ours, peer, Duration::ZERO).await;
    });
}

/// Over a pipe: TCP throws away what was not read when it is reset.
#[test]
fn what_was_sent_before_a_write_of_ours_failed() {
    run(async {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let peer = RawPeer::handshake(TokioAdapter::new(theirs), Role::Client);
        let acceptor = Acceptor::new().config(closing_soon());
        let (ours, mut peer) = future::join(acceptor.accept(ours), peer).await;
        let mut ours = ours.unwrap();
        for _ in 0..700 {
            peer.send(&Frame::binary([7; 1024])).await;
        }
        drop(peer);
        ours.write_all(b"x").await.unwrap();
        ours.flush().await.unwrap_err();
        tokio::time::sleep(SOON * 2).await;
        let (len, end) = drain(&mut ours, Duration::ZERO).await;
        assert_eq!(len, 700 * 1024, "and then {end:?}");
        end.unwrap_err();
    });
}

/// Over a socket that the user opened, which holds a part of it and does not tell that there is more.
#[test]
fn one_message_that_is_more_than_a_socket_of_the_user_holds() {
    let places = [Setup::Pipe(Role::Server), Setup::Pipe(Role::Client)];
    for place in places {
        run(async {
            let (ours, peer) = place.open(closing_soon()).await;
            let frames = vec![Frame::binary(vec![7; 1_000_000])];
            read_late(frames, ours, peer, Duration::ZERO).await;
        });
    }
}
