//! The guide: a page for each question that comes up when the first example works.
//!
//! | to begin with | |
//! |---|---|
//! | [Choosing a view](views) | items, bytes or messages |
//! | [What moves a connection](moving) | who must read, and what happens while nobody does |
//! | [Several tasks](tasks) | splitting, a queue for the writer, one value for many connections |
//! | [The errors](errors) | each [`WsErr`], what the peer hears, and what to do |
//! | [Closing](closing) | the ways to close, close codes, and how each end reads |
//!
//! | for a service that runs for long | |
//! |---|---|
//! | [Backpressure](backpressure) | who waits for whom, and where things may queue |
//! | [Limits](limits) | which limit bounds what, and the memory of many connections |
//! | [Deadlines](deadlines) | keepalive, and everything else that is given up after a time |
//! | [Cancel safety](cancel_safety) | what a future loses that is dropped: nothing, and where the exceptions are |
//! | [Authentication](authentication) | who may connect, and what a server keeps of a request |
//! | [Behind a proxy](proxies) | nginx, HAProxy, and the address of the client |
//! | [Watching](watching) | logs, metrics and events |
//!
//! | to fit it in | |
//! |---|---|
//! | [Frameworks and runtimes](frameworks) | tokio, smol, axum, hyper, TLS, and sockets from elsewhere |
//! | [In a browser](browser) | what is different there |
//! | [Codecs and peers](codecs) | which codec for which peer, and what values become in other languages |
//! | [A codec of your own](custom_codec) | the contract of encoder and decoder |
//! | [A transport of your own](custom_transport) | another WebSocket below |
//! | [Testing](testing) | your protocol, without a network |
//! | [Migrating](migrating) | from `tokio-tungstenite`, `async-tungstenite`, axum's `WebSocket` and `ws_stream_tungstenite` |
//!
//! The module is in the documentation only: no build has it.

// For the links.
#[allow(unused_imports)]
use crate::*;

/// Each page is a file of that name in `guide/`. Its snippets use these features. Those of the
/// pages behind the semicolon need frameworks, and are tested in `examples/frameworks`.
macro_rules! pages {
    ($($name:ident)*; $($tested_elsewhere:ident)*) => {
        pages! { $($name)* => all() }
        pages! { $($tested_elsewhere)* => not(doctest) }
    };
    ($($name:ident)* => $is_tested_here:meta) => {$(
        #[cfg_attr(
            all(
                $is_tested_here,
                feature = "axum",
                feature = "async-tungstenite",
                feature = "bincode",
                feature = "json",
                feature = "postcard",
                feature = "rustls",
                feature = "smol",
                feature = "tokio",
                feature = "tokio-tungstenite",
                feature = "tracing"
            ),
            doc = include_str!(concat!("guide/", stringify!($name), ".md"))
        )]
        #[cfg_attr(
            not(all(
                $is_tested_here,
                feature = "axum",
                feature = "async-tungstenite",
                feature = "bincode",
                feature = "json",
                feature = "postcard",
                feature = "rustls",
                feature = "smol",
                feature = "tokio",
                feature = "tokio-tungstenite",
                feature = "tracing"
            )),
            doc = "This page is in the documentation with all features."
        )]
        pub mod $name {}
    )*};
}

pages! {
    views moving tasks errors closing
    backpressure limits deadlines cancel_safety authentication proxies watching
    browser codecs custom_codec custom_transport testing;
    frameworks migrating
}
