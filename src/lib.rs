// The README is the documentation. Its snippets use these features.
#![cfg_attr(
    all(
        feature = "tokio",
        feature = "async-tungstenite",
        feature = "bincode",
        feature = "cbor",
        feature = "compress",
        feature = "json",
        feature = "postcard",
        feature = "tokio-codec"
    ),
    doc = include_str!("../README.md")
)]
#![cfg_attr(
    not(all(
        feature = "tokio",
        feature = "async-tungstenite",
        feature = "bincode",
        feature = "cbor",
        feature = "compress",
        feature = "json",
        feature = "postcard",
        feature = "tokio-codec"
    )),
    doc = "Typed messages, or a plain byte stream, over a WebSocket. The guide is in the documentation with all features.",
    // Some links lead to what other features add.
    allow(rustdoc::broken_intra_doc_links, rustdoc::private_intra_doc_links)
)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::todo,
        clippy::unimplemented,
        clippy::indexing_slicing
    )
)]

mod close;
mod config;
mod connection;
mod contracts;
mod encoded;
mod error;
mod event;
mod framed;
#[cfg(doc)]
pub mod guide;
mod handle;
mod handshake;
#[cfg(test)]
mod layers;
mod message;
mod messages;
mod net;
#[cfg(not(target_arch = "wasm32"))]
mod protocol;
mod reconnect;
#[cfg(all(
    test,
    feature = "async-tungstenite",
    feature = "tokio",
    not(target_arch = "wasm32")
))]
mod simulation;
mod split;
mod stats;
mod stream;
mod time;
#[cfg(all(feature = "rustls", not(target_arch = "wasm32")))]
#[cfg_attr(docsrs, doc(cfg(feature = "rustls")))]
pub mod tls;
#[cfg(all(feature = "tokio-codec", not(target_arch = "wasm32")))]
mod tokio_codec;
mod trace;
mod transport;

mod client;
#[cfg(not(target_arch = "wasm32"))]
mod server;

/// For the fuzzer of this repository.
#[cfg(all(
    feature = "__fuzzing",
    feature = "async-tungstenite",
    not(target_arch = "wasm32")
))]
#[doc(hidden)]
pub mod __fuzzing {
    pub use crate::protocol::differential::check as check_decoder;
}

pub use asynchronous_codec;
pub use bytes;
pub use http;
pub use pharos;
#[doc(inline)]
pub use ws_framed_codecs as codecs;

#[cfg(all(feature = "axum", not(target_arch = "wasm32")))]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub use net::axum;
#[cfg(all(feature = "hyper", not(target_arch = "wasm32")))]
#[cfg_attr(docsrs, doc(cfg(feature = "hyper")))]
pub use net::hyper;
#[cfg(all(feature = "smol", not(target_arch = "wasm32")))]
#[cfg_attr(docsrs, doc(cfg(feature = "smol")))]
pub use net::smol;

pub use asynchronous_codec::{Decoder, Encoder};
#[cfg(feature = "cbor")]
pub use ws_framed_codecs::Cbor;
#[cfg(feature = "compress")]
pub use ws_framed_codecs::Compressed;
#[cfg(feature = "json")]
pub use ws_framed_codecs::Json;
#[cfg(feature = "postcard")]
pub use ws_framed_codecs::Postcard;
pub use ws_framed_codecs::{
    Bincode, CodecError, EncodeRef, LengthDelimited, LengthPrefixed, Lines, Text, WireFormat,
};

pub use client::Connector;
#[cfg(not(target_arch = "wasm32"))]
pub use handshake::{rejection::Rejection, subprotocol::offered_subprotocols};
#[cfg(target_arch = "wasm32")]
pub use net::browser::connect;
#[cfg(all(feature = "tokio", not(target_arch = "wasm32")))]
pub use net::tokio::{accept, connect};
#[cfg(not(target_arch = "wasm32"))]
pub use server::Acceptor;
#[cfg(all(feature = "tokio-codec", not(target_arch = "wasm32")))]
pub use tokio_codec::{ForTokio, TokioCodec};
#[cfg(all(feature = "tokio-tungstenite", not(target_arch = "wasm32")))]
pub use transport::tokio_tungstenite::TokioTungstenite;
#[cfg(all(feature = "async-tungstenite", not(target_arch = "wasm32")))]
pub use transport::tungstenite::Tungstenite;
pub use {
    close::{CloseCode, CloseFrame, CloseOutcome, ClosedBy, LossCause},
    config::{Config, Keepalive, TextPolicy},
    contracts::{AnyCodec, ContractCodec, Contracts, EncodeError},
    encoded::Encoded,
    error::{
        ConnectAttempt, ConnectError, Mismatch, ProxyError, Redirect, RejectedHandshake, Setting,
        SocksReply, Timeout, Unsupported, Violation, WsErr,
    },
    event::{WsEvent, WsEvents},
    framed::{WsFramed, WsFramedParts},
    handle::WsHandle,
    handshake::contract::Contract,
    message::{ControlPayload, Message, Payload},
    messages::WsMessages,
    reconnect::{
        Reconnector,
        handle::{ReconnectHandle, ReconnectState, ReconnectStates},
    },
    split::{ReuniteError, WsReceiver, WsSender},
    stats::Stats,
    stream::{WsReader, WsStream, WsWriter},
    transport::{
        BoxTransport, IntoTransport, MaybeSend, MessageTransport, Progress, Properties, StreamSink,
    },
};
