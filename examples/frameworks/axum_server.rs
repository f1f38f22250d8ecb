//! A WebSocket route in a server of axum: shared state, and a shutdown that says goodbye to everybody.
//!
//! Run it with `cargo run -p frameworks --example axum_server`.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{any, get},
};
use futures::{SinkExt, TryStreamExt};
use tokio::{net::TcpListener, select, sync::watch};
use ws_framed::{
    Acceptor, CloseCode, CloseFrame, CodecError, Config, Lines, WsStream, axum::WsUpgrade, connect,
};

/// What all handlers share.
#[derive(Clone)]
struct Server {
    acceptor: Acceptor,
    lines: Arc<AtomicUsize>,
    /// Turns to `true` when the server is to stop. Every visitor holds a receiver until he has left.
    stop: watch::Sender<bool>,
}

/// `GET /lines`: ordinary HTTP beside it.
async fn lines(State(server): State<Server>) -> String {
    server.lines.load(Relaxed).to_string()
}

/// `GET /shout`: a WebSocket.
async fn shout(State(server): State<Server>, upgrade: WsUpgrade) -> Response {
    let acceptor = server.acceptor.clone();
    let stop = server.stop.subscribe();
    upgrade.serve(&acceptor, |stream| async move {
        if let Err(error) = server.shout(stream, stop).await {
            eprintln!("a visitor left badly: {error}");
        }
    })
}

impl Server {
    async fn shout(
        &self,
        stream: WsStream,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), CodecError> {
        let mut stream = stream.framed(Lines::new(1024));
        loop {
            // Whichever loses the race has lost nothing.
            let line = select! {
                line = stream.try_next() => line?,
                _ = stop.wait_for(|is_to_stop| *is_to_stop) => break,
            };
            let Some(line) = line else { return Ok(()) };
            self.lines.fetch_add(1, Relaxed);
            stream.send(line.to_uppercase()).await?;
        }
        // 1001 is no error to those who read it.
        let goodbye = CloseFrame::new(CloseCode::GOING_AWAY, "the server restarts")?;
        println!("server: {:?}", stream.close_with(goodbye).await?);
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server {
        // Limits, origins and subprotocols as without axum.
        acceptor: Acceptor::new().config(Config::default().max_recv_message_len(64 * 1024)),
        lines: Arc::default(),
        stop: watch::Sender::new(false),
    };
    let router = Router::new()
        .route("/lines", get(lines))
        .route("/shout", any(shout))
        .with_state(server.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/shout", listener.local_addr()?);

    let mut stop = server.stop.subscribe();
    let stopped = async move { drop(stop.wait_for(|is_to_stop| *is_to_stop).await) };
    let serving = axum::serve(listener, router).with_graceful_shutdown(stopped);
    let serving = tokio::spawn(async move { serving.await });

    let mut visitor = connect(&url).await?.framed(Lines::new(1024));
    visitor.send("is anybody there?".to_owned()).await?;
    println!("visitor: {:?}", visitor.try_next().await?);

    // Here a signal would do: `tokio::signal::ctrl_c()`.
    server.stop.send_replace(true);
    // The code says that nothing is wrong, so this is an end like any other.
    println!("visitor: {:?}", visitor.try_next().await?);
    serving.await??;
    // axum does not wait for visitors: each is gone when he has answered, or after `close_timeout`.
    server.stop.closed().await;
    println!("after {} lines", server.lines.load(Relaxed));
    Ok(())
}
