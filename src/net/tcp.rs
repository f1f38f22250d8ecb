//! TCP connections to a host, whatever the runtime.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use super::race::race;
use crate::{
    client::route::Route,
    error::{ConnectError, WsErr},
    transport::io::ByteStream,
};

/// The sockets of a runtime.
pub(super) trait Runtime {
    type Socket: ByteStream;

    /// The addresses of a host, by the operating system.
    fn look_up(host: &str, port: u16) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send;

    /// Connects to an address from a local one.
    fn connect(
        address: SocketAddr,
        local: Option<IpAddr>,
    ) -> impl Future<Output = io::Result<Self::Socket>> + Send;

    /// Sets the options of a socket that is used, and returns the address of the peer.
    fn prepare(socket: &Self::Socket) -> Option<SocketAddr>;
}

/// Connects to a host. The attempts are in `progress` until one succeeds. The caller limits the
/// time.
///
/// # Errors
/// [`WsErr::Connect`].
pub(super) async fn connect<R: Runtime>(
    route: &Route,
    (host, port): (&str, u16),
    is_proxy: bool,
    progress: &mut Option<ConnectError>,
) -> Result<R::Socket, WsErr> {
    let error = || ConnectError::new(host, port, is_proxy);
    let addresses = look_up::<R>(route, host, port).await;
    let addresses = addresses.map_err(|cause| error().with_lookup(cause))?;
    let attempts = &mut progress.insert(error()).attempts;
    let connect = async |address| R::connect(address, route.local_for(address)?).await;
    let socket = race(addresses, connect, attempts).await;
    let failed = progress.take();
    socket.ok_or_else(|| failed.unwrap_or_else(error).into())
}

async fn look_up<R: Runtime>(route: &Route, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    match &route.resolver {
        // The operating system knows the zones of IPv6 addresses.
        Some(resolver) if !host.contains(':') => resolver.look_up(host, port).await,
        _ => R::look_up(host, port).await,
    }
}
