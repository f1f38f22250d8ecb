//! What can go wrong in a codec.

use std::error::Error;
use std::io;

/// Why an item could not be read or written.
///
/// It converts into an [`io::Error`], out of which it can be had again with `downcast` or
/// `get_ref`: the kind is `InvalidInput` for [`Unencodable`](Self::Unencodable), `InvalidData` for
/// [`FrameTooLarge`](Self::FrameTooLarge) and [`Malformed`](Self::Malformed). An [`Io`](Self::Io)
/// becomes the error that it holds.
///
/// The sources of [`Malformed`](Self::Malformed) and [`Unencodable`](Self::Unencodable) are there to be
/// shown. Of what type they are is not promised, and changes with the libraries behind the codecs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The stream below failed. The codecs themselves do no I/O: this is for the layer that drives
    /// them.
    #[error(transparent)]
    Io(#[from] io::Error),

    /// A frame, sent or received, is over the codec's limit.
    ///
    /// A received one has not been taken from the buffer, so that reading on gives the same error.
    #[error("a frame of {len} bytes exceeds the limit of {max} bytes")]
    FrameTooLarge {
        /// The length of the payload in bytes. For a received line whose end is not in sight, the
        /// bytes of it that have arrived.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },

    /// A received frame is not a value of the type that was to be read.
    ///
    /// The frame has been taken from the buffer; the next one can be read.
    #[error("the frame does not hold a valid value")]
    Malformed(#[source] Box<dyn Error + Send + Sync>),

    /// An item has no representation in the codec's format.
    ///
    /// The output buffer is as it was; the next item can be sent.
    #[error("the item cannot be encoded")]
    Unencodable(#[source] Box<dyn Error + Send + Sync>),
}

impl From<CodecError> for io::Error {
    fn from(error: CodecError) -> Self {
        match error {
            CodecError::Io(error) => error,
            CodecError::Unencodable(_) => Self::new(io::ErrorKind::InvalidInput, error),
            CodecError::FrameTooLarge { .. } | CodecError::Malformed(_) => {
                Self::new(io::ErrorKind::InvalidData, error)
            }
        }
    }
}
