//! Settings of permessage-deflate (RFC 7692), and what both ends agreed on.

#[cfg(feature = "serde")]
use super::units;
use crate::error::{Setting, WsErr};

/// The memory of a decompressor, in bytes, whatever the window.
const DECOMPRESSOR: usize = 48 * 1024;

/// The settings of permessage-deflate (RFC 7692), for
/// [`Config::compression`](crate::Config::compression).
///
/// ```
/// use ws_framed::{Config, Deflate};
///
/// let pooled = Config::default().compression(Deflate::default());
/// let with_context = Deflate::default().send_context(true).recv_context(true).send_window_bits(12);
/// let dense = Config::default().compression(with_context);
/// ```
///
/// By default, each message is compressed alone, *without context takeover*: a connection that is
/// idle holds no memory for it, since compressors come from a pool that all connections share. With
/// context, a message may refer to earlier ones, which makes short messages much shorter; each
/// connection then holds a compressor, a decompressor, or both.
///
/// # Memory
/// | | for each connection |
/// |---|---|
/// | without context | a decompressor of 48 KiB while a compressed message is received |
/// | `recv_context` | a decompressor of 48 KiB |
/// | `send_context` | a compressor: 316 KiB with a window of 15 bits, 162 KiB with 12, 136 KiB with 9 |
///
/// They are allocated with the first compressed message. [`max_memory`](Self::max_memory) computes
/// the sum. The pool keeps at most 16 compressors and 64 decompressors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
#[non_exhaustive]
pub struct Deflate {
    /// See [`Deflate::level`](method@Self::level).
    pub level: u8,
    /// See [`Deflate::min_len`](method@Self::min_len).
    #[cfg_attr(feature = "serde", serde(with = "units"))]
    pub min_len: usize,
    /// See [`Deflate::send_context`](method@Self::send_context).
    pub send_context: bool,
    /// See [`Deflate::recv_context`](method@Self::recv_context).
    pub recv_context: bool,
    /// See [`Deflate::send_window_bits`](method@Self::send_window_bits).
    pub send_window_bits: u8,
    /// See [`Deflate::recv_window_bits`](method@Self::recv_window_bits).
    pub recv_window_bits: u8,
}

impl Default for Deflate {
    fn default() -> Self {
        Self {
            level: 4,
            min_len: 64,
            send_context: false,
            recv_context: false,
            send_window_bits: 15,
            recv_window_bits: 15,
        }
    }
}

impl Deflate {
    /// The effort of compression, from 1, the fastest, to 9. Default 4: higher ones take several
    /// times as long and save a few percent.
    #[must_use]
    pub fn level(mut self, level: u8) -> Self {
        self.level = level;
        self
    }

    /// The shortest message that is compressed, in bytes. Default 64. A shorter one is sent as it
    /// is.
    #[must_use]
    pub fn min_len(mut self, bytes: usize) -> Self {
        self.min_len = bytes;
        self
    }

    /// Whether messages that are sent may refer to earlier ones, if the peer agrees. Default
    /// `false`. See [`Deflate`](Self#memory) for the memory that it takes.
    #[must_use]
    pub fn send_context(mut self, takes_over: bool) -> Self {
        self.send_context = takes_over;
        self
    }

    /// Whether messages that are received may refer to earlier ones. Default `false`. See
    /// [`Deflate`](Self#memory) for the memory that it takes.
    #[must_use]
    pub fn recv_context(mut self, takes_over: bool) -> Self {
        self.recv_context = takes_over;
        self
    }

    /// The largest window of messages that are sent, as a base-2 logarithm of bytes, from 9 to 15.
    /// Default 15. The peer may demand a smaller one. A window of 8 is not supported: an
    /// [`Acceptor`](crate::Acceptor) declines an offer of it, and a
    /// [`Connector`](crate::Connector) fails with [`WsErr::Extension`] if a server selects it.
    #[must_use]
    pub fn send_window_bits(mut self, bits: u8) -> Self {
        self.send_window_bits = bits;
        self
    }

    /// The largest window of messages that are received, as a base-2 logarithm of bytes, from 9 to
    /// 15. Default 15. It saves memory of the peer, not of this end.
    ///
    /// A [`Connector`](crate::Connector) with a smaller one asks the server for it, and accepts no
    /// compression otherwise. An [`Acceptor`](crate::Acceptor) asks clients that support it.
    #[must_use]
    pub fn recv_window_bits(mut self, bits: u8) -> Self {
        self.recv_window_bits = bits;
        self
    }

    /// The most that a connection holds for compression, in bytes, see [above](Self#memory).
    #[must_use]
    pub const fn max_memory(&self) -> usize {
        if !self.send_context {
            return DECOMPRESSOR;
        }
        let bits = if self.send_window_bits > 15 {
            15
        } else {
            self.send_window_bits
        };
        // The symbols that are not coded yet, of which a compressor for a connection has at most
        // 8192.
        let symbols = 1
            << if bits < 14 {
                bits.saturating_sub(1)
            } else {
                13
            };
        // A hash table; then a window, and its chains.
        DECOMPRESSOR + 132 * 1024 + (4 << bits) + 7 * symbols
    }

    pub(super) fn validate(&self) -> Result<(), WsErr> {
        let is_valid = |bits| (9..=15).contains(&bits);
        if !is_valid(self.send_window_bits) || !is_valid(self.recv_window_bits) {
            return Err(WsErr::InvalidConfig(Setting::DeflateWindow));
        }
        if !(1..=9).contains(&self.level) {
            return Err(WsErr::InvalidConfig(Setting::DeflateLevel));
        }
        Ok(())
    }
}

/// How messages are compressed, as both ends agreed in the handshake: see
/// [`WsStream::compression`](crate::WsStream::compression).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
#[non_exhaustive]
pub struct Compression {
    /// Whether messages that are sent may refer to earlier ones.
    pub send_context: bool,
    /// Whether messages that are received may refer to earlier ones.
    pub recv_context: bool,
    /// The window of messages that are sent, as a base-2 logarithm of bytes.
    pub send_window_bits: u8,
    /// The largest window of messages that are received, as a base-2 logarithm of bytes.
    pub recv_window_bits: u8,
}
