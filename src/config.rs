//! Limits, deadlines and policies of a link.

#[cfg(any(target_arch = "wasm32", feature = "async-tungstenite"))]
use std::fmt;
use std::time::Duration;

use crate::error::WsErr;
#[cfg(any(target_arch = "wasm32", feature = "async-tungstenite"))]
use crate::handshake::contract::Contract;

/// What a view does with a text message. The default is [`Reject`](Self::Reject).
///
/// One in which each item is [one message](crate::WsStream::per_message) of text takes text whatever this says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextPolicy {
    /// Text is an error: what came before it is read, then
    /// [`WsErr::ReceivedText`](crate::WsErr::ReceivedText), and the peer gets a close frame with code
    /// 1003. What the peer sends after the text is thrown away, because there would be a hole in it.
    #[default]
    Reject,
    /// The bytes of a text message are data like any other.
    Bytes,
    /// Text comes as [`WsEvent::Text`](crate::WsEvent::Text) and not in the data.
    Event,
}

/// When to ask a silent peer whether it is there, and when to give it up.
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

    /// How long it may be silent after that, before it is given up. Default 20 s, more than zero.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// What a handshake carries besides the handshake.
#[cfg(any(target_arch = "wasm32", feature = "async-tungstenite"))]
#[derive(Clone, Default)]
pub(crate) struct Extras {
    pub(crate) headers: Vec<(String, String)>,
    /// Offered by a client, supported by a server, the most wanted first.
    pub(crate) subprotocols: Vec<String>,
    /// Those of them that are contracts.
    pub(crate) contracts: Vec<Contract>,
}

/// The names of headers only: what a client sends in `Authorization` or `Cookie` belongs in no log.
#[cfg(any(target_arch = "wasm32", feature = "async-tungstenite"))]
impl fmt::Debug for Extras {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| &**name).collect();
        f.debug_struct("Extras")
            .field("headers", &names)
            .field("subprotocols", &self.subprotocols)
            .field("contracts", &self.contracts)
            .finish()
    }
}

/// Limits, deadlines and policies of a link.
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
/// Values that make no sense are refused where the `Config` is used, with
/// [`WsErr::InvalidConfig`](crate::WsErr::InvalidConfig).
///
/// How they fit together is told in [the guide](crate::guide): [limits](crate::guide::limits),
/// [deadlines](crate::guide::deadlines).
///
/// # Memory
/// What a connection of [`connect`](crate::connect) or [`accept`](crate::accept) holds, whatever its peer
/// does, is at most
///
/// ```text
///   64 KiB
/// + 5 × (max_send_message_len + max_recv_message_len)
/// + 6 × the limit of the codec                      in the item view
/// + 320 KiB + max_recv_message_len                  for each observer
/// ```
///
/// In it are what is gathered to be sent, the engine's buffers, up to 64 KiB that are read ahead of it while
/// much comes, pongs, a frame and a message that are not complete, a message that is not read, and events
/// that nobody has taken. Buffers double as they grow, and for a moment the old one is there beside the new, so the usual is far less: under 64 KiB for a
/// connection with the defaults and little to do. What you have read, and the values that a codec made, are
/// yours. Over a socket that you opened, the limits of its own settings count in place of the engine's.
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
    /// Small writes and items gather until there is this much or until a flush; larger ones are cut.
    /// It is also how much is gathered at the most in the byte view. Where each item is
    /// [one message](crate::WsStream::per_message), a longer one is refused.
    #[must_use]
    pub fn max_send_message_len(mut self, bytes: usize) -> Self {
        self.max_send_message_len = bytes;
        self
    }

    /// The longest message that is taken, in bytes of payload, whole or in fragments. Default 1 MiB, at
    /// least 1. A peer that sends a longer one gets a close frame with code 1009.
    ///
    /// The peer's library decides how it cuts its data into messages. Items may be larger: their limit
    /// is the codec's.
    #[must_use]
    pub fn max_recv_message_len(mut self, bytes: usize) -> Self {
        self.max_recv_message_len = bytes;
        self
    }

    /// In a browser: how many bytes may have come and not been read. Default 4 MiB;
    /// less than `max_recv_message_len` means that. Each message counts 64
    /// bytes more than it has, and an empty queue always takes one. A page cannot make a peer wait, so a connection with more than that fails, with
    /// [`WsErr::Overflow`](crate::WsErr::Overflow). Elsewhere it has no effect: a peer waits until you read.
    #[must_use]
    pub fn max_recv_queue_len(mut self, bytes: usize) -> Self {
        self.max_recv_queue_len = bytes;
        self
    }

    /// What to do with text messages. Default [`TextPolicy::Reject`].
    #[must_use]
    pub fn text(mut self, policy: TextPolicy) -> Self {
        self.text = policy;
        self
    }

    /// How long to wait for a peer while closing: for its close frame after ours, for it to take ours,
    /// and in [`close_with`](crate::WsStream::close_with) for the end of the transport. Default 10 s,
    /// more than zero.
    ///
    /// Where we refuse something, the error is told when the peer has hung up, or after this long: a socket that is closed
    /// with unread bytes in it may be reset, and the peer would never read why.
    ///
    /// It starts when a close is asked for or comes, and anew whenever the transport takes a message that was still
    /// to be sent before the close frame, and after that, whenever data comes. It ends a wait, not a read that finds
    /// data: what a peer goes on sending is read on. A flood of anything but data holds it up by a second.
    #[must_use]
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }

    /// How long [`WsHandle::ping`](crate::WsHandle::ping) waits for its pong. Default 20 s, more than
    /// zero.
    #[must_use]
    pub fn ping_timeout(mut self, timeout: Duration) -> Self {
        self.ping_timeout = timeout;
        self
    }

    /// How long an opening handshake may take, in [`Connector`](crate::Connector) with the TCP connection
    /// before it, and in [`Acceptor`](crate::Acceptor). Default 10 s, more than zero.
    #[must_use]
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake_timeout = timeout;
        self
    }

    /// Whether and when a silent peer is pinged and given up. Default: [`Keepalive::default`]; `None` for
    /// never.
    ///
    /// A sign of life is any byte that comes in, where the transport can tell, as those of
    /// [`connect`](crate::connect) and [`accept`](crate::accept) can; otherwise any message. Silence counts
    /// while a read waits, so a peer is not given up because you do not read. A peer that takes nothing
    /// of what is written for as long as `interval` and `timeout` together is given up as well; where the transport
    /// cannot tell, on a socket of yours, it has to take what is buffered there within that time.
    ///
    /// A peer that is given up is [`WsErr::TimedOut`] in band and
    /// [`CloseOutcome::TimedOut`](crate::CloseOutcome::TimedOut), and the transport is shut down. If it is a
    /// writer that finds it out, a reader gets what came before, first.
    /// Keepalive ends when we close: then [`close_timeout`](Self::close_timeout) counts.
    #[must_use]
    pub fn keepalive(mut self, keepalive: impl Into<Option<Keepalive>>) -> Self {
        self.keepalive = keepalive.into();
        self
    }

    /// How long a message may take from its first bytes to its end, before its sender is given up as
    /// [`keepalive`](Self::keepalive) does it. Default `None`: as long as it likes, since a large message
    /// over a slow network takes long. Set it against peers that send a byte now and then, for ever.
    ///
    /// It starts when a read finds that the beginning is there and the end is not, so a user who does not read is
    /// in nobody's way; one who pauses in the middle of a message counts in.
    ///
    /// Has an effect where the transport can tell whether a message is under way, as those of
    /// [`connect`](crate::connect) and [`accept`](crate::accept) can.
    #[must_use]
    pub fn message_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.message_timeout = timeout.into();
        self
    }

    /// Whether an end that was not clean reads like a clean one: `Ok(0)` in place of the error. Default
    /// `false`.
    ///
    /// For code that expects what `ws_stream_tungstenite` does. Errors of the transport, and a peer that
    /// does not answer in time, are still reported in band, and the events are the same.
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
