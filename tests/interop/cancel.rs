//! An opening on hyper that is dropped leaves neither a socket nor a task.

use std::{cell::Cell, convert::Infallible, pin::Pin};

use futures::future;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use support::{handshake::REQUEST, poll_times, run, tcp};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Handle,
    task::yield_now,
};
use ws_framed::{Acceptor, WsErr, WsStream};

/// A client, until the connection ends. Returns what it received.
async fn client(mut socket: TcpStream) -> String {
    for byte in REQUEST.bytes() {
        if socket.write_u8(byte).await.is_err() {
            break;
        }
        yield_now().await;
    }
    let mut received = Vec::new();
    // A socket that is closed with something unread is reset.
    let _ = socket.read_to_end(&mut received).await;
    String::from_utf8(received).unwrap()
}

fn assert_nothing_runs() {
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
}

type Opening = Pin<Box<dyn Future<Output = Result<WsStream, WsErr>>>>;

/// Serves one request with hyper, whose opening goes through `handle` before the answer is sent.
/// Gives what the client has heard when its connection has ended, and what is left of the opening
/// until hyper is done.
async fn serve(handle: impl Fn(Opening) -> Option<Opening>) -> String {
    let (accepted, connected) = tcp().await;
    let left = Cell::new(None);
    let service = service_fn(|mut request: Request<Incoming>| {
        let (answer, opening) = ws_framed::hyper::upgrade(&Acceptor::new(), &mut request);
        left.set(handle(Box::pin(opening)));
        future::ready(Ok::<_, Infallible>(answer))
    });
    let server = async {
        let http = http1::Builder::new().serve_connection(TokioIo::new(accepted), service);
        http.with_upgrades().await.unwrap();
        drop(left.take());
    };
    let (heard, ()) = future::join(client(connected), server).await;
    assert_nothing_runs();
    heard
}

#[test]
fn an_opening_that_is_dropped_closes_the_connection_and_leaves_no_task() {
    run(async {
        for polls in 0..3 {
            let heard = serve(|opening| {
                assert!(poll_times(polls, opening).is_none());
                None
            });
            assert!(heard.await.starts_with("HTTP/1.1 101 "));
        }
        // The connection was handed over by hyper, and nobody took it.
        assert!(serve(Some).await.starts_with("HTTP/1.1 101 "));
    });
}
