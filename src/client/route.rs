//! How a client gets to a server: the addresses of a name, those of the client, and proxies.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use futures::future::BoxFuture;

use super::{Connector, proxy::ProxyChoice};
use crate::error::Setting;

/// The settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Route {
    pub(crate) resolver: Option<Resolver>,
    pub(crate) proxy: ProxyChoice,
    pub(crate) max_redirects: u32,
    local_v4: Option<Ipv4Addr>,
    local_v6: Option<Ipv6Addr>,
}

/// A resolver of the caller.
#[derive(Clone)]
pub(crate) struct Resolver(Arc<Resolve>);

type Resolve = dyn Fn(String, u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync;

impl Resolver {
    pub(crate) async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.0(host.to_owned(), port).await
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}

impl Route {
    /// A setting that was changed, if any was.
    pub(crate) fn first_setting(&self) -> Option<Setting> {
        let has_local = self.local_v4.is_some() || self.local_v6.is_some();
        let settings = [
            (!self.proxy.is_none(), Setting::ConnectorProxy),
            (self.resolver.is_some(), Setting::ConnectorResolver),
            (has_local, Setting::ConnectorLocalAddress),
            (self.max_redirects != 0, Setting::ConnectorRedirects),
        ];
        settings
            .into_iter()
            .find_map(|(is_set, setting)| is_set.then_some(setting))
    }

    /// The address to connect to `remote` from, if any was set.
    ///
    /// # Errors
    /// `AddrNotAvailable` if one was set for the other family only.
    pub(crate) fn local_for(&self, remote: SocketAddr) -> io::Result<Option<IpAddr>> {
        let (same, other) = match remote {
            SocketAddr::V4(_) => (self.local_v4.map(IpAddr::V4), self.local_v6.is_some()),
            SocketAddr::V6(_) => (self.local_v6.map(IpAddr::V6), self.local_v4.is_some()),
        };
        if same.is_none() && other {
            let why = "no local address of this family was set";
            return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, why));
        }
        Ok(same)
    }
}

impl Connector {
    /// Sets the resolver for the names of servers and proxies, in place of that of the operating
    /// system. It gets a name and a port, and returns addresses in the order of preference. It is
    /// not called for IP addresses, nor for a name that a proxy resolves. Not in a browser, and an
    /// error for `connect_over`.
    ///
    /// The addresses are tried as [`connect`](Self::connect) says. Their ports may differ from the
    /// given one. An error of the resolver becomes [`ConnectError::lookup_error`].
    ///
    /// ```
    /// use std::net::SocketAddr;
    /// use ws_framed::Connector;
    ///
    /// let connector = Connector::new().resolver(async |_name, port| {
    ///     Ok(vec![SocketAddr::from(([192, 0, 2, 7], port))])
    /// });
    /// ```
    ///
    /// [`ConnectError::lookup_error`]: crate::ConnectError::lookup_error
    #[must_use]
    pub fn resolver<R, F>(mut self, resolve: R) -> Self
    where
        R: Fn(String, u16) -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        let resolve: Arc<Resolve> = Arc::new(move |host, port| Box::pin(resolve(host, port)));
        self.route.resolver = Some(Resolver(resolve));
        self
    }

    /// Sets a local address to connect from. It may be called once for each family. Addresses of a
    /// family without one are then not connected to: their attempts fail with `AddrNotAvailable`.
    /// Not in a browser, and an error for `connect_over`.
    ///
    /// ```
    /// use std::net::Ipv4Addr;
    /// use ws_framed::Connector;
    ///
    /// let connector = Connector::new().local_address(Ipv4Addr::new(192, 0, 2, 10));
    /// ```
    #[must_use]
    pub fn local_address(mut self, address: impl Into<IpAddr>) -> Self {
        match address.into() {
            IpAddr::V4(address) => self.route.local_v4 = Some(address),
            IpAddr::V6(address) => self.route.local_v6 = Some(address),
        }
        self
    }

    /// Follows up to this number of redirects (status 301, 302, 303, 307 and 308). Default 0: they
    /// are errors, see [`RejectedHandshake::redirect`]. Not in a browser, which follows none, and
    /// an error for `connect_over`.
    ///
    /// From `wss` to `ws`, none is followed. A server of another origin (scheme, host, port) gets
    /// no user and password of the URL, and of the [headers](Self::header) only `Origin` and
    /// `User-Agent`, nor does any server after it. It gets the subprotocols and contracts. All
    /// requests are within [`handshake_timeout`](crate::Config::handshake_timeout). If the last
    /// response is a redirect, too, it is the error.
    ///
    /// [`RejectedHandshake::redirect`]: crate::RejectedHandshake::redirect
    #[must_use]
    pub fn follow_redirects(mut self, max: u32) -> Self {
        self.route.max_redirects = max;
        self
    }
}
