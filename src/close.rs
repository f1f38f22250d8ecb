//! Close frames, close codes, and the outcome of a connection.

use std::{fmt, io};

/// The longest reason that fits into a close frame, in bytes: a control frame carries at most 125
/// (RFC 6455 section 5.5), and the code takes two of them.
const MAX_REASON_LEN: usize = 123;

/// A close code (RFC 6455 section 7.4).
///
/// A peer may send any number. For those that this library sends, see
/// [`is_sendable`](Self::is_sendable).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(transparent)
)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: the purpose of the connection is fulfilled.
    pub const NORMAL_CLOSURE: Self = Self(1000);
    /// 1001: an endpoint goes away: a server shuts down, or a browser leaves the page.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer violated the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: the endpoint does not accept this type of data, such as text.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1005: the close frame carried no code. Never on the wire.
    pub const NO_STATUS_RECEIVED: Self = Self(1005);
    /// 1006: the connection ended without a close frame. Never on the wire.
    pub const ABNORMAL_CLOSURE: Self = Self(1006);
    /// 1007: the data do not match the type of their message, such as text that is not UTF-8.
    pub const INVALID_PAYLOAD_DATA: Self = Self(1007);
    /// 1008: a message violates a policy of the receiver.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: a message is larger than the receiver accepts.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// 1010: the client expected an extension that the server did not offer.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// 1011: an unexpected condition prevents the server from continuing.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the service restarts. This and the next two are in IANA's registry of close codes, not
    /// in the RFC.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: try again later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 1014: a gateway received an invalid response.
    pub const BAD_GATEWAY: Self = Self(1014);

    /// The code with this number, in constants: `const EXPIRED: CloseCode = CloseCode::new(4001);`.
    /// Elsewhere, `CloseCode::from` does the same.
    #[must_use]
    pub const fn new(code: u16) -> Self {
        Self(code)
    }

    /// Whether a close frame may carry this code: 1000 to 1003 and 1007 to 1014 of the registry
    /// that RFC 6455 section 7.4.1 begins, and 3000 to 4999, which section 7.4.2 leaves to
    /// libraries and applications.
    #[must_use]
    pub const fn is_sendable(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }

    /// Whether the code of a close frame reports no error. 1005 stands for a missing code.
    pub(crate) const fn is_normal_closure(self) -> bool {
        matches!(self.0, 1000 | 1001 | 1005) || self.is_of_application()
    }

    /// Whether the code is one of those that RFC 6455 leaves to libraries and applications.
    pub(crate) const fn is_of_application(self) -> bool {
        matches!(self.0, 3000..=4999)
    }
}

impl From<u16> for CloseCode {
    fn from(code: u16) -> Self {
        Self(code)
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseCode({})", self.0)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A close frame: the code and the reason with which an endpoint closes the connection.
///
/// ```
/// use ws_framed::{CloseCode, CloseFrame};
///
/// let frame = CloseFrame::new(CloseCode::from(4001), "session expired")?;
/// assert_eq!(frame.reason(), "session expired");
/// assert!(CloseFrame::new(CloseCode::ABNORMAL_CLOSURE, "").is_err());
/// # Ok::<_, ws_framed::WsErr>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CloseFrame {
    code: CloseCode,
    reason: String,
}

impl CloseFrame {
    /// Code 1000, without a reason.
    #[must_use]
    pub fn normal() -> Self {
        Self {
            code: CloseCode::NORMAL_CLOSURE,
            reason: String::new(),
        }
    }

    /// A close frame that was received from a peer: it may carry any code. For implementations of
    /// [`MessageTransport`](crate::MessageTransport).
    #[must_use]
    pub fn from_peer(code: CloseCode, reason: impl Into<String>) -> Self {
        Self::truncated(code, reason.into())
    }

    /// A close frame of this library; `code` is one of the sendable constants.
    pub(crate) fn new_unchecked(code: CloseCode, reason: &str) -> Self {
        debug_assert!(code.is_sendable());
        Self::truncated(code, reason.to_owned())
    }

    /// A reason of more than 123 bytes is truncated at a character boundary.
    pub(crate) fn truncated(code: CloseCode, mut reason: String) -> Self {
        if reason.len() > MAX_REASON_LEN {
            let end = (0..=MAX_REASON_LEN)
                .rev()
                .find(|&at| reason.is_char_boundary(at));
            reason.truncate(end.unwrap_or(0));
        }
        Self { code, reason }
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> CloseCode {
        self.code
    }

    /// The reason: UTF-8 of at most 123 bytes, often empty.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// [`CloseFrame::normal`].
impl Default for CloseFrame {
    fn default() -> Self {
        Self::normal()
    }
}

impl fmt::Display for CloseFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason.as_str() {
            "" => write!(f, "{}", self.code),
            reason => write!(f, "{} ({reason:?})", self.code),
        }
    }
}

/// Which endpoint sent the first close frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClosedBy {
    /// This endpoint: it sent a close frame before it received one. If two close frames cross, both
    /// endpoints report `Us`.
    Us,
    /// The peer.
    Peer,
}

impl fmt::Display for ClosedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Us => "this endpoint",
            Self::Peer => "the peer",
        })
    }
}

/// How a connection ended. [A table of the guide](crate::guide::closing) shows what a reader sees
/// in each case.
///
/// Returned by [`WsStream::close_with`](crate::WsStream::close_with) and
/// [`WsHandle::closed`](crate::WsHandle::closed).
///
/// ```
/// use ws_framed::{CloseOutcome, ClosedBy};
///
/// fn describe(outcome: &CloseOutcome) -> String {
///     match outcome {
///         CloseOutcome::Clean { code, by: ClosedBy::Peer, .. } => format!("the peer closed with {code}"),
///         other => other.to_string(),
///     }
/// }
/// assert!(!CloseOutcome::TimedOut.is_clean());
/// # assert!(!describe(&CloseOutcome::TimedOut).is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseOutcome {
    /// Both endpoints exchanged close frames.
    ///
    /// With `by: Us`, all written data were handed over before our close frame, and a peer that
    /// replied to it had received them. With `by: Peer`, unflushed data may be lost; then the next
    /// flush or close returns `BrokenPipe`, once.
    Clean {
        /// The code in the peer's close frame (RFC 6455 section 7.1.5), or
        /// [`CloseCode::NO_STATUS_RECEIVED`].
        code: CloseCode,
        /// The reason in the peer's close frame.
        reason: String,
        /// The code in our close frame, or [`CloseCode::NO_STATUS_RECEIVED`] if it had none. `None`
        /// if the peer closed first and disconnected before our reply was sent.
        our_code: Option<CloseCode>,
        /// Which endpoint sent the first close frame.
        by: ClosedBy,
    },
    /// The peer did not reply to our close frame, or did not accept it, within
    /// [`close_timeout`](crate::Config::close_timeout).
    TimedOut,
    /// The connection ended before both close frames were exchanged.
    Lost(LossCause),
    /// The peer violated the protocol, a limit, the text policy, or the codec. The code says which,
    /// and is the one in our close frame, unless we had sent one before.
    Failed(CloseCode),
}

impl CloseOutcome {
    /// Whether both endpoints exchanged close frames.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        matches!(self, Self::Clean { .. })
    }
}

impl fmt::Display for CloseOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clean {
                code, reason, by, ..
            } => {
                write!(f, "closed by {by} with {code}")?;
                match reason.as_str() {
                    "" => Ok(()),
                    reason => write!(f, " ({reason:?})"),
                }
            }
            Self::TimedOut => f.write_str("timed out"),
            Self::Lost(cause) => write!(f, "lost: {cause}"),
            Self::Failed(code) => write!(f, "failed with {code}"),
        }
    }
}

/// Why a connection was [lost](CloseOutcome::Lost).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LossCause {
    /// The transport ended without a close frame.
    UnexpectedEof,
    /// The transport failed with an error of this kind. Readers and observers get the error itself.
    Io(io::ErrorKind),
    /// The peer closed with this code, or [`CloseCode::NO_STATUS_RECEIVED`], and the transport failed
    /// before what had been written, or our close frame, was sent. A server that restarts does this to
    /// a client that sends meanwhile.
    Closed(CloseCode),
    /// The stream was dropped, or converted into its transport.
    Dropped,
}

impl fmt::Display for LossCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnexpectedEof => f.write_str("the connection ended without a close frame"),
            Self::Io(kind) => write!(f, "{kind}"),
            Self::Closed(code) => write!(f, "the peer closed with {code} before all was sent"),
            Self::Dropped => f.write_str("the stream was dropped"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6455 section 7.4.
    #[test]
    fn sendable_codes() {
        let sendable: Vec<u16> = (0..=u16::MAX)
            .filter(|&code| CloseCode(code).is_sendable())
            .collect();
        let expected: Vec<u16> = (1000..=1003)
            .chain(1007..=1014)
            .chain(3000..=4999)
            .collect();
        assert_eq!(sendable, expected);
    }
}
