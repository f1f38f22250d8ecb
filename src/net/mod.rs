//! Opening connections in each environment. Only these files name the crates of runtimes and
//! frameworks.

#[cfg(all(feature = "axum", not(target_arch = "wasm32")))]
pub mod axum;
#[cfg(target_arch = "wasm32")]
pub(crate) mod browser;
#[cfg(not(target_arch = "wasm32"))]
mod connect;
#[cfg(not(target_arch = "wasm32"))]
mod futures_io;
#[cfg(all(any(feature = "smol", feature = "tokio"), not(target_arch = "wasm32")))]
mod host;
#[cfg(all(feature = "hyper", not(target_arch = "wasm32")))]
pub mod hyper;
#[cfg(all(any(feature = "smol", feature = "tokio"), not(target_arch = "wasm32")))]
mod race;
#[cfg(all(feature = "smol", not(target_arch = "wasm32")))]
pub mod smol;
#[cfg(all(
    feature = "socks",
    any(feature = "smol", feature = "tokio"),
    not(target_arch = "wasm32")
))]
mod socks;
#[cfg(all(any(feature = "smol", feature = "tokio"), not(target_arch = "wasm32")))]
mod tcp;
#[cfg(all(any(feature = "smol", feature = "tokio"), not(target_arch = "wasm32")))]
mod tcp_options;
#[cfg(all(feature = "tokio", not(target_arch = "wasm32")))]
pub(crate) mod tokio;
