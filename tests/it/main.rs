//! The tests of the public interface, a module for each topic. `tests/README.md` says where which
//! promise is tested.
//!
//! ```sh
//! cargo test -p it             # all
//! cargo test -p it close::     # a topic
//! ```

mod api;
mod bytes;
mod cancel;
mod close;
mod compat_ws_stream_tungstenite;
mod compression;
mod config;
mod connect;
mod docs;
mod env;
mod handle;
mod handshake;
mod items;
mod protocol;
mod time;
