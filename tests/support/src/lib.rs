//! What the tests of ws-framed share.
//!
//! Without features, for unit tests and fuzz targets too:
//!
//! - [`Frame`], [`frame`]: WebSocket frames, encoded and decoded independently of the library: the
//!   oracle;
//! - [`Pipe`]: a byte stream in memory; [`OneByteIo`], [`SlowFlush`], [`FailAtEnd`]: byte streams
//!   that misbehave;
//! - [`WakeFlag`] and functions that poll by hand; [`timeout`];
//! - [`alloc`]: a global allocator that counts.
//!
//! With the feature `ws-framed`:
//!
//! - [`pair`], [`tungstenite_pair`]: both ends of an open connection;
//! - [`Setup`], [`on_all_transports`], [`on_transports`]: our end over each transport, with a
//!   scripted [`Peer`];
//! - [`RawPeer`], [`MemoryTransport`]: what such a peer is made of;
//! - [`handshake`], [`cancel`], [`flood`]: for the tests of these topics.
//!
//! With the feature `tracing`: [`RecordingSubscriber`].
//!
//! [`Peer`]: crate::Peer

// Everything in here fails a test by a panic, and most of it returns what a test looks at.
#![allow(clippy::missing_panics_doc, clippy::must_use_candidate)]
#![cfg_attr(
    not(all(feature = "tracing", feature = "ws-framed")),
    allow(rustdoc::broken_intra_doc_links)
)]

pub mod alloc;
pub mod frame;
mod io;
mod pipe;
mod poll;
mod timeout;
#[cfg(feature = "tracing")]
mod tracing;

#[cfg(feature = "tracing")]
pub use self::tracing::{
    Fields, Recorded, RecordedEvent, RecordingSubscriber, keep_callsites_enabled,
};
pub use frame::{Frame, ROLES, Role, encode_frames, fragments};
pub use io::{FailAtEnd, OneByteIo, SlowFlush};
pub use pipe::{Pipe, pipe};
pub use poll::{
    WakeFlag, assert_both_idle, assert_idle, poll_at_most, poll_once, poll_times, poll_until_idle,
};
pub use timeout::{timeout, timeout_after};

#[cfg(feature = "ws-framed")]
pub mod cancel;
#[cfg(feature = "ws-framed")]
pub mod counting_io;
#[cfg(feature = "ws-framed")]
pub mod flood;
#[cfg(feature = "ws-framed")]
pub mod handshake;
#[cfg(feature = "ws-framed")]
mod memory;
#[cfg(feature = "ws-framed")]
mod observe;
#[cfg(feature = "ws-framed")]
mod pairs;
#[cfg(feature = "ws-framed")]
mod peer;
#[cfg(feature = "ws-framed")]
mod raw_peer;
#[cfg(feature = "ws-framed")]
mod recording_transport;
#[cfg(feature = "ws-framed")]
mod runtime;
#[cfg(feature = "ws-framed")]
mod setup;

#[cfg(feature = "ws-framed")]
pub use self::{
    memory::{MemoryEnd, MemoryTransport, memory_ends, memory_transports},
    observe::{describe, observe, read_to_end, while_reading, ws_error},
    pairs::{
        TungsteniteSocket, config_without_keepalive, pair, pair_with, tungstenite_pair,
        tungstenite_pair_with, tungstenite_sockets,
    },
    peer::Peer,
    raw_peer::{Io, RawPeer},
    recording_transport::RecordingTransport,
    runtime::{run, run_multi_thread, tcp},
    setup::{
        FRAMED, IMMEDIATE, MEMORY_CAPACITY, NO_TIMERS, PIPE_CAPACITY, Setup, from_raw_socket,
        on_all_transports, on_transports,
    },
};
