//! What the types that need a framework can be used for, checked by the compiler.

use std::fmt::Debug;

/// As `plain_data_goes_anywhere` and `futures_can_be_spawned` in `tests/it/api.rs`.
#[test]
fn types_of_features() {
    fn plain<T: Send + Sync + Unpin + Clone + Debug + 'static>() {}
    fn spawnable<F: Future + Send>(_: impl FnOnce() -> F) {}
    fn never<T>() -> T {
        unreachable!("only its type is of interest")
    }
    plain::<(ws_framed::tls::ClientTls, ws_framed::tls::ServerTls)>();
    spawnable(|| {
        let request = never::<&mut axum::http::Request<()>>();
        ws_framed::hyper::upgrade(&never(), request).1
    });
    spawnable(|| never::<ws_framed::axum::WsUpgrade>().answer(&never()).1);
}
