//! Flushing: no task has to flush before it waits for a reply, since a read that waits flushes
//! first.
//!
//! No test here flushes before it reads, so each of them would hang without that.

use futures::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt, future};
use support::{Frame, config_without_keepalive, on_all_transports, pair, timeout, while_reading};
use ws_framed::{Lines, asynchronous_codec::Framed};

const ROUNDS: u32 = 500;

/// A read that must wait flushes first, over each transport.
#[test]
fn read_flushes_first() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        for request in [&b"question"[..], b"again"] {
            ours.write_all(request).await.unwrap();
            while_reading(&mut ours, peer.expect(Frame::binary(request))).await;
            peer.send(Frame::binary("reply")).await;
            ours.read_exact(&mut [0; 5]).await.unwrap();
        }
    });
}

/// A buffered read that must wait flushes first, over each transport.
#[test]
fn buffered_read_flushes_first() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        ours.write_all(b"question\n").await.unwrap();
        let mut line = String::new();
        let script = async {
            peer.expect(Frame::binary("question\n")).await;
            peer.send(Frame::binary("reply\n")).await;
        };
        let (read, ()) = future::join(ours.read_line(&mut line), script).await;
        read.unwrap();
        assert_eq!(line, "reply\n");
    });
}

/// The same tests for the I/O traits of futures and of tokio, whose methods have the same names.
macro_rules! for_traits {
    ($module:ident, $read:path, $write:path, $split:expr) => {
        mod $module {
            use std::{pin::pin, sync::Arc};

            use futures::future;
            use support::{
                Frame, NO_TIMERS, WakeFlag, assert_idle, config_without_keepalive, on_transports,
                pair, poll_until_idle, timeout, tungstenite_pair,
            };
            use ws_framed::{MessageTransport, WsStream};
            use $read;
            use $write;

            use super::ROUNDS;

            /// Writes a number, and reads the next one.
            async fn count<M: MessageTransport>(mut stream: WsStream<M>, first: u32) {
                let mut number = first.to_be_bytes();
                for _ in 0..ROUNDS {
                    stream.write_all(&number).await.unwrap();
                    stream.read_exact(&mut number).await.unwrap();
                }
                assert_eq!(u32::from_be_bytes(number), first + ROUNDS);
                // The peer waits for the last number, and no further read flushes it.
                stream.flush().await.unwrap();
            }

            async fn increment<M: MessageTransport>(mut stream: WsStream<M>) {
                let mut number = [0; 4];
                for _ in 0..ROUNDS {
                    stream.read_exact(&mut number).await.unwrap();
                    let next = u32::from_be_bytes(number) + 1;
                    stream.write_all(&next.to_be_bytes()).await.unwrap();
                }
                // This read flushes the last number.
                assert_eq!(stream.read(&mut number).await.unwrap_or(0), 0);
            }

            /// In one task, a read flushes what the task has written.
            #[tokio::test]
            async fn in_one_task() {
                timeout(async {
                    let (server, client) = pair().await;
                    future::join(count(client, 7), increment(server)).await;
                })
                .await;
            }

            /// In one task without a runtime, a read flushes what the task has written.
            #[test]
            fn in_one_task_without_runtime() {
                futures::executor::block_on(timeout(async {
                    let (server, client) = tungstenite_pair(100).await;
                    future::join(count(client, 7), increment(server)).await;
                }));
            }

            /// A write wakes a parked reader, which flushes it: a part of a message, a whole one,
            /// or several.
            #[test]
            fn write_wakes_parked_reader() {
                for max_len in [1000, 5, 4, 3, 2, 1] {
                    println!("messages of {max_len}");
                    let config = config_without_keepalive().max_send_message_len(max_len);
                    on_transports(&NO_TIMERS, &config, async |ours, mut peer| {
                        let (mut reader, mut writer) = $split(ours);
                        let woken = Arc::new(WakeFlag::default());
                        let mut buf = [0; 8];
                        let mut read = pin!(reader.read(&mut buf));
                        assert_idle(read.as_mut(), &woken);
                        writer.write_all(b"four").await.unwrap();
                        assert!(woken.take(), "no other task flushes");
                        assert!(poll_until_idle(read.as_mut()).is_pending());
                        let (data, lens) = peer.receive(4).await;
                        assert_eq!(data, b"four");
                        let expected = b"four".chunks(max_len).map(<[u8]>::len);
                        assert!(expected.eq(lens));
                        peer.send(Frame::binary("x")).await;
                        assert_eq!(read.await.unwrap(), 1);
                    });
                }
            }

            /// Exchanges numbers between two ends with two tasks each, none of which flushes.
            async fn exchange() {
                timeout(async {
                    let (server, client) = pair().await;
                    let (mut from_client, mut to_client) = $split(server);
                    let (mut from_server, mut to_server) = $split(client);
                    let (at_server, mut server_received) = tokio::sync::mpsc::unbounded_channel();
                    let server = tokio::spawn(async move {
                        let mut number = [0; 4];
                        while from_client.read_exact(&mut number).await.is_ok() {
                            at_server.send(number).unwrap();
                        }
                    });
                    let replies = tokio::spawn(async move {
                        while let Some(number) = server_received.recv().await {
                            to_client.write_all(&number).await.unwrap();
                        }
                    });
                    let (at_client, mut client_received) = tokio::sync::mpsc::unbounded_channel();
                    let reading = tokio::spawn(async move {
                        let mut number = [0; 4];
                        for _ in 0..ROUNDS {
                            from_server.read_exact(&mut number).await.unwrap();
                            at_client.send(u32::from_be_bytes(number)).unwrap();
                        }
                        from_server
                    });
                    for n in 0..ROUNDS {
                        to_server.write_all(&n.to_be_bytes()).await.unwrap();
                        assert_eq!(client_received.recv().await, Some(n));
                    }
                    drop((reading.await.unwrap(), to_server));
                    server.await.unwrap();
                    replies.await.unwrap();
                })
                .await;
            }

            /// In two tasks on one thread, the reader flushes what the writer has written.
            #[tokio::test]
            async fn in_two_tasks_on_one_thread() {
                exchange().await;
            }

            /// In two tasks on several threads, the reader flushes what the writer has written.
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn in_two_tasks_on_many_threads() {
                exchange().await;
            }
        }
    };
}

for_traits!(
    futures_io,
    futures::AsyncReadExt,
    futures::AsyncWriteExt,
    futures::AsyncReadExt::split
);
for_traits!(
    tokio_io,
    tokio::io::AsyncReadExt,
    tokio::io::AsyncWriteExt,
    tokio::io::split
);

/// In one task, `next` flushes the items that the task has fed.
#[tokio::test]
async fn items_in_one_task() {
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

/// With futures' `split`, `next` flushes the items fed to the other half, except the last, which
/// that half keeps until it is polled again.
#[tokio::test]
async fn items_in_two_halves() {
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

/// A read of the byte stream flushes the items that were fed before `into_stream`.
#[tokio::test]
async fn byte_read_flushes_items() {
    timeout(async {
        let (server, client) = pair().await;
        let mut client = client.framed(Lines::new(80));
        client.feed("hello".to_owned()).await.unwrap();
        let mut client = client.into_stream();
        let mut server = server.framed(Lines::new(80));
        let mut reply = [0; 6];
        let (read, ()) = future::join(client.read_exact(&mut reply), async {
            let line = server.next().await.unwrap().unwrap();
            server.send(line).await.unwrap();
        })
        .await;
        read.unwrap();
        assert_eq!(&reply, b"hello\n");
    })
    .await;
}

/// `next` of `asynchronous_codec::Framed` flushes what its `send` has written to the byte stream.
#[tokio::test]
async fn framed_of_another_crate() {
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
