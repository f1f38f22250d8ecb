//! The guide: a page for each topic beyond the quick start.
//!
//! | first steps | |
//! |---|---|
//! | [Choices](choices) | which stream type, which codec, which limits |
//! | [Stream types](stream_types) | items, bytes or messages |
//! | [Progress](progress) | why a read must be pending, and when data is sent |
//! | [Tasks](tasks) | splitting, a queue for the writer, one value for many connections |
//! | [Errors](errors) | each [`WsErr`], the close code sent, and how to handle it |
//! | [Closing](closing) | the methods, close codes, and what each end reads |
//!
//! | operation | |
//! |---|---|
//! | [Backpressure](backpressure) | which side waits, and where data is queued |
//! | [Limits](limits) | what each limit bounds, and the memory of many connections |
//! | [Compression](compression) | permessage-deflate or LZ4, their costs, and secrets |
//! | [Deadlines](deadlines) | keepalive, and all other timeouts |
//! | [Cancel safety](cancel_safety) | what a dropped future loses |
//! | [Reconnection](reconnection) | retries, backoff, and what to send again |
//! | [Authentication](authentication) | checking requests, and keeping data of a request |
//! | [Proxies](proxies) | through HTTP and SOCKS5 proxies; nginx, HAProxy and Caddy; the address of the client |
//! | [Observability](observability) | logs, metrics and events |
//! | [Performance](performance) | measured costs, and what makes a program faster |
//!
//! | integration | |
//! |---|---|
//! | [Frameworks and runtimes](frameworks) | tokio, smol, axum, hyper, TLS, and existing sockets |
//! | [Browsers](browser) | the differences from native targets |
//! | [Codecs](codecs) | all codecs, a codec for each peer, and values in other languages |
//! | [Contracts](contracts) | agreeing on protocol, version, codec and limit in the handshake |
//! | [Custom codecs](custom_codec) | the contract of encoder and decoder |
//! | [Custom transports](custom_transport) | another WebSocket implementation |
//! | [Tests](testing) | a protocol without a network |
//! | [Deviations](deviations) | where the handshake and the close differ from the RFCs, and why |
//! | [Features](features) | the features of the crate, and what each adds |
//! | [Migration](migration) | from `ws_stream_tungstenite`, `tokio-tungstenite`, axum's `ws`, and `gloo-net` |
//!
//! The module is in the documentation only: no build has it.

// For the links.
#[allow(unused_imports)]
use crate::*;

/// Each page is a file of that name in this folder. Its text is in the documentation with any
/// features; its snippets are tested with all that they use. The snippets of the pages behind the
/// semicolon need frameworks, and are tested in `examples/frameworks`.
macro_rules! pages {
    ($folder:literal: $($name:ident)*; $($tested_elsewhere:ident)*) => {
        pages! { $folder: $($name)* => all() }
        pages! { $folder: $($tested_elsewhere)* => not(doctest) }
    };
    ($folder:literal: $($name:ident)* => $is_tested_here:meta) => {$(
        #[cfg_attr(
            any(
                not(doctest),
                all(
                    $is_tested_here,
                    feature = "async-tungstenite",
                    feature = "axum",
                    feature = "bincode",
                    feature = "compress",
                    feature = "deflate",
                    feature = "json",
                    feature = "postcard",
                    feature = "rustls",
                    feature = "smol",
                    feature = "tokio",
                    feature = "tokio-tungstenite",
                    feature = "tracing"
                )
            ),
            doc = include_str!(concat!($folder, stringify!($name), ".md"))
        )]
        pub mod $name {}
    )*};
}

pages! {
    "guide/":
    choices stream_types progress tasks errors closing
    backpressure limits compression deadlines cancel_safety reconnection authentication proxies observability
    browser codecs contracts custom_codec custom_transport testing deviations features;
    frameworks
}

#[doc = include_str!("guide/performance.md")]
// A block of HTML: no blank line inside. The background follows the system's colours, as the
// picture does, and not those of rustdoc.
#[cfg_attr(
    not(doctest),
    doc = concat!(
        "\n<div style=\"overflow-x: auto; background: Canvas; color-scheme: light dark\">\n",
        include_str!("../benches/peers.svg"),
        "\n</div>\n"
    )
)]
pub mod performance {}

#[doc = include_str!("guide/migration/mod.md")]
pub mod migration {
    // For the links.
    #[allow(unused_imports)]
    use super::*;

    pages! {
        "guide/migration/":
        ws_stream_tungstenite gloo_net;
        tokio_tungstenite axum_ws
    }
}
