//! permessage-deflate (RFC 7692): what is agreed on, what is on the wire, and what broken input
//! does.

mod agreement;
mod encoded;
mod hostile;
mod messages;

use support::{config_without_keepalive, handshake::open_compressed as open};
use ws_framed::{Config, Deflate};

/// Each message is compressed alone, whatever its length.
fn alone() -> Deflate {
    Deflate::default().min_len(0)
}

fn with_context() -> Deflate {
    alone().send_context(true).recv_context(true)
}

fn config(deflate: Deflate) -> Config {
    config_without_keepalive().compression(deflate)
}
