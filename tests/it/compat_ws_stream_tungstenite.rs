//! What programs for `ws_stream_tungstenite` rely on: sockets wrapped in `WsStream::new`, and
//! codecs in `asynchronous_codec::Framed`. Such programs need few changes.

use std::{future::Future, io};

use async_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self,
        protocol::{Role, WebSocketConfig},
    },
};
use futures::{
    AsyncRead, AsyncReadExt, AsyncWriteExt, FutureExt, SinkExt, StreamExt, TryStreamExt, future,
};
use support::{
    TungsteniteSocket, config_without_keepalive, pipe, run, timeout, tungstenite_pair,
    tungstenite_sockets,
};
use ws_framed::{
    CodecError, Lines, WsErr, WsStream,
    asynchronous_codec::{Framed, LinesCodec},
};

/// Runs a test on tokio and on an executor without I/O.
fn on_two_runtimes<F: Future<Output = ()>>(test: impl Fn() -> F) {
    futures::executor::block_on(timeout(test()));
    run(test());
}

/// Sockets of `async_tungstenite` with write buffers of this length.
async fn sockets_with_buffers(
    write_buffer: usize,
    capacity: usize,
) -> (TungsteniteSocket, TungsteniteSocket) {
    let config = WebSocketConfig::default()
        .write_buffer_size(write_buffer)
        .max_write_buffer_size(write_buffer * 2 + 200);
    let (server, client) = pipe(capacity);
    future::join(
        WebSocketStream::from_raw_socket(server, Role::Server, Some(config)),
        WebSocketStream::from_raw_socket(client, Role::Client, Some(config)),
    )
    .await
}

/// Items arrive that are larger than the buffers of tungstenite and than the pipe, of the same
/// length, or one byte apart.
#[test]
fn buffers_of_many_sizes() {
    on_two_runtimes(|| async {
        for (write_buffer, capacity, len) in [
            (0, 1, 10),
            (1, 3, 100),
            (64, 64, 64),
            (64, 63, 65),
            (65, 64, 63),
            (100, 10_000, 50_000),
            (10_000, 100, 50_000),
            (20, 7, 3000),
        ] {
            let (server, client) = sockets_with_buffers(write_buffer, capacity).await;
            let mut server = Framed::new(WsStream::new(server), LinesCodec);
            let mut client = Framed::new(WsStream::new(client), LinesCodec);
            let line = |letter: &str| letter.repeat(len) + "\n";
            future::join(
                async {
                    client.send(line("A")).await.unwrap();
                    client.send(line("B")).await.unwrap();
                    client.close().await.unwrap();
                    assert!(client.next().await.is_none());
                },
                async {
                    assert_eq!(server.next().await.unwrap().unwrap(), line("A"));
                    assert_eq!(server.next().await.unwrap().unwrap(), line("B"));
                    assert!(server.next().await.is_none());
                },
            )
            .await;
        }
    });
}

/// A read returns a part of a message, or what has arrived of several, but does not wait to fill
/// its buffer.
#[test]
fn reads_of_any_length() {
    on_two_runtimes(|| async {
        let (mut server, mut client) = tungstenite_pair(1000).await;
        client.write_all(b"first").await.unwrap();
        client.flush().await.unwrap();
        client.write_all(b"second").await.unwrap();
        client.flush().await.unwrap();

        let mut one = [0; 1];
        server.read_exact(&mut one).await.unwrap();
        assert_eq!(&one, b"f");
        // A read stops at the end of what is there, not at that of its buffer.
        let mut many = [0; 100];
        assert_eq!(server.read(&mut many).await.unwrap(), 4);
        assert_eq!(&many[..4], b"irst");
        let mut six = [0; 6];
        server.read_exact(&mut six).await.unwrap();
        assert_eq!(&six, b"second");
        assert_eq!(server.read(&mut []).await.unwrap(), 0);
        assert!(futures::poll!(server.read(&mut many)).is_pending());
    });
}

/// Two ends in `Framed` exchange lines one by one, to a clean end.
#[test]
fn framed_echoes_each_line() {
    on_two_runtimes(|| async {
        let (server, client) = tungstenite_pair(1000).await;
        future::join(
            async {
                let mut server = Framed::new(server, Lines::new(80));
                while let Some(line) = server.try_next().await.unwrap() {
                    server.send(line).await.unwrap();
                }
            },
            async {
                let mut client = Framed::new(client, Lines::new(80));
                for n in 0..100 {
                    let line = format!("message {n}");
                    client.send(line.clone()).await.unwrap();
                    assert_eq!(client.try_next().await.unwrap(), Some(line));
                }
                client.close().await.unwrap();
                assert_eq!(client.try_next().await.unwrap(), None);
            },
        )
        .await;
    });
}

/// `futures::io::copy` from one half of a stream to the other is an echo server.
#[test]
fn copy_echoes_all_bytes() {
    on_two_runtimes(|| async {
        let (server, mut client) = tungstenite_pair(1000).await;
        let (from_client, mut to_client) = server.split();
        future::join(
            async {
                let copied = futures::io::copy(from_client, &mut to_client)
                    .await
                    .unwrap();
                assert_eq!(copied, 11);
            },
            async {
                client.write_all(b"hello world").await.unwrap();
                let mut echo = [0; 11];
                client.read_exact(&mut echo).await.unwrap();
                assert_eq!(&echo, b"hello world");
                client.close().await.unwrap();
                assert_eq!(client.read(&mut echo).await.unwrap(), 0);
            },
        )
        .await;
    });
}

/// A missing close frame is an error in `Framed`. Under `lenient_eof` it is the end, as in
/// `ws_stream_tungstenite`.
#[test]
fn lenient_eof_hides_abnormal_closure() {
    on_two_runtimes(|| async {
        for lenient in [false, true] {
            let (server, client) = tungstenite_sockets(1000).await;
            let config = config_without_keepalive().lenient_eof(lenient);
            let server = WsStream::with_config(server, config).unwrap();
            let mut client = WsStream::new(client);
            client.write_all(b"a line\n").await.unwrap();
            client.flush().await.unwrap();
            drop(client);
            let mut lines = Framed::new(server, Lines::new(80));
            assert_eq!(lines.try_next().await.unwrap().unwrap(), "a line");
            match lines.try_next().await {
                Ok(end) => assert!(lenient && end.is_none(), "{end:?}"),
                Err(CodecError::Io(error)) => {
                    assert!(!lenient);
                    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    });
}

/// Text that arrives while writes wait for a full pipe is an error once the peer reads, with close
/// code 1003. A flush then fails exactly if written data was not sent.
#[test]
fn text_is_rejected_under_backpressure() {
    on_two_runtimes(|| async {
        let (server, client) = sockets_with_buffers(100, 100).await;
        let config = config_without_keepalive().max_send_message_len(100);
        let mut server = WsStream::with_config(server, config).unwrap();
        let mut client = client;
        // Fills the buffers and the pipe.
        let mut written = 0;
        while let Some(taken) = server.write(&[7; 50]).now_or_never() {
            written += taken.unwrap();
        }
        assert!(server.flush().now_or_never().is_none());
        client
            .send(tungstenite::Message::text("text"))
            .await
            .unwrap();
        // The close frame cannot be sent before the peer reads.
        assert!(futures::poll!(server.read(&mut [0; 10])).is_pending());
        let (error, (data, code)) = future::join(
            async { server.read(&mut [0; 10]).await.unwrap_err() },
            // Disconnects at the end: the server waits for that.
            async move {
                let mut data = 0;
                loop {
                    match client.next().await {
                        Some(Ok(tungstenite::Message::Binary(bytes))) => data += bytes.len(),
                        Some(Ok(tungstenite::Message::Close(Some(frame)))) => {
                            assert!(client.next().await.is_none_or(|end| end.is_err()));
                            return (data, u16::from(frame.code));
                        }
                        other => panic!("{other:?}"),
                    }
                }
            },
        )
        .await;
        assert!(
            matches!(WsErr::find_in(&error), Some(WsErr::ReceivedText)),
            "{error:?}"
        );
        assert_eq!(code, 1003);
        // Data that was unflushed when the connection failed is lost, which a flush reports.
        assert!(data <= written);
        let flushed = server.flush().await;
        assert_eq!(
            flushed.is_err(),
            data < written,
            "{data} of {written}: {flushed:?}"
        );
    });
}

/// Either end may close in `Framed`, once or twice. The other reads to the end, and cannot send any
/// more.
#[test]
fn either_end_may_close() {
    on_two_runtimes(|| async {
        for server_closes in [true, false] {
            let (server, client) = tungstenite_pair(1000).await;
            let (closer, other) = if server_closes {
                (server, client)
            } else {
                (client, server)
            };
            let mut closer = Framed::new(closer, Lines::new(80));
            let mut other = Framed::new(other, Lines::new(80));
            closer.send("the last".to_owned()).await.unwrap();
            closer.close().await.unwrap();
            closer.close().await.unwrap();
            let (mine, theirs) = future::join(closer.next(), async {
                assert_eq!(other.next().await.unwrap().unwrap(), "the last");
                other.next().await
            })
            .await;
            assert!(mine.is_none() && theirs.is_none());
            let error = other.send("too late".to_owned()).await.unwrap_err();
            let CodecError::Io(error) = error else {
                panic!("{error:?}");
            };
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        }
    });
}

/// Code for any byte stream.
async fn count_lines(stream: impl AsyncRead + Unpin) -> usize {
    use futures::AsyncBufReadExt;
    futures::io::BufReader::new(stream).lines().count().await
}

/// Code for any `AsyncRead` takes a `WsStream`.
#[test]
fn generic_code_takes_streams() {
    on_two_runtimes(|| async {
        let (server, mut client) = tungstenite_pair(1000).await;
        let (lines, ()) = future::join(count_lines(server), async {
            client.write_all(b"one\ntwo\nthree").await.unwrap();
            client.close().await.unwrap();
            assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        })
        .await;
        assert_eq!(lines, 3);
    });
}
