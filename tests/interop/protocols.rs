//! Other protocols over the streams, which the examples use too: yamux, tarpc and a tunnel for TCP.

use std::{
    future::{poll_fn, ready},
    io,
    iter::zip,
    pin::pin,
    sync::Arc,
};

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt, future};
use support::{pair, run, tcp};
use tarpc::{
    ClientMessage, Response, client, context,
    server::{BaseChannel, Channel},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::TcpStream,
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
};
use ws_framed::{CloseCode, CloseFrame, CloseOutcome, Postcard, WsStream};
use yamux::{Config, Connection, Mode, Stream};

/// Bytes that differ from place to place and from seed to seed.
fn bytes(seed: usize, len: usize) -> Vec<u8> {
    let byte = |n: usize| (n.wrapping_mul(31) ^ (n >> 8) ^ seed).to_le_bytes()[0];
    (0..len).map(byte).collect()
}

fn assert_clean(outcome: &CloseOutcome) {
    assert!(
        matches!(
            outcome,
            CloseOutcome::Clean {
                code: CloseCode::NORMAL_CLOSURE,
                ..
            }
        ),
        "{outcome:?}"
    );
}

const STREAMS: u8 = 50;
const LEN: usize = 256 * 1024;

/// Sends and receives data on a stream of yamux, and closes each direction separately.
async fn exchange(stream: Stream, send_seed: usize, receive_seed: usize) {
    let (mut reader, mut writer) = AsyncReadExt::split(stream);
    let send = async {
        writer.write_all(&bytes(send_seed, LEN)).await.unwrap();
        writer.close().await.unwrap();
    };
    let mut data = Vec::new();
    let (read, ()) = future::join(reader.read_to_end(&mut data), send).await;
    read.unwrap();
    assert!(data == bytes(receive_seed, LEN), "{} bytes", data.len());
}

/// The server of the streams of yamux.
async fn serve_streams(mut stream: WsStream) -> CloseOutcome {
    // Borrowed, because yamux drops its stream when it closes, before the closing handshake.
    let mut connection = Connection::new(&mut stream, Config::default(), Mode::Server);
    let mut exchanges = JoinSet::new();
    while let Some(stream) = poll_fn(|cx| connection.poll_next_inbound(cx)).await {
        let mut stream = stream.unwrap();
        exchanges.spawn(async move {
            let mut number = [0];
            stream.read_exact(&mut number).await.unwrap();
            let number = usize::from(number[0]);
            exchange(stream, number + 100, number).await;
        });
    }
    let exchanges = exchanges.join_all().await;
    assert_eq!(exchanges.len(), usize::from(STREAMS));
    drop(connection);
    stream.close_with(CloseFrame::normal()).await.unwrap()
}

/// Fifty streams of yamux share a connection, and lose no data.
#[test]
fn yamux_streams_share_a_connection() {
    run(async {
        let (server, mut client) = pair().await;
        let handles = [server.handle(), client.handle()];
        let server = tokio::spawn(serve_streams(server));
        let mut connection = Connection::new(&mut client, Config::default(), Mode::Client);
        let mut exchanges = Vec::new();
        for number in 0..STREAMS {
            let opened = poll_fn(|cx| connection.poll_new_outbound(cx)).await;
            exchanges.push(async move {
                let mut stream = opened.unwrap();
                stream.write_all(&[number]).await.unwrap();
                let number = usize::from(number);
                exchange(stream, number, number + 100).await;
            });
        }
        let mut exchanges = pin!(future::join_all(exchanges));
        poll_fn(|cx| {
            assert!(connection.poll_next_inbound(cx).is_pending());
            exchanges.as_mut().poll(cx)
        })
        .await;
        poll_fn(|cx| connection.poll_close(cx)).await.unwrap();
        drop(connection);
        let outcome = client.close_with(CloseFrame::normal()).await.unwrap();
        assert_clean(&outcome);
        assert_clean(&server.await.unwrap());
        let sent = handles.map(|handle| handle.stats().bytes_sent);
        let least = u64::from(STREAMS) * LEN as u64;
        assert!(sent.iter().all(|sent| *sent > least), "{sent:?}");
    });
}

#[tarpc::service]
trait Echo {
    async fn echo(number: u32, bytes: Vec<u8>) -> (u32, Vec<u8>);
    async fn never();
}

#[derive(Clone)]
struct Server {
    /// A permit for each call of `never` that has started.
    started: Arc<Semaphore>,
    /// A permit for each of them that was cancelled.
    cancelled: Arc<Semaphore>,
}

struct OnDrop(Arc<Semaphore>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

impl Echo for Server {
    async fn echo(self, _: context::Context, number: u32, bytes: Vec<u8>) -> (u32, Vec<u8>) {
        // Yields, so that responses overtake each other.
        for _ in 0..number % 7 {
            tokio::task::yield_now().await;
        }
        (number, bytes)
    }

    async fn never(self, _: context::Context) {
        let _cancelled = OnDrop(self.cancelled);
        self.started.add_permits(1);
        future::pending::<()>().await;
    }
}

const MAX_MESSAGE: usize = 64 * 1024;

/// A client of tarpc and the task of its server, on a connection.
fn rpc(server: WsStream, client: WsStream) -> (EchoClient, Server, JoinHandle<()>) {
    let echo = Server {
        started: Arc::new(Semaphore::new(0)),
        cancelled: Arc::new(Semaphore::new(0)),
    };
    let codec = Postcard::<ClientMessage<EchoRequest>, Response<EchoResponse>>::new(MAX_MESSAGE);
    let calls = BaseChannel::with_defaults(server.framed(codec)).execute(echo.clone().serve());
    let serving = tokio::spawn(calls.for_each(|call| {
        tokio::spawn(call);
        ready(())
    }));
    let codec = Postcard::<Response<EchoResponse>, ClientMessage<EchoRequest>>::new(MAX_MESSAGE);
    let client = EchoClient::new(client::Config::default(), client.framed(codec)).spawn();
    (client, echo, serving)
}

/// Concurrent calls of tarpc get their own responses. A cancelled call is cancelled at the server.
#[test]
fn tarpc_calls_are_concurrent() {
    run(async {
        let (server, client) = pair().await;
        let handles = [server.handle(), client.handle()];
        let (client, echo, serving) = rpc(server, client);
        let call = |number: u32| {
            let bytes = bytes(number as usize, 1000);
            let echoed = client.echo(context::current(), number, bytes.clone());
            async move { (echoed.await.unwrap(), (number, bytes)) }
        };
        for (echoed, sent) in future::join_all((0..200).map(call)).await {
            assert!(echoed == sent);
        }
        let mut never = Box::pin(client.never(context::current()));
        let started = pin!(echo.started.acquire());
        future::select(&mut never, started).await;
        drop(never);
        echo.cancelled.acquire().await.unwrap().forget();

        drop(client);
        serving.await.unwrap();
        assert_clean(&handles[0].closed().await);
    });
}

/// Calls of tarpc, in flight and later, fail when the connection is lost.
#[test]
fn tarpc_calls_fail_after_disconnect() {
    run(async {
        let (server, client) = pair().await;
        let (client, echo, serving) = rpc(server, client);
        let disconnect = async {
            echo.started.acquire().await.unwrap().forget();
            serving.abort();
        };
        let (called, ()) = future::join(client.never(context::current()), disconnect).await;
        called.unwrap_err();
        let late = client.echo(context::current(), 0, Vec::new()).await;
        late.unwrap_err();
    });
}

/// A client and a target on TCP, and the tunnel between them with the results of its ends.
async fn tunnel() -> (
    TcpStream,
    TcpStream,
    JoinHandle<[io::Result<(u64, u64)>; 2]>,
) {
    let (mut far, mut near) = pair().await;
    let (mut entrance, client) = tcp().await;
    let (target, mut exit) = tcp().await;
    let copying = tokio::spawn(async move {
        // Each end drops its streams when it is done, as with a task for each.
        let near = async move { copy_bidirectional(&mut entrance, &mut near).await };
        let far = async move { copy_bidirectional(&mut far, &mut exit).await };
        future::join(near, far).await.into()
    });
    (client, target, copying)
}

/// A tunnel carries TCP in both directions at once. The end of TCP at one side is the end at the
/// other.
#[test]
fn tunnel_carries_tcp_both_ways() {
    const LEN: usize = 1 << 20;
    run(async {
        let (mut client, mut target, copying) = tunnel().await;
        let ends = zip([&mut client, &mut target], [(1, 2), (2, 1)]);
        future::join_all(ends.map(async |(end, (sent, received))| {
            let (mut reader, mut writer) = end.split();
            let mut data = vec![0; LEN];
            let sent = bytes(sent, LEN);
            let (read, written) =
                future::join(reader.read_exact(&mut data), writer.write_all(&sent)).await;
            written.unwrap();
            read.unwrap();
            assert!(data == bytes(received, LEN));
        }))
        .await;
        drop(client);
        assert_eq!(target.read(&mut [0]).await.unwrap(), 0);
        drop(target);
        for copied in copying.await.unwrap() {
            assert_eq!(copied.unwrap(), (LEN as u64, LEN as u64));
        }
    });
}

/// A tunnel has no half-close: an end of one direction ends both. A stream of yamux can close one
/// direction.
#[test]
fn tunnel_has_no_half_close() {
    run(async {
        let (mut client, mut target, copying) = tunnel().await;
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        let mut question = String::new();
        target.read_to_string(&mut question).await.unwrap();
        assert_eq!(question, "question");
        target.write_all(b"lost").await.unwrap();
        let mut response = String::new();
        client.read_to_string(&mut response).await.unwrap();
        assert_eq!(response, "");
        let [near, far] = copying.await.unwrap();
        near.unwrap();
        // The end with the lost bytes reports them.
        assert_eq!(far.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    });
}
