//! Connections in servers of axum and hyper.

use std::{
    convert::Infallible,
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, Mutex},
};

use axum::{Router, extract::State, response::Response, routing::any, serve::ListenerExt};
use futures::{AsyncReadExt, AsyncWriteExt, future};
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use support::handshake::{REQUEST, read_head};
use tokio::net::{TcpListener, TcpStream};
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

/// The sockets that a server has accepted.
#[derive(Clone, Default)]
struct Accepted(Arc<Mutex<Vec<OwnedFd>>>);

impl Accepted {
    fn add(&self, socket: &TcpStream) {
        let socket = socket.as_fd().try_clone_to_owned().unwrap();
        self.0.lock().unwrap().push(socket);
    }
}

/// Starts an echo server on axum. Returns its URL.
async fn start_axum(acceptor: Acceptor, accepted: Accepted) -> String {
    async fn serve(State(acceptor): State<Acceptor>, upgrade: WsUpgrade) -> Response {
        upgrade.on_upgrade(&acceptor, echo).await
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/echo", listener.local_addr().unwrap());
    let router: Router = Router::new()
        .route("/echo", any(serve))
        .with_state(acceptor);
    let listener = listener.tap_io(move |socket| accepted.add(socket));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// Starts an echo server on hyper. Returns its URL.
async fn start_hyper(acceptor: Acceptor, accepted: Accepted) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/echo", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let socket = listener.accept().await.unwrap().0;
            accepted.add(&socket);
            let io = TokioIo::new(socket);
            let acceptor = acceptor.clone();
            let service = service_fn(move |mut request: Request<Incoming>| {
                let acceptor = acceptor.clone();
                async move {
                    let upgrading = ws_framed::hyper::upgrade(&acceptor, &mut request);
                    let (response, upgrade) = upgrading.await;
                    tokio::spawn(async move {
                        if let Ok(stream) = upgrade.await {
                            echo(stream).await;
                        }
                    });
                    Ok::<_, Infallible>(response)
                }
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
        start_axum(acceptor.clone(), Accepted::default()).await,
        start_hyper(acceptor.clone(), Accepted::default()).await,
    ]
}

/// A connection carries bytes in both directions at once, and closes cleanly.
#[tokio::test]
async fn bytes_in_both_directions() {
    for url in start_servers(&Acceptor::new()).await {
        echo_and_close(ws_framed::connect(url).await.unwrap()).await;
    }
}

/// Messages that arrive with the request, whole or in part, are data: the server has read them ahead.
#[tokio::test]
async fn messages_with_the_request() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    // Masked by zeros.
    const HI: &[u8] = b"\x82\x82\0\0\0\0hi";
    let request = REQUEST.replacen("GET /", "GET /echo", 1);
    for url in start_servers(&Acceptor::new()).await {
        let host = url.strip_prefix("ws://").unwrap().strip_suffix("/echo");
        let all = [request.as_bytes(), HI, HI].concat();
        for split in [all.len(), all.len() - 3, request.len() + HI.len()] {
            let mut socket = TcpStream::connect(host.unwrap()).await.unwrap();
            socket.write_all(&all[..split]).await.unwrap();
            let head = read_head(&mut socket).await;
            assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
            socket.write_all(&all[split..]).await.unwrap();
            let mut echoed = Vec::new();
            while echoed.len() < 4 {
                let byte = socket.read_u8().await.unwrap();
                // Only the payloads have letters, of one message or two.
                if byte.is_ascii_lowercase() {
                    echoed.push(byte);
                }
            }
            assert_eq!(echoed, b"hihi");
        }
    }
}

/// Exchanges bytes with an echo server in both directions at once, and closes.
pub(crate) async fn echo_and_close(stream: WsStream) {
    let bytes: Vec<u8> = (0..500_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let (mut reader, mut writer) = stream.split();
    let mut echoed = vec![0; bytes.len()];
    let write = async {
        writer.write_all(&bytes).await.unwrap();
        writer.flush().await.unwrap();
    };
    let (read, ()) = future::join(reader.read_exact(&mut echoed), write).await;
    read.unwrap();
    assert!(echoed == bytes);
    let mut stream = reader.reunite(writer).unwrap();
    let outcome = stream.close_with(CloseFrame::normal()).await.unwrap();
    assert!(matches!(outcome, CloseOutcome::Clean { .. }), "{outcome:?}");
}

/// The TCP socket below the server sends small messages at once, without Nagle's algorithm, and
/// holds little unsent data before a pong.
#[tokio::test]
async fn sockets_are_prepared() {
    let accepted = Accepted::default();
    let urls = [
        start_axum(Acceptor::new(), accepted.clone()).await,
        start_hyper(Acceptor::new(), accepted.clone()).await,
    ];
    for url in urls {
        let mut stream = ws_framed::connect(url).await.unwrap();
        stream.write_all(b"open").await.unwrap();
        stream.flush().await.unwrap();
        stream.read_exact(&mut [0; 4]).await.unwrap();
        for socket in accepted.0.lock().unwrap().drain(..) {
            let socket = SockRef::from(&socket);
            assert!(socket.tcp_nodelay().unwrap());
            #[cfg(any(target_os = "android", target_os = "linux"))]
            assert_eq!(socket.tcp_notsent_lowat().unwrap(), 64 * 1024);
        }
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
