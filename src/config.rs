//! Limits, deadlines and policies of a connection.

use std::time::Duration;

use crate::error::WsErr;

/// What a stream does with a text message. The default is [`Reject`](Self::Reject).
///
/// A stream in which each item is [one text message](crate::WsStream::per_message) accepts text
/// under any policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
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
/// Invalid values are reported where the `Config` is used, as
/// [`WsErr::InvalidConfig`](crate::WsErr::InvalidConfig).
///
/// The guide explains how the values work together: [limits](crate::guide::limits),
/// [deadlines](crate::guide::deadlines).
///
/// # Memory
/// What a connection of [`connect`](crate::connect) or [`accept`](crate::accept) holds, whatever
/// its peer does, is at most
///
/// ```text
///   64 KiB
/// + 5 × (max_send_message_len + max_recv_message_len)
/// + 6 × the limit of the codec                      in the item view
/// + 320 KiB + max_recv_message_len                  for each observer
/// ```
///
/// It includes buffered data, up to 16 KiB of encoded frames, an input buffer of up to twice the longest
/// frame that is decoded in place (64 KiB at most), an item and a message that are not complete, a
/// message that is not read, and events that observers have not taken. Buffers double as they grow, and
/// the old one is alive while it is copied, so the usual is far less: an idle connection keeps about
/// 5 KiB. What you have read, and the values that a codec made, are yours. Over a socket that you opened,
/// the limits of its own settings count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub(crate) max_send_message_len: usize,
    pub(crate) max_recv_message_len: usize,
    pub(crate) max_recv_queue_len: usize,
    pub(crate) text: TextPolicy,
    pub(crate) close_timeout: Duration,
    pub(crate) ping_timeout: Duration,
    pub(crate) handshake_timeout: Duration,
    pub(crate) message_timeout: Option<Duration>,
    pub(crate) keepalive: Option<Keepalive>,
    pub(crate) lenient_eof: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_send_message_len: 64 * 1024,
            max_recv_message_len: 1024 * 1024,
            max_recv_queue_len: 4 * 1024 * 1024,
            text: TextPolicy::Reject,
            close_timeout: Duration::from_secs(10),
            ping_timeout: Duration::from_secs(20),
            handshake_timeout: Duration::from_secs(10),
            message_timeout: None,
            keepalive: Some(Keepalive::default()),
            lenient_eof: false,
        }
    }
}

impl Config {
    /// The longest message that is sent, in bytes of payload. Default 64 KiB, at least 1.
    ///
    /// Small writes and items are buffered up to this length or until a flush; larger ones are cut.
    /// The byte stream buffers no more than this. Where each item is [one
    /// message](crate::WsStream::per_message), a longer item is an error.
    #[must_use]
    pub fn max_send_message_len(mut self, bytes: usize) -> Self {
        self.max_send_message_len = bytes;
        self
    }

    /// The longest message that is received, in bytes of payload, whole or in fragments. Default 1
    /// MiB, at least 1. A longer one is answered by a close frame with code 1009.
    ///
    /// The peer's library decides how it cuts its data into messages. Items may be larger: the
    /// codec has a limit of its own.
    #[must_use]
    pub fn max_recv_message_len(mut self, bytes: usize) -> Self {
        self.max_recv_message_len = bytes;
        self
    }

    /// In a browser: how many received bytes may be unread. Default 4 MiB, at least
    /// `max_recv_message_len`. Each message counts 64 bytes more than its length, and an empty
    /// queue accepts any message.
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
    /// | the transport accepts a message that precedes our close frame | restarts |
    /// | data are received after our close frame was sent | restarts |
    /// | anything else is received when the timer has elapsed | waits for at most one more second |
    ///
    /// The timeout ends a wait, not a read that finds data. After a violation, the error is
    /// reported when the peer has closed its end, or after this time: a socket that is closed with
    /// unread data may be reset, which can destroy the close frame.
    #[must_use]
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }

    /// How long [`WsHandle::ping`](crate::WsHandle::ping) waits for a pong. Default 20 s, more than
    /// zero.
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
    /// Silence is counted while a read waits, so a caller that does not read does not time out its
    /// peer. A peer that accepts none of the written data for `interval` plus `timeout` is dead,
    /// too. Where a transport does not report progress, the peer has to accept all that is buffered
    /// in that time.
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
    /// does not read.
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

    pub(crate) fn validate(&self) -> Result<(), WsErr> {
        let lens = [
            (
                self.max_send_message_len,
                "max_send_message_len must be from 1 to isize::MAX",
            ),
            (
                self.max_recv_message_len,
                "max_recv_message_len must be from 1 to isize::MAX",
            ),
        ];
        let keepalive = self.keepalive.unwrap_or_default();
        let times = [
            (self.close_timeout, "close_timeout must be more than zero"),
            (self.ping_timeout, "ping_timeout must be more than zero"),
            (
                self.handshake_timeout,
                "handshake_timeout must be more than zero",
            ),
            (
                self.message_timeout.unwrap_or(Duration::MAX),
                "message_timeout must be more than zero",
            ),
            (
                keepalive.interval,
                "the interval of keepalive must be more than zero",
            ),
            (
                keepalive.timeout,
                "the timeout of keepalive must be more than zero",
            ),
        ];
        // No allocation is larger than isize::MAX.
        let bad_len = lens
            .iter()
            .find(|(len, _)| *len == 0 || isize::try_from(*len).is_err());
        let bad_time = times.iter().find(|(time, _)| time.is_zero());
        match bad_len.map(|(_, why)| why).or(bad_time.map(|(_, why)| why)) {
            Some(why) => Err(WsErr::InvalidConfig(why)),
            None => Ok(()),
        }
    }
}
