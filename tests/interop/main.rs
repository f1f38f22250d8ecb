//! Real peers, other protocols over the streams, TLS, and the servers of frameworks.

mod accepting;
mod axum;
mod contracts;
mod http2;
mod hyper;
mod peers;
mod protocols;
mod proxies;
mod servers;
mod system_calls;
mod tls;
mod yawc;
