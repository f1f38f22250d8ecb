//! What programs that were written for `ws_stream_tungstenite` rely on, with their socket wrapped in
//! `WsStream::new` and their codecs in `asynchronous_codec::Framed`: such code moves over with few changes.

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
    Pipe, TungsteniteSocket, config_without_keepalive, pipe, run, timeout, tungstenite_pair,
    tungstenite_sockets,
};
use ws_framed::{
    CodecError, Lines, TextPolicy, Tungstenite, WsErr, WsEvent, WsStream,
    asynchronous_codec::{Framed, LinesCodec},
    pharos::{Filter, Observable, ObserveConfig},
};

/// The same test on tokio and on an executor that knows no I/O.
fn on_two_runtimes<F: Future<Output = ()>>(test: impl Fn() -> F) {
    futures::executor::block_on(timeout(test()));
    run(test());
}

/// Sockets whose engine has buffers of this length.
async fn engines_with(
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

/// A frame of the codec is larger than the buffers of the engine and than the pipe, or all of the same
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
            let (server, client) = engines_with(write_buffer, capacity).await;
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

/// A message is read in whatever pieces the reader asks for, and several messages in one go.
#[test]
fn partial_reads() {
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

#[test]
fn ping_pong_echo() {
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

/// `copy` is the shortest echo server.
#[test]
fn an_echo_by_copying() {
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

/// A server over the engine of the peer, and the peer's raw pipe.
async fn over_a_raw_pipe() -> (WsStream<Tungstenite<Pipe>>, Pipe) {
    let (server, client) = pipe(10_000);
    let server = WebSocketStream::from_raw_socket(server, Role::Server, None).await;
    (WsStream::new(server), client)
}

#[test]
fn a_protocol_error() {
    on_two_runtimes(|| async {
        let (mut server, mut client) = over_a_raw_pipe().await;
        let options =
            ObserveConfig::from(Filter::Pointer(|event| matches!(event, WsEvent::Error(_))));
        let mut errors = server.observe(options).await.unwrap();
        // A client has to mask what it sends (RFC 6455 section 5.1).
        client.write_all(b"\x82\x03abc").await.unwrap();
        let (error, answer) = future::join(
            async { server.read(&mut [0; 10]).await.unwrap_err() },
            async {
                let mut answer = Vec::new();
                client.read_to_end(&mut answer).await.unwrap();
                // Hangs up, as it should.
                client.close().await.unwrap();
                answer
            },
        )
        .await;
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(
            matches!(WsErr::find_in(&error), Some(WsErr::Protocol(_))),
            "{error:?}"
        );
        let Some(WsEvent::Error(event)) = errors.next().await else {
            panic!("observers are told, too");
        };
        assert!(matches!(*event, WsErr::Protocol(_)));
        // A close frame with code 1002.
        assert_eq!(
            (answer[0], answer[2..4].to_vec()),
            (0x88, 1002_u16.to_be_bytes().to_vec())
        );
        assert_eq!(server.read(&mut [0; 10]).await.unwrap(), 0);
    });
}

/// In code that took a broken connection for an end, this is one setting.
#[test]
fn an_end_that_is_not_clean() {
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

#[test]
fn text_is_refused() {
    on_two_runtimes(|| async {
        let (server, mut client) = tungstenite_sockets(1000).await;
        let mut server = WsStream::new(server);
        client
            .send(tungstenite::Message::binary(&b"data"[..]))
            .await
            .unwrap();
        client
            .send(tungstenite::Message::text("text"))
            .await
            .unwrap();
        let (read, closed) = future::join(
            async {
                let mut got = Vec::new();
                let error = server.read_to_end(&mut got).await.unwrap_err();
                // What came before the text is not lost.
                assert_eq!(got, b"data");
                error
            },
            async {
                let frame = client.next().await;
                assert!(client.next().await.is_none_or(|end| end.is_err()));
                frame
            },
        )
        .await;
        assert_eq!(read.kind(), io::ErrorKind::InvalidData);
        assert!(matches!(WsErr::find_in(&read), Some(WsErr::ReceivedText)));
        let Some(Ok(tungstenite::Message::Close(Some(frame)))) = closed else {
            panic!("{closed:?}");
        };
        assert_eq!(u16::from(frame.code), 1003);
    });
}

/// Text that comes while our own writes are stuck in a full pipe: the error comes all the same once the
/// peer reads, and nobody hangs.
#[test]
fn text_under_backpressure() {
    on_two_runtimes(|| async {
        let (server, client) = engines_with(100, 100).await;
        let config = config_without_keepalive().max_send_message_len(100);
        let mut server = WsStream::with_config(server, config).unwrap();
        let mut client = client;
        // Fills everything that there is to fill.
        let mut written = 0;
        while let Some(taken) = server.write(&[7; 50]).now_or_never() {
            written += taken.unwrap();
        }
        assert!(server.flush().now_or_never().is_none());
        client
            .send(tungstenite::Message::text("text"))
            .await
            .unwrap();
        // Nothing can be told before the peer reads.
        assert!(futures::poll!(server.read(&mut [0; 10])).is_pending());
        let (error, (data, code)) = future::join(
            async { server.read(&mut [0; 10]).await.unwrap_err() },
            async {
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
        // What had not been handed over when the link failed is not delivered, and that is told.
        assert!(data <= written);
        let flushed = server.flush().await;
        assert_eq!(
            flushed.is_err(),
            data < written,
            "{data} of {written}: {flushed:?}"
        );
    });
}

/// What the twin for browsers does with text, and what a program may ask for.
#[test]
fn text_may_be_data() {
    on_two_runtimes(|| async {
        let (server, mut client) = tungstenite_sockets(1000).await;
        let config = config_without_keepalive().text(TextPolicy::Bytes);
        let server = WsStream::with_config(server, config).unwrap();
        client
            .send(tungstenite::Message::text("a line\nand"))
            .await
            .unwrap();
        client
            .send(tungstenite::Message::binary(&b" another\n"[..]))
            .await
            .unwrap();
        let mut lines = Framed::new(server, Lines::new(80));
        assert_eq!(lines.try_next().await.unwrap().unwrap(), "a line");
        assert_eq!(lines.try_next().await.unwrap().unwrap(), "and another");
    });
}

/// Either side may close; the other reads to the end, and both get there.
#[test]
fn closing() {
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
            closer.send("bye".to_owned()).await.unwrap();
            closer.close().await.unwrap();
            // Twice does no harm.
            closer.close().await.unwrap();
            let (mine, theirs) = future::join(closer.next(), async {
                assert_eq!(other.next().await.unwrap().unwrap(), "bye");
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

/// Code that takes any byte stream takes ours.
async fn count_lines(stream: impl AsyncRead + Unpin) -> usize {
    use futures::AsyncBufReadExt;
    futures::io::BufReader::new(stream).lines().count().await
}

#[test]
fn any_code_for_byte_streams() {
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
