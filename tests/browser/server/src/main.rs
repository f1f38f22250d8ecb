//! Serves the browser tests while the command in its arguments runs, and ends with that command's
//! status:
//!
//! ```sh
//! server cargo test --target wasm32-unknown-unknown
//! ```
//!
//! The command finds the server's URL in `WS_FRAMED_TEST_URL`. What a connection gets is decided by
//! its path.

mod endpoints;
mod raw;

use std::{
    collections::HashMap,
    io,
    process::ExitCode,
    sync::{Arc, Mutex},
};

use protocol::Ending;
use tokio::{
    net::{TcpListener, TcpStream},
    process::Command,
    sync::Notify,
};

#[tokio::main]
async fn main() -> io::Result<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    let program = words.next().ok_or_else(|| io::Error::other("no command"))?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}", listener.local_addr()?);
    let mut command = Command::new(program);
    command.args(words).env("WS_FRAMED_TEST_URL", url);
    command.kill_on_drop(true);
    tokio::select! {
        status = command.status() => Ok(ExitCode::from(u8::from(!status?.success()))),
        error = serve(listener) => Err(error),
    }
}

async fn serve(listener: TcpListener) -> io::Error {
    let state = State::default();
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                let state = state.clone();
                tokio::spawn(async move {
                    if let Err(error) = endpoints::serve(socket, &state).await {
                        eprintln!("server: {error}");
                    }
                });
            }
            Err(error) => return error,
        }
    }
}

/// What connections know of each other.
#[derive(Clone, Default)]
struct State {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// By path.
    endings: Mutex<HashMap<String, Vec<Ending>>>,
    paused: Mutex<HashMap<String, Arc<Notify>>>,
    ended: Notify,
}

impl State {
    fn record(&self, path: &str, ending: Ending) {
        let mut endings = self.shared.endings.lock().unwrap();
        endings.entry(path.to_owned()).or_default().push(ending);
        self.shared.ended.notify_waiters();
    }

    /// Waits until as many connections to `path` have ended.
    async fn endings(&self, path: &str, count: usize) -> Vec<Ending> {
        loop {
            let ended = self.shared.ended.notified();
            let endings = self.shared.endings.lock().unwrap().get(path).cloned();
            match endings {
                Some(endings) if endings.len() >= count => return endings,
                _ => ended.await,
            }
        }
    }

    /// What the paused connection to `path` waits for.
    fn gate(&self, path: &str) -> Arc<Notify> {
        let mut paused = self.shared.paused.lock().unwrap();
        Arc::clone(paused.entry(path.to_owned()).or_default())
    }
}

/// The path that a client asks for, which stays in the socket for the handshake.
async fn peek_path(socket: &TcpStream) -> io::Result<String> {
    let mut request = [0; 1024];
    loop {
        let len = socket.peek(&mut request).await?;
        let text = String::from_utf8_lossy(&request[..len]);
        if len == 0 || text.contains("\r\n") {
            return Ok(text.split(' ').nth(1).unwrap_or_default().to_owned());
        }
        tokio::task::yield_now().await;
    }
}
