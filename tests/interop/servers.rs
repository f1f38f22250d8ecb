//! WebSockets in servers of axum and hyper.

use std::{convert::Infallible, future::pending, time::Duration};

use axum::{Router, extract::State, response::Response, routing::any};
use futures::{AsyncReadExt, AsyncWriteExt, future};
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use ws_framed::{
    Acceptor, CloseFrame, CloseOutcome, Config, Connector, WsErr, WsStream, axum::WsUpgrade,
};

async fn echo(mut stream: WsStream) {
    let mut chunk = [0; 4096];
    while let Ok(len @ 1..) = stream.read(&mut chunk).await {
        stream.write_all(&chunk[..len]).await.unwrap();
    }
    let _ = stream.close().await;
}

/// The URL of an echo server on axum.
async fn on_axum(acceptor: Acceptor) -> String {
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

/// The URL of an echo server on hyper.
async fn on_hyper(acceptor: Acceptor) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/echo", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let io = TokioIo::new(listener.accept().await.unwrap().0);
            let acceptor = acceptor.clone();
            let service = service_fn(move |mut request: Request<Incoming>| {
                let (answer, opening) = ws_framed::hyper::upgrade(&acceptor, &mut request);
                tokio::spawn(async move {
                    if let Ok(stream) = opening.await {
                        echo(stream).await;
                    }
                });
                future::ready(Ok::<_, Infallible>(answer))
            });
            let http = hyper::server::conn::http1::Builder::new();
            let connection = http.serve_connection(io, service).with_upgrades();
            tokio::spawn(connection);
        }
    });
    url
}

async fn servers(acceptor: &Acceptor) -> [String; 2] {
    [
        on_axum(acceptor.clone()).await,
        on_hyper(acceptor.clone()).await,
    ]
}

#[tokio::test]
async fn a_stream_carries_bytes_both_ways_and_closes() {
    for url in servers(&Acceptor::new()).await {
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

#[tokio::test]
async fn what_the_acceptor_was_told_applies() {
    let acceptor = Acceptor::new()
        .config(Config::default().max_recv_message_len(1000))
        .subprotocol("v2")
        .header("X-Served-By", "test")
        .allow_origin("https://chat.example");
    for url in servers(&acceptor).await {
        let from = |origin: &str| Connector::new().header("Origin", origin).subprotocol("v2");
        let refused = from("https://evil.example")
            .connect(&url)
            .await
            .unwrap_err();
        assert!(
            matches!(&refused, WsErr::Refused { status: 403, reason } if reason.contains("origin")),
            "{refused:?}"
        );
        let mut stream = from("https://chat.example").connect(&url).await.unwrap();
        assert_eq!(stream.subprotocol(), Some("v2"));
        stream.write_all(&[7; 1001]).await.unwrap();
        stream.flush().await.unwrap();
        let told = stream.read(&mut [0]).await.unwrap_err();
        let Some(WsErr::Aborted(frame)) = WsErr::find_in(&told) else {
            panic!("{told:?}")
        };
        assert_eq!(u16::from(frame.code()), 1009);
    }
}

#[tokio::test]
async fn what_asks_for_no_websocket_gets_a_status() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    for url in servers(&Acceptor::new()).await {
        let address = url.trim_start_matches("ws://").trim_end_matches("/echo");
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
        let answer = answer.to_lowercase();
        // RFC 9110 sections 7.8 and 15.5.22. hyper adds `close` to the first line.
        for line in [
            "connection: upgrade",
            "upgrade: websocket",
            "sec-websocket-version: 13",
        ] {
            assert!(answer.contains(&format!("\r\n{line}")), "{line}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_misconfigured_server_says_so() {
    let acceptor = Acceptor::new().header("Upgrade", "mine");
    for url in servers(&acceptor).await {
        let refused = ws_framed::connect(&url).await.unwrap_err();
        assert!(
            matches!(refused, WsErr::Refused { status: 500, .. }),
            "{refused:?}"
        );
    }
}

/// hyper hands over what its server does not serve with upgrades as an error.
#[tokio::test]
async fn a_server_that_does_not_serve_upgrades_is_an_error() {
    let (ours, theirs) = tokio::io::duplex(4096);
    let (tell, told) = futures::channel::oneshot::channel();
    let tell = std::sync::Mutex::new(Some(tell));
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (answer, opening) = ws_framed::hyper::upgrade(&Acceptor::new(), &mut request);
        let tell = tell.lock().unwrap().take().unwrap();
        tokio::spawn(async move { tell.send(opening.await.map(drop)) });
        future::ready(Ok::<_, Infallible>(answer))
    });
    let http = hyper::server::conn::http1::Builder::new();
    tokio::spawn(http.serve_connection(TokioIo::new(ours), service));
    tokio::spawn(async move {
        let _open = Connector::new()
            .connect_over(theirs, "ws://localhost/")
            .await;
        pending::<()>().await;
    });
    let told = tokio::time::timeout(Duration::from_secs(30), told).await;
    let error = told.unwrap().unwrap().unwrap_err();
    assert!(matches!(error, WsErr::Io(_)), "{error:?}");
}
