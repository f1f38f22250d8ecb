//! Real peers, other protocols over the views, TLS, and the servers of frameworks.

mod api;
mod cancel;
mod contracts;
mod peers;
mod protocols;
mod servers;
mod tls;
mod tracing;
