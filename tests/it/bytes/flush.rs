//! Nobody hangs for a forgotten flush: what was written is on its way when its answer is waited for.
//!
//! Both sides forget to flush in all of these, so each would hang if either view did not send by itself.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Wake, Waker},
};

use futures::{SinkExt, StreamExt, future};
use support::{config_without_keepalive, pair, timeout, tungstenite_pair, tungstenite_pair_with};
use ws_framed::{Lines, MessageTransport, WsStream, asynchronous_codec::Framed};

const ROUNDS: u32 = 500;

/// Remembers that it was woken.
#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

/// The same tests for the two families of traits, whose methods have the same names.
macro_rules! byte_view {
    ($module:ident, $read:path, $write:path, $split:expr) => {
        mod $module {
            use super::*;
            use $read;
            use $write;

            /// Writes a number, and reads the next one.
            async fn count<M: MessageTransport>(mut stream: WsStream<M>, first: u32) {
                let mut number = first.to_be_bytes();
                for _ in 0..ROUNDS {
                    stream.write_all(&number).await.unwrap();
                    stream.read_exact(&mut number).await.unwrap();
                }
                assert_eq!(u32::from_be_bytes(number), first + ROUNDS);
                // The other side waits for the last one, and nobody reads here any more.
                stream.flush().await.unwrap();
            }

            async fn increment<M: MessageTransport>(mut stream: WsStream<M>) {
                let mut number = [0; 4];
                for _ in 0..ROUNDS {
                    stream.read_exact(&mut number).await.unwrap();
                    let next = u32::from_be_bytes(number) + 1;
                    stream.write_all(&next.to_be_bytes()).await.unwrap();
                }
                // Reading on sends the last answer.
                assert_eq!(stream.read(&mut number).await.unwrap_or(0), 0);
            }

            #[tokio::test]
            async fn one_task() {
                timeout(async {
                    let (server, client) = pair().await;
                    future::join(count(client, 7), increment(server)).await;
                })
                .await;
            }

            #[test]
            fn one_task_without_a_runtime() {
                futures::executor::block_on(timeout(async {
                    let (server, client) = tungstenite_pair(100).await;
                    future::join(count(client, 7), increment(server)).await;
                }));
            }

            /// The reader has parked before anything is written: the write wakes it, so that it sends what
            /// nobody else may. Also when the write is just a message, or more than one.
            #[test]
            fn a_write_wakes_a_reader_that_waits() {
                futures::executor::block_on(timeout(async {
                    for max_send_message_len in [1000, 5, 4, 3, 2, 1] {
                        let config =
                            config_without_keepalive().max_send_message_len(max_send_message_len);
                        let (mut server, client) =
                            tungstenite_pair_with(1000, config_without_keepalive(), config).await;
                        let (mut reader, mut writer) = $split(client);
                        let mut answer = [0; 4];
                        let mut reading = pin!(reader.read_exact(&mut answer));
                        let flag = Arc::new(Flag::default());
                        let waker = Waker::from(Arc::clone(&flag));
                        let cx = &mut Context::from_waker(&waker);
                        assert!(reading.as_mut().poll(cx).is_pending());
                        assert!(!flag.0.load(Relaxed), "nothing has happened yet");
                        writer.write_all(b"four").await.unwrap();
                        assert!(
                            flag.0.load(Relaxed),
                            "4 bytes in messages of {max_send_message_len} wait for ever"
                        );
                        assert!(reading.as_mut().poll(cx).is_pending());
                        let mut number = [0; 4];
                        server.read_exact(&mut number).await.unwrap();
                        assert_eq!(&number, b"four");
                    }
                }));
            }

            /// Reader and writer of each side live in tasks of their own, on several threads.
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn two_tasks() {
                timeout(async {
                    let (server, client) = pair().await;
                    let (mut from_client, mut to_client) = $split(server);
                    let (mut from_server, mut to_server) = $split(client);
                    let (arrived, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
                    let server = tokio::spawn(async move {
                        let mut number = [0; 4];
                        while from_client.read_exact(&mut number).await.is_ok() {
                            arrived.send(number).unwrap();
                        }
                    });
                    let answering = tokio::spawn(async move {
                        while let Some(number) = arrivals.recv().await {
                            to_client.write_all(&number).await.unwrap();
                        }
                    });
                    let (seen, mut sights) = tokio::sync::mpsc::unbounded_channel();
                    let reading = tokio::spawn(async move {
                        let mut number = [0; 4];
                        for _ in 0..ROUNDS {
                            from_server.read_exact(&mut number).await.unwrap();
                            seen.send(u32::from_be_bytes(number)).unwrap();
                        }
                        from_server
                    });
                    for n in 0..ROUNDS {
                        to_server.write_all(&n.to_be_bytes()).await.unwrap();
                        assert_eq!(sights.recv().await, Some(n));
                    }
                    drop((reading.await.unwrap(), to_server));
                    server.await.unwrap();
                    answering.await.unwrap();
                })
                .await;
            }
        }
    };
}

byte_view!(
    futures_io,
    futures::AsyncReadExt,
    futures::AsyncWriteExt,
    futures::AsyncReadExt::split
);
byte_view!(
    tokio_io,
    tokio::io::AsyncReadExt,
    tokio::io::AsyncWriteExt,
    tokio::io::split
);

#[tokio::test]
async fn the_item_view_in_one_task() {
    timeout(async {
        let (server, client) = pair().await;
        let mut server = server.framed(Lines::new(80));
        let mut client = client.framed(Lines::new(80));
        future::join(
            async {
                for n in 0..ROUNDS {
                    client.feed(n.to_string()).await.unwrap();
                    assert_eq!(client.next().await.unwrap().unwrap(), n.to_string());
                }
                client.close().await.unwrap();
                assert!(client.next().await.is_none());
            },
            async {
                while let Some(line) = server.next().await {
                    server.feed(line.unwrap()).await.unwrap();
                }
            },
        )
        .await;
    })
    .await;
}

/// An item that was fed from one half goes out when the other half next waits. The half of futures' split
/// has a slot for one item, which it empties before it takes the next.
#[tokio::test]
async fn the_item_view_split() {
    timeout(async {
        let (server, client) = pair().await;
        let mut server = server.framed(Lines::new(80));
        let (mut to_server, mut from_server) = client.framed(Lines::new(80)).split();
        future::join(
            async {
                for n in 0..ROUNDS {
                    to_server.feed(n.to_string()).await.unwrap();
                    future::poll_fn(|cx| to_server.poll_ready_unpin(cx))
                        .await
                        .unwrap();
                    assert_eq!(from_server.next().await.unwrap().unwrap(), n.to_string());
                }
                to_server.close().await.unwrap();
                assert!(from_server.next().await.is_none());
            },
            async {
                while let Some(line) = server.next().await {
                    server.feed(line.unwrap()).await.unwrap();
                }
            },
        )
        .await;
    })
    .await;
}

/// A view that is taken off takes what was not flushed with it, and the next view's read sends it.
#[tokio::test]
async fn items_that_were_fed_are_sent_by_a_read_of_the_byte_view() {
    use futures::AsyncReadExt;
    timeout(async {
        let (server, client) = pair().await;
        let mut client = client.framed(Lines::new(80));
        client.feed("hello".to_owned()).await.unwrap();
        let mut client = client.into_stream();
        let mut server = server.framed(Lines::new(80));
        let mut answer = [0; 6];
        let (read, ()) = future::join(client.read_exact(&mut answer), async {
            let line = server.next().await.unwrap().unwrap();
            server.send(line).await.unwrap();
        })
        .await;
        read.unwrap();
        assert_eq!(&answer, b"hello\n");
    })
    .await;
}

/// `asynchronous_codec::Framed` has a buffer of its own, which is its user's to flush; what it has written
/// is ours.
#[tokio::test]
async fn another_driver_of_codecs_need_not_flush_twice() {
    timeout(async {
        let (server, client) = pair().await;
        let mut client = Framed::new(client, Lines::new(80));
        let mut server = Framed::new(server, Lines::new(80));
        future::join(
            async {
                for n in 0..ROUNDS {
                    client.send(n.to_string()).await.unwrap();
                    assert_eq!(client.next().await.unwrap().unwrap(), n.to_string());
                }
                client.close().await.unwrap();
            },
            async {
                while let Some(line) = server.next().await {
                    server.send(line.unwrap()).await.unwrap();
                }
            },
        )
        .await;
    })
    .await;
}
