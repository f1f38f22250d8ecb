//! What can go wrong.

use std::{borrow::Cow, fmt, io, sync::Arc};

use ws_framed_codecs::CodecError;

use crate::close::{CloseCode, CloseFrame};

/// An error of a link, a handshake, or an argument. When each comes, what the peer hears, and what to do, is on a page of
/// [the guide](crate::guide::errors).
///
/// The views report it as an [`io::Error`], because that is what `AsyncRead`, `AsyncWrite` and codecs
/// speak. The `WsErr` is inside and downcasts out again:
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
    #[error("the transport failed: {0}")]
    Io(#[source] Arc<io::Error>),

    /// The transport ended without a close frame: what was read may not be all that was sent.
    /// `ErrorKind::UnexpectedEof`.
    #[error("the connection ended without a close frame")]
    UnexpectedEof,

    /// The peer broke the WebSocket protocol. `ErrorKind::InvalidData`.
    #[error("the peer broke the WebSocket protocol: {0}")]
    Protocol(Violation),

    /// A message was over [`max_recv_message_len`](crate::Config::max_recv_message_len), or an item that was to
    /// be sent in a message of its own over [`max_send_message_len`](crate::Config::max_send_message_len).
    /// `ErrorKind::InvalidData`.
    #[error("a message of {len} bytes is over the limit of {max}")]
    MessageTooLarge {
        /// Length of the message in bytes, as far as it was known when it was refused.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },

    /// More had come than [`max_recv_queue_len`](crate::Config::max_recv_queue_len) and was not read, in a
    /// browser, which cannot make a peer wait. `ErrorKind::InvalidData`.
    #[error("more than {max} bytes came before they were read")]
    Overflow {
        /// The limit in bytes.
        max: usize,
    },

    /// A text message came under [`TextPolicy::Reject`](crate::TextPolicy::Reject).
    /// `ErrorKind::InvalidData`.
    #[error("a text message came where only binary messages are taken")]
    ReceivedText,

    /// A message and a frame of the codec did not match where each item is
    /// [one message](crate::WsStream::per_message). `ErrorKind::InvalidData`.
    #[error("a message is not one frame: {0}")]
    NotOneFrame(&'static str),

    /// The codec refused what came and could not go on. `ErrorKind::InvalidData`.
    #[error("the codec could not decode what came")]
    Undecodable,

    /// The peer closed with a code that says that something went wrong. `ErrorKind::ConnectionAborted`.
    #[error("the peer closed with {0}")]
    Aborted(CloseFrame),

    /// The peer did not do in time what was waited for. `ErrorKind::TimedOut`.
    #[error("timed out: {0}")]
    TimedOut(&'static str),

    /// The link is closed, or bytes that were written did not go out before it was.
    /// `ErrorKind::BrokenPipe`.
    #[error("the connection is closed")]
    Closed,

    /// The other side refused the handshake, or we did. `ErrorKind::ConnectionRefused`.
    #[error("the handshake was refused with HTTP status {status}: {reason}")]
    Refused {
        /// The HTTP status of the answer.
        status: u16,
        /// Why, for a human.
        reason: String,
    },

    /// The handshake failed: what came was not a WebSocket handshake, or ended too early.
    /// `ErrorKind::InvalidData`.
    #[error("the handshake failed: {0}")]
    Handshake(String),

    /// We offered subprotocols, or contracts, and the server chose none of them: it knows nothing of them.
    /// `ErrorKind::InvalidData`.
    #[error("the server chose none of the subprotocols that were offered")]
    NoSubprotocol,

    /// The URL is not one that can be connected to. `ErrorKind::InvalidInput`.
    #[error("cannot connect to this URL: {0}")]
    InvalidUrl(String),

    /// A header or subprotocol that cannot be sent. `ErrorKind::InvalidInput`.
    #[error("not a valid header: {0}")]
    InvalidHeader(String),

    /// [`Contracts`](crate::Contracts) has no codec for a connection, or an item is not encoded for
    /// its contract. `ErrorKind::InvalidInput`.
    #[error("no codec for {0}")]
    NoCodec(String),

    /// A value in a [`Config`](crate::Config) makes no sense. `ErrorKind::InvalidInput`.
    #[error("invalid configuration: {0}")]
    InvalidConfig(&'static str),

    /// A close frame may not carry this code, see [`CloseCode::is_sendable`].
    /// `ErrorKind::InvalidInput`.
    #[error("a close frame may not carry the code {0}")]
    InvalidCloseCode(CloseCode),

    /// A ping or pong of more than 125 bytes (RFC 6455 section 5.5). `ErrorKind::InvalidInput`.
    #[error("a control frame carries at most 125 bytes, not {len}")]
    ControlTooLong {
        /// How long it was, in bytes.
        len: usize,
    },

    /// The transport or the stream cannot do this: a verb and its object, such as `send pings`.
    /// `ErrorKind::Unsupported`.
    #[error("unsupported: cannot {0}")]
    Unsupported(&'static str),
}

impl WsErr {
    /// The `WsErr` inside an `io::Error` that came from this library.
    #[must_use]
    pub fn find_in(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// The kind of the `io::Error` that this error becomes.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Io(error) => error.kind(),
            Self::UnexpectedEof => io::ErrorKind::UnexpectedEof,
            Self::Protocol(_)
            | Self::MessageTooLarge { .. }
            | Self::Overflow { .. }
            | Self::ReceivedText
            | Self::NotOneFrame(_)
            | Self::Undecodable
            | Self::Handshake(_)
            | Self::NoSubprotocol => io::ErrorKind::InvalidData,
            Self::Aborted(_) => io::ErrorKind::ConnectionAborted,
            Self::TimedOut(_) => io::ErrorKind::TimedOut,
            Self::Closed => io::ErrorKind::BrokenPipe,
            Self::Refused { .. } => io::ErrorKind::ConnectionRefused,
            Self::InvalidUrl(_)
            | Self::InvalidHeader(_)
            | Self::NoCodec(_)
            | Self::InvalidConfig(_)
            | Self::InvalidCloseCode(_)
            | Self::ControlTooLong { .. } => io::ErrorKind::InvalidInput,
            Self::Unsupported(_) => io::ErrorKind::Unsupported,
        }
    }

    /// An error of what lies below a transport. That may be a link of this library too, and how that ended is nothing
    /// that the peer of the link above has done.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn from_transport_io(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }

    /// The close frame that tells the peer about an error that is its fault, if it is.
    pub(crate) fn close_frame(&self) -> Option<CloseFrame> {
        let code = match self {
            Self::Protocol(violation) => violation.code,
            Self::MessageTooLarge { .. } => CloseCode::TOO_LARGE,
            Self::Overflow { .. } => CloseCode::POLICY_VIOLATION,
            Self::ReceivedText => CloseCode::UNSUPPORTED_DATA,
            Self::Undecodable => CloseCode::INVALID_DATA,
            _ => return None,
        };
        let reason = match self {
            Self::Protocol(violation) => violation.why.clone(),
            other => other.to_string().into(),
        };
        Some(CloseFrame::new_unchecked(code, &reason))
    }
}

impl CloseFrame {
    /// A close frame to send. A reason of more than 123 bytes, which does not fit into a control frame,
    /// is truncated at a character boundary.
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

impl From<io::Error> for WsErr {
    /// An `io::Error` that holds a `WsErr` becomes that again.
    fn from(error: io::Error) -> Self {
        error
            .downcast()
            .unwrap_or_else(|error| Self::Io(Arc::new(error)))
    }
}

/// As the item view reports it: so `?` does for a function that connects, and then sends and receives.
impl From<WsErr> for CodecError {
    fn from(error: WsErr) -> Self {
        Self::Io(error.into())
    }
}

impl From<WsErr> for io::Error {
    fn from(error: WsErr) -> Self {
        Self::new(error.kind(), error)
    }
}

/// How a peer broke the WebSocket protocol, and the close code that tells it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    code: CloseCode,
    why: Cow<'static, str>,
}

impl Violation {
    /// A violation of the framing rules: code 1002 (RFC 6455 section 7.4.1).
    #[must_use]
    pub fn new(why: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: CloseCode::PROTOCOL_ERROR,
            why: why.into(),
        }
    }

    /// Text, or the reason of a close frame, that is not UTF-8: code 1007 (RFC 6455 section 8.1).
    #[must_use]
    pub fn invalid_utf8() -> Self {
        Self {
            code: CloseCode::INVALID_DATA,
            why: Cow::Borrowed("text is not UTF-8 (RFC 6455 section 8.1)"),
        }
    }

    /// The code of the close frame that answers it.
    #[must_use]
    pub fn code(&self) -> CloseCode {
        self.code
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_reason_is_cut_at_a_character() {
        let frame = CloseFrame::new(CloseCode::NORMAL, "é".repeat(100)).unwrap();
        // 123 bytes would end within the 62nd character.
        assert_eq!(frame.reason(), "é".repeat(61));
        let frame = CloseFrame::new(CloseCode::NORMAL, "x".repeat(124)).unwrap();
        assert_eq!(frame.reason().len(), 123);
    }

    #[test]
    fn an_error_survives_the_way_through_io_error() {
        let io = io::Error::from(WsErr::ReceivedText);
        assert_eq!(io.kind(), io::ErrorKind::InvalidData);
        assert!(matches!(WsErr::find_in(&io), Some(WsErr::ReceivedText)));
        assert!(matches!(WsErr::from(io), WsErr::ReceivedText));
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
