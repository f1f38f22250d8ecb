//! Connections in servers of axum and hyper.

use std::convert::Infallible;

use axum::{Router, extract::State, response::Response, routing::any};
use futures::{AsyncReadExt, AsyncWriteExt, future};
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use ws_framed::{
    Acceptor, CloseFrame, CloseOutcome, Config, Connector, WsErr, WsStream, axum::WsUpgrade,
};

/// Sends the data back, until the peer closes.
async fn echo(mut stream: WsStream) {
    let mut chunk = [0; 4096];
    while let Ok(len @ 1..) = stream.read(&mut chunk).await {
        stream.write_all(&chunk[..len]).await.unwrap();
    }
    let _ = stream.close().await;
}

/// Starts an echo server on axum. Returns its URL.
async fn start_axum(acceptor: Acceptor) -> String {
    async fn serve(State(acceptor): State<Acceptor>, upgrade: WsUpgrade) -> Response {
        upgrade.serve(&acceptor, echo)
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/echo", listener.local_addr().unwrap());
    let router: Router = Router::new()
        .route("/echo", any(serve))
        .with_state(acceptor);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// Starts an echo server on hyper. Returns its URL.
async fn start_hyper(acceptor: Acceptor) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/echo", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let io = TokioIo::new(listener.accept().await.unwrap().0);
            let acceptor = acceptor.clone();
            let service = service_fn(move |mut request: Request<Incoming>| {
                let (response, upgrade) = ws_framed::hyper::upgrade(&acceptor, &mut request);
                tokio::spawn(async move {
                    if let Ok(stream) = upgrade.await {
                        echo(stream).await;
                    }
                });
                future::ready(Ok::<_, Infallible>(response))
            });
            let http = hyper::server::conn::http1::Builder::new();
            let connection = http.serve_connection(io, service).with_upgrades();
            tokio::spawn(connection);
        }
    });
    url
}

/// Starts both servers.
async fn start_servers(acceptor: &Acceptor) -> [String; 2] {
    [
        start_axum(acceptor.clone()).await,
        start_hyper(acceptor.clone()).await,
    ]
}

/// A connection carries bytes in both directions at once, and closes cleanly.
#[tokio::test]
async fn bytes_in_both_directions() {
    for url in start_servers(&Acceptor::new()).await {
        let stream = ws_framed::connect(url).await.unwrap();
        let bytes: Vec<u8> = (0..300_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let (mut reader, mut writer) = stream.split();
        let mut echoed = vec![0; bytes.len()];
        let write = async {
            writer.write_all(&bytes).await.unwrap();
            writer.flush().await.unwrap();
        };
        let (read, ()) = future::join(reader.read_exact(&mut echoed), write).await;
        read.unwrap();
        assert_eq!(echoed, bytes);
        let mut stream = reader.reunite(writer).unwrap();
        let outcome = stream.close_with(CloseFrame::normal()).await.unwrap();
        assert!(matches!(outcome, CloseOutcome::Clean { .. }), "{outcome:?}");
    }
}

/// The settings of the `Acceptor` apply: the origin, the subprotocol and the `Config`.
#[tokio::test]
async fn acceptor_settings_apply() {
    let acceptor = Acceptor::new()
        .config(Config::default().max_recv_message_len(1000))
        .subprotocol("v2")
        .header("X-Served-By", "test")
        .allow_origin("https://chat.example");
    for url in start_servers(&acceptor).await {
        let from = |origin: &str| Connector::new().header("Origin", origin).subprotocol("v2");
        let error = from("https://evil.example")
            .connect(&url)
            .await
            .unwrap_err();
        assert!(
            matches!(&error, WsErr::Rejected(response) if response.status() == 403 && response.reason().contains("origin")),
            "{error:?}"
        );
        let mut stream = from("https://chat.example").connect(&url).await.unwrap();
        assert_eq!(stream.subprotocol(), Some("v2"));
        stream.write_all(&[7; 1001]).await.unwrap();
        stream.flush().await.unwrap();
        let error = stream.read(&mut [0]).await.unwrap_err();
        let Some(WsErr::Aborted(frame)) = WsErr::find_in(&error) else {
            panic!("{error:?}")
        };
        assert_eq!(u16::from(frame.code()), 1009);
    }
}

/// A request without an upgrade gets status 426.
#[tokio::test]
async fn other_requests_get_426() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    for url in start_servers(&Acceptor::new()).await {
        let address = url.trim_start_matches("ws://").trim_end_matches("/echo");
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        socket.read_to_string(&mut response).await.unwrap();
        assert!(response.starts_with("HTTP/1.1 426 "), "{response}");
        let response = response.to_lowercase();
        // RFC 9110 sections 7.8 and 15.5.22. hyper adds `close` to the first line.
        for line in [
            "connection: upgrade",
            "upgrade: websocket",
            "sec-websocket-version: 13",
        ] {
            assert!(
                response.contains(&format!("\r\n{line}")),
                "{line}: {response}"
            );
        }
    }
}

/// An `Acceptor` with an invalid header responds with status 500.
#[tokio::test]
async fn invalid_acceptor_gets_500() {
    let acceptor = Acceptor::new().header("Upgrade", "mine");
    for url in start_servers(&acceptor).await {
        let error = ws_framed::connect(&url).await.unwrap_err();
        assert!(
            matches!(&error, WsErr::Rejected(response) if response.status() == 500),
            "{error:?}"
        );
    }
}

/// The futures of both frameworks can be sent to another task.
#[test]
fn upgrade_futures_are_send() {
    fn assert_send<F: Future + Send>(_: impl FnOnce() -> F) {}
    fn value<T>() -> T {
        unreachable!("only its type matters")
    }
    assert_send(|| {
        let request = value::<&mut axum::http::Request<()>>();
        ws_framed::hyper::upgrade(&value(), request).1
    });
    assert_send(|| value::<WsUpgrade>().answer(&value()).1);
}
