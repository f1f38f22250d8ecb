//! Why a value is not written, or a payload not read.

use std::{convert::Infallible, fmt};

use cbor4ii::core::{dec, enc};
use serde::{de, ser};

/// The payload ends before what it says that follows.
#[derive(Debug, thiserror::Error)]
#[error("the payload ends within a value")]
pub(super) struct Incomplete;

#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Decode(#[from] dec::Error<Incomplete>),
    #[error(transparent)]
    Encode(#[from] enc::Error<Infallible>),
    #[error(transparent)]
    Format(#[from] fmt::Error),
    #[error("tag {0} makes another value of what follows it, and is not supported")]
    Tag(u64),
    #[error("byte {0:#04x} begins no value")]
    Unsupported(u8),
    #[error("an integer has more than 128 bits")]
    LongInteger,
    #[error("elements are left over behind the value")]
    LeftOver,
    #[error("other than {0} elements were announced")]
    OtherLength(usize),
    #[error("{0}")]
    Custom(Box<str>),
}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string().into())
    }
}

impl ser::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string().into())
    }
}
