//! Close frames, close codes, and how a link ended.

use std::fmt;

use crate::error::WsErr;

/// The longest reason that fits into a close frame, in bytes: a control frame carries at most 125
/// (RFC 6455 section 5.5), two of which are the code.
const MAX_REASON_LEN: usize = 123;

/// A close code, RFC 6455 section 7.4.
///
/// A peer may send any number; only some may be sent by us, see [`is_sendable`](Self::is_sendable).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: the purpose of the connection is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: an endpoint goes away, such as a server that shuts down or a page that is left.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: a kind of data came that this endpoint does not take, such as text.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1005: the close frame carried no code. Never on the wire.
    pub const NO_STATUS: Self = Self(1005);
    /// 1006: there was no close frame. Never on the wire.
    pub const ABNORMAL: Self = Self(1006);
    /// 1007: data came that is not what its message claims, such as text that is not UTF-8.
    pub const INVALID_DATA: Self = Self(1007);
    /// 1008: a message broke a policy of the receiver.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: a message was larger than the receiver takes.
    pub const TOO_LARGE: Self = Self(1009);
    /// 1010: the client expected an extension that the server did not offer.
    pub const MISSING_EXTENSION: Self = Self(1010);
    /// 1011: the server met something that keeps it from going on.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the service restarts.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: try again later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 1014: a gateway got an invalid answer.
    pub const BAD_GATEWAY: Self = Self(1014);

    /// The code of this number, for constants: `const EXPIRED: CloseCode = CloseCode::new(4001);`. Elsewhere,
    /// `CloseCode::from` is the same.
    #[must_use]
    pub const fn new(code: u16) -> Self {
        Self(code)
    }

    /// Whether a close frame may carry this code: 1000 to 1003 and 1007 to 1014 of the registry that
    /// RFC 6455 section 7.4.1 begins, and 3000 to 4999, which section 7.4.2 leaves to libraries and
    /// applications.
    #[must_use]
    pub const fn is_sendable(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }

    /// Whether a peer that opens the close with this code says that nothing went wrong.
    pub(crate) const fn is_normal_closure(self) -> bool {
        matches!(self.0, 1000 | 1001 | 1005 | 3000..=4999)
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

/// A close frame: why one side ends the connection.
///
/// ```
/// use ws_framed::{CloseCode, CloseFrame};
///
/// let frame = CloseFrame::new(CloseCode::from(4001), "session expired")?;
/// assert_eq!(frame.reason(), "session expired");
/// assert!(CloseFrame::new(CloseCode::ABNORMAL, "").is_err());
/// # Ok::<_, ws_framed::WsErr>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CloseFrame {
    code: CloseCode,
    reason: String,
}

impl CloseFrame {
    /// A close frame to send. A reason of more than 123 bytes is cut, at a character, to what fits into
    /// a control frame.
    ///
    /// # Errors
    /// [`WsErr::InvalidCloseCode`] for a code that [may not be sent](CloseCode::is_sendable).
    pub fn new(code: CloseCode, reason: impl Into<String>) -> Result<Self, WsErr> {
        if !code.is_sendable() {
            return Err(WsErr::InvalidCloseCode(code));
        }
        Ok(Self::truncated(code, reason.into()))
    }

    /// Code 1000 and no reason: all is well and done.
    #[must_use]
    pub fn normal() -> Self {
        Self {
            code: CloseCode::NORMAL,
            reason: String::new(),
        }
    }

    /// A close frame as it came from a peer: it may carry any code. For those who implement
    /// [`MessageTransport`](crate::MessageTransport).
    #[must_use]
    pub fn from_peer(code: CloseCode, reason: impl Into<String>) -> Self {
        Self::truncated(code, reason.into())
    }

    /// A frame of our own making; `code` is one of the sendable constants.
    pub(crate) fn new_unchecked(code: CloseCode, reason: &str) -> Self {
        debug_assert!(code.is_sendable());
        Self::truncated(code, reason.to_owned())
    }

    fn truncated(code: CloseCode, mut reason: String) -> Self {
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

impl fmt::Display for CloseFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason.as_str() {
            "" => write!(f, "{}", self.code),
            reason => write!(f, "{} ({reason:?})", self.code),
        }
    }
}

/// Whose close frame came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClosedBy {
    /// Ours went out before the peer's was seen. When both cross on the wire, both sides read `Us`.
    Us,
    /// The peer's came first.
    Peer,
}

/// How a link ended. What the reader finds in each case is in [a table of the guide](crate::guide::closing).
///
/// Given by [`WsStream::close_with`](crate::WsStream::close_with) and
/// [`WsHandle::closed`](crate::WsHandle::closed).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseOutcome {
    /// Both sides exchanged close frames.
    ///
    /// With `by: Us`, everything written was handed over before our close frame, and if the peer's frame
    /// answered ours, the peer had everything. `by: Peer` promises nothing about bytes that were not
    /// flushed when the peer's close came: a flush or close that finds such bytes says `BrokenPipe`.
    Clean {
        /// The code in the peer's close frame (RFC 6455 section 7.1.5), [`CloseCode::NO_STATUS`] if it
        /// carried none.
        code: CloseCode,
        /// The reason in the peer's close frame.
        reason: String,
        /// Whose close frame came first.
        by: ClosedBy,
    },
    /// The peer did not answer, or did not take our close frame, within
    /// [`close_timeout`](crate::Config::close_timeout).
    TimedOut,
    /// The transport ended or failed before both close frames were exchanged, or the view was dropped.
    Lost,
    /// One side broke the rules: the protocol, a limit, the text policy, or the codec.
    Failed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_may_be_sent_if_the_rfc_says_so() {
        let sendable: Vec<u16> = (0..=u16::MAX)
            .filter(|&code| CloseCode(code).is_sendable())
            .collect();
        let expected: Vec<u16> = (1000..=1003)
            .chain(1007..=1014)
            .chain(3000..=4999)
            .collect();
        assert_eq!(sendable, expected);
    }

    #[test]
    fn a_long_reason_is_cut_at_a_character() {
        let frame = CloseFrame::new(CloseCode::NORMAL, "é".repeat(100)).unwrap();
        assert_eq!(
            frame.reason(),
            "é".repeat(61),
            "123 bytes would end within the 62nd character"
        );
        let frame = CloseFrame::new(CloseCode::NORMAL, "x".repeat(124)).unwrap();
        assert_eq!(frame.reason().len(), 123);
    }
}
