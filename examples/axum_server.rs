//! A WebSocket route in a server of axum: shared state, and a shutdown that says goodbye to everybody.
//!
//! Run it with `cargo run --all-features --example axum_server`.

use std::{
    error::Error,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{any, get},
};
use futures::{SinkExt, TryStreamExt, channel::oneshot, future::join_all};
use tokio::net::TcpListener;
use ws_framed::{
    Acceptor, CloseCode, CloseFrame, CodecError, Config, Lines, WsErr, WsHandle, WsStream,
    axum::WsUpgrade, connect,
};

/// What all handlers share.
#[derive(Clone)]
struct Server {
    acceptor: Acceptor,
    lines: Arc<AtomicUsize>,
    /// Who is here, to say goodbye to.
    visitors: Arc<Mutex<Vec<WsHandle>>>,
}

/// `GET /lines`: ordinary HTTP beside it.
async fn lines(State(server): State<Server>) -> String {
    server.lines.load(Relaxed).to_string()
}

/// `GET /shout`: a WebSocket.
async fn shout(State(server): State<Server>, upgrade: WsUpgrade) -> Response {
    let acceptor = server.acceptor.clone();
    upgrade.serve(&acceptor, |stream| async move {
        if let Err(error) = server.shout(stream).await {
            eprintln!("a visitor left badly: {error}");
        }
    })
}

impl Server {
    async fn shout(&self, stream: WsStream) -> Result<(), CodecError> {
        self.visitors.lock().unwrap().push(stream.handle());
        let mut stream = stream.framed(Lines::new(1024));
        while let Some(line) = stream.try_next().await? {
            self.lines.fetch_add(1, Relaxed);
            stream.send(line.to_uppercase()).await?;
        }
        Ok(())
    }

    /// Closes every connection with 1001, "going away", and waits until all have ended.
    async fn say_goodbye(&self) -> Result<(), WsErr> {
        let visitors = std::mem::take(&mut *self.visitors.lock().unwrap());
        for visitor in &visitors {
            visitor.close(CloseFrame::new(
                CloseCode::GOING_AWAY,
                "the server restarts",
            )?)?;
        }
        // Each ends when its visitor has answered, or after `close_timeout`.
        for outcome in join_all(visitors.iter().map(WsHandle::closed)).await {
            println!("server: {outcome:?}");
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server {
        // Limits, origins and subprotocols as without axum.
        acceptor: Acceptor::new().config(Config::default().max_recv_message_len(64 * 1024)),
        lines: Arc::default(),
        visitors: Arc::default(),
    };
    let router = Router::new()
        .route("/lines", get(lines))
        .route("/shout", any(shout))
        .with_state(server.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/shout", listener.local_addr()?);

    // Here a signal would do: `tokio::signal::ctrl_c()`.
    let (stop, stopped) = oneshot::channel::<()>();
    let leaving = server.clone();
    let shutdown = async move {
        let _ = stopped.await;
        let _ = leaving.say_goodbye().await;
    };
    let serving = axum::serve(listener, router).with_graceful_shutdown(shutdown);
    let serving = tokio::spawn(async move { serving.await });

    let mut visitor = connect(&url).await?.framed(Lines::new(1024));
    visitor.send("is anybody there?".to_owned()).await?;
    println!("visitor: {:?}", visitor.try_next().await?);

    stop.send(()).map_err(|()| "the server is gone")?;
    // The code says that nothing is wrong, so this is an end like any other.
    println!("visitor: {:?}", visitor.try_next().await?);
    let _ = visitor.close().await;
    serving.await??;
    println!("after {} lines", server.lines.load(Relaxed));
    Ok(())
}
