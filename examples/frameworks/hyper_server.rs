//! A WebSocket route in a server of hyper: shared state, and a shutdown that takes
//! at most five seconds.
//!
//! Run it with `cargo run -p frameworks --example hyper_server`.

use std::{
    convert::Infallible,
    error::Error,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use futures::{SinkExt, TryStreamExt};
use hyper::{
    Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    select,
    sync::watch,
    time::timeout,
};
use ws_framed::{Acceptor, CloseCode, CloseFrame, Config, Lines, WsStream, connect};

/// What all requests share.
struct Server {
    acceptor: Acceptor,
    lines: AtomicUsize,
    /// Turns to `true` when the server is to stop. Every connection holds a receiver until it
    /// has ended.
    stop: watch::Sender<bool>,
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|is_to_stop| *is_to_stop).await;
}

impl Server {
    /// The routes: `GET /lines` is ordinary HTTP, `GET /shout` a WebSocket.
    async fn answer(self: Arc<Self>, mut request: Request<Incoming>) -> Response<String> {
        match request.uri().path() {
            "/lines" => Response::new(self.lines.load(Relaxed).to_string()),
            "/shout" => {
                let upgrading = ws_framed::hyper::upgrade(&self.acceptor, &mut request);
                let (answer, opening) = upgrading.await;
                let stop = self.stop.subscribe();
                tokio::spawn(async move {
                    let left = async { self.shout(opening.await?, stop).await };
                    if let Err(error) = left.await {
                        eprintln!("a visitor left badly: {error}");
                    }
                });
                answer
            }
            _ => {
                let mut answer = Response::new(String::new());
                *answer.status_mut() = StatusCode::NOT_FOUND;
                answer
            }
        }
    }

    async fn shout(
        &self,
        stream: WsStream,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut stream = stream.framed(Lines::new(1024));
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

    async fn connection(
        self: Arc<Self>,
        socket: TcpStream,
        mut stop: watch::Receiver<bool>,
    ) -> hyper::Result<()> {
        let service = service_fn(|request| {
            let server = Arc::clone(&self);
            async move { Ok::<_, Infallible>(server.answer(request).await) }
        });
        let http = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
        let mut http = pin!(http.with_upgrades());
        select! {
            done = http.as_mut() => return done,
            () = stopped(&mut stop) => http.as_mut().graceful_shutdown(),
        }
        http.await
    }

    /// Serves until it is stopped, and then until all connections have ended, for at most five
    /// seconds.
    async fn serve(self: Arc<Self>, listener: TcpListener) -> io::Result<()> {
        let mut stop = self.stop.subscribe();
        loop {
            let socket = select! {
                accepted = listener.accept() => accepted?.0,
                () = stopped(&mut stop) => break,
            };
            tokio::spawn(Arc::clone(&self).connection(socket, stop.clone()));
        }
        drop(stop);
        // Each ends when its peer has taken nothing for `close_timeout`. This is the total.
        let _ = timeout(Duration::from_secs(5), self.stop.closed()).await;
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Arc::new(Server {
        // Limits, origins and subprotocols as without hyper.
        acceptor: Acceptor::new().config(Config::default().max_recv_message_len(64 * 1024)),
        lines: AtomicUsize::new(0),
        stop: watch::Sender::new(false),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/shout", listener.local_addr()?);
    let serving = tokio::spawn(Arc::clone(&server).serve(listener));

    let mut visitor = connect(&url).await?.framed(Lines::new(1024));
    visitor.send("hello?".to_owned()).await?;
    println!("visitor: {:?}", visitor.try_next().await?);

    // Here a signal would do: `tokio::signal::ctrl_c()`.
    server.stop.send_replace(true);
    // The code says that nothing is wrong, so this is an end like any other.
    println!("visitor: {:?}", visitor.try_next().await?);
    visitor.close().await?;
    serving.await??;
    println!("after {} lines", server.lines.load(Relaxed));
    Ok(())
}
