//! Wakeups: each task that can make progress is woken, and no wakeup goes to the wrong task.

use std::{pin::pin, sync::Arc, task::Poll, time::Duration};

use futures::{
    AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt,
    channel::mpsc,
    executor::block_on,
    io::{ReadHalf, WriteHalf},
};
use support::{
    Frame, IMMEDIATE, NO_TIMERS, Pipe, WakeFlag, assert_both_idle, config_without_keepalive,
    on_transports, poll_until_idle, tungstenite_pair_with,
};
use ws_framed::{Tungstenite, WsStream};

use super::two_tasks::on_threads;

/// A read makes progress by wakeups alone: a ping and data each wake it.
#[test]
fn read_is_woken_by_each_frame() {
    on_transports(
        &IMMEDIATE,
        &config_without_keepalive(),
        async |mut ours, mut peer| {
            let mut data = [0; 8];
            let mut read = pin!(ours.read(&mut data));
            assert!(poll_until_idle(read.as_mut()).is_pending());
            peer.send(Frame::ping("")).await;
            assert!(poll_until_idle(read.as_mut()).is_pending());
            peer.expect(Frame::pong("")).await;
            peer.send(Frame::binary("x")).await;
            assert!(matches!(poll_until_idle(read), Poll::Ready(Ok(1))));
        },
    );
}

/// A blocked writer is woken when there is room, although the reader was the last to poll the
/// transport.
#[test]
fn room_wakes_blocked_writer() {
    let config = config_without_keepalive().max_send_message_len(4096);
    on_transports(&NO_TIMERS, &config, async |ours, mut peer| {
        let (mut reader, mut writer) = ours.split();
        let woken = Arc::new(WakeFlag::default());
        let mut buf = [0; 8];
        let mut read = pin!(reader.read(&mut buf));
        let mut writing = pin!(async { while writer.write(&[0; 4096]).await.is_ok() {} });
        assert_both_idle(writing.as_mut(), &woken, read.as_mut());
        peer.next().await.expect("data");
        assert!(woken.take(), "the transport has room again");
    });
}

const ROUNDS: u64 = 3000;

/// Writes numbers, and waits after each until this side's reader has received one.
async fn write_rounds(
    mut writer: WriteHalf<WsStream<Tungstenite<Pipe>>>,
    mut received: mpsc::Receiver<()>,
    flush: bool,
) {
    for round in 0..ROUNDS {
        writer.write_all(&round.to_be_bytes()).await.unwrap();
        if flush {
            writer.flush().await.unwrap();
        }
        received.next().await.unwrap();
    }
    // This side's reader is done, so the writer has to flush the last number.
    writer.flush().await.unwrap();
}

async fn read_rounds(
    mut reader: ReadHalf<WsStream<Tungstenite<Pipe>>>,
    mut received: mpsc::Sender<()>,
) {
    let mut bytes = [0; size_of::<u64>()];
    for round in 0..ROUNDS {
        reader.read_exact(&mut bytes).await.unwrap();
        assert_eq!(u64::from_be_bytes(bytes), round);
        received.send(()).await.unwrap();
    }
}

/// Exchanges many numbers over a pipe that holds little more than one message. Each round needs
/// wakeups between four threads, so a single lost one is a timeout.
fn exchange_rounds(max_send_message_len: usize, flush: bool) {
    let config = config_without_keepalive().max_send_message_len(max_send_message_len);
    let (server, client) = block_on(tungstenite_pair_with(40, config.clone(), config));
    let (from_client, to_client) = server.split();
    let (from_server, to_server) = client.split();
    let (at_server, server_received) = mpsc::channel(0);
    let (at_client, client_received) = mpsc::channel(0);
    on_threads(
        Duration::from_secs(30),
        vec![
            Box::pin(write_rounds(to_client, server_received, flush)),
            Box::pin(write_rounds(to_server, client_received, flush)),
            Box::pin(read_rounds(from_client, at_server)),
            Box::pin(read_rounds(from_server, at_client)),
        ],
    );
}

/// No wakeup is lost between two tasks that flush each write.
#[test]
fn none_is_lost_with_flushes() {
    exchange_rounds(1000, true);
}

/// No wakeup is lost between two tasks that never flush.
#[test]
fn none_is_lost_without_flushes() {
    exchange_rounds(1000, false);
}

/// No wakeup is lost if each write fills a message, which the transport has but must still flush.
#[test]
fn none_is_lost_with_full_messages() {
    exchange_rounds(8, false);
}
