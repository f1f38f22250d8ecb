//! A message that several connections send.

use std::fmt;
#[cfg(all(feature = "deflate", not(target_arch = "wasm32")))]
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf, Bytes};

use super::{Message, Payload};

/// A data message whose payload other connections send, too: an [`Encoded`](crate::Encoded) item
/// that is a message of its own, for
/// [`start_send_shared`](crate::MessageTransport::start_send_shared).
#[derive(Clone)]
pub struct SharedMessage {
    payload: SharedBytes,
    is_text: bool,
}

impl SharedMessage {
    /// `is_text` is true only for valid UTF-8.
    pub(crate) fn new(payload: SharedBytes, is_text: bool) -> Self {
        Self { payload, is_text }
    }

    /// The payload. Copies nothing.
    #[must_use]
    pub fn payload(&self) -> &Bytes {
        &self.payload.bytes
    }

    /// Whether it is text, not binary.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.is_text
    }

    /// The same as a message that is not shared. Text is copied.
    #[must_use]
    pub fn into_message(self) -> Message {
        if self.is_text {
            if let Ok(text) = std::str::from_utf8(&self.payload.bytes) {
                return Message::Text(text.to_owned());
            }
        }
        Message::Binary(self.payload.into())
    }

    /// The compressed payload for these parameters, which `compress` makes if no connection has
    /// done so before. `None` if it is better sent as it is.
    #[cfg(all(feature = "deflate", not(target_arch = "wasm32")))]
    pub(crate) fn compressed(
        &self,
        parameters: [u8; 2],
        compress: impl FnOnce(&[u8]) -> Option<Bytes>,
    ) -> Option<Bytes> {
        let SharedBytes {
            bytes,
            start,
            forms,
            ..
        } = &self.payload;
        let form = (parameters, *start, bytes.len());
        // Others wait, since they would compress it, too.
        let mut forms = forms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, made)) = forms.iter().find(|(other, _)| *other == form) {
            return made.clone();
        }
        let made = compress(bytes);
        forms.push((form, made.clone()));
        made
    }
}

/// Shows the length of the payload, not the payload.
impl fmt::Debug for SharedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedMessage")
            .field("len", &self.payload.len())
            .field("is_text", &self.is_text)
            .finish_non_exhaustive()
    }
}

/// The parameters of a compressor, and which part of an item it has compressed.
#[cfg(all(feature = "deflate", not(target_arch = "wasm32")))]
type Form = ([u8; 2], usize, usize);

/// What parts of an item were compressed to; `None` where that was not shorter.
#[cfg(all(feature = "deflate", not(target_arch = "wasm32")))]
type Forms = Mutex<Vec<(Form, Option<Bytes>)>>;

/// A part of an encoded item, with what it was compressed to.
#[derive(Clone, Default)]
pub(crate) struct SharedBytes {
    pub(crate) bytes: Bytes,
    /// The same bytes behind the header of their frame, or nothing.
    frame: Bytes,
    /// Where the part begins in the item.
    start: usize,
    #[cfg(all(feature = "deflate", not(target_arch = "wasm32")))]
    forms: Arc<Forms>,
}

impl SharedBytes {
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes the first `len` bytes.
    pub(crate) fn split_to(&mut self, len: usize) -> Self {
        if len == self.len() {
            return std::mem::take(self);
        }
        self.frame.clear();
        let first = Self {
            bytes: self.bytes.split_to(len),
            ..self.clone()
        };
        self.start += len;
        first
    }

    pub(crate) fn advance(&mut self, len: usize) {
        self.bytes.advance(len);
        self.frame.clear();
        self.start += len;
    }

    /// What is behind the first `header_len` bytes, which are the header of a frame of it.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn with_header(frame: Bytes, header_len: usize) -> Self {
        Self {
            bytes: frame.slice(header_len..),
            frame,
            ..Self::default()
        }
    }
}

impl From<SharedBytes> for Payload {
    fn from(SharedBytes { bytes, frame, .. }: SharedBytes) -> Self {
        match frame.len().checked_sub(bytes.len()) {
            Some(headroom) => Self::shared(frame, headroom),
            None => bytes.into(),
        }
    }
}

impl From<Bytes> for SharedBytes {
    fn from(bytes: Bytes) -> Self {
        Self {
            bytes,
            ..Self::default()
        }
    }
}
