//! The opening handshake (RFC 6455 section 4).

mod arguments;
mod client_rejection;
mod contract;
mod contract_offers;
mod headers;
mod open;
mod policy;
mod server_rejection;
mod subprotocol;
mod timeouts;
mod urls;
