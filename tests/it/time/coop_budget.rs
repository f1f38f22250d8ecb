//! A deadline is believed only in a turn in which the sockets of the task could speak: tokio keeps them silent
//! when a task has spent its budget, whatever waits in them.

use std::time::Duration;

use async_tungstenite::tokio::TokioAdapter;
use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, future};
use support::{
    Frame, RawPeer, Role, Setup, config_without_keepalive, on_transports, run, tcp, while_reading,
};
use tokio::task::coop::consume_budget;
use ws_framed::{Acceptor, CloseFrame, CloseOutcome, Config, Connector, Keepalive, WsStream};

const SOCKETS: [Setup; 2] = [Setup::Tcp(Role::Server), Setup::Tcp(Role::Client)];

const SOON: Duration = Duration::from_millis(50);

fn closing_soon() -> Config {
    config_without_keepalive().close_timeout(SOON)
}

/// The user is away for so long, while the runtime takes notice of what comes.
async fn pause() {
    tokio::time::sleep(SOON * 4).await;
}

/// Spends what this turn has left.
fn spend_turn() {
    while consume_budget().now_or_never().is_some() {}
}

/// Reads in a turn that is spent, again and again, and then as one reads.
async fn read_late(ours: &mut WsStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = [0; 16];
    spend_turn();
    for _ in 0..5 {
        assert!(ours.read(&mut bytes).now_or_never().is_none());
    }
    let len = ours.read(&mut bytes).await?;
    Ok(bytes[..len].to_vec())
}

#[test]
fn what_came_before_the_deadline_of_a_close_is_read_after_it() {
    on_transports(&SOCKETS, &closing_soon(), async |mut ours, mut peer| {
        ours.close().await.unwrap();
        peer.send(Frame::binary("late")).await;
        peer.send(Frame::close(1000, "")).await;
        pause().await;
        assert_eq!(read_late(&mut ours).await.unwrap(), b"late");
        assert_eq!(ours.read(&mut [0]).await.unwrap(), 0);
    });
}

#[test]
fn close_with_finds_the_answer_that_came_in_time() {
    on_transports(&SOCKETS, &closing_soon(), async |mut ours, mut peer| {
        ours.close().await.unwrap();
        peer.send(Frame::close(1000, "")).await;
        peer.close_write().await;
        pause().await;
        spend_turn();
        for _ in 0..5 {
            let close = ours.close_with(CloseFrame::normal());
            assert!(close.now_or_never().is_none());
        }
        let outcome = ours.close_with(CloseFrame::normal()).await.unwrap();
        assert!(matches!(outcome, CloseOutcome::Clean { .. }), "{outcome:?}");
    });
}

#[test]
fn a_pong_that_came_in_time_keeps_the_peer_alive() {
    let keepalive = Keepalive::default().interval(SOON).timeout(SOON);
    let config = Config::default().keepalive(keepalive);
    on_transports(&SOCKETS, &config, async |mut ours, mut peer| {
        let ping = while_reading(&mut ours, peer.next()).await.unwrap();
        peer.send(Frame::pong(ping.payload)).await;
        peer.send(Frame::binary("alive")).await;
        pause().await;
        assert_eq!(read_late(&mut ours).await.unwrap(), b"alive");
    });
}

#[test]
fn a_message_that_ended_in_time_is_read_after_that() {
    let config = config_without_keepalive().message_timeout(SOON);
    on_transports(&SOCKETS, &config, async |mut ours, mut peer| {
        peer.send(Frame::binary("be").unfinished()).await;
        // The reader sees the beginning, and the clock of the message runs.
        while_reading(&mut ours, tokio::time::sleep(SOON / 5)).await;
        peer.send(Frame::continuation("gun")).await;
        pause().await;
        assert_eq!(read_late(&mut ours).await.unwrap(), b"begun");
    });
}

#[test]
fn a_peer_that_takes_again_what_is_written_is_not_given_up() {
    let keepalive = Keepalive::default().interval(SOON).timeout(SOON);
    let config = Config::default().keepalive(keepalive);
    on_transports(&SOCKETS, &config, async |mut ours, mut peer| {
        let block = vec![0; 1 << 16];
        let mut written = 0;
        while let Some(len) = ours.write(&block).now_or_never() {
            written += len.unwrap();
            tokio::task::yield_now().await;
        }
        let half = written / 2 / block.len() * block.len();
        peer.receive(half).await;
        pause().await;
        spend_turn();
        for _ in 0..5 {
            assert!(ours.write(&block).now_or_never().is_none());
        }
        written += ours.write(&block).await.unwrap();
        let rest = peer.receive(written - half);
        let (flushed, _) = future::join(ours.flush(), rest).await;
        flushed.unwrap();
    });
}

#[test]
fn a_handshake_that_came_in_time_is_answered_after_that() {
    run(async {
        let (ours, theirs) = tcp().await;
        let peer = RawPeer::handshake(TokioAdapter::new(theirs), Role::Client);
        let config = config_without_keepalive().handshake_timeout(SOON);
        let mut opening = Box::pin(async {
            let acceptor = Acceptor::new().config(config.clone());
            acceptor.accept(ours).await
        });
        let mut peer = Box::pin(peer);
        assert!(opening.as_mut().now_or_never().is_none());
        assert!(peer.as_mut().now_or_never().is_none(), "the request left");
        pause().await;
        spend_turn();
        for _ in 0..5 {
            assert!(opening.as_mut().now_or_never().is_none());
        }
        let (ours, _peer) = future::join(opening, peer).await;
        ours.unwrap();
    });
    run(async {
        let (theirs, ours) = tcp().await;
        let peer = RawPeer::handshake(TokioAdapter::new(theirs), Role::Server);
        let connector = Connector::new().config(config_without_keepalive().handshake_timeout(SOON));
        let mut opening = Box::pin(connector.connect_over(ours, "ws://localhost/"));
        assert!(opening.as_mut().now_or_never().is_none());
        let _peer = peer.await;
        pause().await;
        spend_turn();
        for _ in 0..5 {
            assert!(opening.as_mut().now_or_never().is_none());
        }
        opening.await.unwrap();
    });
}

/// A runtime whose thread is busy does not look at its sockets, whatever waits in them.
#[test]
fn what_came_while_the_thread_was_busy_is_read() {
    on_transports(&SOCKETS, &closing_soon(), async |mut ours, mut peer| {
        // Tasks get turns that have nothing to do with sockets; the one in which this runs does not.
        let task = tokio::task::LocalSet::new();
        let reading = task.run_until(async move {
            let reading = tokio::task::spawn_local(async move {
                ours.close().await.unwrap();
                peer.send(Frame::binary("late")).await;
                peer.send(Frame::close(1000, "")).await;
                std::thread::sleep(SOON * 4);
                let mut bytes = Vec::new();
                ours.read_to_end(&mut bytes).await.unwrap();
                bytes
            });
            reading.await.unwrap()
        });
        assert_eq!(reading.await, b"late");
    });
}
