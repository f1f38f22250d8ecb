//! The request of a client, for a server to validate.

use http::{
    HeaderMap, Uri,
    header::{HOST, ORIGIN, SEC_WEBSOCKET_PROTOCOL},
};

use super::headers::list;

/// A client's request to open a WebSocket (RFC 6455 section 4.2.1).
///
/// The client determines all of its content. A browser sets `Origin` itself, which distinguishes
/// pages; other clients send any value. Behind a proxy, `Host` and the address of the socket may be
/// those of the proxy. Whether its `X-Forwarded-For` can be trusted depends on the deployment.
#[derive(Clone, Copy, Debug)]
pub struct HandshakeRequest<'a> {
    uri: &'a Uri,
    headers: &'a HeaderMap,
}

impl<'a> HandshakeRequest<'a> {
    pub(crate) fn new(uri: &'a Uri, headers: &'a HeaderMap) -> Self {
        Self { uri, headers }
    }

    /// The path, which begins with `/`. Percent signs are not decoded.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.uri.path()
    }

    /// The query, which is behind the `?`. Percent signs are not decoded.
    #[must_use]
    pub fn query(&self) -> Option<&'a str> {
        self.uri.query()
    }

    /// The header `Host`: a name or an address, and a port if it is not the default one.
    #[must_use]
    pub fn host(&self) -> Option<&'a str> {
        self.header(HOST.as_str())
    }

    /// The header `Origin`: the scheme, host and port of the page that opens the WebSocket.
    #[must_use]
    pub fn origin(&self) -> Option<&'a str> {
        self.header(ORIGIN.as_str())
    }

    /// The first header of this name, in any case, that is visible ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers(name).next()
    }

    /// All headers of this name, in any case, that are visible ASCII.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let values = self.headers.get_all(name).iter();
        values.filter_map(|value| value.to_str().ok())
    }

    /// The subprotocols that are offered, the preferred one first.
    pub fn subprotocols(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        list(self.headers, SEC_WEBSOCKET_PROTOCOL).filter_map(|name| std::str::from_utf8(name).ok())
    }

    /// The number of headers of this name, readable or not.
    pub(super) fn count(&self, name: &str) -> usize {
        self.headers.get_all(name).iter().count()
    }
}
