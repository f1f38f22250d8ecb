//! A handshake may be dropped at any point: nothing of it is left, neither a socket nor a task, and its peer
//! sees that.

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
use ws_framed::{Acceptor, Connector, WsErr, WsStream};

/// The other side of a handshake, until the connection ends. Gives what it has heard.
async fn peer(mut io: impl AsyncRead + AsyncWrite + Unpin, ours: Role) -> String {
    let mut heard = Vec::new();
    let sends = match ours {
        Role::Server => REQUEST.as_bytes().to_vec(),
        Role::Client => {
            while !heard.ends_with(b"\r\n\r\n") {
                match io.read_u8().await {
                    Ok(byte) => heard.push(byte),
                    Err(_) => return String::from_utf8(heard).unwrap(),
                }
            }
            response_to(&heard)
        }
    };
    for byte in sends {
        if io.write_u8(byte).await.is_err() {
            break;
        }
        yield_now().await;
    }
    // A socket that is closed with something unread is reset.
    let _ = io.read_to_end(&mut heard).await;
    String::from_utf8(heard).unwrap()
}

fn assert_nothing_runs() {
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
}

/// The ways to open a connection over a stream that is there.
#[derive(Clone, Copy, Debug)]
enum Way {
    Tokio,
    FuturesIo,
    Judged,
    JudgedFuturesIo,
    Smol,
}

const WAYS: &[Way] = &[
    Way::Tokio,
    Way::FuturesIo,
    Way::Judged,
    Way::JudgedFuturesIo,
    Way::Smol,
];

async fn open(role: Role, way: Way, io: DuplexStream) -> Result<WsStream, WsErr> {
    let (acceptor, connector) = (Acceptor::new(), Connector::new());
    let url = "ws://localhost/";
    match (role, way) {
        (Role::Client, Way::Tokio | Way::Judged) => connector.connect_over(io, url).await,
        (Role::Client, _) => {
            let io = TokioAdapter::new(io);
            connector.connect_over_futures_io(io, url).await
        }
        (Role::Server, Way::Tokio) => acceptor.accept(io).await,
        (Role::Server, Way::Judged) => acceptor.accept_with(io, |_| Ok(())).await,
        (Role::Server, Way::FuturesIo) => acceptor.accept_futures_io(TokioAdapter::new(io)).await,
        (Role::Server, Way::JudgedFuturesIo) => {
            let io = TokioAdapter::new(io);
            acceptor.accept_futures_io_with(io, |_| Ok(())).await
        }
        (Role::Server, Way::Smol) => ws_framed::smol::accept(TokioAdapter::new(io)).await,
    }
}

/// Byte by byte, so that it is dropped at each byte of the request and of the answer.
#[test]
fn a_handshake_that_is_dropped_drops_its_stream_and_leaves_no_task() {
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
            // When it is done, the stream is dropped here.
            let opening = async { opening.await.is_some() };
            let (is_done, heard) = future::join(opening, peer(theirs, role)).await;
            let whole = match role {
                Role::Server => "HTTP/1.1 101 ",
                Role::Client => "GET / HTTP/1.1\r\n",
            };
            let len = whole.len().min(heard.len());
            assert_eq!(heard[..len], whole[..len], "it began with something else");
            assert!(polls > 0 || heard.is_empty(), "nobody has asked for it");
            assert!(!is_done || heard.ends_with("\r\n\r\n"));
            assert_nothing_runs();
            is_done
        }));
    }
}

async fn closes_its_socket<F>(connect: impl Fn(String) -> F)
where
    F: Future<Output = Result<WsStream, WsErr>>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    after_each_poll(async |polls| {
        let opening = async { poll_at_most(polls, connect(url.clone())).await };
        let opening = async { opening.await.map(Result::unwrap).is_some() };
        if polls == 0 {
            // There is nobody to accept.
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

#[test]
fn a_connect_that_is_dropped_closes_its_socket_and_leaves_no_task() {
    run(closes_its_socket(ws_framed::connect));
}

#[test]
fn a_connect_on_smol_that_is_dropped_closes_its_socket() {
    run(closes_its_socket(ws_framed::smol::connect));
}

#[test]
fn an_accept_that_is_dropped_closes_its_socket_and_leaves_no_task() {
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
