//! The response of a server that does not open a WebSocket.

use std::{fmt, io};

use http::{HeaderMap, StatusCode};

/// The response of a server that did not open a WebSocket, in [`WsErr::Rejected`](super::WsErr).
///
/// ```
/// use ws_framed::{WsErr, http::{StatusCode, header::LOCATION}};
///
/// fn redirection(error: &WsErr) -> Option<&str> {
///     match error {
///         WsErr::Rejected(response) if response.status().is_redirection() => {
///             response.headers().get(LOCATION)?.to_str().ok()
///         }
///         _ => None,
///     }
/// }
/// assert_eq!(redirection(&WsErr::Closed), None);
/// ```
#[derive(Clone)]
pub struct RejectedHandshake {
    status: StatusCode,
    headers: HeaderMap,
    reason: String,
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
        }
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
        write!(f, "HTTP status {status}: {reason}")
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
            .finish()
    }
}
