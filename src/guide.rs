//! The guide: a page for each topic beyond the quick start.
//!
//! | first steps | |
//! |---|---|
//! | [Stream types](views) | items, bytes or messages |
//! | [Driving a connection](moving) | why a read must be pending |
//! | [Several tasks](tasks) | splitting, a queue for the writer, one value for many connections |
//! | [Errors](errors) | each [`WsErr`], the close code sent, and how to handle it |
//! | [Closing](closing) | the methods, close codes, and what each end reads |
//!
//! | operation | |
//! |---|---|
//! | [Backpressure](backpressure) | which side waits, and where data is queued |
//! | [Limits](limits) | what each limit bounds, and the memory of many connections |
//! | [Deadlines](deadlines) | keepalive, and all other timeouts |
//! | [Cancel safety](cancel_safety) | what a dropped future loses |
//! | [Authentication](authentication) | checking requests, and keeping data of a request |
//! | [Proxies](proxies) | through HTTP and SOCKS5 proxies; nginx, HAProxy and Caddy; the address of the client |
//! | [Observability](watching) | logs, metrics and events |
//!
//! | integration | |
//! |---|---|
//! | [Frameworks and runtimes](frameworks) | tokio, smol, axum, hyper, TLS, and existing sockets |
//! | [Browsers](browser) | the differences from native targets |
//! | [Codecs and peers](codecs) | a codec for each peer, and values in other languages |
//! | [Custom codecs](custom_codec) | the contract of encoder and decoder |
//! | [Custom transports](custom_transport) | another WebSocket implementation |
//! | [Testing](testing) | a protocol without a network |
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
