//! The library's own message, so that no WebSocket implementation shows through.

use bytes::Bytes;

use crate::{close::CloseFrame, error::WsErr};

/// One WebSocket message, as a [`MessageTransport`](crate::MessageTransport) carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// Bytes.
    Binary(Bytes),
    /// Text, which is UTF-8 (RFC 6455 section 5.6).
    Text(String),
    /// A ping. WriteBuffer: to be sent. Incoming: the transport answers it by itself.
    Ping(ControlPayload),
    /// A pong. A transport answers pings by itself, so this is for reading, or for an unasked heartbeat.
    Pong(ControlPayload),
    /// A close frame, with a code and reason or empty. Incoming: the transport answers it by itself.
    Close(Option<CloseFrame>),
}

impl Message {
    /// How many bytes of data are in it.
    pub(crate) fn data_len(&self) -> usize {
        match self {
            Self::Binary(data) => data.len(),
            Self::Text(text) => text.len(),
            Self::Ping(_) | Self::Pong(_) | Self::Close(_) => 0,
        }
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControlPayload(Bytes);

impl ControlPayload {
    /// The most bytes that a control frame carries.
    pub const MAX_LEN: usize = 125;

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
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

/// Eight bytes, big-endian.
impl From<u64> for ControlPayload {
    fn from(id: u64) -> Self {
        Self(Bytes::copy_from_slice(&id.to_be_bytes()))
    }
}

impl From<ControlPayload> for Bytes {
    fn from(payload: ControlPayload) -> Self {
        payload.0
    }
}
