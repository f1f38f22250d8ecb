//! The handle: pings, closing, the outcome, statistics and events.

mod close;
mod events;
mod lifetime;
mod ping;
mod slow_observers;
mod stats;

use futures::AsyncReadExt;
use ws_framed::WsStream;

/// Reads to the end in a task of its own, because a connection makes progress only when it is
/// polled.
fn drive(mut stream: WsStream) -> tokio::task::JoinHandle<std::io::Result<usize>> {
    tokio::spawn(async move { stream.read_to_end(&mut Vec::new()).await })
}
