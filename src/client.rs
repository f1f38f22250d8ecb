//! [`Connector`]: the settings of a client, and the handshake over an open byte stream.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod native;
#[cfg(all(any(feature = "smol", feature = "tokio"), not(target_arch = "wasm32")))]
mod proxy;
#[cfg(all(any(feature = "smol", feature = "tokio"), not(target_arch = "wasm32")))]
pub(crate) mod route;

use http::{HeaderName, HeaderValue};

use crate::{
    config::Config,
    handshake::{added_headers::AddedHeaders, contract::Contract, options::HandshakeOptions},
};

/// Opens connections as a client. A connector may be used many times.
///
/// ```no_run
/// use ws_framed::{Config, Connector};
///
/// # async fn connect() -> Result<(), ws_framed::WsErr> {
/// let connector = Connector::new()
///     .config(Config::default().max_recv_message_len(64 * 1024))
///     .header("Authorization", "Bearer 8f3a")
///     .subprotocol("chat.v2")
///     .subprotocol("chat.v1");
/// let stream = connector.connect("ws://localhost:8080").await?;
/// println!("speaking {:?}", stream.subprotocol());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Connector {
    pub(crate) config: Config,
    /// Without headers.
    pub(crate) options: HandshakeOptions,
    pub(crate) headers: AddedHeaders,
    #[cfg(all(any(feature = "smol", feature = "tokio"), not(target_arch = "wasm32")))]
    pub(crate) route: route::Route,
    #[cfg(all(feature = "rustls", not(target_arch = "wasm32")))]
    pub(crate) tls: Option<crate::tls::ClientTls>,
}

impl Connector {
    /// Default settings, no headers, no subprotocols.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the limits, deadlines and policies of the connections.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        #[cfg(all(feature = "deflate", not(target_arch = "wasm32")))]
        {
            self.options.compression = config.compression;
        }
        self.config = config;
        self
    }

    /// Adds a header to the request. `Host` and `Authorization` replace those of the URL. A browser
    /// cannot send headers.
    ///
    /// Text that is not ASCII is sent as UTF-8. Connecting fails with [`WsErr::InvalidHeader`] if
    /// the header is not valid, or belongs to the handshake itself, such as `Upgrade`.
    ///
    /// ```
    /// use ws_framed::{Connector, http::{HeaderValue, header::AUTHORIZATION}};
    ///
    /// let connector = Connector::new()
    ///     .header("X-Room", "7")
    ///     .header(AUTHORIZATION, HeaderValue::from_static("Bearer 8f3a"));
    /// ```
    ///
    /// [`WsErr::InvalidHeader`]: crate::WsErr::InvalidHeader
    #[must_use]
    pub fn header<K, V>(mut self, name: K, value: V) -> Self
    where
        HeaderName: TryFrom<K, Error: Into<http::Error>>,
        HeaderValue: TryFrom<V, Error: Into<http::Error>>,
    {
        self.headers.add(name, value);
        self
    }

    /// Offers a subprotocol, the preferred one first. A server may prefer another: an
    /// [`Acceptor`](crate::Acceptor) selects by its own order. [`WsStream::subprotocol`] returns the
    /// one that the server selected. If it selects none, the handshake fails with
    /// [`WsErr::NoSubprotocol`].
    ///
    /// [`WsStream::subprotocol`]: crate::WsStream::subprotocol
    /// [`WsErr::NoSubprotocol`]: crate::WsErr::NoSubprotocol
    #[must_use]
    pub fn subprotocol(mut self, name: impl Into<String>) -> Self {
        self.options.add_subprotocol(name);
        self
    }

    /// Offers a [`Contract`], as one more subprotocol. [`WsStream::contract`] returns the one that
    /// the server selected.
    ///
    /// A server that supports contracts, but none of those offered, responds with status 400 and
    /// says what differs: [`WsErr::Rejected`]. A server without contracts selects none:
    /// [`WsErr::NoSubprotocol`]. A browser does not distinguish these from other failures.
    ///
    /// [`WsStream::contract`]: crate::WsStream::contract
    /// [`WsErr::Rejected`]: crate::WsErr::Rejected
    /// [`WsErr::NoSubprotocol`]: crate::WsErr::NoSubprotocol
    #[must_use]
    pub fn contract(mut self, contract: Contract) -> Self {
        self.options.add_contract(contract);
        self
    }

    /// Offers several contracts, the preferred one first: those of a
    /// [`Contracts`](crate::Contracts), whose codecs
    /// [`WsStream::framed_by`](crate::WsStream::framed_by) uses.
    #[must_use]
    pub fn contracts<'a>(self, contracts: impl IntoIterator<Item = &'a Contract>) -> Self {
        let contracts = contracts.into_iter().cloned();
        contracts.fold(self, Self::contract)
    }
}
