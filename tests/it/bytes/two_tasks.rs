//! Reader and writer of a link in tasks of their own: both directions full at once, on every kind of
//! executor. Nothing is lost, nothing is reordered, nobody waits for a wakeup that went to the other.

use std::{thread, time::Duration};

use futures::{
    AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt, channel::mpsc, executor::block_on, future,
};
use support::{
    Pipe, config_without_keepalive, pair, timeout, timeout_after, tungstenite_pair,
    tungstenite_pair_with,
};
use ws_framed::{LengthDelimited, Tungstenite, WsStream, bytes::Bytes};

/// What goes each way.
const TOTAL: usize = 64 * 1024 * 1024;

/// A test that moves this much on a machine that is busy with others.
const LONG: Duration = Duration::from_secs(120);

/// No power of two, so that no buffer's length divides it, and a lost or doubled piece shows.
const PERIOD: usize = 65_521;

/// A pattern that is different each way, twice, so that any window of it up to its period is one slice.
fn pattern(seed: u8) -> Vec<u8> {
    let mut state = u32::from(seed) + 1;
    let once: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(PERIOD)
    .collect();
    once.repeat(2)
}

/// Checks that what arrives goes on with the pattern.
struct Check {
    pattern: Vec<u8>,
    at: usize,
}

impl Check {
    fn new(seed: u8) -> Self {
        Self {
            pattern: pattern(seed),
            at: 0,
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(PERIOD) {
            let start = self.at % PERIOD;
            // A plain comparison, because a failing `assert_eq` would print megabytes.
            assert!(
                piece == &self.pattern[start..start + piece.len()],
                "wrong bytes after {}",
                self.at
            );
            self.at += piece.len();
        }
    }
}

async fn write_all(mut writer: impl futures::AsyncWrite + Unpin, seed: u8, total: usize) {
    let pattern = pattern(seed);
    let mut at = 0;
    while at < total {
        let start = at % PERIOD;
        // Pieces of many lengths.
        let len = (1 + at % 60_000).min(total - at);
        writer
            .write_all(&pattern[start..start + len])
            .await
            .unwrap();
        at += len;
    }
    writer.flush().await.unwrap();
}

async fn read_all(mut reader: impl futures::AsyncRead + Unpin, seed: u8, total: usize) {
    let mut check = Check::new(seed);
    let mut buffer = vec![0; 50_000];
    while check.at < total {
        let read = reader.read(&mut buffer).await.unwrap();
        assert!(read > 0, "ended after {}", check.at);
        check.take(&buffer[..read]);
    }
}

/// Four tasks of tokio, through the split of futures.
async fn both_ways() {
    let (server, client) = pair().await;
    let (from_client, to_client) = server.split();
    let (from_server, to_server) = client.split();
    let tasks = [
        tokio::spawn(write_all(to_client, 1, TOTAL)),
        tokio::spawn(write_all(to_server, 2, TOTAL)),
        tokio::spawn(read_all(from_server, 1, TOTAL)),
        tokio::spawn(read_all(from_client, 2, TOTAL)),
    ];
    for task in future::join_all(tasks).await {
        task.unwrap();
    }
}

#[tokio::test]
async fn both_directions_full_on_one_thread() {
    timeout_after(LONG, both_ways()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn both_directions_full_on_many_threads() {
    timeout_after(LONG, both_ways()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn both_directions_full_through_tokios_split() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};

    async fn write(mut writer: WriteHalf<WsStream>, seed: u8) -> WriteHalf<WsStream> {
        let pattern = pattern(seed);
        let mut at = 0;
        while at < TOTAL {
            let start = at % PERIOD;
            let len = PERIOD.min(TOTAL - at);
            writer
                .write_all(&pattern[start..start + len])
                .await
                .unwrap();
            at += len;
        }
        writer.flush().await.unwrap();
        writer
    }

    async fn read(mut reader: ReadHalf<WsStream>, seed: u8) -> ReadHalf<WsStream> {
        let mut check = Check::new(seed);
        let mut buffer = vec![0; 40_000];
        while check.at < TOTAL {
            let read = reader.read(&mut buffer).await.unwrap();
            assert!(read > 0, "ended after {}", check.at);
            check.take(&buffer[..read]);
        }
        reader
    }

    timeout_after(LONG, async {
        let (server, client) = pair().await;
        let (from_client, to_client) = tokio::io::split(server);
        let (from_server, to_server) = tokio::io::split(client);
        let tasks = future::join4(
            tokio::spawn(write(to_client, 1)),
            tokio::spawn(read(from_client, 2)),
            tokio::spawn(write(to_server, 2)),
            tokio::spawn(read(from_server, 1)),
        );
        let (to_client, from_client, to_server, from_server) = tasks.await;
        let mut server = from_client.unwrap().unsplit(to_client.unwrap());
        let mut client = from_server.unwrap().unsplit(to_server.unwrap());
        // Whole again, and as good as new.
        client.shutdown().await.unwrap();
        for stream in [&mut server, &mut client] {
            assert_eq!(AsyncReadExt::read(stream, &mut [0]).await.unwrap(), 0);
        }
    })
    .await;
}

/// Runs each future on a thread of its own, without any runtime.
fn on_threads(limit: Duration, tasks: Vec<future::BoxFuture<'static, ()>>) {
    let threads: Vec<_> = tasks
        .into_iter()
        .map(|task| thread::spawn(move || block_on(timeout_after(limit, task))))
        .collect();
    let results: Vec<_> = threads.into_iter().map(thread::JoinHandle::join).collect();
    for result in results {
        result.unwrap();
    }
}

#[test]
fn both_directions_full_without_a_runtime() {
    let (server, client) = block_on(tungstenite_pair(256 * 1024));
    let (from_client, to_client) = server.split();
    let (from_server, to_server) = client.split();
    on_threads(
        LONG,
        vec![
            Box::pin(write_all(to_client, 1, TOTAL)),
            Box::pin(write_all(to_server, 2, TOTAL)),
            Box::pin(read_all(from_server, 1, TOTAL)),
            Box::pin(read_all(from_client, 2, TOTAL)),
        ],
    );
}

/// The same with items, which are cut at other places than the messages.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn both_directions_full_of_items() {
    const ITEMS: usize = 20_000;
    timeout_after(LONG, async {
        let (server, client) = pair().await;
        let (to_client, from_client) = server.framed(LengthDelimited::new(PERIOD)).split();
        let (to_server, from_server) = client.framed(LengthDelimited::new(PERIOD)).split();
        let mut tasks = Vec::new();
        for (mut sender, mut receiver, seed) in
            [(to_client, from_server, 1), (to_server, from_client, 2)]
        {
            let items = Bytes::from(pattern(seed));
            let item = move |n: usize| items.slice(n % PERIOD..n % PERIOD + n % 1000);
            let sent = item.clone();
            tasks.push(tokio::spawn(async move {
                for n in 0..ITEMS {
                    sender.feed(sent(n)).await.unwrap();
                }
                sender.flush().await.unwrap();
            }));
            tasks.push(tokio::spawn(async move {
                for n in 0..ITEMS {
                    let got = receiver.next().await.unwrap().unwrap();
                    assert!(got == item(n), "item {n} is wrong");
                }
            }));
        }
        for task in future::join_all(tasks).await {
            task.unwrap();
        }
    })
    .await;
}

/// Both writers have stopped because neither network nor buffers take more; then the readers come.
#[test]
fn two_peers_that_wait_for_each_other_are_freed_by_their_readers() {
    const ENOUGH: usize = 2 * 1024 * 1024;
    block_on(timeout(async {
        let (server, client) = tungstenite_pair(1000).await;
        let (from_client, to_client) = server.split();
        let (from_server, to_server) = client.split();
        let mut writers = std::pin::pin!(future::join(
            write_all(to_client, 1, ENOUGH),
            write_all(to_server, 2, ENOUGH),
        ));
        // With nobody who reads, both get stuck, and memory stays bounded meanwhile.
        for _ in 0..100 {
            assert!(futures::poll!(&mut writers).is_pending());
        }
        future::join3(
            writers,
            read_all(from_server, 1, ENOUGH),
            read_all(from_client, 2, ENOUGH),
        )
        .await;
    }));
}

/// Writes `rounds` numbers, and waits after each for the ticket that says that one came from the other side.
async fn write_rounds(
    mut writer: futures::io::WriteHalf<WsStream<Tungstenite<Pipe>>>,
    mut tickets: mpsc::Receiver<()>,
    flush: bool,
) {
    for round in 0..ROUNDS {
        writer.write_all(&round.to_be_bytes()).await.unwrap();
        if flush {
            writer.flush().await.unwrap();
        }
        tickets.next().await.unwrap();
    }
    // This side's reader is done, so the last number is for the writer to send.
    writer.flush().await.unwrap();
}

async fn read_rounds(
    mut reader: futures::io::ReadHalf<WsStream<Tungstenite<Pipe>>>,
    mut tickets: mpsc::Sender<()>,
) {
    let mut bytes = [0; size_of::<u64>()];
    for round in 0..ROUNDS {
        reader.read_exact(&mut bytes).await.unwrap();
        assert_eq!(u64::from_be_bytes(bytes), round);
        tickets.send(()).await.unwrap();
    }
}

const ROUNDS: u64 = 3000;

/// Many rounds of a number there and a number back, over a network that holds hardly more than one
/// message: each round needs its wakeups, between four threads, and a single lost one would hang it.
fn play_rounds(max_send_message_len: usize, flush: bool) {
    let config = config_without_keepalive().max_send_message_len(max_send_message_len);
    let (server, client) = block_on(tungstenite_pair_with(40, config.clone(), config));
    let (from_client, to_client) = server.split();
    let (from_server, to_server) = client.split();
    let (server_ticket, server_tickets) = mpsc::channel(0);
    let (client_ticket, client_tickets) = mpsc::channel(0);
    on_threads(
        Duration::from_secs(30),
        vec![
            Box::pin(write_rounds(to_client, server_tickets, flush)),
            Box::pin(write_rounds(to_server, client_tickets, flush)),
            Box::pin(read_rounds(from_client, server_ticket)),
            Box::pin(read_rounds(from_server, client_ticket)),
        ],
    );
}

#[test]
fn no_wakeup_is_lost_when_each_write_is_flushed() {
    play_rounds(1000, true);
}

#[test]
fn no_wakeup_is_lost_when_nobody_flushes() {
    play_rounds(1000, false);
}

/// A write that fills a message hands it to the transport, and has to be flushed all the same.
#[test]
fn no_wakeup_is_lost_when_each_write_is_a_full_message() {
    play_rounds(8, false);
}
