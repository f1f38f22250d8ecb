//! The way to a server: the addresses of its name, proxies, and redirects.

mod addresses;
#[cfg(target_os = "linux")]
mod namespace;
mod proxies;
mod proxy_from_env;
mod redirects;
mod settings;
#[cfg(any(target_os = "android", target_os = "linux"))]
mod sockets;

use futures::future;
use tokio::net::TcpListener;
use ws_framed::{Acceptor, Connector, WsErr, WsStream};

/// A runtime for clients.
#[derive(Clone, Copy, Debug)]
enum Runtime {
    Tokio,
    Smol,
}

const RUNTIMES: [Runtime; 2] = [Runtime::Tokio, Runtime::Smol];

async fn connect(
    runtime: Runtime,
    connector: &Connector,
    url: impl AsRef<str>,
) -> Result<WsStream, WsErr> {
    match runtime {
        Runtime::Tokio => connector.connect(url).await,
        Runtime::Smol => ws_framed::smol::connect_with(connector, url).await,
    }
}

/// Runs a test with a client of each runtime.
fn on_runtimes(test: impl AsyncFn(Runtime)) {
    for runtime in RUNTIMES {
        support::run(test(runtime));
    }
}

/// Connects to a server behind `listener`, and gives both ends.
async fn open(
    runtime: Runtime,
    connector: &Connector,
    url: &str,
    listener: &TcpListener,
) -> (WsStream, WsStream) {
    let acceptor = Acceptor::new();
    let server = async { acceptor.accept(listener.accept().await.unwrap().0).await };
    let (server, client) = future::join(server, connect(runtime, connector, url)).await;
    (server.unwrap(), client.unwrap())
}
