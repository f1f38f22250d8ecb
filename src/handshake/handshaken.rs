//! What a handshake returns.

use bytes::BytesMut;

use super::outcome::Agreement;

/// An opened byte stream, for a transport.
#[derive(Debug)]
pub(crate) struct Handshaken<S> {
    pub(crate) io: S,
    /// What was received behind the handshake.
    pub(crate) leftover: BytesMut,
    pub(crate) agreement: Agreement,
}
