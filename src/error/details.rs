//! What exactly was wrong.

use std::{borrow::Cow, fmt};

use crate::close::CloseCode;

/// How a peer violated the WebSocket protocol, and the close code that reports it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Violation {
    code: CloseCode,
    reason: Cow<'static, str>,
}

impl Violation {
    /// A violation of the framing rules: code 1002 (RFC 6455 section 7.4.1).
    #[must_use]
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: CloseCode::PROTOCOL_ERROR,
            reason: reason.into(),
        }
    }

    /// Text, or the reason of a close frame, that is not UTF-8: code 1007 (RFC 6455 section 8.1).
    #[must_use]
    pub fn invalid_utf8() -> Self {
        Self {
            code: CloseCode::INVALID_PAYLOAD_DATA,
            reason: Cow::Borrowed("text is not UTF-8 (RFC 6455 section 8.1)"),
        }
    }

    /// A compressed message that is not valid DEFLATE: code 1007 (RFC 7692 section 7.2.2).
    #[cfg(all(feature = "deflate", not(target_arch = "wasm32")))]
    pub(crate) fn invalid_deflate() -> Self {
        Self {
            code: CloseCode::INVALID_PAYLOAD_DATA,
            reason: Cow::Borrowed("a compressed message is broken (RFC 7692 section 7.2.2)"),
        }
    }

    /// The code of the close frame that reports it.
    #[must_use]
    pub fn code(&self) -> CloseCode {
        self.code
    }

    /// What was violated.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

/// What the peer did not do in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Timeout {
    /// The opening handshake, see [`handshake_timeout`](crate::Config::handshake_timeout).
    Handshake,
    /// Sending anything, for as long as [`keepalive`](crate::Config::keepalive) says.
    Silent,
    /// Accepting any of the data that were written, for as long as
    /// [`keepalive`](crate::Config::keepalive) says.
    Blocked,
    /// Completing a message, see [`message_timeout`](crate::Config::message_timeout).
    Message,
    /// A pong, see [`ping_timeout`](crate::Config::ping_timeout). The connection goes on.
    Ping,
    /// A step of the close, see [`close_timeout`](crate::Config::close_timeout).
    Close,
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handshake => "the handshake took too long",
            Self::Silent => "the peer is silent",
            Self::Blocked => "the peer accepts no data",
            Self::Message => "a message took too long",
            Self::Ping => "no pong was received",
            Self::Close => "the peer did not close in time",
        })
    }
}

/// Which setting is not valid: of a [`Config`](crate::Config) and its `Keepalive` and `Deflate`, of
/// a `Connector`, an `Acceptor`, a `Rejection` or a [`Contract`](crate::Contract).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Setting {
    /// [`max_send_message_len`](crate::Config::max_send_message_len) is 0 or above `isize::MAX`.
    MaxSendMessageLen,
    /// [`max_send_frame_len`](crate::Config::max_send_frame_len) is 0.
    MaxSendFrameLen,
    /// [`max_recv_message_len`](crate::Config::max_recv_message_len) is 0 or above `isize::MAX`.
    MaxRecvMessageLen,
    /// [`close_timeout`](crate::Config::close_timeout) is zero.
    CloseTimeout,
    /// [`ping_timeout`](crate::Config::ping_timeout) is zero.
    PingTimeout,
    /// [`handshake_timeout`](crate::Config::handshake_timeout) is zero.
    HandshakeTimeout,
    /// [`message_timeout`](crate::Config::message_timeout) is zero.
    MessageTimeout,
    /// [`Keepalive::interval`](crate::Keepalive::interval) is zero.
    KeepaliveInterval,
    /// [`Keepalive::timeout`](crate::Keepalive::timeout) is zero.
    KeepaliveTimeout,
    /// [`failure_codes`](crate::Config::failure_codes) contains a code that is not from 3000 to
    /// 4999.
    FailureCodes,
    /// An origin that an `Acceptor` allows is not ASCII, or a host is not one with an optional
    /// port. Browsers send names in the form with `xn--`.
    AllowedName,
    /// A [`Contract`](crate::Contract) has a name that cannot be sent, or a text is not a contract.
    Contract,
    /// A `wss` URL is connected to without trusted certificates: neither `Connector::tls` nor a
    /// feature with roots provides them.
    TrustedRoots,
    /// An `Acceptor` with TLS is used below an HTTP server, where its TLS would have no effect.
    AcceptorTls,
    /// A `Connector` with TLS is used over HTTP/2, where its TLS would have no effect.
    ConnectorTls,
    /// A `Connector` with a proxy is used over a connection that is already open.
    ConnectorProxy,
    /// A `Connector` with a resolver is used over a connection that is already open.
    ConnectorResolver,
    /// A `Connector` with a local address is used over a connection that is already open.
    ConnectorLocalAddress,
    /// A `Connector` that follows redirects is used over a connection that is already open.
    ConnectorRedirects,
    /// The status of a `Rejection` is not from 200 to 599, or not from 300 in HTTP/2, where 2xx
    /// would accept the CONNECT.
    RejectionStatus,
    /// The level of a `Deflate` is not from 1 to 9.
    DeflateLevel,
    /// A window of a `Deflate` is not from 9 to 15 bits.
    DeflateWindow,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MaxSendMessageLen => "max_send_message_len must be from 1 to isize::MAX",
            Self::MaxSendFrameLen => "max_send_frame_len must be at least 1",
            Self::MaxRecvMessageLen => "max_recv_message_len must be from 1 to isize::MAX",
            Self::CloseTimeout => "close_timeout must be more than zero",
            Self::PingTimeout => "ping_timeout must be more than zero",
            Self::HandshakeTimeout => "handshake_timeout must be more than zero",
            Self::MessageTimeout => "message_timeout must be more than zero",
            Self::KeepaliveInterval => "the interval of keepalive must be more than zero",
            Self::KeepaliveTimeout => "the timeout of keepalive must be more than zero",
            Self::FailureCodes => "each of failure_codes must be from 3000 to 4999",
            Self::AllowedName => {
                "an allowed origin or host must be valid, and ASCII, with xn-- if need be"
            }
            Self::Contract => {
                "a contract must have the form chat.v2.json.65536 or chat.v2.json.65536.message"
            }
            Self::TrustedRoots => {
                "wss needs trusted certificates: use Connector::tls, or a feature with roots"
            }
            Self::AcceptorTls => "the TLS of an acceptor has no effect below an HTTP server",
            Self::ConnectorTls => "the TLS of a connector has no effect over HTTP/2",
            Self::ConnectorProxy => "a proxy has no effect over an open connection",
            Self::ConnectorResolver => "a resolver has no effect over an open connection",
            Self::ConnectorLocalAddress => "a local address has no effect over an open connection",
            Self::ConnectorRedirects => "redirects are not followed over an open connection",
            Self::RejectionStatus => {
                "the status of a rejection must be from 200 to 599, of a CONNECT from 300"
            }
            Self::DeflateLevel => "the level of compression must be from 1 to 9",
            Self::DeflateWindow => "send_window_bits and recv_window_bits must be from 9 to 15",
        })
    }
}

/// How a message and a frame of the codec differ, where each item is one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mismatch {
    /// The codec encoded an item without a length prefix of four bytes.
    NoLength,
    /// The codec encoded an item with the length of something else.
    WrongLength,
    /// The codec encoded text that is not UTF-8.
    NotUtf8,
    /// The codec decoded no item from a message.
    Incomplete,
    /// The codec did not use all of a message.
    Remainder,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoLength => "the codec wrote no length",
            Self::WrongLength => "the codec wrote another length",
            Self::NotUtf8 => "the text of the codec is not UTF-8",
            Self::Incomplete => "the message is too short for the codec",
            Self::Remainder => "the codec did not use all of the message",
        })
    }
}

/// What a transport or a server does not support.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unsupported {
    /// Pings and pongs, in a browser.
    Ping,
    /// Headers of the handshake, in a browser.
    Headers,
    /// WebSockets over HTTP/2: the server did not announce them by
    /// `SETTINGS_ENABLE_CONNECT_PROTOCOL` (RFC 8441 section 3).
    ExtendedConnect,
    /// A control message as data, in the message stream.
    ControlMessage,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ping => "pings and pongs",
            Self::Headers => "headers of the handshake",
            Self::ExtendedConnect => "WebSockets over HTTP/2",
            Self::ControlMessage => "a control message as data",
        })
    }
}
