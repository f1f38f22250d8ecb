//! Errors of codecs.

use std::{error::Error, io};

/// Why an item could not be encoded or decoded.
///
/// It converts into an [`io::Error`], and back: an `io::Error` that holds a `CodecError` becomes
/// that again. The kind is `InvalidInput` for [`ItemTooLarge`](Self::ItemTooLarge) and
/// [`Unencodable`](Self::Unencodable), `InvalidData` for [`FrameTooLarge`](Self::FrameTooLarge) and
/// [`Malformed`](Self::Malformed). An [`Io`](Self::Io) becomes the error that it holds.
///
/// The sources of [`Malformed`](Self::Malformed) and [`Unencodable`](Self::Unencodable) are for
/// display. Their types are not promised, and change with the libraries behind the codecs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The stream below failed. The codecs themselves do no I/O: this is for the layer that drives
    /// them.
    #[error(transparent)]
    Io(io::Error),

    /// A received frame exceeds the limit of the codec.
    ///
    /// It was not removed from the buffer, so that decoding again gives the same error.
    #[error("an encoded item of {len} bytes exceeds the limit of {max} bytes")]
    FrameTooLarge {
        /// Length of the payload in bytes. For a received line without an end, the bytes of it that
        /// have arrived.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },

    /// An item that was to be sent exceeds the limit of the codec.
    ///
    /// The output buffer is unchanged; the next item can be sent.
    #[error("an item of {len} bytes exceeds the limit of {max} bytes")]
    ItemTooLarge {
        /// Length of the payload in bytes.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },

    /// A received frame is not a value of the expected type.
    ///
    /// It was removed from the buffer; the next one can be decoded.
    #[error("the encoded item does not hold a valid value")]
    Malformed(#[source] Box<dyn Error + Send + Sync>),

    /// An item has no representation in the codec's format.
    ///
    /// The output buffer is unchanged; the next item can be sent.
    #[error("the item cannot be encoded")]
    Unencodable(#[source] Box<dyn Error + Send + Sync>),
}

impl CodecError {
    /// Whether nothing more can be received: the stream below failed, or a frame cannot be decoded
    /// and cannot be skipped. Otherwise the error concerns one item, and the next one can be sent
    /// or received.
    ///
    /// It does not look into an [`Io`](Self::Io). In ws-framed, `WsErr::find_in` gets the error
    /// out, whose `ends_connection` is exact.
    #[must_use]
    pub fn ends_connection(&self) -> bool {
        matches!(self, Self::Io(_) | Self::FrameTooLarge { .. })
    }
}

/// An `io::Error` that holds a `CodecError` becomes that again.
impl From<io::Error> for CodecError {
    fn from(error: io::Error) -> Self {
        error.downcast().unwrap_or_else(Self::Io)
    }
}

impl From<CodecError> for io::Error {
    fn from(error: CodecError) -> Self {
        let kind = match error {
            CodecError::Io(error) => return error,
            CodecError::ItemTooLarge { .. } | CodecError::Unencodable(_) => {
                io::ErrorKind::InvalidInput
            }
            CodecError::FrameTooLarge { .. } | CodecError::Malformed(_) => {
                io::ErrorKind::InvalidData
            }
        };
        Self::new(kind, error)
    }
}
