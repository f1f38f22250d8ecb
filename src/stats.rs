//! What a link has carried.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// A snapshot of what a link has carried so far, from [`WsHandle::stats`](crate::WsHandle::stats).
///
/// Messages are WebSocket messages, which packing makes fewer than items or writes. Bytes are the
/// payloads of data messages, without WebSocket framing.
///
/// # Exporting
/// All fields but [`last_round_trip`](Self::last_round_trip), a gauge, are counters: they begin at 0 and only grow, as
/// long as the connection lasts. They can be read at any time, from any task, and when the connection has ended they
/// stay as they were, so a program's total is the sum over the connections that are open, and over those that have
/// [ended](crate::WsHandle::closed). Don't give each connection a series of its own: they come without end.
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
/// | `last_round_trip` | `websocket_round_trip_seconds` | `websocket.round_trip` | `s` |
///
/// ```
/// use ws_framed::{Stats, WsHandle};
///
/// /// The connections of a server, in Prometheus's text format. `ended` has the totals of those that are over.
/// fn export(open: &[WsHandle], ended: [u64; 4]) -> String {
///     let names = ["sent_messages", "sent_bytes", "received_messages", "received_bytes"];
///     let all = open.iter().map(|handle| counters(&handle.stats()));
///     let totals = all.fold(ended, |sum, one| std::array::from_fn(|n| sum[n] + one[n]));
///     let lines = names.iter().zip(totals).map(|(name, total)| {
///         format!("# TYPE websocket_{name}_total counter\nwebsocket_{name}_total {total}\n")
///     });
///     lines.collect()
/// }
///
/// fn counters(stats: &Stats) -> [u64; 4] {
///     let Stats { messages_sent, bytes_sent, messages_received, bytes_received, .. } = *stats;
///     [messages_sent, bytes_sent, messages_received, bytes_received]
/// }
///
/// let text = export(&[], [3, 4096, 1, 17]);
/// assert!(text.contains("websocket_sent_bytes_total 4096\n"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Data messages handed to the transport.
    pub messages_sent: u64,
    /// Bytes in them.
    pub bytes_sent: u64,
    /// Data messages received.
    pub messages_received: u64,
    /// Bytes in them.
    pub bytes_received: u64,
    /// Pings sent.
    pub pings_sent: u64,
    /// Pings received.
    pub pings_received: u64,
    /// Pongs received, asked for or not.
    pub pongs_received: u64,
    /// Round-trip time of the last ping that was answered.
    pub last_round_trip: Option<Duration>,
}

/// The live counters behind [`Stats`]. Only the link writes, so a store after a load is enough.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) messages_sent: Counter,
    pub(crate) bytes_sent: Counter,
    pub(crate) messages_received: Counter,
    pub(crate) bytes_received: Counter,
    pub(crate) pings_sent: Counter,
    pub(crate) pings_received: Counter,
    pub(crate) pongs_received: Counter,
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

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
