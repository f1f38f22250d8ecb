//! The cases, and what they share.

mod closing;
mod codecs;
mod limits;
mod many;
mod opening;
mod sending;
mod text;
mod volume;

use std::{io, time::Duration};

use futures::AsyncReadExt;
use protocol::{Asker, Ending, MAX_FRAME_LEN, Reply, Request, ask};
use ws_framed::{Bincode, WsErr, WsStream, connect};

/// Where the server is: it starts this build, see `server/src/main.rs`.
const SERVER: Option<&str> = option_env!("WS_FRAMED_TEST_URL");

fn url(path: &str) -> String {
    let server = SERVER.expect("run the tests through the server, see README.md");
    format!("{server}{path}")
}

/// A path of this endpoint that no other test uses.
fn own(endpoint: &str) -> String {
    format!("/{endpoint}/{}", js_sys::Math::random())
}

async fn open(path: &str) -> WsStream {
    connect(url(path)).await.expect("the server is there")
}

/// Reads to the end, or up to the error.
async fn read_all(stream: &mut WsStream) -> (Vec<u8>, io::Result<()>) {
    let mut bytes = Vec::new();
    let result = stream.read_to_end(&mut bytes).await.map(drop);
    (bytes, result)
}

fn ws_error(error: &io::Error) -> &WsErr {
    WsErr::find_in(error).expect("an error of the library's")
}

async fn asker() -> Asker {
    open("/ask").await.framed(Bincode::new(MAX_FRAME_LEN))
}

/// How the connections to `path` ended for the server, once there are `count`.
async fn endings(path: &str, count: usize) -> Vec<Ending> {
    let path = path.to_owned();
    match ask(&mut asker().await, Request::Endings { path, count }).await {
        Ok(Reply::Endings(endings)) => endings,
        other => panic!("{other:?}"),
    }
}

async fn ending(path: &str) -> Ending {
    endings(path, 1).await.remove(0)
}

async fn sleep(time: Duration) {
    futures_timer::Delay::new(time).await;
}
