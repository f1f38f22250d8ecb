//! Deadlines: of a close, of keepalive, of a blocked write, and for a task that is polled late.

mod close_timeout;
mod coop_budget;
mod keepalive;
mod write_timeout;

use std::time::Duration;

use async_tungstenite::tokio::TokioAdapter;
use futures::{AsyncWriteExt, FutureExt, future};
use support::{
    Peer, RawPeer, Role, Setup, config_without_keepalive, flood::small_tcp, handshake::open,
};
use ws_framed::{Config, Keepalive, WsStream};

/// `accept` and `connect`, over TCP.
pub(crate) const TCP: [Setup; 2] = [Setup::Tcp(Role::Server), Setup::Tcp(Role::Client)];

/// Short enough to wait for, and long enough for a busy machine.
pub(crate) const SHORT_TIMEOUT: Duration = Duration::from_millis(100);

/// Settings with which only the deadline of a close ends a wait.
pub(crate) fn short_close_timeout() -> Config {
    config_without_keepalive().close_timeout(SHORT_TIMEOUT)
}

/// Settings with which only keepalive ends a wait.
fn short_keepalive() -> Config {
    let keepalive = Keepalive::default()
        .interval(SHORT_TIMEOUT)
        .timeout(SHORT_TIMEOUT);
    Config::default()
        .close_timeout(Duration::from_secs(600))
        .keepalive(keepalive)
}

/// A connection over TCP whose peer does not read, with all buffers between the two ends full.
async fn blocked_tcp(role: Role, config: Config) -> (WsStream, Peer) {
    let (ours, theirs) = small_tcp().await;
    let theirs = RawPeer::handshake(TokioAdapter::new(theirs), role.other());
    // Far more than the socket holds.
    let config = config.max_send_message_len(512 * 1024);
    let (ours, theirs) = future::join(open(role, config, ours), theirs).await;
    let mut ours = ours.unwrap();
    // A blocked write leaves a whole message unsent.
    while let Some(written) = ours.write(&[0; 8 * 1024]).now_or_never() {
        written.unwrap();
    }
    (ours, Peer::Raw(theirs))
}
