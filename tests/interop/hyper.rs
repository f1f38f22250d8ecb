//! Upgrades of hyper: futures that are dropped, spans, and servers without upgrades. What a
//! connection does is in `servers`.

use std::{cell::Cell, convert::Infallible, future::pending, pin::Pin, time::Duration};

use futures::future;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use support::{Fields, RecordingSubscriber, handshake::REQUEST, poll_times, run, tcp};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Handle,
    task::yield_now,
};
use tracing::Level;
use ws_framed::{Acceptor, Connector, WsErr, WsStream};

/// Sends a request byte by byte, and reads until the connection ends. Returns the data.
async fn client(mut socket: TcpStream) -> String {
    for byte in REQUEST.bytes() {
        if socket.write_u8(byte).await.is_err() {
            break;
        }
        yield_now().await;
    }
    let mut received = Vec::new();
    // A socket that is closed with unread data is reset.
    let _ = socket.read_to_end(&mut received).await;
    String::from_utf8(received).unwrap()
}

fn assert_nothing_runs() {
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
}

type Upgrade = Pin<Box<dyn Future<Output = Result<WsStream, WsErr>>>>;

/// Serves one request with hyper. `handle` gets the upgrade before the response is sent; what it
/// returns is dropped when hyper is done. Returns the data that the client receives.
async fn serve(handle: impl Fn(Upgrade) -> Option<Upgrade>) -> String {
    let (accepted, connected) = tcp().await;
    let kept = Cell::new(None);
    let service = service_fn(|mut request: Request<Incoming>| {
        let (kept, handle) = (&kept, &handle);
        async move {
            let acceptor = Acceptor::new();
            let upgrading = ws_framed::hyper::upgrade(&acceptor, &mut request);
            let (response, upgrade) = upgrading.await;
            kept.set(handle(Box::pin(upgrade)));
            Ok::<_, Infallible>(response)
        }
    });
    let server = async {
        let http = http1::Builder::new().serve_connection(TokioIo::new(accepted), service);
        http.with_upgrades().await.unwrap();
        drop(kept.take());
    };
    let (received, ()) = future::join(client(connected), server).await;
    assert_nothing_runs();
    received
}

/// An upgrade that is dropped at any point closes the connection and leaves no task.
#[test]
fn dropped_upgrade_closes_connection() {
    run(async {
        for polls in 0..3 {
            let received = serve(|upgrade| {
                assert!(poll_times(polls, upgrade).is_none());
                None
            });
            assert!(received.await.starts_with("HTTP/1.1 101 "));
        }
        // hyper hands the connection over, and nothing takes it.
        assert!(serve(Some).await.starts_with("HTTP/1.1 101 "));
    });
}

/// The spans of a connection from hyper have the path of its request.
#[test]
fn upgrade_has_span_of_its_request() {
    let (recorder, _installed) = RecordingSubscriber::install(Level::TRACE);
    run(async {
        let acceptor = Acceptor::new().allow_path("/chat");
        for path in ["/chat?token", "/other"] {
            let (accepted, connected) = tcp().await;
            let upgrade = Cell::new(None);
            let service = service_fn(|mut request: Request<Incoming>| {
                let (acceptor, upgrade) = (&acceptor, &upgrade);
                async move {
                    let upgrading = ws_framed::hyper::upgrade(acceptor, &mut request);
                    let (response, opening) = upgrading.await;
                    upgrade.set(Some(opening));
                    Ok::<_, Infallible>(response)
                }
            });
            let io = TokioIo::new(accepted);
            let http = http1::Builder::new().serve_connection(io, service);
            let connector = Connector::new();
            let client = connector.connect_over(connected, format!("ws://localhost{path}"));
            // A client that is rejected drops its connection.
            let client = async { client.await.is_ok() };
            let (_, is_open) = future::join(http.with_upgrades(), client).await;
            assert_eq!(upgrade.take().unwrap().await.is_ok(), is_open);
        }
    });
    let log = recorder.recorded();
    let is_server = |span: &&Fields| span["role"] == "server";
    let paths: Vec<_> = log.spans.iter().filter(is_server).collect();
    let paths: Vec<_> = paths.iter().map(|span| span["path"].as_str()).collect();
    assert_eq!(paths, ["/chat", "/other"]);
    let first = log.span_of("server");
    assert!(log.spans[first]["peer"].starts_with("127.0.0.1:"));
    assert_eq!(
        log.messages_in(first),
        ["the handshake is done", "the connection was dropped"]
    );
    let rejection = log.events.iter().find(|event| event.level == Level::INFO);
    assert_eq!(rejection.unwrap().fields["status"], "404");
}

/// A server of hyper without `with_upgrades` fails the upgrade with `Io`.
#[tokio::test]
async fn server_without_upgrades_fails() {
    let (ours, theirs) = tokio::io::duplex(4096);
    let (sender, receiver) = futures::channel::oneshot::channel();
    let sender = std::sync::Mutex::new(Some(sender));
    let service = service_fn(move |mut request: Request<Incoming>| {
        let sender = sender.lock().unwrap().take().unwrap();
        async move {
            let acceptor = Acceptor::new();
            let upgrading = ws_framed::hyper::upgrade(&acceptor, &mut request);
            let (response, upgrade) = upgrading.await;
            tokio::spawn(async move { sender.send(upgrade.await.map(drop)) });
            Ok::<_, Infallible>(response)
        }
    });
    let http = http1::Builder::new();
    tokio::spawn(http.serve_connection(TokioIo::new(ours), service));
    tokio::spawn(async move {
        let _open = Connector::new()
            .connect_over(theirs, "ws://localhost/")
            .await;
        pending::<()>().await;
    });
    let result = tokio::time::timeout(Duration::from_secs(30), receiver).await;
    let error = result.unwrap().unwrap().unwrap_err();
    assert!(matches!(error, WsErr::Io(_)), "{error:?}");
}
