//! What the library runs on and beside: runtimes, other sockets, reconnecting, `tracing`.

mod no_runtime;
mod reconnect;
mod smol;
mod tokio_tungstenite;
mod tracing;
mod tracing_reentry;
