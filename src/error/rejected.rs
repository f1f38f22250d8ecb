//! The response of a server that does not open a WebSocket.

use std::{fmt, io};

use http::{HeaderMap, StatusCode};

/// The response of a server that did not open a WebSocket, in [`WsErr::Rejected`](super::WsErr).
///
/// ```
/// use ws_framed::{WsErr, http::header::WWW_AUTHENTICATE};
///
/// fn challenge(error: &WsErr) -> Option<&str> {
///     match error {
///         WsErr::Rejected(response) if response.status() == 401 => {
///             response.headers().get(WWW_AUTHENTICATE)?.to_str().ok()
///         }
///         _ => None,
///     }
/// }
/// assert_eq!(challenge(&WsErr::Closed), None);
/// ```
#[derive(Clone)]
pub struct RejectedHandshake {
    status: StatusCode,
    headers: HeaderMap,
    reason: String,
    redirect: Option<Redirect>,
}

impl RejectedHandshake {
    /// A response with this status, these headers and this text.
    #[must_use]
    pub fn new(status: StatusCode, headers: HeaderMap, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self {
            status,
            headers,
            reason,
            redirect: None,
        }
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn set_redirect(&mut self, redirect: Redirect) {
        self.redirect = Some(redirect);
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers, such as `Location`, `Retry-After` and `WWW-Authenticate`. Headers that are not
    /// valid are not among them; there are none if the server sent the status only.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Where the server sends the client: the `Location` of a response with status 301, 302, 303,
    /// 307 or 308, if it is the URL of a WebSocket. A server has none for its own response.
    ///
    /// A client follows it with `Connector::follow_redirects`. To follow it by hand, leave out the
    /// headers that the other server may not have, such as `Authorization`.
    #[must_use]
    pub fn redirect(&self) -> Option<&Redirect> {
        self.redirect.as_ref()
    }

    /// `ConnectionRefused` would mean that nothing listens.
    pub(super) fn kind(&self) -> io::ErrorKind {
        match self.status {
            StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::PROXY_AUTHENTICATION_REQUIRED => io::ErrorKind::PermissionDenied,
            StatusCode::NOT_FOUND | StatusCode::GONE => io::ErrorKind::NotFound,
            _ => io::ErrorKind::Other,
        }
    }

    /// The first 1024 bytes of the body, as far as they arrived within a second, as text. Without a
    /// body, the phrase that stands for the status, such as `Not Found`.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for RejectedHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (status, reason) = (self.status.as_str(), &self.reason);
        write!(f, "HTTP status {status}")?;
        match self.status.canonical_reason() {
            // A page in HTML does not begin with what has happened.
            Some(phrase) if !reason.contains(phrase) => write!(f, " ({phrase}): {reason}"),
            _ => write!(f, ": {reason}"),
        }
    }
}

/// Where a server sends a client, in a [`RejectedHandshake`].
#[derive(Clone, PartialEq, Eq)]
pub struct Redirect {
    url: String,
    may_follow: bool,
}

impl Redirect {
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn new(url: String, may_follow: bool) -> Self {
        Self { url, may_follow }
    }

    /// The target: `Location`, resolved against the URL of the request (RFC 9110 section 10.2.2),
    /// with `ws` for `http` and `wss` for `https`. Without user, password and fragment.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether it may be followed: `false` from `wss` to `ws`, where others could read what was
    /// secret.
    #[must_use]
    pub fn may_follow(&self) -> bool {
        self.may_follow
    }
}

/// Prints no URL, since queries may contain secrets.
impl fmt::Debug for Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redirect")
            .field("may_follow", &self.may_follow)
            .finish_non_exhaustive()
    }
}

/// Prints the names of headers only: `Set-Cookie` has a secret as its value.
impl fmt::Debug for RejectedHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.keys().map(http::HeaderName::as_str).collect();
        f.debug_struct("RejectedHandshake")
            .field("status", &self.status.as_u16())
            .field("headers", &names)
            .field("reason", &self.reason)
            .field("redirect", &self.redirect)
            .finish()
    }
}
