//! Writers whose peer does not read.

use std::{convert::Infallible, pin::pin, sync::Arc};

use futures::{AsyncReadExt, AsyncWriteExt, future};
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use support::{WakeFlag, assert_idle, handshake::exchange_and_close, timeout};
use tokio::io::duplex;
use ws_framed::{Acceptor, Config, Connector, hyper::Http2};

use super::{CLIENT_BUFFER, CLIENT_WINDOW, LIMIT, SERVER_WINDOW, Server, WAYS, over};

/// What a message is cut at.
const MESSAGE: usize = 64 * 1024;

/// A writer whose peer does not read is held after the window of its stream and five messages, and
/// goes on when the peer reads. Meanwhile, the other streams of the connection are held only if the
/// window of the connection is not larger, as by `axum::serve`.
#[tokio::test]
async fn unread_stream_holds_writer() {
    for way in WAYS {
        for is_server_writing in [true, false] {
            timeout(async {
                let mut server = Server::start(way, Acceptor::new()).await;
                let http2 = server.client().await;
                let (mut writer, mut reader) = server.pair(&http2).await;
                let (mut other_reader, mut other_writer) = server.pair(&http2).await;
                let mut window = CLIENT_WINDOW as usize;
                // hyper's default for servers, which is that of the connection, too.
                let is_connection_held = !is_server_writing && way.is_axum;
                if !is_server_writing {
                    std::mem::swap(&mut writer, &mut reader);
                    window = if way.is_axum {
                        1 << 20
                    } else {
                        SERVER_WINDOW as usize
                    };
                }
                let handle = writer.handle();
                let data = vec![7; 4 << 20];
                let woken = Arc::new(WakeFlag::default());
                let mut writing = pin!(async {
                    writer.write_all(&data).await.unwrap();
                    writer.flush().await.unwrap();
                });
                let mut sent = 0;
                let mut rounds_without = 0;
                while rounds_without < 5 {
                    assert_idle(writing.as_mut(), &woken);
                    let (other, its_peer) = server.pair(&http2).await;
                    if !is_connection_held {
                        exchange_and_close(other, its_peer).await;
                    }
                    let now = usize::try_from(handle.stats().bytes_sent).unwrap();
                    rounds_without = if now == sent { rounds_without + 1 } else { 0 };
                    sent = now;
                }
                assert!((window..=window + 5 * MESSAGE).contains(&sent), "{sent}");

                other_writer.write_all(b"hello").await.unwrap();
                other_writer.flush().await.unwrap();
                let mut hello = [0; 5];
                let mut other_reading = pin!(other_reader.read_exact(&mut hello));
                for _ in 0..if is_connection_held { 5 } else { 0 } {
                    assert_idle(other_reading.as_mut(), &woken);
                    server.pair(&http2).await;
                }

                let mut received = vec![0; data.len()];
                let reading = reader.read_exact(&mut received);
                let (read, other, ()) = future::join3(reading, other_reading, writing).await;
                read.and(other).unwrap();
                assert_eq!(received, data);
            })
            .await;
        }
    }
}

/// A writer whose socket takes nothing is held after hyper's `max_send_buf_size` and five messages,
/// whatever window the peer has announced.
#[tokio::test]
async fn unread_socket_holds_writer() {
    timeout(async {
        let (ours, theirs) = duplex(1000);
        let service = service_fn(|mut request: Request<Incoming>| async move {
            let (response, opening) =
                ws_framed::hyper::upgrade(&Acceptor::new(), &mut request).await;
            tokio::spawn(async move { std::mem::forget(opening.await) });
            Ok::<_, Infallible>(response)
        });
        let mut http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        http.enable_connect_protocol();
        http.initial_stream_window_size(1 << 24);
        http.initial_connection_window_size(1 << 24);
        let server = pin!(http.serve_connection(TokioIo::new(theirs), service));
        let client = async {
            let (sender, mut connection) = over(Box::new(ours)).await;
            let http2 = Http2::handshake(sender, &mut connection, LIMIT)
                .await
                .unwrap();
            tokio::spawn(connection);
            let connector = Connector::new().config(Config::default().keepalive(None));
            http2.connect(&connector, "ws://localhost/").await.unwrap()
        };
        let (mut writer, _unpolled) = match future::select(pin!(client), server).await {
            future::Either::Left(opened) => opened,
            future::Either::Right((result, _)) => panic!("{result:?}"),
        };
        // From here on, nothing reads the socket of the server.
        let handle = writer.handle();
        let woken = Arc::new(WakeFlag::default());
        let data = vec![7; 1 << 23];
        let mut writing = pin!(writer.write_all(&data));
        for _ in 0..1000 {
            assert_idle(writing.as_mut(), &woken);
            tokio::task::yield_now().await;
        }
        let sent = usize::try_from(handle.stats().bytes_sent).unwrap();
        let buffer = CLIENT_BUFFER;
        assert!((buffer..=buffer + 5 * MESSAGE).contains(&sent), "{sent}");
    })
    .await;
}
