//! Deadlines under tokio's cooperative budget: once a task has used up its budget, its sockets are
//! pending although data is available.

use std::time::Duration;

use async_tungstenite::tokio::TokioAdapter;
use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, future};
use support::{
    Frame, RawPeer, Role, config_without_keepalive, on_transports, run, tcp, while_reading,
};
use tokio::task::coop::consume_budget;
use ws_framed::{Acceptor, CloseFrame, CloseOutcome, Connector, WsStream};

use super::{SHORT_TIMEOUT, TCP, short_close_timeout, short_keepalive};

/// Longer than each deadline.
const PAUSE: Duration = SHORT_TIMEOUT.saturating_mul(3);

/// The caller pauses, while the runtime receives readiness of its sockets.
async fn pause() {
    tokio::time::sleep(PAUSE).await;
}

/// Uses up the task's budget, so that its sockets are pending.
fn exhaust_budget() {
    while consume_budget().now_or_never().is_some() {}
}

/// Reads several times without budget, and then once more with it.
async fn read_late(ours: &mut WsStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = [0; 16];
    exhaust_budget();
    for _ in 0..5 {
        assert!(ours.read(&mut bytes).now_or_never().is_none());
    }
    let len = ours.read(&mut bytes).await?;
    Ok(bytes[..len].to_vec())
}

/// A late read returns the data that arrived before the deadline of a close.
#[test]
fn late_read_gets_earlier_data() {
    on_transports(&TCP, &short_close_timeout(), async |mut ours, mut peer| {
        ours.close().await.unwrap();
        peer.send(Frame::binary("late")).await;
        peer.send(Frame::close(1000, "")).await;
        pause().await;
        assert_eq!(read_late(&mut ours).await.unwrap(), b"late");
        assert_eq!(ours.read(&mut [0]).await.unwrap(), 0);
    });
}

/// A late `close_with` finds the reply that arrived before the deadline.
#[test]
fn late_close_with_finds_reply() {
    on_transports(&TCP, &short_close_timeout(), async |mut ours, mut peer| {
        ours.close().await.unwrap();
        peer.send(Frame::close(1000, "")).await;
        peer.close_write().await;
        pause().await;
        exhaust_budget();
        for _ in 0..5 {
            let close = ours.close_with(CloseFrame::normal());
            assert!(close.now_or_never().is_none());
        }
        let outcome = ours.close_with(CloseFrame::normal()).await.unwrap();
        assert!(matches!(outcome, CloseOutcome::Clean { .. }), "{outcome:?}");
    });
}

/// A pong that arrived in time keeps the peer alive, however late it is read.
#[test]
fn unread_pong_keeps_peer_alive() {
    on_transports(&TCP, &short_keepalive(), async |mut ours, mut peer| {
        let ping = while_reading(&mut ours, peer.next()).await.unwrap();
        peer.send(Frame::pong(ping.payload)).await;
        peer.send(Frame::binary("alive")).await;
        pause().await;
        assert_eq!(read_late(&mut ours).await.unwrap(), b"alive");
    });
}

/// A message that ended within `message_timeout` is read after the deadline.
#[test]
fn late_read_gets_finished_message() {
    let config = config_without_keepalive().message_timeout(SHORT_TIMEOUT);
    on_transports(&TCP, &config, async |mut ours, mut peer| {
        peer.send(Frame::binary("be").unfinished()).await;
        // The reader receives the first fragment, which starts the timer of the message.
        while_reading(&mut ours, tokio::time::sleep(SHORT_TIMEOUT / 10)).await;
        peer.send(Frame::continuation("gun")).await;
        pause().await;
        assert_eq!(read_late(&mut ours).await.unwrap(), b"begun");
    });
}

/// A late write finds the room that the peer made before the deadline.
#[test]
fn late_write_finds_room() {
    const BLOCK: usize = 8 * 1024;

    let config = short_keepalive().max_send_message_len(BLOCK);
    on_transports(&TCP, &config, async |mut ours, mut peer| {
        let block = vec![0; BLOCK];
        let mut written = 0;
        while let Some(len) = ours.write(&block).now_or_never() {
            written += len.unwrap();
            tokio::task::yield_now().await;
        }
        // All but what is still on this side of the socket.
        let most = written / BLOCK * BLOCK - 4 * BLOCK;
        peer.receive(most).await;
        pause().await;
        exhaust_budget();
        for _ in 0..5 {
            assert!(ours.write(&block).now_or_never().is_none());
        }
        written += ours.write(&block).await.unwrap();
        let rest = peer.receive(written - most);
        let (flushed, _) = future::join(ours.flush(), rest).await;
        flushed.unwrap();
    });
}

/// A handshake whose last bytes arrived in time completes, however late it is polled.
#[test]
fn late_handshake_completes() {
    run(async {
        let (ours, theirs) = tcp().await;
        let peer = RawPeer::handshake(TokioAdapter::new(theirs), Role::Client);
        let config = config_without_keepalive().handshake_timeout(SHORT_TIMEOUT);
        let mut opening = Box::pin(async {
            let acceptor = Acceptor::new().config(config.clone());
            acceptor.accept(ours).await
        });
        let mut peer = Box::pin(peer);
        assert!(opening.as_mut().now_or_never().is_none());
        assert!(peer.as_mut().now_or_never().is_none(), "sends the request");
        pause().await;
        exhaust_budget();
        for _ in 0..5 {
            assert!(opening.as_mut().now_or_never().is_none());
        }
        let (ours, _peer) = future::join(opening, peer).await;
        ours.unwrap();
    });
    run(async {
        let (theirs, ours) = tcp().await;
        let peer = RawPeer::handshake(TokioAdapter::new(theirs), Role::Server);
        let config = config_without_keepalive().handshake_timeout(SHORT_TIMEOUT);
        let connector = Connector::new().config(config);
        let mut opening = Box::pin(connector.connect_over(ours, "ws://localhost/"));
        assert!(opening.as_mut().now_or_never().is_none());
        let _peer = peer.await;
        pause().await;
        exhaust_budget();
        for _ in 0..5 {
            assert!(opening.as_mut().now_or_never().is_none());
        }
        opening.await.unwrap();
    });
}

/// A runtime whose thread is busy does not poll its sockets. A read afterwards still returns the
/// data that arrived before the deadline.
#[test]
fn busy_thread_still_reads_data() {
    on_transports(&TCP, &short_close_timeout(), async |mut ours, mut peer| {
        // The local tasks are polled several times before the runtime polls its sockets.
        let task = tokio::task::LocalSet::new();
        let reading = task.run_until(async move {
            let reading = tokio::task::spawn_local(async move {
                ours.close().await.unwrap();
                peer.send(Frame::binary("late")).await;
                peer.send(Frame::close(1000, "")).await;
                std::thread::sleep(PAUSE);
                let mut bytes = Vec::new();
                ours.read_to_end(&mut bytes).await.unwrap();
                bytes
            });
            reading.await.unwrap()
        });
        assert_eq!(reading.await, b"late");
    });
}
