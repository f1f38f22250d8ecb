//! Limits, deadlines and policies of a connection.

#[cfg(feature = "deflate")]
mod deflate;
#[cfg(feature = "serde")]
mod units;

use std::time::Duration;

#[cfg(feature = "deflate")]
pub use self::deflate::{Compression, Deflate};
use crate::{
    close::{CloseCode, CloseFrame},
    error::{Setting, WsErr},
};

/// What a stream does with a text message. The default is [`Reject`](Self::Reject).
///
/// A stream in which each item is [one text message](crate::WsStream::per_message) accepts text
/// under any policy.
///
/// ```
/// use ws_framed::{Config, TextPolicy};
///
/// // A peer that sends JSON as text, which a codec decodes from bytes.
/// let config = Config::default().text(TextPolicy::Bytes);
/// # let _ = config;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
#[non_exhaustive]
pub enum TextPolicy {
    /// A text message is an error. The reader gets the data before it, then
    /// [`WsErr::ReceivedText`](crate::WsErr::ReceivedText), and the peer a close frame with code
    /// 1003. Later data are discarded.
    #[default]
    Reject,
    /// The bytes of a text message are data like those of a binary message.
    Bytes,
    /// A text message is delivered as [`WsEvent::Text`](crate::WsEvent::Text), and is not part of
    /// the data.
    Event,
}

/// When a silent peer is pinged, and when it is considered dead.
///
/// ```
/// use std::time::Duration;
/// use ws_framed::{Config, Keepalive};
///
/// let keepalive = Keepalive::default().interval(Duration::from_secs(5));
/// let config = Config::default().keepalive(keepalive);
/// let without = Config::default().keepalive(None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[non_exhaustive]
pub struct Keepalive {
    /// How long a peer may be silent before it is pinged.
    #[cfg_attr(feature = "serde", serde(with = "units"))]
    pub interval: Duration,
    /// How long a peer may be silent after that, before it is considered dead.
    #[cfg_attr(feature = "serde", serde(with = "units"))]
    pub timeout: Duration,
}

impl Default for Keepalive {
    fn default() -> Self {
        let twenty = Duration::from_secs(20);
        Self {
            interval: twenty,
            timeout: twenty,
        }
    }
}

impl Keepalive {
    /// How long a peer may be silent before it is pinged. Default 20 s, more than zero.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// How long a peer may be silent after that, before it is considered dead. Default 20 s, more
    /// than zero.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// Limits, deadlines and policies of a connection.
///
/// ```
/// use std::time::Duration;
/// use ws_framed::{Config, TextPolicy};
///
/// let config = Config::default()
///     .max_recv_message_len(64 * 1024)
///     .text(TextPolicy::Bytes)
///     .close_timeout(Duration::from_secs(3));
/// ```
///
/// Each value is a field, and a method of the same name sets it and documents it. Invalid values
/// are reported where the `Config` is used, as
/// [`WsErr::InvalidConfig`](crate::WsErr::InvalidConfig).
///
/// The guide explains how the values work together: [limits](crate::guide::limits),
/// [deadlines](crate::guide::deadlines).
///
/// # Configuration files
/// With the feature `serde`, a `Config` is a part of a configuration file. Missing values are the
/// defaults, unknown ones are errors. A duration is text with units, such as `"1m 30s"` or
/// `"250ms"`; a length is a number of bytes, or text such as `"64 KiB"`. `keepalive = "off"`
/// disables it.
///
#[cfg_attr(feature = "serde", doc = "```")]
#[cfg_attr(not(feature = "serde"), doc = "```text")]
/// # fn main() -> Result<(), serde_json::Error> {
/// let config: ws_framed::Config = serde_json::from_str(
///     r#"{
///         "max_recv_message_len": "256 KiB",
///         "close_timeout": "3s",
///         "keepalive": { "interval": "45s" }
///     }"#,
/// )?;
/// assert_eq!(config.max_recv_message_len, 256 * 1024);
/// # Ok(())
/// # }
/// ```
///
/// # Memory
/// What a connection of [`connect`](crate::connect) or [`accept`](crate::accept) holds, whatever
/// its peer does, is at most
///
/// ```text
///   64 KiB
/// + 5 × max_send_message_len
/// + 3 × max_recv_message_len
/// + 4 × the limit of the codec                      in the item stream
/// + 320 KiB + max_recv_message_len                  for each observer
/// + Deflate::max_memory                             with compression
/// ```
///
/// [`max_memory`](Self::max_memory) computes it. It includes buffered data, up to 16 KiB of unsent
/// frames, an input buffer of up to twice the longest frame that is decoded in place (64 KiB at most),
/// an item and a message that are not complete, a message that is not read, and events that observers
/// have not taken. Buffers double as they grow, and the old one is alive while it is copied, so the
/// usual is far less: an idle connection keeps about 5 KiB. Items and messages that a caller has
/// received are not included. Over a socket that the caller opened, the limits of its own settings
/// count. In HTTP/2, hyper adds `5 × max_send_message_len`, its `max_send_buf_size` and the window of
/// the stream: see the [guide](crate::guide::frameworks#http2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[non_exhaustive]
pub struct Config {
    /// See [`Config::max_send_message_len`](method@Self::max_send_message_len).
    #[cfg_attr(feature = "serde", serde(with = "units"))]
    pub max_send_message_len: usize,
    /// See [`Config::max_send_frame_len`](method@Self::max_send_frame_len).
    #[cfg_attr(feature = "serde", serde(with = "units"))]
    pub max_send_frame_len: Option<usize>,
    /// See [`Config::max_recv_message_len`](method@Self::max_recv_message_len).
    #[cfg_attr(feature = "serde", serde(with = "units"))]
    pub max_recv_message_len: usize,
    /// See [`Config::max_recv_queue_len`](method@Self::max_recv_queue_len).
    #[cfg_attr(feature = "serde", serde(with = "units"))]
    pub max_recv_queue_len: usize,
    /// See [`Config::text`](method@Self::text).
    pub text: TextPolicy,
    /// See [`Config::close_timeout`](method@Self::close_timeout).
    #[cfg_attr(feature = "serde", serde(with = "units"))]
    pub close_timeout: Duration,
    /// See [`Config::ping_timeout`](method@Self::ping_timeout).
    #[cfg_attr(feature = "serde", serde(with = "units"))]
    pub ping_timeout: Duration,
    /// See [`Config::handshake_timeout`](method@Self::handshake_timeout).
    #[cfg_attr(feature = "serde", serde(with = "units"))]
    pub handshake_timeout: Duration,
    /// See [`Config::message_timeout`](method@Self::message_timeout).
    #[cfg_attr(feature = "serde", serde(with = "units"))]
    pub message_timeout: Option<Duration>,
    /// See [`Config::keepalive`](method@Self::keepalive).
    #[cfg_attr(feature = "serde", serde(with = "units"))]
    pub keepalive: Option<Keepalive>,
    /// See [`Config::lenient_eof`](method@Self::lenient_eof).
    pub lenient_eof: bool,
    /// See [`Config::compression`](method@Self::compression).
    #[cfg(feature = "deflate")]
    #[cfg_attr(feature = "serde", serde(with = "units"))]
    pub compression: Option<Deflate>,
    /// See [`Config::failure_codes`](method@Self::failure_codes).
    pub failure_codes: Vec<CloseCode>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_send_message_len: 64 * 1024,
            max_send_frame_len: None,
            max_recv_message_len: 1024 * 1024,
            max_recv_queue_len: 4 * 1024 * 1024,
            text: TextPolicy::Reject,
            close_timeout: Duration::from_secs(10),
            ping_timeout: Duration::from_secs(20),
            handshake_timeout: Duration::from_secs(10),
            message_timeout: None,
            keepalive: Some(Keepalive::default()),
            lenient_eof: false,
            #[cfg(feature = "deflate")]
            compression: None,
            failure_codes: Vec::new(),
        }
    }
}

impl Config {
    /// The longest message that is sent, in bytes of payload. Default 64 KiB, at least 1.
    ///
    /// Small writes and items are buffered up to this length or until a flush; larger ones are
    /// split. The byte stream buffers no more than this. Where each item is [one
    /// message](crate::WsStream::per_message), a longer item is an error.
    #[must_use]
    pub fn max_send_message_len(mut self, bytes: usize) -> Self {
        self.max_send_message_len = bytes;
        self
    }

    /// The longest WebSocket frame that is sent, in bytes of payload. Default `None`, without a
    /// limit; at least 1. A longer message is sent in fragments (RFC 6455 section 5.4).
    ///
    /// For peers and proxies that limit the length of a frame. Fragments of a message follow each
    /// other: a pong, for example, is sent before or behind all of them.
    ///
    /// It has an effect on connections of [`connect`](crate::connect), [`accept`](crate::accept)
    /// and the integrations of frameworks. Other transports make their own frames.
    #[must_use]
    pub fn max_send_frame_len(mut self, bytes: impl Into<Option<usize>>) -> Self {
        self.max_send_frame_len = bytes.into();
        self
    }

    /// The longest message that is received, in bytes of payload, whole or in fragments. Default 1
    /// MiB, at least 1. A longer one is answered by a close frame with code 1009.
    ///
    /// The peer's implementation decides how it splits data into messages. Items may be larger: the
    /// codec has a limit of its own.
    #[must_use]
    pub fn max_recv_message_len(mut self, bytes: usize) -> Self {
        self.max_recv_message_len = bytes;
        self
    }

    /// In a browser: how many received bytes may be unread. Default 4 MiB. Each message counts 64
    /// bytes more than its length, and an empty queue accepts any message, so that a value below
    /// `max_recv_message_len` is no error.
    ///
    /// A page cannot make a peer wait, so a connection above the limit fails with
    /// [`WsErr::Overflow`](crate::WsErr::Overflow). Elsewhere the value has no effect: a peer waits
    /// until its data are read.
    #[must_use]
    pub fn max_recv_queue_len(mut self, bytes: usize) -> Self {
        self.max_recv_queue_len = bytes;
        self
    }

    /// How text messages are handled. Default [`TextPolicy::Reject`].
    #[must_use]
    pub fn text(mut self, policy: TextPolicy) -> Self {
        self.text = policy;
        self
    }

    /// How long each step of a close may wait for the peer. Default 10 s, more than zero.
    ///
    /// | event | effect on the timer |
    /// |---|---|
    /// | a close is requested, a close frame is received, or the connection fails | starts |
    /// | the transport accepts a message that precedes our close frame, or the peer takes more of it | restarts |
    /// | data are received after our close frame was sent, unless `close_with` discards them | restarts |
    /// | anything else is received when the timer has elapsed | waits for at most one more second |
    ///
    /// A read that finds data returns it, even after the timeout; only a read that has to wait ends.
    /// After a violation, the error is reported when the peer has closed its end, or after this
    /// time: a socket that is closed with unread data may be reset, which can destroy the close
    /// frame.
    #[must_use]
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }

    /// How long [`WsHandle::ping`](crate::WsHandle::ping) waits for a pong without progress.
    /// Default 20 s, more than zero.
    ///
    /// It begins with the call, and again when the ping is sent, when the peer sends something, and
    /// when it takes some of what had to wait.
    #[must_use]
    pub fn ping_timeout(mut self, timeout: Duration) -> Self {
        self.ping_timeout = timeout;
        self
    }

    /// How long an opening handshake may take. Default 10 s, more than zero. In
    /// [`Connector`](crate::Connector), this includes the TCP connection.
    #[must_use]
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake_timeout = timeout;
        self
    }

    /// Whether and when a silent peer is pinged, and when it is considered dead. Default
    /// [`Keepalive::default`]; `None` disables both.
    ///
    /// Any received byte is a sign of life if the transport reports bytes, as those of
    /// [`connect`](crate::connect) and [`accept`](crate::accept) do; otherwise any message is one.
    /// So is any progress of data that had to wait to be sent, because a pong may be behind them.
    /// Silence is counted while a read waits, so a caller that does not read does not time out its
    /// peer. A peer that accepts none of the written data for `interval` plus `timeout` is dead,
    /// too. Where a transport does not report progress, the peer has to accept all that is buffered
    /// in that time, and the same holds for what a layer below buffers, as TLS does. A peer that
    /// accepts a byte now and then is alive: [`close_within`](crate::WsStream::close_within), or a
    /// timeout around a `send`, limits it.
    ///
    /// A dead peer is reported as [`WsErr::TimedOut`] in band and as
    /// [`CloseOutcome::TimedOut`](crate::CloseOutcome::TimedOut), and the transport is shut down. A
    /// reader first gets what was received before. After a close of this endpoint, keepalive stops,
    /// and [`close_timeout`](Self::close_timeout) applies.
    #[must_use]
    pub fn keepalive(mut self, keepalive: impl Into<Option<Keepalive>>) -> Self {
        self.keepalive = keepalive.into();
        self
    }

    /// How long a message may take from its first byte to its last, before its sender is treated
    /// like a [dead peer](Self::keepalive). Default `None`, without a limit, since a large message
    /// over a slow network takes long. It protects against peers that send very slowly.
    ///
    /// The timer starts when a read finds a partial message, and includes time in which the caller
    /// does not read. It runs after a close of this endpoint, too.
    ///
    /// It has an effect where the transport reports partial messages, as those of
    /// [`connect`](crate::connect) and [`accept`](crate::accept) do.
    #[must_use]
    pub fn message_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.message_timeout = timeout.into();
        self
    }

    /// Whether an unclean end reads like a clean one: `Ok(0)` instead of the error. Default
    /// `false`.
    ///
    /// It restores the behaviour of `ws_stream_tungstenite`. Errors of the transport and timeouts
    /// are still reported in band, and events do not change.
    #[must_use]
    pub fn lenient_eof(mut self, lenient: bool) -> Self {
        self.lenient_eof = lenient;
        self
    }

    /// Whether messages are compressed by permessage-deflate (RFC 7692), if the peer agrees.
    /// Default `None`.
    ///
    /// [`Connector`](crate::Connector) offers it, [`Acceptor`](crate::Acceptor) accepts an offer,
    /// under hyper and axum too. [`WsStream::compression`](crate::WsStream::compression) returns
    /// what both agreed on; with a peer that does not support it, messages are not compressed.
    ///
    /// In a browser, the setting has no effect: the browser offers compression to every server, and
    /// a page has no switch. A socket that the caller opened has its own settings.
    ///
    /// The guide says [what it costs, and for whom it is](crate::guide::compression).
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
    #[must_use]
    pub fn compression(mut self, deflate: impl Into<Option<Deflate>>) -> Self {
        self.compression = deflate.into();
        self
    }

    /// The close codes from 3000 to 4999 with which a peer reports a failure. Default none: a close
    /// frame with such a code is the end of the stream.
    ///
    /// With one of these codes, a reader gets [`WsErr::Aborted`](crate::WsErr::Aborted), as with
    /// 1008 or 1011, unless the frame repeats the code of a close frame of this endpoint. So a loop
    /// that connects again after a clean end stops when the server rejects it.
    ///
    /// ```
    /// use ws_framed::Config;
    ///
    /// let config = Config::default().failure_codes([4401, 4403]); // or (4000..5000)
    /// # assert!(Config::default().failure_codes(4000..5000).failure_codes.len() == 1000);
    /// ```
    #[must_use]
    pub fn failure_codes(mut self, codes: impl IntoIterator<Item = impl Into<CloseCode>>) -> Self {
        self.failure_codes = codes.into_iter().map(Into::into).collect();
        self
    }

    /// Whether a peer that sends this close frame reports no failure.
    pub(crate) fn is_normal_closure(&self, frame: Option<&CloseFrame>) -> bool {
        // 1005 may not be on the wire (RFC 6455 section 7.4.1).
        let is_normal = |code: CloseCode| {
            code.is_normal_closure() && code.is_sendable() && !self.failure_codes.contains(&code)
        };
        frame.is_none_or(|frame| is_normal(frame.code()))
    }

    /// The most that a connection holds, in bytes, by the formula [above](Self#memory).
    ///
    /// `max_frame_len` is the limit of the codec, 0 without one. `observers` is the number of
    /// streams of events.
    ///
    /// ```
    /// use ws_framed::Config;
    ///
    /// let each = Config::default().max_memory(16 * 1024, 0);
    /// assert!(10_000 * each < 40 << 30);
    /// ```
    #[must_use]
    pub const fn max_memory(&self, max_frame_len: usize, observers: usize) -> usize {
        const KIB: usize = 1024;
        let sent = self.max_send_message_len.saturating_mul(5);
        let received = self.max_recv_message_len.saturating_mul(3);
        let observed = self.max_recv_message_len.saturating_add(320 * KIB);
        #[cfg(feature = "deflate")]
        let compression = match &self.compression {
            Some(deflate) => deflate.max_memory(),
            None => 0,
        };
        #[cfg(not(feature = "deflate"))]
        let compression = 0;
        (64 * KIB)
            .saturating_add(compression)
            .saturating_add(sent)
            .saturating_add(received)
            .saturating_add(max_frame_len.saturating_mul(4))
            .saturating_add(observed.saturating_mul(observers))
    }

    pub(crate) fn validate(&self) -> Result<(), WsErr> {
        // No allocation is larger than isize::MAX.
        let is_len = |len: usize| len > 0 && isize::try_from(len).is_ok();
        let keepalive = self.keepalive.unwrap_or_default();
        #[cfg(feature = "deflate")]
        self.compression
            .as_ref()
            .map_or(Ok(()), Deflate::validate)?;
        let valid = [
            (
                Setting::MaxSendMessageLen,
                is_len(self.max_send_message_len),
            ),
            (Setting::MaxSendFrameLen, self.max_send_frame_len != Some(0)),
            (
                Setting::MaxRecvMessageLen,
                is_len(self.max_recv_message_len),
            ),
            (Setting::CloseTimeout, !self.close_timeout.is_zero()),
            (Setting::PingTimeout, !self.ping_timeout.is_zero()),
            (Setting::HandshakeTimeout, !self.handshake_timeout.is_zero()),
            (
                Setting::MessageTimeout,
                self.message_timeout != Some(Duration::ZERO),
            ),
            (Setting::KeepaliveInterval, !keepalive.interval.is_zero()),
            (Setting::KeepaliveTimeout, !keepalive.timeout.is_zero()),
            (
                Setting::FailureCodes,
                self.failure_codes
                    .iter()
                    .all(|code| code.is_of_application()),
            ),
        ];
        match valid.into_iter().find(|(_, is_valid)| !is_valid) {
            Some((setting, _)) => Err(WsErr::InvalidConfig(setting)),
            None => Ok(()),
        }
    }
}
