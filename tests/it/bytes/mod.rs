//! The byte stream: reading, writing, flushing, wakeups.

mod flush;
mod into_split;
mod read;
mod two_tasks;
mod wakeups;
mod write;
mod write_only;

use std::pin::pin;

use async_tungstenite::tokio::TokioAdapter;
use futures::{AsyncWriteExt, executor::block_on};
use support::{
    MemoryTransport, Peer, ROLES, RawPeer, cancel::small_pipe, config_without_keepalive,
    from_raw_socket, memory_ends, poll_until_idle, timeout,
};
use tokio::io::duplex;
use ws_framed::{Config, WsStream};

/// Writes zeroes until the transport and the write buffer are full, so that the next write is
/// blocked. Returns how many bytes were written.
pub(crate) fn fill(ours: &mut WsStream) -> usize {
    let mut written = 0;
    let writing = pin!(async {
        while let Ok(len) = ours.write(&[0; 4096]).await {
            written += len;
        }
    });
    assert!(poll_until_idle(writing).is_pending());
    written
}

/// The length of the pipes of [`on_small_transports`], and of the longest message sent over them.
pub(crate) const SMALL: usize = 64;

/// Runs a test over transports that hold about one message in each direction: those of `accept` and
/// `connect`, a wrapped socket of async-tungstenite in both roles, and the transport in memory.
pub(crate) fn on_small_transports(test: impl AsyncFn(WsStream, Peer)) {
    let config = || config_without_keepalive().max_send_message_len(SMALL);
    for role in ROLES {
        println!("accepted or connected, as {role:?}");
        block_on(timeout(async {
            let (ours, peer) = small_pipe(role).await;
            test(ours, peer).await;
        }));
        println!("wrapped, as {role:?}");
        block_on(timeout(async {
            let (ours, theirs) = duplex(SMALL);
            let ours = from_raw_socket(TokioAdapter::new(ours), role, config()).await;
            let theirs = RawPeer::new(TokioAdapter::new(theirs), role.other());
            test(ours, Peer::Raw(theirs)).await;
        }));
    }
    println!("in memory");
    block_on(timeout(async {
        let (ours, theirs) = memory_ends(1);
        test(in_memory(ours, config()), Peer::memory(theirs)).await;
    }));
}

fn in_memory(end: support::MemoryEnd, config: Config) -> WsStream {
    let ours = WsStream::with_config(MemoryTransport::new(end), config);
    ours.unwrap().boxed()
}
