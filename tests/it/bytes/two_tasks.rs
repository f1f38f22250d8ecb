//! Reader and writer in two tasks: both directions are full at once, on every kind of executor, and
//! no byte is lost or reordered.

use std::{thread, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt, executor::block_on, future};
use support::{pair, timeout, timeout_after, tungstenite_pair};
use ws_framed::{LengthDelimited, WsStream, bytes::Bytes};

/// How many bytes are sent in each direction.
const TOTAL: usize = 64 * 1024 * 1024;

/// A time limit for that much data on a busy machine.
const LONG: Duration = Duration::from_secs(120);

/// Prime, so that it is no multiple of a buffer's length, and a lost or repeated part is found.
const PERIOD: usize = 65_521;

/// Two periods of a pattern that depends on `seed`, so that each part up to a period is one slice.
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

/// Checks that received data continues the pattern.
struct Check {
    pattern: Vec<u8>,
    position: usize,
}

impl Check {
    fn new(seed: u8) -> Self {
        Self {
            pattern: pattern(seed),
            position: 0,
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(PERIOD) {
            let start = self.position % PERIOD;
            // A plain comparison, because a failing `assert_eq` would print megabytes.
            assert!(
                piece == &self.pattern[start..start + piece.len()],
                "wrong bytes after {}",
                self.position
            );
            self.position += piece.len();
        }
    }
}

async fn write_all(mut writer: impl futures::AsyncWrite + Unpin, seed: u8, total: usize) {
    let pattern = pattern(seed);
    let mut position = 0;
    while position < total {
        let start = position % PERIOD;
        // Writes of many lengths.
        let len = (1 + position % 60_000).min(total - position);
        writer
            .write_all(&pattern[start..start + len])
            .await
            .unwrap();
        position += len;
    }
    writer.flush().await.unwrap();
}

async fn read_all(mut reader: impl futures::AsyncRead + Unpin, seed: u8, total: usize) {
    let mut check = Check::new(seed);
    let mut buffer = vec![0; 50_000];
    while check.position < total {
        let read = reader.read(&mut buffer).await.unwrap();
        assert!(read > 0, "ended after {}", check.position);
        check.take(&buffer[..read]);
    }
}

/// Four tasks of tokio on the halves of futures' `split`.
async fn full_duplex() {
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

/// Four tasks of tokio on one thread fill both directions.
#[tokio::test]
async fn full_duplex_on_one_thread() {
    timeout_after(LONG, full_duplex()).await;
}

/// Four tasks of tokio on several threads fill both directions.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn full_duplex_on_many_threads() {
    timeout_after(LONG, full_duplex()).await;
}

/// The halves of tokio's `split` fill both directions. Reunited, they close cleanly.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn full_duplex_through_tokio_split() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};

    async fn write(mut writer: WriteHalf<WsStream>, seed: u8) -> WriteHalf<WsStream> {
        let pattern = pattern(seed);
        let mut position = 0;
        while position < TOTAL {
            let start = position % PERIOD;
            let len = PERIOD.min(TOTAL - position);
            writer
                .write_all(&pattern[start..start + len])
                .await
                .unwrap();
            position += len;
        }
        writer.flush().await.unwrap();
        writer
    }

    async fn read(mut reader: ReadHalf<WsStream>, seed: u8) -> ReadHalf<WsStream> {
        let mut check = Check::new(seed);
        let mut buffer = vec![0; 40_000];
        while check.position < TOTAL {
            let read = reader.read(&mut buffer).await.unwrap();
            assert!(read > 0, "ended after {}", check.position);
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
        client.shutdown().await.unwrap();
        for stream in [&mut server, &mut client] {
            assert_eq!(AsyncReadExt::read(stream, &mut [0]).await.unwrap(), 0);
        }
    })
    .await;
}

/// Runs each future on a thread of its own, without a runtime.
pub(super) fn on_threads(limit: Duration, tasks: Vec<future::BoxFuture<'static, ()>>) {
    let threads: Vec<_> = tasks
        .into_iter()
        .map(|task| thread::spawn(move || block_on(timeout_after(limit, task))))
        .collect();
    let results: Vec<_> = threads.into_iter().map(thread::JoinHandle::join).collect();
    for result in results {
        result.unwrap();
    }
}

/// Four threads without a runtime fill both directions.
#[test]
fn full_duplex_without_runtime() {
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

/// Item streams fill both directions. Items end at other places than messages do.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn full_duplex_of_items() {
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

/// Two ends whose writers are both blocked resume when their readers read.
#[test]
fn readers_free_blocked_writers() {
    const LEN: usize = 2 * 1024 * 1024;
    block_on(timeout(async {
        let (server, client) = tungstenite_pair(1000).await;
        let (from_client, to_client) = server.split();
        let (from_server, to_server) = client.split();
        let mut writers = std::pin::pin!(future::join(
            write_all(to_client, 1, LEN),
            write_all(to_server, 2, LEN),
        ));
        // No task reads, so both writers are blocked by full buffers.
        for _ in 0..100 {
            assert!(futures::poll!(&mut writers).is_pending());
        }
        future::join3(
            writers,
            read_all(from_server, 1, LEN),
            read_all(from_client, 2, LEN),
        )
        .await;
    }));
}
