//! Many WebSockets on one HTTP/2 connection (RFC 8441), beside ordinary requests: a server of axum,
//! and a client of hyper.
//!
//! Run it with `cargo run -p frameworks --example http2`.

use std::error::Error;

use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::{any, get},
};
use futures::{SinkExt, TryStreamExt};
use hyper::{Request, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use ws_framed::{
    Acceptor, CloseFrame, CodecError, Config, Connector, Lines, WsStream, axum::WsUpgrade,
    hyper::Http2,
};

/// `/room/{name}`: a WebSocket, in HTTP/1.1 and in HTTP/2. The route takes any method, because the
/// request is a CONNECT there.
async fn room(
    State(acceptor): State<Acceptor>,
    Path(name): Path<String>,
    upgrade: WsUpgrade,
) -> Response {
    let serve = |stream| async move { greet(stream, &name).await };
    upgrade.on_upgrade(&acceptor, serve).await
}

async fn greet(stream: WsStream, room: &str) -> Result<(), CodecError> {
    let mut lines = stream.framed(Lines::new(1024));
    while let Some(name) = lines.try_next().await? {
        lines.send(format!("{name} is in the {room}")).await?;
    }
    Ok(())
}

/// Serves HTTP/1.1 and HTTP/2. Behind TLS, `h2` has to be in the ALPN of the server.
async fn serve(listener: TcpListener) -> std::io::Result<()> {
    let router = Router::new()
        .route("/", get(async || "rooms: kitchen, garden"))
        .route("/room/{name}", any(room))
        .with_state(Acceptor::new().allow_host("localhost"));
    // axum announces WebSockets if its feature `http2` is on.
    axum::serve(listener, router).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(serve(listener));

    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let io = TokioIo::new(socket);
    let (mut sender, mut connection) = http2::handshake(TokioExecutor::new(), io).await?;
    // Fails if the server does not announce WebSockets: use HTTP/1.1 then.
    let limit = Config::default().handshake_timeout;
    let http2 = Http2::handshake(sender.clone(), &mut connection, limit).await?;
    tokio::spawn(connection);

    let request = Request::get(format!("http://localhost:{}/", address.port()));
    let response = sender.send_request(request.body(String::new())?).await?;
    println!("an ordinary request: {}", response.status());

    let mut rooms = Vec::new();
    for room in ["kitchen", "garden"] {
        let url = format!("ws://localhost:{}/room/{room}", address.port());
        let stream = http2.connect(&Connector::new(), url).await?;
        rooms.push(stream.framed(Lines::new(1024)));
    }
    for (room, name) in rooms.iter_mut().zip(["Ann", "Bob"]) {
        room.send(name.to_owned()).await?;
        println!("{:?}", room.try_next().await?);
    }
    for mut room in rooms {
        println!("{:?}", room.close_with(CloseFrame::normal()).await?);
    }
    Ok(())
}
