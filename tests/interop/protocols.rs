//! Protocols that know nothing of WebSockets, over the views: those of `examples`, under load and to their ends.

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

/// Bytes that are others at each place and for each seed.
fn bytes(seed: usize, len: usize) -> Vec<u8> {
    let byte = |n: usize| (n.wrapping_mul(31) ^ (n >> 8) ^ seed).to_le_bytes()[0];
    (0..len).map(byte).collect()
}

fn assert_clean(outcome: &CloseOutcome) {
    assert!(
        matches!(
            outcome,
            CloseOutcome::Clean {
                code: CloseCode::NORMAL,
                ..
            }
        ),
        "{outcome:?}"
    );
}

const STREAMS: u8 = 50;
const LEN: usize = 256 * 1024;

/// Says much on a stream of yamux while as much is heard, and ends each direction alone.
async fn talk(stream: Stream, says: usize, hears: usize) {
    let (mut reader, mut writer) = AsyncReadExt::split(stream);
    let say = async {
        writer.write_all(&bytes(says, LEN)).await.unwrap();
        writer.close().await.unwrap();
    };
    let mut got = Vec::new();
    let (read, ()) = future::join(reader.read_to_end(&mut got), say).await;
    read.unwrap();
    assert!(got == bytes(hears, LEN), "{} bytes, or others", got.len());
}

async fn answer_streams(mut stream: WsStream) -> CloseOutcome {
    // Lent, because yamux lets go of what it has at its own goodbye, before that of the WebSocket.
    let mut connection = Connection::new(&mut stream, Config::default(), Mode::Server);
    let mut talks = JoinSet::new();
    while let Some(stream) = poll_fn(|cx| connection.poll_next_inbound(cx)).await {
        let mut stream = stream.unwrap();
        talks.spawn(async move {
            let mut number = [0];
            stream.read_exact(&mut number).await.unwrap();
            let number = usize::from(number[0]);
            talk(stream, number + 100, number).await;
        });
    }
    let talks = talks.join_all().await;
    assert_eq!(talks.len(), usize::from(STREAMS));
    drop(connection);
    stream.close_with(CloseFrame::normal()).await.unwrap()
}

#[test]
fn many_streams_of_yamux_share_a_websocket_and_nothing_is_lost() {
    run(async {
        let (server, mut client) = pair().await;
        let handles = [server.handle(), client.handle()];
        let server = tokio::spawn(answer_streams(server));
        let mut connection = Connection::new(&mut client, Config::default(), Mode::Client);
        let mut talks = Vec::new();
        for number in 0..STREAMS {
            let opened = poll_fn(|cx| connection.poll_new_outbound(cx)).await;
            talks.push(async move {
                let mut stream = opened.unwrap();
                stream.write_all(&[number]).await.unwrap();
                let number = usize::from(number);
                talk(stream, number, number + 100).await;
            });
        }
        let mut talks = pin!(future::join_all(talks));
        poll_fn(|cx| {
            assert!(connection.poll_next_inbound(cx).is_pending());
            talks.as_mut().poll(cx)
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
    /// A permit for each call that has begun and will never be answered.
    begun: Arc<Semaphore>,
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
        // So that answers overtake each other.
        for _ in 0..number % 7 {
            tokio::task::yield_now().await;
        }
        (number, bytes)
    }

    async fn never(self, _: context::Context) {
        let _cancelled = OnDrop(self.cancelled);
        self.begun.add_permits(1);
        future::pending::<()>().await;
    }
}

const MAX_MESSAGE: usize = 64 * 1024;

/// A client of tarpc and the task of its server, on a connection.
fn rpc(server: WsStream, client: WsStream) -> (EchoClient, Server, JoinHandle<()>) {
    let echo = Server {
        begun: Arc::new(Semaphore::new(0)),
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

#[test]
fn calls_of_tarpc_run_side_by_side_and_each_gets_its_answer() {
    run(async {
        let (server, client) = pair().await;
        let handles = [server.handle(), client.handle()];
        let (client, echo, serving) = rpc(server, client);
        let call = |number: u32| {
            let bytes = bytes(number as usize, 1000);
            let echoed = client.echo(context::current(), number, bytes.clone());
            async move { (echoed.await.unwrap(), (number, bytes)) }
        };
        for (echoed, said) in future::join_all((0..200).map(call)).await {
            assert!(echoed == said);
        }
        let mut never = Box::pin(client.never(context::current()));
        let begun = pin!(echo.begun.acquire());
        future::select(&mut never, begun).await;
        drop(never);
        echo.cancelled.acquire().await.unwrap().forget();

        drop(client);
        serving.await.unwrap();
        assert_clean(&handles[0].closed().await);
    });
}

#[test]
fn calls_of_tarpc_fail_when_the_connection_is_cut() {
    run(async {
        let (server, client) = pair().await;
        let (client, echo, serving) = rpc(server, client);
        let cut = async {
            echo.begun.acquire().await.unwrap().forget();
            serving.abort();
        };
        let (called, ()) = future::join(client.never(context::current()), cut).await;
        called.unwrap_err();
        let late = client.echo(context::current(), 0, Vec::new()).await;
        late.unwrap_err();
    });
}

/// A client and a target on TCP with a tunnel between them, and how the tunnel's ends did.
async fn tunnel() -> (
    TcpStream,
    TcpStream,
    JoinHandle<[io::Result<(u64, u64)>; 2]>,
) {
    let (mut far, mut near) = pair().await;
    let (mut entrance, client) = tcp().await;
    let (target, mut exit) = tcp().await;
    let copying = tokio::spawn(async move {
        // Whoever is done hangs up, as when each end has a task of its own.
        let near = async move { copy_bidirectional(&mut entrance, &mut near).await };
        let far = async move { copy_bidirectional(&mut far, &mut exit).await };
        future::join(near, far).await.into()
    });
    (client, target, copying)
}

/// Both directions are full at once.
#[test]
fn a_tunnel_carries_tcp_both_ways_and_ends_where_tcp_does() {
    const LEN: usize = 1 << 20;
    run(async {
        let (mut client, mut target, copying) = tunnel().await;
        let ends = zip([&mut client, &mut target], [(1, 2), (2, 1)]);
        future::join_all(ends.map(async |(end, (says, hears))| {
            let (mut reader, mut writer) = end.split();
            let mut heard = vec![0; LEN];
            let says = bytes(says, LEN);
            let (read, written) =
                future::join(reader.read_exact(&mut heard), writer.write_all(&says)).await;
            written.unwrap();
            read.unwrap();
            assert!(heard == bytes(hears, LEN));
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

/// What the docs of the example say that a tunnel cannot: a stream of yamux in it can.
#[test]
fn a_tunnel_that_is_closed_in_one_direction_is_closed_in_both() {
    run(async {
        let (mut client, mut target, copying) = tunnel().await;
        client.write_all(b"is this all?").await.unwrap();
        client.shutdown().await.unwrap();
        let mut question = String::new();
        target.read_to_string(&mut question).await.unwrap();
        assert_eq!(question, "is this all?", "what was said before it arrives");
        target.write_all(b"yes").await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "");
        let [near, far] = copying.await.unwrap();
        near.unwrap();
        // The end that has bytes which do not get through knows.
        assert_eq!(far.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    });
}
