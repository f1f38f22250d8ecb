//! A WebSocket route in a server of axum: shared state, visitors that say who they are, a health
//! check on the same route, and a shutdown that takes at most five seconds.
//!
//! Run it with `cargo run -p frameworks --example axum_server`.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{any, get},
};
use futures::{SinkExt, TryStreamExt};
use tokio::{net::TcpListener, select, sync::watch, time::timeout};
use ws_framed::{
    Acceptor, CloseCode, CloseFrame, CodecError, Config, Connector, Lines, Rejection, WsErr,
    WsStream,
    axum::WsUpgrade,
    http::{Method, Request},
};

/// Who has opened a connection.
struct Visitor {
    name: String,
}

/// Decides who may open a connection. It may ask a database: it is async.
async fn log_in(request: Request<()>) -> Result<Visitor, Rejection> {
    let headers = request.headers();
    // In HTTP/2, a WebSocket is a CONNECT.
    if request.method() == Method::GET && !headers.contains_key("Upgrade") {
        return Err(Rejection::new(200, "healthy"));
    }
    match headers.get("Authorization") {
        Some(token) if token == "Bearer 8f3a" => Ok(Visitor {
            name: "Ann".to_owned(),
        }),
        _ => Err(Rejection::new(401, "log in first").header("WWW-Authenticate", "Bearer")),
    }
}

/// What all handlers share.
#[derive(Clone)]
struct Server {
    acceptor: Acceptor<(WsStream, Visitor)>,
    lines: Arc<AtomicUsize>,
    rejected: Arc<AtomicUsize>,
    /// Turns to `true` when the server is to stop. Every connection holds a receiver until it ends.
    stop: watch::Sender<bool>,
}

/// Unlike `wait_for`, this returns nothing that may not be held across an `await`.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|is_to_stop| *is_to_stop).await;
}

/// `GET /lines`: ordinary HTTP beside it.
async fn lines(State(server): State<Server>) -> String {
    server.lines.load(Relaxed).to_string()
}

/// `GET /shout`: a WebSocket.
async fn shout(State(server): State<Server>, upgrade: WsUpgrade) -> Response {
    let acceptor = server.acceptor.clone();
    let rejected = Arc::clone(&server.rejected);
    let stop = server.stop.subscribe();
    let upgrade = upgrade.on_failed_upgrade(move |error| {
        if matches!(error, WsErr::Rejected(response) if response.status().as_u16() >= 400) {
            rejected.fetch_add(1, Relaxed);
        }
    });
    // An error closes the connection with code 1011. With the feature `tracing`, it is logged.
    let serve = |(stream, visitor)| async move { server.shout(stream, visitor, stop).await };
    upgrade.on_upgrade(&acceptor, serve).await
}

impl Server {
    async fn shout(
        &self,
        stream: WsStream,
        visitor: Visitor,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), CodecError> {
        let mut stream = stream.framed(Lines::new(1024));
        stream.send(format!("Hello, {}!", visitor.name)).await?;
        loop {
            // A future that is dropped loses nothing.
            let line = select! {
                line = stream.try_next() => line?,
                () = stopped(&mut stop) => break,
            };
            let Some(line) = line else { return Ok(()) };
            self.lines.fetch_add(1, Relaxed);
            stream.send(line.to_uppercase()).await?;
        }
        // 1001 is no error to those who read it.
        let restart = CloseFrame::new(CloseCode::GOING_AWAY, "the server restarts")?;
        println!("server: {:?}", stream.close_with(restart).await?);
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server {
        // Limits, origins and subprotocols as without axum.
        acceptor: Acceptor::new()
            .config(Config::default().max_recv_message_len(64 * 1024))
            .on_request(log_in),
        lines: Arc::default(),
        rejected: Arc::default(),
        stop: watch::Sender::new(false),
    };
    let router = Router::new()
        .route("/lines", get(lines))
        .route("/shout", any(shout))
        .with_state(server.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/shout", listener.local_addr()?);

    let mut stop = server.stop.subscribe();
    let stopping = async move { stopped(&mut stop).await };
    let serving = axum::serve(listener, router).with_graceful_shutdown(stopping);
    let serving = tokio::spawn(async move { serving.await });

    println!("stranger: {:?}", Connector::new().connect(&url).await.err());
    let connector = Connector::new().header("Authorization", "Bearer 8f3a");
    let mut visitor = connector.connect(&url).await?.framed(Lines::new(1024));
    println!("visitor: {:?}", visitor.try_next().await?);
    visitor.send("hello?".to_owned()).await?;
    println!("visitor: {:?}", visitor.try_next().await?);

    // Here a signal would do: `tokio::signal::ctrl_c()`.
    server.stop.send_replace(true);
    // The code says that nothing is wrong, so this is an end like any other.
    println!("visitor: {:?}", visitor.try_next().await?);
    serving.await??;
    // axum does not wait for WebSockets. Each ends when its peer has taken nothing for
    // `close_timeout`, so all of them get a total.
    let _ = timeout(Duration::from_secs(5), server.stop.closed()).await;
    let (lines, rejected) = (server.lines, server.rejected);
    println!(
        "after {} lines, {} rejected",
        lines.load(Relaxed),
        rejected.load(Relaxed)
    );
    Ok(())
}
