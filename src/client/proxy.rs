//! The proxies of a client.

#[cfg(feature = "proxy-env")]
mod environment;

use super::Connector;
use crate::{
    error::WsErr,
    handshake::url::{WsUrl, proxy::Proxy},
};

/// Which proxy a connection uses.
#[derive(Clone, Debug, Default)]
pub(crate) enum ProxyChoice {
    #[default]
    None,
    /// That with this URL, or the error of the URL.
    Given(Result<Proxy, WsErr>),
    #[cfg(feature = "proxy-env")]
    Environment(environment::Environment),
}

impl ProxyChoice {
    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// The proxy for a connection to `url`.
    ///
    /// # Errors
    /// [`WsErr::InvalidUrl`] if the URL of the proxy is not valid.
    #[cfg_attr(not(feature = "proxy-env"), allow(unused_variables))]
    pub(crate) fn for_url(&self, url: &WsUrl) -> Result<Option<Proxy>, WsErr> {
        match self {
            Self::None => Ok(None),
            Self::Given(proxy) => proxy.clone().map(Some),
            #[cfg(feature = "proxy-env")]
            Self::Environment(environment) => environment.proxy_for(url),
        }
    }
}

impl Connector {
    /// Connects through a proxy, which resolves the name of the server: `http://` or `https://` for
    /// a proxy that supports CONNECT (RFC 9110 section 9.3.6), `socks5://` or `socks5h://` with the
    /// feature `socks`. A user and a password in the URL are sent to the proxy, and are in no error
    /// and no log. Not in a browser, and an error for `connect_over`.
    ///
    /// Default ports are 80, 443 and 1080. `wss://` is spoken through the proxy with the server.
    /// Over `https://`, the proxy is spoken to with the TLS configuration of the connector. All of
    /// it is within [`handshake_timeout`](crate::Config::handshake_timeout).
    ///
    /// Connecting fails with [`WsErr::InvalidUrl`] if the URL is not valid or its feature is off,
    /// with [`WsErr::Connect`] if the proxy cannot be reached, and with [`WsErr::Proxy`] if it does
    /// not connect to the server.
    ///
    /// ```
    /// use ws_framed::Connector;
    ///
    /// let connector = Connector::new().proxy("http://ann:secret@proxy.example:3128");
    /// ```
    #[must_use]
    pub fn proxy(mut self, url: impl AsRef<str>) -> Self {
        self.route.proxy = ProxyChoice::Given(Proxy::parse(url.as_ref()));
        self
    }

    /// Connects through the [proxy](Self::proxy) that the environment variables say, as they are
    /// now: `HTTP_PROXY` for `ws://`, `HTTPS_PROXY` for `wss://`, `ALL_PROXY` for both, and
    /// `NO_PROXY` for the servers that need none. The upper-case name counts if both are set. Not
    /// in a browser, and an error for `connect_over`.
    ///
    /// The rules are those of `hyper-util`:
    /// - A proxy without a scheme is `http://`.
    /// - A variable that is no URL of a proxy is ignored.
    /// - `NO_PROXY` lists names with their subdomains, addresses, networks (`10.0.0.0/8`) and `*`,
    ///   with commas between them.
    /// - In a CGI script, where `REQUEST_METHOD` is set, there is no proxy.
    #[cfg(feature = "proxy-env")]
    #[must_use]
    pub fn proxy_from_env(mut self) -> Self {
        self.route.proxy = ProxyChoice::Environment(environment::Environment::read());
        self
    }
}
