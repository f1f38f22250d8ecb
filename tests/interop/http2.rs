//! WebSockets in HTTP/2 (RFC 8441): servers of hyper and axum, without TLS by prior knowledge and
//! with TLS by ALPN, and clients over a connection of hyper.

mod compression;
mod ends;
mod foreign;
mod handshake;
mod open;
mod packing;
mod windows;

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, routing::any, serve::Listener};
use futures_rustls::{TlsAcceptor, TlsConnector};
use hyper::{
    Request,
    body::Incoming,
    client::conn::http2::{Connection, SendRequest},
    server::conn::http2::Builder,
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};
use tokio_util::compat::{FuturesAsyncReadCompatExt, TokioAsyncReadCompatExt};
use ws_framed::{Acceptor, Connector, WsErr, WsStream, axum::WsUpgrade, hyper::Http2};

use crate::tls::{client_config, server_config};

/// Longer than a busy machine takes.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// The windows of a stream, in bytes. That of `axum::serve` is hyper's default.
const CLIENT_WINDOW: u32 = 128 * 1024;
const SERVER_WINDOW: u32 = 256 * 1024;

/// What a stream of a client buffers before the socket takes it, in bytes.
const CLIENT_BUFFER: usize = 512 * 1024;

/// A byte stream of tokio.
pub(crate) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Io for S {}

/// A server that accepts WebSockets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    is_axum: bool,
    is_secure: bool,
}

const WAYS: [Way; 4] = [
    Way::new(false, false),
    Way::new(false, true),
    Way::new(true, false),
    Way::new(true, true),
];

impl Way {
    pub(crate) const fn new(is_axum: bool, is_secure: bool) -> Self {
        Self { is_axum, is_secure }
    }
}

/// What answering each request has returned.
pub(crate) type Results<T> = UnboundedReceiver<Result<T, WsErr>>;

/// A started server.
pub(crate) struct Server<T> {
    pub(crate) address: SocketAddr,
    is_secure: bool,
    pub(crate) results: Results<T>,
}

impl<T: Send + 'static> Server<T> {
    /// Starts a server whose routes all take WebSockets.
    pub(crate) async fn start(way: Way, acceptor: Acceptor<T>) -> Self {
        let (sender, results) = unbounded_channel();
        let mut listener = MaybeTls::bind(way.is_secure).await;
        let address = listener.tcp.local_addr().unwrap();
        if way.is_axum {
            let route = any(async move |upgrade: WsUpgrade| {
                let (response, opening) = upgrade.upgrade(&acceptor).await;
                tokio::spawn(async move { sender.send(opening.await) });
                response
            });
            let router: Router = Router::new().fallback_service(route);
            tokio::spawn(async move { axum::serve(listener, router).await });
        } else {
            tokio::spawn(async move {
                loop {
                    let (io, _) = listener.accept().await;
                    tokio::spawn(serve_hyper(io, acceptor.clone(), sender.clone()));
                }
            });
        }
        let is_secure = way.is_secure;
        Self {
            address,
            is_secure,
            results,
        }
    }

    fn url(&self, path: &str) -> String {
        let scheme = if self.is_secure { "wss" } else { "ws" };
        format!("{scheme}://localhost:{}{path}", self.address.port())
    }

    /// Connects by HTTP/2.
    async fn connect(&self) -> (SendRequest<String>, Connection<Conn, String, TokioExecutor>) {
        connect(self.address, self.is_secure).await
    }

    /// Connects, and drives the connection in a task.
    async fn client(&self) -> Http2<String> {
        let (sender, mut connection) = self.connect().await;
        let client = Http2::handshake(sender, &mut connection, LIMIT)
            .await
            .unwrap();
        tokio::spawn(connection);
        client
    }

    /// Opens a WebSocket. Returns both ends.
    async fn pair(&mut self, client: &Http2<String>) -> (T, WsStream) {
        let connector = Connector::new();
        let client = client.connect(&connector, self.url("/"));
        let client = client.await.unwrap();
        (self.results.recv().await.unwrap().unwrap(), client)
    }
}

pub(crate) type Conn = TokioIo<Box<dyn Io>>;

pub(crate) async fn connect(
    address: SocketAddr,
    is_secure: bool,
) -> (SendRequest<String>, Connection<Conn, String, TokioExecutor>) {
    let tcp = TcpStream::connect(address).await.unwrap();
    tcp.set_nodelay(true).unwrap();
    let io: Box<dyn Io> = if is_secure {
        let mut config = client_config();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let tls = TlsConnector::from(Arc::new(config));
        let name = "localhost".try_into().unwrap();
        let io = tls.connect(name, tcp.compat()).await.unwrap();
        assert_eq!(io.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        Box::new(io.compat())
    } else {
        Box::new(tcp)
    };
    over(io).await
}

/// An HTTP/2 connection over this stream.
async fn over(io: Box<dyn Io>) -> (SendRequest<String>, Connection<Conn, String, TokioExecutor>) {
    let mut http = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    http.initial_stream_window_size(CLIENT_WINDOW);
    http.max_send_buf_size(CLIENT_BUFFER);
    http.handshake(TokioIo::new(io)).await.unwrap()
}

async fn serve_hyper<T: Send + 'static>(
    io: impl Io + 'static,
    acceptor: Acceptor<T>,
    sender: UnboundedSender<Result<T, WsErr>>,
) {
    let service = service_fn(|mut request: Request<Incoming>| {
        let (acceptor, sender) = (acceptor.clone(), sender.clone());
        async move {
            let (response, opening) = ws_framed::hyper::upgrade(&acceptor, &mut request).await;
            tokio::spawn(async move { sender.send(opening.await) });
            Ok::<_, Infallible>(response)
        }
    });
    let mut http = Builder::new(TokioExecutor::new());
    http.enable_connect_protocol()
        .initial_stream_window_size(SERVER_WINDOW);
    // A client that disconnects is an error here.
    let _ = http.serve_connection(TokioIo::new(io), service).await;
}

struct MaybeTls {
    tcp: TcpListener,
    tls: Option<TlsAcceptor>,
}

impl MaybeTls {
    async fn bind(is_secure: bool) -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = server_config();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let tls = is_secure.then(|| TlsAcceptor::from(Arc::new(config)));
        Self { tcp, tls }
    }
}

impl Listener for MaybeTls {
    type Io = Box<dyn Io>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Box<dyn Io>, SocketAddr) {
        loop {
            let (io, peer) = self.tcp.accept().await.unwrap();
            io.set_nodelay(true).unwrap();
            let Some(tls) = &self.tls else {
                return (Box::new(io), peer);
            };
            // A browser also opens connections that it does not use.
            if let Ok(io) = tls.accept(io.compat()).await {
                return (Box::new(io.compat()), peer);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}
