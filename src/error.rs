//! Errors.

mod connect;
mod details;
mod proxy;
mod rejected;

use std::{borrow::Cow, error::Error, io, sync::Arc};

use ws_framed_codecs::CodecError;

pub use self::{
    connect::{ConnectAttempt, ConnectError},
    details::{Mismatch, Setting, Timeout, Unsupported, Violation},
    proxy::{ProxyError, SocksReply},
    rejected::{Redirect, RejectedHandshake},
};
use crate::close::{CloseCode, CloseFrame};

/// An error of a connection, a handshake, or an argument.
///
/// The guide says [when each occurs](crate::guide::errors), what the peer receives, and what to do.
///
/// The byte stream and the item stream report it as an [`io::Error`], since that is the error of
/// `AsyncRead`, `AsyncWrite` and codecs. [`find_in`](Self::find_in) gets the `WsErr` out again:
///
/// ```
/// # use std::io;
/// use ws_framed::WsErr;
///
/// fn is_lost(error: &io::Error) -> bool {
///     matches!(WsErr::find_in(error), Some(WsErr::UnexpectedEof | WsErr::Io(_)))
/// }
/// assert!(is_lost(&io::Error::from(WsErr::UnexpectedEof)));
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WsErr {
    /// The transport failed. As an `io::Error` it has the kind of the error inside.
    #[error(transparent)]
    Io(Arc<io::Error>),

    /// There is no TCP connection to the server or to the proxy. It lists the addresses that were
    /// tried, and how each failed. `ErrorKind` is that of the last attempt, or `TimedOut` if one
    /// timed out.
    #[error(transparent)]
    Connect(Arc<ConnectError>),

    /// The proxy did not connect to the server. `ErrorKind::PermissionDenied` if it asks for a
    /// password or does not allow the connection; see [`ProxyError::kind`].
    #[error(transparent)]
    Proxy(Box<ProxyError>),

    /// The transport ended without a close frame: what was received may be incomplete.
    /// `ErrorKind::UnexpectedEof`.
    #[error("the connection ended without a close frame")]
    UnexpectedEof,

    /// The peer violated the WebSocket protocol. `ErrorKind::InvalidData`.
    #[error("the peer violated the WebSocket protocol: {0}")]
    Protocol(Violation),

    /// A received message exceeds [`max_recv_message_len`](crate::Config::max_recv_message_len).
    /// `ErrorKind::InvalidData`.
    #[error("a message of {len} bytes exceeds the limit of {max} bytes")]
    MessageTooLarge {
        /// Length of the message in bytes, as far as it was known when it was refused.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },

    /// A message, or an item that is one message, exceeds
    /// [`max_send_message_len`](crate::Config::max_send_message_len). Nothing of it was sent, and
    /// the connection goes on. `ErrorKind::InvalidInput`.
    #[error("a message of {len} bytes exceeds the limit of {max} bytes for sending")]
    TooLargeToSend {
        /// Length of the message in bytes.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },

    /// In a browser, which cannot make a peer wait, more than
    /// [`max_recv_queue_len`](crate::Config::max_recv_queue_len) bytes were unread.
    /// `ErrorKind::InvalidData`.
    #[error("more than {max} bytes were received before they were read")]
    Overflow {
        /// The limit in bytes.
        max: usize,
    },

    /// A text message was received under [`TextPolicy::Reject`](crate::TextPolicy::Reject).
    /// `ErrorKind::InvalidData`.
    #[error("a text message was received where only binary messages are accepted")]
    ReceivedText,

    /// A message does not match a frame of the codec, where each item is [one
    /// message](crate::WsStream::per_message). The connection goes on. `ErrorKind::InvalidData`.
    #[error("a message is not one frame of the codec: {0}")]
    NotOneFrame(Mismatch),

    /// The codec refused what was received, and cannot continue. It holds the code of the close
    /// frame that the peer gets: 1009 for a frame over the limit of the codec, else 1007.
    /// `ErrorKind::InvalidData`.
    #[error("the codec could not decode what was received")]
    Undecodable(CloseCode),

    /// The peer closed with a code that reports a failure. `ErrorKind::ConnectionAborted`.
    #[error("the peer closed with {0}")]
    Aborted(CloseFrame),

    /// The peer did not do something in time. `ErrorKind::TimedOut`.
    #[error("timed out: {0}")]
    TimedOut(Timeout),

    /// The connection is closed, or written bytes were not sent before it was.
    /// `ErrorKind::BrokenPipe`.
    #[error("the connection is closed")]
    Closed,

    /// The server rejected the handshake: it responded with another status than 101, or than 200 in
    /// HTTP/2. A server gets the same error for its own response. `ErrorKind::PermissionDenied` for
    /// 401, 403 and 407, `NotFound` for 404 and 410, else `Other`.
    #[error("the handshake was rejected with {0}")]
    Rejected(Box<RejectedHandshake>),

    /// The handshake failed: what was received is not a WebSocket handshake, or ended too early.
    /// `ErrorKind::InvalidData`.
    #[error("the handshake failed: {0}")]
    Handshake(String),

    /// The server selected none of the offered subprotocols and contracts: it does not know them.
    /// `ErrorKind::InvalidData`.
    #[error("the server selected none of the offered subprotocols")]
    NoSubprotocol,

    /// The server selected an extension that was not offered, or with other parameters than those
    /// offered, or its list of extensions is malformed (RFC 6455 section 9.1, RFC 7692 section
    /// 5.1). `ErrorKind::InvalidData`.
    #[error("the server did not select an extension as offered: {0}")]
    Extension(String),

    /// The URL cannot be connected to. `ErrorKind::InvalidInput`.
    #[error("cannot connect to this URL: {0}")]
    InvalidUrl(String),

    /// A header or subprotocol cannot be sent. `ErrorKind::InvalidInput`.
    #[error("not a valid header: {0}")]
    InvalidHeader(String),

    /// [`Contracts`](crate::Contracts) has no codec for a connection, which
    /// [`framed_by`](crate::WsStream::framed_by) has dropped. `ErrorKind::InvalidInput`.
    #[error("no codec for {0}")]
    NoCodec(String),

    /// An [`Encoded`](crate::Encoded) item is not encoded for the contract of a connection. Nothing
    /// of it was sent, and the connection goes on. `ErrorKind::InvalidInput`.
    #[error("the item is not encoded for {0}")]
    NotEncoded(String),

    /// A [`Setting`] of a [`Config`](crate::Config), a `Connector`, an `Acceptor` or another
    /// argument is not valid. `ErrorKind::InvalidInput`.
    #[error("invalid configuration: {0}")]
    InvalidConfig(Setting),

    /// A close frame may not carry this code, see [`CloseCode::is_sendable`].
    /// `ErrorKind::InvalidInput`.
    #[error("a close frame may not carry the code {0}")]
    InvalidCloseCode(CloseCode),

    /// A ping or pong exceeds 125 bytes (RFC 6455 section 5.5). `ErrorKind::InvalidInput`.
    #[error("a control frame carries at most 125 bytes, not {len}")]
    ControlTooLong {
        /// Length of the payload in bytes.
        len: usize,
    },

    /// The transport or the server does not support this. `ErrorKind::Unsupported`.
    #[error("not supported: {0}")]
    Unsupported(Unsupported),
}

impl WsErr {
    /// The `WsErr` inside an error of this library: an [`io::Error`], a [`CodecError`], a boxed
    /// error, or any error that has one of these as a source.
    ///
    /// ```
    /// use std::error::Error;
    /// use ws_framed::{CodecError, WsErr};
    ///
    /// let boxed: Box<dyn Error + Send + Sync> = CodecError::from(WsErr::Closed).into();
    /// assert_eq!(WsErr::find_in(&*boxed), Some(&WsErr::Closed));
    /// ```
    #[must_use]
    pub fn find_in<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            let io = match error.downcast_ref() {
                Some(CodecError::Io(io)) => Some(io),
                _ => error.downcast_ref::<io::Error>(),
            };
            // `io::Error::source` leaves out the error inside.
            next = match io.and_then(io::Error::get_ref) {
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        None
    }

    /// Whether the connection is over, or was not opened. Otherwise the error concerns one item,
    /// one message or one call.
    ///
    /// For the [`CodecError::Io`] of an item stream, get the `WsErr` by [`find_in`](Self::find_in)
    /// and ask that: [`CodecError::ends_connection`] does not look into it.
    #[must_use]
    pub fn ends_connection(&self) -> bool {
        !matches!(
            self,
            Self::TooLargeToSend { .. }
                | Self::NotOneFrame(_)
                | Self::NotEncoded(_)
                | Self::TimedOut(Timeout::Ping)
                | Self::InvalidCloseCode(_)
                | Self::ControlTooLong { .. }
                | Self::Unsupported(Unsupported::Ping | Unsupported::ControlMessage)
        )
    }

    /// Whether the peer did not do something in time.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::TimedOut(_)) || self.kind() == io::ErrorKind::TimedOut
    }

    /// Whether the connection was closed before the call, or before everything was sent.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }

    /// Whether the server rejected the handshake.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        matches!(self, Self::Rejected(_))
    }

    /// The code of the close frame that the peer sent, or of the one that reports this error to the
    /// peer. Where the connection was closing already, the peer may get another code or none. A
    /// browser sends [a code 3900 higher](crate::guide::browser#closing).
    #[must_use]
    pub fn close_code(&self) -> Option<CloseCode> {
        match self {
            Self::Aborted(frame) => Some(frame.code()),
            Self::Protocol(violation) => Some(violation.code()),
            Self::MessageTooLarge { .. } => Some(CloseCode::MESSAGE_TOO_BIG),
            Self::Overflow { .. } => Some(CloseCode::POLICY_VIOLATION),
            Self::ReceivedText => Some(CloseCode::UNSUPPORTED_DATA),
            Self::Undecodable(code) => Some(*code),
            _ => None,
        }
    }

    /// The kind of the `io::Error` that this error becomes.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Io(error) => error.kind(),
            Self::Connect(error) => error.kind(),
            Self::Proxy(error) => error.kind(),
            Self::UnexpectedEof => io::ErrorKind::UnexpectedEof,
            Self::Protocol(_)
            | Self::MessageTooLarge { .. }
            | Self::Overflow { .. }
            | Self::ReceivedText
            | Self::NotOneFrame(_)
            | Self::Undecodable(_)
            | Self::Handshake(_)
            | Self::NoSubprotocol
            | Self::Extension(_) => io::ErrorKind::InvalidData,
            Self::Aborted(_) => io::ErrorKind::ConnectionAborted,
            Self::TimedOut(_) => io::ErrorKind::TimedOut,
            Self::Closed => io::ErrorKind::BrokenPipe,
            Self::Rejected(rejected) => rejected.kind(),
            Self::TooLargeToSend { .. }
            | Self::InvalidUrl(_)
            | Self::InvalidHeader(_)
            | Self::NoCodec(_)
            | Self::NotEncoded(_)
            | Self::InvalidConfig(_)
            | Self::InvalidCloseCode(_)
            | Self::ControlTooLong { .. } => io::ErrorKind::InvalidInput,
            Self::Unsupported(_) => io::ErrorKind::Unsupported,
        }
    }

    /// An error of the stream below a transport. That stream may be a connection of this library
    /// too: how it ended is nothing that the peer of the connection above has done.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn from_transport_io(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }

    /// The close frame that reports the error to the peer, if the peer caused it.
    pub(crate) fn close_frame(&self) -> Option<CloseFrame> {
        let code = match self {
            Self::Aborted(_) => return None,
            _ => self.close_code()?,
        };
        let reason = match self {
            Self::Protocol(violation) => violation.reason().into(),
            other => Cow::Owned(other.to_string()),
        };
        Some(CloseFrame::new_unchecked(code, &reason))
    }
}

/// Errors are equal if their variants, kinds, close codes and texts are. An `io::Error`, which some
/// hold, compares by no more than that.
impl PartialEq for WsErr {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
            && self.kind() == other.kind()
            && self.close_code() == other.close_code()
            && self.to_string() == other.to_string()
    }
}

impl CloseFrame {
    /// A close frame to send. A reason of more than 123 bytes, which does not fit into a control
    /// frame, is truncated at a character boundary.
    ///
    /// # Errors
    /// [`WsErr::InvalidCloseCode`] for a code that [may not be sent](CloseCode::is_sendable).
    // Here, because `close.rs` imports nothing.
    pub fn new(code: CloseCode, reason: impl Into<String>) -> Result<Self, WsErr> {
        if !code.is_sendable() {
            return Err(WsErr::InvalidCloseCode(code));
        }
        Ok(Self::truncated(code, reason.into()))
    }
}

/// A close frame without a reason.
impl TryFrom<CloseCode> for CloseFrame {
    type Error = WsErr;

    /// # Errors
    /// See [`CloseFrame::new`].
    fn try_from(code: CloseCode) -> Result<Self, WsErr> {
        Self::new(code, "")
    }
}

impl From<io::Error> for WsErr {
    /// An `io::Error` that holds a `WsErr` becomes that again.
    fn from(error: io::Error) -> Self {
        error
            .downcast()
            .unwrap_or_else(|error| Self::Io(Arc::new(error)))
    }
}

impl From<ConnectError> for WsErr {
    fn from(error: ConnectError) -> Self {
        Self::Connect(Arc::new(error))
    }
}

impl From<ProxyError> for WsErr {
    fn from(error: ProxyError) -> Self {
        Self::Proxy(Box::new(error))
    }
}

impl From<RejectedHandshake> for WsErr {
    fn from(rejected: RejectedHandshake) -> Self {
        Self::Rejected(Box::new(rejected))
    }
}

/// As the item stream reports it, so that `?` works in a function that connects, and then sends and
/// receives: `ItemTooLarge` for `TooLargeToSend`, `Unencodable` for `NotEncoded` and for a
/// `NotOneFrame` of an item that was to be sent, else `Io`.
impl From<WsErr> for CodecError {
    fn from(error: WsErr) -> Self {
        match error {
            WsErr::TooLargeToSend { len, max } => Self::ItemTooLarge { len, max },
            WsErr::NotOneFrame(_) | WsErr::NotEncoded(_) => Self::Unencodable(error.into()),
            error => Self::Io(error.into()),
        }
    }
}

impl From<WsErr> for io::Error {
    fn from(error: WsErr) -> Self {
        Self::new(error.kind(), error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reason that is too long is cut at the end of a character.
    #[test]
    fn close_reason_is_cut() {
        let frame = CloseFrame::new(CloseCode::NORMAL_CLOSURE, "é".repeat(100)).unwrap();
        // 123 bytes would end within the 62nd character.
        assert_eq!(frame.reason(), "é".repeat(61));
        let frame = CloseFrame::new(CloseCode::NORMAL_CLOSURE, "x".repeat(124)).unwrap();
        assert_eq!(frame.reason().len(), 123);
    }

    /// A `WsErr` is found again in the `io::Error` that it became.
    #[test]
    fn error_survives_io_error() {
        let io = io::Error::from(WsErr::ReceivedText);
        assert_eq!(io.kind(), io::ErrorKind::InvalidData);
        assert!(matches!(WsErr::find_in(&io), Some(WsErr::ReceivedText)));
        assert!(matches!(WsErr::from(io), WsErr::ReceivedText));
    }

    /// A `Result<T, WsErr>` is moved a lot.
    #[test]
    fn errors_are_small() {
        assert!(size_of::<WsErr>() <= 5 * size_of::<usize>());
    }

    #[test]
    fn an_io_error_keeps_its_kind() {
        let error = WsErr::from(io::Error::from(io::ErrorKind::ConnectionReset));
        assert_eq!(
            io::Error::from(error).kind(),
            io::ErrorKind::ConnectionReset
        );
    }
}
