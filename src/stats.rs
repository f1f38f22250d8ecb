//! Statistics of a connection.

use std::{
    iter::Sum,
    ops::{Add, AddAssign},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// A snapshot of what a connection has carried so far, from
/// [`WsHandle::stats`](crate::WsHandle::stats).
///
/// Messages are WebSocket messages, which packing makes fewer than items or writes. Bytes are the
/// payloads of data messages, without WebSocket framing.
///
/// # Exporting
/// All fields but [`bytes_unsent`](Self::bytes_unsent) and
/// [`last_round_trip`](Self::last_round_trip), which are gauges, are counters: they begin at 0 and
/// only grow. They can be read at any time, from any task, and stay as they are when the connection
/// has ended. The total of a program is the sum over the open connections and over those that have
/// [ended](crate::WsHandle::closed). A time series for each connection would be a series without
/// bound.
///
/// | field | Prometheus | OpenTelemetry | unit |
/// |---|---|---|---|
/// | `messages_sent` | `websocket_sent_messages_total` | `websocket.sent.messages` | `{message}` |
/// | `bytes_sent` | `websocket_sent_bytes_total` | `websocket.sent.size` | `By` |
/// | `messages_received` | `websocket_received_messages_total` | `websocket.received.messages` | `{message}` |
/// | `bytes_received` | `websocket_received_bytes_total` | `websocket.received.size` | `By` |
/// | `pings_sent` | `websocket_sent_pings_total` | `websocket.sent.pings` | `{ping}` |
/// | `pings_received` | `websocket_received_pings_total` | `websocket.received.pings` | `{ping}` |
/// | `pongs_received` | `websocket_received_pongs_total` | `websocket.received.pongs` | `{pong}` |
/// | `bytes_unsent` | `websocket_unsent_bytes` | `websocket.unsent.size` | `By` |
/// | `last_round_trip` | `websocket_round_trip_seconds` | `websocket.round_trip` | `s` |
///
/// ```
/// use ws_framed::{Stats, WsHandle};
///
/// /// The connections of a server, in the text format of Prometheus. `ended` is the sum of those that have
/// /// ended.
/// fn export(open: &[WsHandle], ended: Stats) -> String {
///     let open: Stats = open.iter().map(WsHandle::stats).sum();
///     let total = ended + open;
///     format!(
///         "# TYPE websocket_sent_bytes_total counter\nwebsocket_sent_bytes_total {}\n\
///          # TYPE websocket_unsent_bytes gauge\nwebsocket_unsent_bytes {}\n",
///         total.bytes_sent, open.bytes_unsent,
///     )
/// }
///
/// let text = export(&[], Stats::default());
/// assert!(text.contains("websocket_sent_bytes_total 0\n"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Data messages handed to the transport.
    pub messages_sent: u64,
    /// Bytes in them, before compression.
    pub bytes_sent: u64,
    /// Data messages received.
    pub messages_received: u64,
    /// Bytes in them, inflated.
    pub bytes_received: u64,
    /// Pings sent.
    pub pings_sent: u64,
    /// Pings received.
    pub pings_received: u64,
    /// Pongs received, asked for or not.
    pub pongs_received: u64,
    /// Written bytes that the transport had not accepted when a write or flush last had to wait; 0
    /// when it need not wait any more.
    pub bytes_unsent: u64,
    /// Round-trip time of the last ping that was answered. In a sum, the longest.
    pub last_round_trip: Option<Duration>,
}

impl Add for Stats {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            messages_sent: self.messages_sent.wrapping_add(other.messages_sent),
            bytes_sent: self.bytes_sent.wrapping_add(other.bytes_sent),
            messages_received: self.messages_received.wrapping_add(other.messages_received),
            bytes_received: self.bytes_received.wrapping_add(other.bytes_received),
            pings_sent: self.pings_sent.wrapping_add(other.pings_sent),
            pings_received: self.pings_received.wrapping_add(other.pings_received),
            pongs_received: self.pongs_received.wrapping_add(other.pongs_received),
            bytes_unsent: self.bytes_unsent.wrapping_add(other.bytes_unsent),
            last_round_trip: self.last_round_trip.max(other.last_round_trip),
        }
    }
}

impl AddAssign for Stats {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Stats {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

/// The live counters behind [`Stats`]. Only the connection writes, so a store after a load is
/// enough.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) messages_sent: Counter,
    pub(crate) bytes_sent: Counter,
    pub(crate) messages_received: Counter,
    pub(crate) bytes_received: Counter,
    pub(crate) pings_sent: Counter,
    pub(crate) pings_received: Counter,
    pub(crate) pongs_received: Counter,
    pub(crate) bytes_unsent: Counter,
    /// Nanoseconds, plus one: zero is "none yet".
    last_round_trip: AtomicU64,
}

impl Counters {
    pub(crate) fn record_round_trip(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.last_round_trip.store(nanos.saturating_add(1), Relaxed);
    }

    pub(crate) fn snapshot(&self) -> Stats {
        Stats {
            messages_sent: self.messages_sent.get(),
            bytes_sent: self.bytes_sent.get(),
            messages_received: self.messages_received.get(),
            bytes_received: self.bytes_received.get(),
            pings_sent: self.pings_sent.get(),
            pings_received: self.pings_received.get(),
            pongs_received: self.pongs_received.get(),
            bytes_unsent: self.bytes_unsent.get(),
            last_round_trip: self
                .last_round_trip
                .load(Relaxed)
                .checked_sub(1)
                .map(Duration::from_nanos),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: usize) {
        self.0.store(self.get().wrapping_add(n as u64), Relaxed);
    }

    /// For a gauge.
    pub(crate) fn set(&self, n: usize) {
        self.0.store(n as u64, Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
