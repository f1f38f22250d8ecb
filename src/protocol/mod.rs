//! RFC 6455 section 5 without I/O: bytes to messages, and messages to bytes.
//!
//! [`Decoder`] takes received bytes and returns messages. [`Encoder`] takes messages and returns
//! the bytes to send. Both know the rules of frames, fragments, masks, UTF-8 and close payloads,
//! and one limit: the length of a received message.
//!
//! They do not know sockets, wakers or clocks, and they have no closing state: replies to pings and
//! to close frames, the closing handshake, keepalive and packing belong to the connection. The
//! handshake (RFC 6455 section 4) is elsewhere too.
//!
//! | file | contents | RFC 6455 |
//! |---|---|---|
//! | `frame.rs` | frame headers: parsing and encoding | 5.2 |
//! | `mask.rs` | masking, and the source of masking keys | 5.3 |
//! | `utf8.rs` | text that arrives in pieces | 8.1 |
//! | `close.rs` | the payload of a close frame | 5.5.1, 7.4 |
//! | `rule.rs` | each violation, with its close code and section | 7.4.1 |
//! | `buffer.rs` | growth of the buffers that the decoder fills | |
//! | `decoder.rs`, `input.rs`, `partial.rs` | bytes to messages | 5.4, 6.2 |
//! | `deflate.rs`, `deflate/` | compression | RFC 7692 |
//! | `encoder.rs`, `queue.rs` | messages to bytes | 5.4, 6.1 |
//!
//! # Extensions
//! The reserved bits of a frame are refused unless a negotiated extension claims them
//! ([`Header::parse`](frame::Header::parse) takes the claimed bits). `deflate.rs` claims one.

mod buffer;
mod close;
mod decoder;
#[cfg(feature = "deflate")]
mod deflate;
#[cfg(all(
    feature = "async-tungstenite",
    any(all(test, feature = "__property-tests"), feature = "__fuzzing")
))]
pub(crate) mod differential;
mod encoder;
mod frame;
#[cfg(feature = "__fuzzing")]
pub(crate) mod inflation;
mod input;
mod mask;
mod partial;
mod queue;
mod rule;
mod utf8;

#[cfg(test)]
mod tests;

#[cfg(feature = "deflate")]
pub(crate) use self::deflate::Deflater;
pub(crate) use self::{
    decoder::Decoder,
    encoder::Encoder,
    frame::{EncodedHeader, OpCode},
};

/// Which end of a connection this is: a client masks what it sends (RFC 6455 section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Client,
    Server,
}

#[cfg(test)]
impl Role {
    /// The other end.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}
