//! Cancel safety: futures that are dropped before they are done lose and repeat nothing.

mod bytes;
mod handle;
mod handshake;
mod items;
