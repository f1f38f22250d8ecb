//! What the library runs on and beside: runtimes, transports, reconnecting, `tracing`.

mod reconnect;
mod runtimes;
mod smol;
mod stream_sink;
mod tracing;
mod tracing_reentry;
mod tracing_secrets;
mod transports;
mod wrapped_sockets;
