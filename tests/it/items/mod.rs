//! The item stream, packed and with a message for each item.

mod compat;
mod disconnect;
mod encoded;
mod errors;
mod packed;
mod per_message;
mod per_message_errors;
mod per_message_views;
mod tokio_codec;
mod views;
