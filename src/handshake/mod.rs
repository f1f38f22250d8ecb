//! The opening handshake (RFC 6455 section 4), over any byte stream.
//!
//! A handshake knows no transport: it returns the byte stream, with what was received behind the
//! handshake, as [`Handshaken`](handshaken::Handshaken).

pub(crate) mod added_headers;
#[cfg(not(target_arch = "wasm32"))]
mod body;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod client;
pub(crate) mod contract;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod extensions;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod handshaken;
#[cfg(not(target_arch = "wasm32"))]
mod head;
#[cfg(not(target_arch = "wasm32"))]
mod headers;
#[cfg(not(target_arch = "wasm32"))]
mod host;
#[cfg(not(target_arch = "wasm32"))]
mod key;
pub(crate) mod options;
pub(crate) mod outcome;
#[cfg(all(test, not(target_arch = "wasm32")))]
mod peer;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod policy;
#[cfg(all(any(feature = "smol", feature = "tokio"), not(target_arch = "wasm32")))]
pub(crate) mod proxy;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod rejection;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod server;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod subprotocol;
mod token;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod url;
