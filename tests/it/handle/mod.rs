//! The handle: pings, closing, the end, statistics and events, from outside of the views.

mod close;
mod events;
mod lifetime;
mod observers;
mod ping;
mod stats;

use futures::AsyncReadExt;
use ws_framed::WsStream;

/// Reads to the end, in a task of its own: only a connection that is polled does anything.
fn drive(mut stream: WsStream) -> tokio::task::JoinHandle<std::io::Result<usize>> {
    tokio::spawn(async move { stream.read_to_end(&mut Vec::new()).await })
}
