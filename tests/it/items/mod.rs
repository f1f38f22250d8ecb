//! The item stream, packed and with a message for each item.

mod across_messages;
mod asynchronous_codec;
mod by_contract;
mod conversions;
mod encoded;
mod ends;
mod errors;
mod for_tokio;
mod messages;
mod packed;
mod per_message;
mod per_message_conversions;
mod per_message_errors;
mod per_message_random;
mod random_conversions;
mod split;
mod tokio_codec;
