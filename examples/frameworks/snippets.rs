//! Snippets of the documentation of ws-framed that need a framework. They are tested here, so that
//! the library itself does not depend on the frameworks, not even for its tests. The examples are
//! beside this file.

#[cfg(doctest)]
mod snippets {
    #[doc = include_str!("../../src/net/axum.md")]
    mod axum {}
    #[doc = include_str!("../../src/net/hyper.md")]
    mod hyper {}
    #[doc = include_str!("../../src/net/smol.md")]
    mod smol {}
    #[doc = include_str!("../../src/guide/frameworks.md")]
    mod frameworks {}
    #[doc = include_str!("../../src/guide/migration/axum_ws.md")]
    mod axum_ws {}
    #[doc = include_str!("../../src/guide/migration/tokio_tungstenite.md")]
    mod tokio_tungstenite {}
}
