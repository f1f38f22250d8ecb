//! Typed messages, or a plain byte stream, over a WebSocket: on a server, in a native client, and
//! in a browser.
//!
//! ```
//! # #[cfg(feature = "tokio")]
//! # mod example {
//! use futures::{SinkExt, TryStreamExt};
//! use ws_framed::{CloseFrame, CodecError, Lines};
//!
//! async fn client(url: &str) -> Result<(), CodecError> {
//!     let mut lines = ws_framed::connect(url).await?.framed(Lines::new(1024));
//!     lines.send("hello".to_owned()).await?;
//!     println!("{:?}", lines.try_next().await?);
//!     lines.close_with(CloseFrame::normal()).await?;
//!     Ok(())
//! }
//!
//! async fn server(socket: tokio::net::TcpStream) -> Result<(), CodecError> {
//!     let mut lines = ws_framed::accept(socket).await?.framed(Lines::new(1024));
//!     while let Some(line) = lines.try_next().await? {
//!         lines.send(line.to_uppercase()).await?;
//!     }
//!     Ok(())
//! }
//! # }
//! ```
//!
//! | stream of | type | for |
//! |---|---|---|
//! | items | [`WsFramed`]: `Stream` and `Sink` | typed messages, by [`WsStream::framed`], [`WsStream::per_message`] or [`WsStream::framed_by`] |
//! | bytes | [`WsStream`]: `AsyncRead`, `AsyncBufRead`, `AsyncWrite` | code that takes a byte stream |
//! | messages | [`WsMessages`]: `Stream` and `Sink` of [`Message`]s | peers that send text and binary messages |
//!
//! | task | entry point |
//! |---|---|
//! | open a connection as a client | [`connect`], or a [`Connector`] with settings |
//! | open a connection as a server | [`accept`], or an [`Acceptor`] with settings |
//! | wrap a WebSocket that is already open | [`WsStream::new`] |
//! | ping, close or observe from another task | [`WsHandle`] |
//! | bound memory and time | [`Config`] |
//! | connect again after an end | [`Reconnector`] |
//! | agree on protocol, version and codec | [`Contract`], [`Contracts`] |
//!
//! The [`guide`] has a page for each topic: [choices](guide::choices) helps to select a stream
//! type, a codec and limits, and [features](guide::features) lists the features of the crate.

// Some links lead to what features add.
#![cfg_attr(
    not(all(
        feature = "async-tungstenite",
        feature = "axum",
        feature = "bincode",
        feature = "cbor",
        feature = "compress",
        feature = "hyper",
        feature = "json",
        feature = "postcard",
        feature = "rustls",
        feature = "smol",
        feature = "tokio",
        feature = "tokio-codec",
        feature = "tokio-tungstenite"
    )),
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

/// The snippets of the README, with the features that they use.
#[cfg(all(doctest, feature = "postcard", feature = "tokio"))]
#[doc = include_str!("../README.md")]
mod readme {}

/// For the fuzzer of this repository.
#[cfg(all(
    feature = "__fuzzing",
    feature = "async-tungstenite",
    not(target_arch = "wasm32")
))]
#[doc(hidden)]
pub mod __fuzzing {
    pub use crate::{
        handshake::extensions::fuzzing::check as check_extensions,
        protocol::{differential::check as check_decoder, inflation::check as check_inflation},
    };
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
#[cfg(feature = "deflate")]
pub use config::{Compression, Deflate};
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
    contracts::{AnyCodec, ContractCodec, Contracts, ContractsIter, EncodeError},
    encoded::Encoded,
    error::{
        ConnectAttempt, ConnectError, Mismatch, ProxyError, Redirect, RejectedHandshake, Setting,
        SocksReply, Timeout, Unsupported, Violation, WsErr,
    },
    event::{WsEvent, WsEvents},
    framed::{WsFramed, WsFramedParts},
    handle::WsHandle,
    handshake::contract::Contract,
    message::{ControlPayload, Message, Payload, SharedMessage},
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
