//! Connected pairs, over real sockets and over a pipe that needs no runtime, and a deadline for tests.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "every test file uses a part of it"
)]

use std::{
    collections::VecDeque,
    future::Future,
    io,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, mpsc},
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use async_tungstenite::{WebSocketStream, accept_async, client_async};
use futures::{
    channel::oneshot,
    future::{self, Either},
    io::{AsyncRead, AsyncWrite},
};
use tokio::net::{TcpListener, TcpStream};
use ws_framed::{Acceptor, Config, Connector, Tungstenite, WsStream};

/// Longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Fails if `test` has not finished in 30 seconds. Needs no runtime.
///
/// Boxed, because tests hold many ends, and what opens them.
pub fn within<F: Future>(test: F) -> Pin<Box<impl Future<Output = F::Output>>> {
    Box::pin(within_time(PATIENCE, test))
}

/// Fails if `test` has not finished in time, and ends the process if `test` is so stuck that it does not
/// even yield.
pub async fn within_time<F: Future>(time: Duration, test: F) -> F::Output {
    let (done, waiting) = mpsc::channel::<()>();
    let (alarm, rings) = oneshot::channel();
    let guard = thread::spawn(move || {
        if waiting.recv_timeout(time) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = alarm.send(());
            if waiting.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                eprintln!("a test spins without end");
                std::process::abort();
            }
        }
    });
    let output = match future::select(pin!(test), rings).await {
        Either::Left((output, _)) => output,
        Either::Right(_) => panic!("the test hangs: not done in {time:?}"),
    };
    drop(done);
    guard.join().unwrap();
    output
}

/// Runs a test on tokio's current-thread runtime, for tests that are no `async fn`.
pub fn run<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(within(test))
}

/// The same on tokio's multi-threaded runtime.
pub fn run_on_threads<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(within(test))
}

/// Two ends of a TCP connection: the one that listened, the one that connected.
pub async fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (accepted, connected) = future::join(listener.accept(), TcpStream::connect(address)).await;
    let (accepted, connected) = (accepted.unwrap().0, connected.unwrap());
    accepted.set_nodelay(true).unwrap();
    connected.set_nodelay(true).unwrap();
    (accepted, connected)
}

/// The defaults without keepalive, whose pings would wake up what has gone to sleep for ever: a test that
/// hangs should hang.
pub fn quiet() -> Config {
    Config::default().keepalive(None)
}

/// A server and a client that are connected over TCP.
pub async fn pair() -> (WsStream, WsStream) {
    pair_with(quiet(), quiet()).await
}

/// The same, with settings for the server and for the client.
pub async fn pair_with(server: Config, client: Config) -> (WsStream, WsStream) {
    let (accepted, connected) = tcp().await;
    let (server, client) = (
        Acceptor::new().config(server),
        Connector::new().config(client),
    );
    // Boxed, because each test would carry the state of both handshakes.
    let (server, client) = Box::pin(future::join(
        server.accept(accepted),
        client.connect_over(connected, "ws://localhost/"),
    ))
    .await;
    (server.unwrap(), client.unwrap())
}

/// A socket of `async-tungstenite` over a [`Pipe`].
pub type Engine = WebSocketStream<Pipe>;

/// The transport over it.
pub type OverEngine = Tungstenite<Pipe>;

/// A server and a client of `async-tungstenite` over a pipe that holds `capacity` bytes each way once the
/// handshake is done: the engine takes a handshake in very small pieces for an attack.
pub async fn engines(capacity: usize) -> (Engine, Engine) {
    let (server, client) = pipe(capacity.max(4096));
    let lanes = [Arc::clone(&server.incoming), Arc::clone(&client.incoming)];
    let (server, client) = Box::pin(future::join(
        accept_async(server),
        client_async("ws://localhost/", client),
    ))
    .await;
    for lane in lanes {
        lock(&lane).capacity = capacity;
    }
    (server.unwrap(), client.unwrap().0)
}

/// A server and a client over sockets that the user opened, without any runtime.
pub async fn engine_pair(
    capacity: usize,
) -> (WsStream<Tungstenite<Pipe>>, WsStream<Tungstenite<Pipe>>) {
    engine_pair_with(capacity, quiet(), quiet()).await
}

/// The same, with settings for the server and for the client.
pub async fn engine_pair_with(
    capacity: usize,
    server: Config,
    client: Config,
) -> (WsStream<Tungstenite<Pipe>>, WsStream<Tungstenite<Pipe>>) {
    let engines = engines(capacity).await;
    (
        WsStream::with_config(engines.0, server).unwrap(),
        WsStream::with_config(engines.1, client).unwrap(),
    )
}

/// One end of a connection in memory. It holds a bounded number of bytes each way. An end that is dropped
/// has left: its peer reads to the end, and writes in vain.
#[derive(Debug)]
pub struct Pipe {
    incoming: Arc<Mutex<Lane>>,
    outgoing: Arc<Mutex<Lane>>,
}

/// One direction.
#[derive(Debug)]
struct Lane {
    bytes: VecDeque<u8>,
    capacity: usize,
    /// No more will be written.
    ended: bool,
    /// Nobody will read.
    abandoned: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

pub fn pipe(capacity: usize) -> (Pipe, Pipe) {
    let lane = || {
        Arc::new(Mutex::new(Lane {
            bytes: VecDeque::new(),
            capacity,
            ended: false,
            abandoned: false,
            reader: None,
            writer: None,
        }))
    };
    let (up, down) = (lane(), lane());
    let here = Pipe {
        incoming: Arc::clone(&up),
        outgoing: Arc::clone(&down),
    };
    let there = Pipe {
        incoming: down,
        outgoing: up,
    };
    (here, there)
}

fn lock(lane: &Mutex<Lane>) -> MutexGuard<'_, Lane> {
    lane.lock().unwrap()
}

fn wake(waiting: &mut Option<Waker>) {
    if let Some(waker) = waiting.take() {
        waker.wake();
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut lane = lock(&self.incoming);
        if lane.bytes.is_empty() && !lane.ended {
            lane.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let read = io::Read::read(&mut lane.bytes, buf);
        wake(&mut lane.writer);
        Poll::Ready(read)
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut lane = lock(&self.outgoing);
        if lane.abandoned || lane.ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = lane.capacity.saturating_sub(lane.bytes.len());
        if room == 0 {
            lane.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let written = room.min(buf.len());
        lane.bytes.extend(&buf[..written]);
        wake(&mut lane.reader);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut lane = lock(&self.outgoing);
        lane.ended = true;
        wake(&mut lane.reader);
        Poll::Ready(Ok(()))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let mut incoming = lock(&self.incoming);
        incoming.abandoned = true;
        wake(&mut incoming.writer);
        drop(incoming);
        let mut outgoing = lock(&self.outgoing);
        outgoing.ended = true;
        wake(&mut outgoing.reader);
    }
}
