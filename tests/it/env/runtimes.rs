//! The same contract on tokio with one thread and with several, on smol, and without a runtime.

use std::{future::Future, io::ErrorKind, net::TcpListener, time::Duration};

use async_tungstenite::{accept_async, client_async};
use bytes::Bytes;
use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt, executor::block_on, future};
#[cfg(any(target_os = "android", target_os = "linux"))]
use socket2::SockRef;
use support::{pair_with, pipe, run, timeout};
use ws_framed::{
    CloseFrame, CloseOutcome, ClosedBy, Config, Connector, Keepalive, LengthDelimited, LossCause,
    WsErr, WsEvent, WsStream,
    pharos::{Observable, ObserveConfig},
};

/// How a runtime opens a server and a client with these settings.
trait Open: AsyncFn(Config) -> (WsStream, WsStream) {}
impl<T: AsyncFn(Config) -> (WsStream, WsStream)> Open for T {}

const SHORT_TIMEOUT: Duration = Duration::from_millis(100);

/// Runs all checks.
async fn contract_holds(open: impl Open) {
    bytes_go_both_ways(&open).await;
    items_go_both_ways(&open).await;
    unflushed_writes_are_sent(&open).await;
    close_returns_the_outcome(&open).await;
    abnormal_closure_is_an_error(&open).await;
    timers_fire(&open).await;
    handle_pings_and_closes(&open).await;
}

async fn bytes_go_both_ways(open: &impl Open) {
    const TOTAL: usize = 1 << 20;
    let (mut server, client) = open(Config::default()).await;
    let echo = async {
        let mut buf = vec![0; 10_000];
        loop {
            match server.read(&mut buf).await.unwrap() {
                0 => break,
                read => server.write_all(&buf[..read]).await.unwrap(),
            }
        }
    };
    let client = async {
        let (mut reader, mut writer) = client.split();
        let write = async {
            for at in 0..TOTAL / 1024 {
                let chunk = [at.to_le_bytes()[0]; 1024];
                writer.write_all(&chunk).await.unwrap();
            }
            writer.flush().await.unwrap();
            writer
        };
        let read = async {
            let mut data = vec![0; TOTAL];
            reader.read_exact(&mut data).await.unwrap();
            let expected = (0..TOTAL).map(|at| (at / 1024).to_le_bytes()[0]);
            assert!(data.into_iter().eq(expected));
            reader
        };
        let (writer, reader) = future::join(write, read).await;
        let mut client = reader.reunite(writer).unwrap();
        client.close_with(CloseFrame::normal()).await.unwrap();
    };
    future::join(echo, client).await;
}

async fn items_go_both_ways(open: &impl Open) {
    let (server, client) = open(Config::default()).await;
    let codec = LengthDelimited::new(1024);
    let (mut server, mut client) = (server.framed(codec.clone()), client.framed(codec));
    let echo = async {
        while let Some(item) = server.next().await {
            server.send(item.unwrap()).await.unwrap();
        }
    };
    let ask = async {
        for number in 0..100u32 {
            let item = Bytes::copy_from_slice(&number.to_be_bytes());
            client.send(item.clone()).await.unwrap();
            assert_eq!(client.next().await.unwrap().unwrap(), item);
        }
        client.close_with(CloseFrame::normal()).await.unwrap();
    };
    future::join(echo, ask).await;
}

async fn unflushed_writes_are_sent(open: &impl Open) {
    let (mut server, mut client) = open(Config::default()).await;
    let exchange = async |stream: &mut WsStream, is_server: bool| {
        let mut buf = [0; 4];
        for _ in 0..10 {
            if is_server {
                stream.write_all(b"ping").await.unwrap();
            }
            stream.read_exact(&mut buf).await.unwrap();
            if !is_server {
                stream.write_all(b"pong").await.unwrap();
            }
        }
        // No read follows the last write.
        stream.flush().await.unwrap();
    };
    future::join(exchange(&mut server, true), exchange(&mut client, false)).await;
}

async fn close_returns_the_outcome(open: &impl Open) {
    let (mut server, mut client) = open(Config::default()).await;
    let mut events = server.observe(ObserveConfig::default()).await.unwrap();
    let handle = server.handle();
    client.write_all(b"the last").await.unwrap();
    let mut data = Vec::new();
    let frame = CloseFrame::new(4000.into(), "done").unwrap();
    let (closed, read) =
        future::join(client.close_with(frame), server.read_to_end(&mut data)).await;
    read.unwrap();
    assert_eq!(data, b"the last");
    let clean = |by| CloseOutcome::Clean {
        code: 4000.into(),
        reason: "done".to_owned(),
        our_code: Some(4000.into()),
        by,
    };
    assert_eq!(closed.unwrap(), clean(ClosedBy::Us));
    assert_eq!(handle.closed().await, clean(ClosedBy::Peer));
    assert!(matches!(
        events.next().await,
        Some(WsEvent::CloseFrame(Some(_)))
    ));
    assert!(matches!(events.next().await, Some(WsEvent::Closed)));
    assert!(events.next().await.is_none());
}

async fn abnormal_closure_is_an_error(open: &impl Open) {
    let (mut server, mut client) = open(Config::default()).await;
    client.write_all(b"half").await.unwrap();
    client.flush().await.unwrap();
    drop(client);
    let mut data = Vec::new();
    let error = server.read_to_end(&mut data).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(data, b"half");
    assert_eq!(
        server.handle().closed().await,
        CloseOutcome::Lost(LossCause::UnexpectedEof)
    );
}

/// Deadlines need no timer of the runtime.
async fn timers_fire(open: &impl Open) {
    let keepalive = Keepalive::default()
        .interval(SHORT_TIMEOUT)
        .timeout(SHORT_TIMEOUT);
    let (mut server, client) = open(Config::default().keepalive(keepalive)).await;
    // The client is open, and not polled.
    let error = server.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    drop(client);

    let config = Config::default()
        .close_timeout(SHORT_TIMEOUT)
        .keepalive(None);
    let (mut server, client) = open(config).await;
    let outcome = server.close_with(CloseFrame::normal()).await.unwrap();
    assert_eq!(outcome, CloseOutcome::TimedOut);
    drop(client);
}

/// A handle pings, closes and gets the outcome. Its timeout needs no timer of the runtime either.
async fn handle_pings_and_closes(open: &impl Open) {
    let config = Config::default().ping_timeout(SHORT_TIMEOUT);
    let (mut server, mut client) = open(config.keepalive(None)).await;
    let handle = client.handle();
    // Neither end is polled.
    assert!(matches!(handle.ping().await, Err(WsErr::TimedOut(_))));
    let script = async {
        handle.ping().await.unwrap();
        handle.close(CloseFrame::normal()).unwrap();
        handle.closed().await
    };
    let (outcome, at_server, at_client) =
        future::join3(script, server.read(&mut [0]), client.read(&mut [0])).await;
    assert!(matches!(
        outcome,
        CloseOutcome::Clean {
            by: ClosedBy::Us,
            ..
        }
    ));
    assert_eq!((at_server.unwrap(), at_client.unwrap()), (0, 0));
}

/// Both ends over one socket that the caller opened, independent of any runtime that the library
/// knows.
async fn wrapped<S>(server: S, client: S, config: Config) -> (WsStream, WsStream)
where
    S: futures::AsyncRead + futures::AsyncWrite + Unpin + Send + 'static,
{
    let client = client_async("ws://localhost/", client);
    let (server, client) = future::join(accept_async(server), client).await;
    let wrap = |socket| {
        let stream = WsStream::with_config(socket, config.clone());
        stream.unwrap().boxed()
    };
    (wrap(server.unwrap()), wrap(client.unwrap().0))
}

async fn on_tokio(config: Config) -> (WsStream, WsStream) {
    pair_with(config.clone(), config).await
}

/// The contract holds on a runtime of tokio with one thread.
#[test]
fn contract_on_one_thread() {
    run(Box::pin(contract_holds(on_tokio)));
}

/// The contract holds on a runtime of tokio with several threads.
#[test]
fn contract_on_several_threads() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(timeout(Box::pin(contract_holds(on_tokio))));
}

/// The futures of both streams are `Send`, so that their tasks may move between threads.
#[test]
fn streams_move_between_threads() {
    fn spawn(work: impl Future<Output = ()> + Send + 'static) -> tokio::task::JoinHandle<()> {
        tokio::spawn(work)
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(timeout(async {
        let (server, mut client) = Box::pin(on_tokio(Config::default())).await;
        let serving = spawn(async move {
            let (mut sink, mut items) = server.framed(LengthDelimited::new(64)).split();
            while let Some(item) = items.next().await {
                sink.send(item.unwrap()).await.unwrap();
            }
        });
        let asking = spawn(async move {
            client.write_all(b"\0\0\0\x05hello").await.unwrap();
            let mut answer = [0; 9];
            client.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"\0\0\0\x05hello");
            client.close_with(CloseFrame::normal()).await.unwrap();
        });
        let (serving, asking) = future::join(serving, asking).await;
        serving.unwrap();
        asking.unwrap();
    }));
}

/// The contract holds on smol, over a socket of smol that the caller opened.
#[test]
fn contract_on_smol() {
    use ::smol::net;
    let open = async |config: Config| {
        // The listener of `std` listens before the client connects.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let listener = net::TcpListener::try_from(listener).unwrap();
        let (accepted, connected) =
            future::join(listener.accept(), net::TcpStream::connect(address)).await;
        wrapped(accepted.unwrap().0, connected.unwrap(), config).await
    };
    ::smol::block_on(timeout(Box::pin(contract_holds(open))));
}

/// The contract holds on an executor without timers and I/O.
#[test]
fn contract_without_a_runtime() {
    let open = async |config: Config| {
        let (server, client) = pipe(64 * 1024);
        wrapped(server, client, config).await
    };
    block_on(timeout(Box::pin(contract_holds(open))));
}

/// TCP sockets that the caller hands over send small messages at once, without Nagle's algorithm,
/// and hold little unsent data before a pong: those of tokio and of smol, in both roles.
#[test]
fn given_sockets_are_prepared() {
    let is_prepared = |socket: &std::net::TcpStream| {
        #[cfg(any(target_os = "android", target_os = "linux"))]
        assert_eq!(
            SockRef::from(socket).tcp_notsent_lowat().unwrap(),
            64 * 1024
        );
        socket.nodelay().unwrap()
    };
    let std_pair = || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        for socket in [&server, &client] {
            socket.set_nonblocking(true).unwrap();
            assert!(!socket.nodelay().unwrap());
        }
        let observed = [server.try_clone().unwrap(), client.try_clone().unwrap()];
        (server, client, observed)
    };
    run(async {
        let (server, client, observed) = std_pair();
        let server = tokio::net::TcpStream::from_std(server).unwrap();
        let client = tokio::net::TcpStream::from_std(client).unwrap();
        let connector = Connector::new();
        let opened = future::join(
            ws_framed::accept(server),
            connector.connect_over(client, "ws://localhost/"),
        );
        let (server, client) = opened.await;
        assert!(server.is_ok() && client.is_ok());
        assert!(observed.iter().all(is_prepared));
    });
    smol::block_on(async {
        let (server, client, observed) = std_pair();
        let server = smol::Async::new(server).unwrap();
        let client = smol::Async::new(client).unwrap();
        let connector = Connector::new();
        let opened = future::join(
            ws_framed::smol::accept(smol::net::TcpStream::from(server)),
            connector
                .connect_over_futures_io(smol::net::TcpStream::from(client), "ws://localhost/"),
        );
        let (server, client) = opened.await;
        assert!(server.is_ok() && client.is_ok());
        assert!(observed.iter().all(is_prepared));
    });
}
