//! The opening handshake (RFC 6455 section 4), over any byte stream.
//!
//! A handshake knows no transport: it returns the byte stream, with what was received behind the
//! handshake, as [`Handshaken`](handshaken::Handshaken).

#[cfg(all(feature = "async-tungstenite", not(target_arch = "wasm32")))]
mod body;
#[cfg(all(feature = "async-tungstenite", not(target_arch = "wasm32")))]
pub(crate) mod client;
pub(crate) mod contract;
#[cfg(all(feature = "async-tungstenite", not(target_arch = "wasm32")))]
pub(crate) mod handshaken;
#[cfg(all(feature = "async-tungstenite", not(target_arch = "wasm32")))]
mod head;
#[cfg(all(feature = "async-tungstenite", not(target_arch = "wasm32")))]
mod headers;
#[cfg(all(feature = "async-tungstenite", not(target_arch = "wasm32")))]
mod key;
#[cfg(any(target_arch = "wasm32", feature = "async-tungstenite"))]
pub(crate) mod options;
#[cfg(any(target_arch = "wasm32", feature = "async-tungstenite"))]
pub(crate) mod outcome;
#[cfg(all(test, feature = "async-tungstenite", not(target_arch = "wasm32")))]
mod peer;
#[cfg(all(feature = "async-tungstenite", not(target_arch = "wasm32")))]
pub(crate) mod policy;
#[cfg(all(feature = "async-tungstenite", not(target_arch = "wasm32")))]
pub(crate) mod rejection;
#[cfg(all(feature = "async-tungstenite", not(target_arch = "wasm32")))]
pub(crate) mod request;
#[cfg(all(feature = "async-tungstenite", not(target_arch = "wasm32")))]
pub(crate) mod server;
#[cfg(all(feature = "async-tungstenite", not(target_arch = "wasm32")))]
mod subprotocol;
mod token;
#[cfg(all(feature = "async-tungstenite", not(target_arch = "wasm32")))]
pub(crate) mod url;
