//! The library's own message, independent of any WebSocket implementation.

mod shared;

use std::{
    fmt,
    hash::{Hash, Hasher},
    ops::Deref,
};

use bytes::{Buf, Bytes, BytesMut};

pub(crate) use self::shared::SharedBytes;
pub use self::shared::SharedMessage;
use crate::{close::CloseFrame, error::WsErr};

/// Length of the room in front of a payload in which a transport writes a frame header: the longest
/// header is 14 bytes, and a session puts one byte before the payload.
pub(crate) const HEADROOM: usize = 15;

/// One WebSocket message, as a [`MessageTransport`](crate::MessageTransport) carries it.
///
/// ```
/// use ws_framed::Message;
///
/// assert_eq!(Message::text("hello"), "hello".into());
/// assert_eq!(Message::binary([1, 2].to_vec()), vec![1, 2].into());
/// assert!(Message::text("hello").is_text());
/// assert_eq!(&*Message::text("hello").into_data(), b"hello");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Message {
    /// Binary data.
    Binary(Payload),
    /// Text: valid UTF-8 (RFC 6455 section 5.6).
    Text(String),
    /// A ping. The connection replies to a received one, unless the transport
    /// [does so itself](crate::Properties::replies).
    Ping(ControlPayload),
    /// A pong.
    Pong(ControlPayload),
    /// A close frame, with a code and reason or empty. The connection replies to a received one,
    /// unless the transport [does so itself](crate::Properties::replies).
    Close(Option<CloseFrame>),
}

impl Message {
    /// A text message.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A binary message.
    #[must_use]
    pub fn binary(data: impl Into<Payload>) -> Self {
        Self::Binary(data.into())
    }

    /// Whether it is a text message.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// Whether it is a binary message.
    #[must_use]
    pub fn is_binary(&self) -> bool {
        matches!(self, Self::Binary(_))
    }

    /// Length of the data in bytes; zero for a control message.
    pub(crate) fn data_len(&self) -> usize {
        match self {
            Self::Binary(data) => data.len(),
            Self::Text(text) => text.len(),
            Self::Ping(_) | Self::Pong(_) | Self::Close(_) => 0,
        }
    }

    /// The payload of a data message, whichever its kind; empty for a control message. Copies
    /// nothing.
    #[must_use]
    pub fn into_data(self) -> Payload {
        match self {
            Self::Binary(data) => data,
            Self::Text(text) => text.into(),
            Self::Ping(_) | Self::Pong(_) | Self::Close(_) => Payload::default(),
        }
    }

    /// Whether it is a data message (RFC 6455 section 5.6), not a control message.
    pub(crate) fn is_data(&self) -> bool {
        matches!(self, Self::Binary(_) | Self::Text(_))
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<Vec<u8>> for Message {
    fn from(data: Vec<u8>) -> Self {
        Self::binary(data)
    }
}

impl From<Bytes> for Message {
    fn from(data: Bytes) -> Self {
        Self::binary(data)
    }
}

/// The payload of a binary message: a buffer that nothing else refers to, or shared bytes.
///
/// A unique buffer can be masked and decoded in place. [`Bytes`] cannot tell whether it is unique
/// while any other part of its allocation is alive, so a message keeps the two apart.
///
/// ```
/// use ws_framed::{Message, Payload, bytes::{Bytes, BytesMut}};
///
/// let shared = Payload::from(Bytes::from_static(b"to many"));
/// assert!(shared.try_into_mut().is_err());
/// let unique = Payload::from(BytesMut::from(&b"to one"[..]));
/// assert_eq!(unique.try_into_mut().unwrap(), b"to one"[..]);
/// assert_eq!(Message::Binary(vec![1, 2].into()), Message::Binary(Bytes::from_static(&[1, 2]).into()));
/// ```
#[derive(Clone)]
pub struct Payload(Repr);

#[derive(Clone)]
enum Repr {
    /// The payload begins behind `headroom` bytes, where a frame header fits.
    Unique { buffer: BytesMut, headroom: usize },
    /// The payload begins behind `headroom` bytes, which end with its frame header or mean nothing.
    Shared { bytes: Bytes, headroom: usize },
}

impl Payload {
    /// A payload behind `headroom` bytes of unused room, in which a transport writes a frame
    /// header.
    pub(crate) fn with_headroom(buffer: BytesMut, headroom: usize) -> Self {
        debug_assert!(headroom <= buffer.len());
        Self(Repr::Unique { buffer, headroom })
    }

    /// A shared payload behind `headroom` bytes, which may end with its frame header.
    pub(crate) fn shared(bytes: Bytes, headroom: usize) -> Self {
        debug_assert!(headroom <= bytes.len());
        Self(Repr::Shared { bytes, headroom })
    }

    /// The buffer with its headroom, and the length of the headroom, for the encoder.
    ///
    /// # Errors
    /// The same as [`Bytes`], if the payload is shared.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn into_buffer(self) -> Result<(BytesMut, usize), (Bytes, usize)> {
        match self.0 {
            Repr::Unique { buffer, headroom } => Ok((buffer, headroom)),
            Repr::Shared { bytes, headroom } => Err((bytes, headroom)),
        }
    }

    /// The payload as shared bytes. Copies nothing.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Repr::Unique {
                mut buffer,
                headroom,
            } => {
                buffer.advance(headroom);
                buffer.freeze()
            }
            Repr::Shared {
                mut bytes,
                headroom,
            } => {
                bytes.advance(headroom);
                bytes
            }
        }
    }

    /// The payload as a unique buffer. Copies nothing.
    ///
    /// # Errors
    /// The payload as [`Bytes`], if it is shared.
    #[inline]
    pub fn try_into_mut(self) -> Result<BytesMut, Bytes> {
        match self.0 {
            Repr::Unique {
                mut buffer,
                headroom,
            } => {
                buffer.advance(headroom);
                Ok(buffer)
            }
            Repr::Shared { .. } => Err(self.into_bytes()),
        }
    }
}

impl Default for Payload {
    fn default() -> Self {
        Bytes::new().into()
    }
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Repr::Unique { buffer, headroom } => buffer.get(*headroom..).unwrap_or_default(),
            Repr::Shared { bytes, headroom } => bytes.get(*headroom..).unwrap_or_default(),
        }
    }
}

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Payload {}

/// Like the bytes: a shared payload and a unique one with the same bytes are equal.
impl Hash for Payload {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

/// Shows the bytes, as [`Bytes`] does.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.escape_ascii())
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self::shared(bytes, 0)
    }
}

impl From<BytesMut> for Payload {
    fn from(buffer: BytesMut) -> Self {
        Self::with_headroom(buffer, 0)
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<&'static [u8]> for Payload {
    fn from(bytes: &'static [u8]) -> Self {
        Bytes::from_static(bytes).into()
    }
}

impl<const N: usize> From<&'static [u8; N]> for Payload {
    fn from(bytes: &'static [u8; N]) -> Self {
        Bytes::from_static(bytes).into()
    }
}

impl From<&'static str> for Payload {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<Payload> for Bytes {
    fn from(payload: Payload) -> Self {
        payload.into_bytes()
    }
}

/// The payload of a ping or pong: at most 125 bytes (RFC 6455 section 5.5).
///
/// ```
/// use ws_framed::ControlPayload;
///
/// assert!(ControlPayload::try_from(&[0; 125][..]).is_ok());
/// assert!(ControlPayload::try_from(&[0; 126][..]).is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ControlPayload(Bytes);

impl ControlPayload {
    /// The most bytes that a control frame carries.
    pub const MAX_LEN: usize = 125;

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// Eight bytes that identify a ping, big-endian.
    pub(crate) fn of_id(id: u64) -> Self {
        Self(Bytes::copy_from_slice(&id.to_be_bytes()))
    }
}

impl TryFrom<Bytes> for ControlPayload {
    type Error = WsErr;

    /// # Errors
    /// [`WsErr::ControlTooLong`] for more than 125 bytes.
    fn try_from(bytes: Bytes) -> Result<Self, WsErr> {
        if bytes.len() > Self::MAX_LEN {
            return Err(WsErr::ControlTooLong { len: bytes.len() });
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<&[u8]> for ControlPayload {
    type Error = WsErr;

    /// # Errors
    /// [`WsErr::ControlTooLong`] for more than 125 bytes.
    fn try_from(bytes: &[u8]) -> Result<Self, WsErr> {
        // Copied: a slice of a transport's read buffer would keep all of that buffer alive.
        match bytes.len() {
            0..=Self::MAX_LEN => Ok(Self(Bytes::copy_from_slice(bytes))),
            len => Err(WsErr::ControlTooLong { len }),
        }
    }
}

impl TryFrom<Vec<u8>> for ControlPayload {
    type Error = WsErr;

    /// # Errors
    /// [`WsErr::ControlTooLong`] for more than 125 bytes.
    fn try_from(bytes: Vec<u8>) -> Result<Self, WsErr> {
        Bytes::from(bytes).try_into()
    }
}

impl<const N: usize> TryFrom<&[u8; N]> for ControlPayload {
    type Error = WsErr;

    /// # Errors
    /// [`WsErr::ControlTooLong`] for more than 125 bytes.
    fn try_from(bytes: &[u8; N]) -> Result<Self, WsErr> {
        bytes[..].try_into()
    }
}

impl AsRef<[u8]> for ControlPayload {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<ControlPayload> for Bytes {
    fn from(payload: ControlPayload) -> Self {
        payload.0
    }
}
