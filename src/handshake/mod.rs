//! The opening handshake (RFC 6455 section 4), over any byte stream.

#[cfg(all(feature = "async-tungstenite", not(target_arch = "wasm32")))]
pub(crate) mod client;
pub(crate) mod contract;
#[cfg(all(feature = "async-tungstenite", not(target_arch = "wasm32")))]
mod head;
#[cfg(any(target_arch = "wasm32", feature = "async-tungstenite"))]
pub(crate) mod opening;
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

#[cfg(all(feature = "async-tungstenite", not(target_arch = "wasm32")))]
pub(crate) use head::{headers, token};
