//! The rules that a received frame can break, each with its close code and section.

use crate::error::{Violation, WsErr};

/// A rule of RFC 6455 that the peer has broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    ReservedBits,
    ReservedOpCode,
    FragmentedControl,
    LongControl,
    Unmasked,
    Masked,
    LongLength,
    PaddedLength,
    UnexpectedContinuation,
    InterruptedMessage,
    ShortClosePayload,
    Utf8,
}

impl Rule {
    #[cfg(test)]
    pub(super) const ALL: [Self; 12] = [
        Self::ReservedBits,
        Self::ReservedOpCode,
        Self::FragmentedControl,
        Self::LongControl,
        Self::Unmasked,
        Self::Masked,
        Self::LongLength,
        Self::PaddedLength,
        Self::UnexpectedContinuation,
        Self::InterruptedMessage,
        Self::ShortClosePayload,
        Self::Utf8,
    ];

    const fn text(self) -> &'static str {
        match self {
            Self::ReservedBits => "reserved bits are set (RFC 6455 section 5.2)",
            Self::ReservedOpCode => "the opcode is reserved (RFC 6455 section 5.2)",
            Self::FragmentedControl => "a control frame is fragmented (RFC 6455 section 5.5)",
            Self::LongControl => "a control frame exceeds 125 bytes (RFC 6455 section 5.5)",
            Self::Unmasked => "a frame of the client is not masked (RFC 6455 section 5.1)",
            Self::Masked => "a frame of the server is masked (RFC 6455 section 5.1)",
            Self::LongLength => "the length has more than 63 bits (RFC 6455 section 5.2)",
            Self::PaddedLength => "the length is not encoded minimally (RFC 6455 section 5.2)",
            Self::UnexpectedContinuation => {
                "a continuation frame without a message (RFC 6455 section 5.4)"
            }
            Self::InterruptedMessage => {
                "a message begins within another message (RFC 6455 section 5.4)"
            }
            Self::ShortClosePayload => "a close payload of one byte (RFC 6455 section 5.5.1)",
            Self::Utf8 => "text is not UTF-8 (RFC 6455 section 8.1)",
        }
    }
}

impl From<Rule> for Violation {
    #[cold]
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::Utf8 => Self::invalid_utf8(),
            rule => Self::new(rule.text()),
        }
    }
}

impl From<Rule> for WsErr {
    #[cold]
    fn from(rule: Rule) -> Self {
        Self::Protocol(rule.into())
    }
}
