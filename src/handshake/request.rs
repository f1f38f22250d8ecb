//! What a server may look at before it accepts.

use async_tungstenite::tungstenite::http::{
    HeaderMap, Uri,
    header::{HOST, ORIGIN, SEC_WEBSOCKET_PROTOCOL},
};

/// A client's request to open a WebSocket (RFC 6455 section 4.2.1), as far as a server may want to judge it.
///
/// Everything in it is the client's word. A browser sets `Origin` itself, so that tells one page from another; any
/// other client says what it likes. Behind a proxy, `Host` and the address of the socket may be the proxy's;
/// whether to believe its `X-Forwarded-For` is for you to know.
#[derive(Clone, Copy, Debug)]
pub struct HandshakeRequest<'a> {
    uri: &'a Uri,
    headers: &'a HeaderMap,
}

impl<'a> HandshakeRequest<'a> {
    pub(crate) fn new(uri: &'a Uri, headers: &'a HeaderMap) -> Self {
        Self { uri, headers }
    }

    /// The path, as it came: with a `/` in front, percent signs and all.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.uri.path()
    }

    /// What stands behind the `?`, as it came.
    #[must_use]
    pub fn query(&self) -> Option<&'a str> {
        self.uri.query()
    }

    /// The header `Host`: a name or an address, and a port if it is not the usual one.
    #[must_use]
    pub fn host(&self) -> Option<&'a str> {
        self.header(HOST.as_str())
    }

    /// The header `Origin`: the scheme, host and port of the page that opens the WebSocket, if a page does.
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

    /// The subprotocols that are offered, the most wanted first.
    pub fn subprotocols(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.headers(SEC_WEBSOCKET_PROTOCOL.as_str())
            .flat_map(|names| names.split(','))
            .map(str::trim)
            .filter(|name| !name.is_empty())
    }

    /// How many headers of this name there are, readable or not.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.headers.get_all(name).iter().count()
    }
}
