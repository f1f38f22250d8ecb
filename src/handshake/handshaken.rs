//! What a handshake returns.

use super::outcome::Agreement;

/// An opened byte stream, for a transport.
#[derive(Debug)]
pub(crate) struct Handshaken<S> {
    pub(crate) io: S,
    /// What was received behind the handshake.
    pub(crate) leftover: Vec<u8>,
    pub(crate) agreement: Agreement,
}
