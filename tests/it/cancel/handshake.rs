//! Handshakes that are dropped after any number of polls: neither a socket nor a task is left, and
//! the peer receives the end of the stream.

use async_tungstenite::tokio::TokioAdapter;
use futures::future;
use support::{
    ROLES, Role,
    cancel::after_each_poll,
    handshake::{REQUEST, response_to},
    poll_at_most, run,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex},
    net::{TcpListener, TcpStream},
    runtime::Handle,
    task::yield_now,
};
use ws_framed::{Acceptor, Connector, Rejection, WsErr, WsStream, http::Request};

/// The peer of a handshake, until the connection ends. Returns what it has received.
async fn peer(mut io: impl AsyncRead + AsyncWrite + Unpin, ours: Role) -> String {
    let mut received = Vec::new();
    let sends = match ours {
        Role::Server => REQUEST.as_bytes().to_vec(),
        Role::Client => {
            while !received.ends_with(b"\r\n\r\n") {
                match io.read_u8().await {
                    Ok(byte) => received.push(byte),
                    Err(_) => return String::from_utf8(received).unwrap(),
                }
            }
            response_to(&received)
        }
    };
    for byte in sends {
        if io.write_u8(byte).await.is_err() {
            break;
        }
        yield_now().await;
    }
    // A socket that is closed with unread data is reset.
    let _ = io.read_to_end(&mut received).await;
    String::from_utf8(received).unwrap()
}

fn assert_nothing_runs() {
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
}

/// The ways to open a connection over an existing stream.
#[derive(Clone, Copy, Debug)]
enum Way {
    Tokio,
    FuturesIo,
    Callback,
    CallbackFuturesIo,
    Smol,
}

const WAYS: &[Way] = &[
    Way::Tokio,
    Way::FuturesIo,
    Way::Callback,
    Way::CallbackFuturesIo,
    Way::Smol,
];

/// A callback that waits.
async fn callback(_: Request<()>) -> Result<(), Rejection> {
    yield_now().await;
    Ok(())
}

async fn open(role: Role, way: Way, io: DuplexStream) -> Result<WsStream, WsErr> {
    let (acceptor, connector) = (Acceptor::new(), Connector::new());
    let url = "ws://localhost/";
    match (role, way) {
        (Role::Client, Way::Tokio | Way::Callback) => connector.connect_over(io, url).await,
        (Role::Client, _) => {
            let io = TokioAdapter::new(io);
            connector.connect_over_futures_io(io, url).await
        }
        (Role::Server, Way::Tokio) => acceptor.accept(io).await,
        (Role::Server, Way::Callback) => {
            let acceptor = acceptor.on_request(callback);
            acceptor.accept(io).await.map(|(stream, ())| stream)
        }
        (Role::Server, Way::FuturesIo) => acceptor.accept_futures_io(TokioAdapter::new(io)).await,
        (Role::Server, Way::CallbackFuturesIo) => {
            let (acceptor, io) = (acceptor.on_request(callback), TokioAdapter::new(io));
            let accepted = acceptor.accept_futures_io(io).await;
            accepted.map(|(stream, ())| stream)
        }
        (Role::Server, Way::Smol) => ws_framed::smol::accept(TokioAdapter::new(io)).await,
    }
}

/// A handshake that is dropped at any byte drops its stream and leaves no task.
#[test]
fn dropped_handshake_drops_its_stream() {
    let cases = ROLES
        .iter()
        .flat_map(|role| WAYS.iter().map(move |way| (*role, *way)));
    for (role, way) in cases {
        println!("as {role:?} by {way:?}");
        run(after_each_poll(async |polls| {
            let (ours, theirs) = duplex(1);
            let opening = async {
                poll_at_most(polls, open(role, way, ours))
                    .await
                    .map(Result::unwrap)
            };
            // A stream that was opened is dropped here.
            let opening = async { opening.await.is_some() };
            let (is_done, received) = future::join(opening, peer(theirs, role)).await;
            let start = match role {
                Role::Server => "HTTP/1.1 101 ",
                Role::Client => "GET / HTTP/1.1\r\n",
            };
            let len = start.len().min(received.len());
            assert_eq!(received[..len], start[..len], "an unexpected head");
            assert!(
                polls > 0 || received.is_empty(),
                "sent before the first poll"
            );
            assert!(!is_done || received.ends_with("\r\n\r\n"));
            assert_nothing_runs();
            is_done
        }));
    }
}

async fn assert_closes_socket<F>(connect: impl Fn(String) -> F)
where
    F: Future<Output = Result<WsStream, WsErr>>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    after_each_poll(async |polls| {
        let opening = async { poll_at_most(polls, connect(url.clone())).await };
        let opening = async { opening.await.map(Result::unwrap).is_some() };
        if polls == 0 {
            // There is no connection to accept.
            return opening.await;
        }
        let server = async {
            let (socket, _) = listener.accept().await.unwrap();
            peer(socket, Role::Client).await
        };
        let (is_done, _) = future::join(opening, server).await;
        assert_nothing_runs();
        is_done
    })
    .await;
}

/// A `connect` that is dropped closes its socket and leaves no task.
#[test]
fn dropped_connect_closes_its_socket() {
    run(assert_closes_socket(ws_framed::connect));
}

/// A `connect` of smol that is dropped closes its socket and leaves no task.
#[test]
fn dropped_smol_connect_closes_its_socket() {
    run(assert_closes_socket(ws_framed::smol::connect));
}

/// An `accept` that is dropped closes its socket and leaves no task.
#[test]
fn dropped_accept_closes_its_socket() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = Acceptor::new();
        after_each_poll(async |polls| {
            let opening = async {
                let (socket, _) = listener.accept().await.unwrap();
                let opened = poll_at_most(polls, acceptor.accept(socket)).await;
                opened.map(Result::unwrap).is_some()
            };
            let client = async {
                let socket = TcpStream::connect(address).await.unwrap();
                socket.set_nodelay(true).unwrap();
                peer(socket, Role::Server).await
            };
            let (is_done, _) = future::join(opening, client).await;
            assert_nothing_runs();
            is_done
        })
        .await;
    });
}
