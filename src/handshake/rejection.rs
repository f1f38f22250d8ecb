//! A rejected opening handshake.

use http::{
    HeaderMap, HeaderName, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};

use super::headers::add_headers;
use crate::error::{RejectedHandshake, WsErr};

/// Why a server does not open a WebSocket: an HTTP status, and a reason in text.
///
/// ```
/// use ws_framed::Rejection;
///
/// let rejection = Rejection::new(401, "log in first").header("WWW-Authenticate", "Bearer");
/// ```
#[derive(Clone, Debug)]
pub struct Rejection {
    status: u16,
    /// Headers that are reserved for the handshake.
    protocol_headers: Vec<(HeaderName, &'static str)>,
    headers: Vec<(String, String)>,
    reason: String,
}

impl Rejection {
    /// A rejection with a status from 300 to 599; any other becomes 500. The reason is sent to the
    /// client, and is in [`WsErr::Rejected`] at both ends.
    #[must_use]
    pub fn new(status: u16, reason: impl Into<String>) -> Self {
        Self {
            status,
            protocol_headers: Vec::new(),
            headers: Vec::new(),
            reason: reason.into(),
        }
    }

    /// Adds a header to the response. If it is not valid, or belongs to the handshake itself, such
    /// as `Upgrade`, the server gets [`WsErr::InvalidHeader`], and the client status 500.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds a header that is reserved for the handshake.
    pub(super) fn protocol_header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.protocol_headers.push((name, value));
        self
    }

    /// The status that is sent.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.code().as_u16()
    }

    /// The reason.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The error for the server.
    pub(crate) fn to_error(&self) -> WsErr {
        let headers = self.response_headers().unwrap_or_default();
        RejectedHandshake::new(self.code(), headers, &self.reason).into()
    }

    pub(crate) fn code(&self) -> StatusCode {
        let code = StatusCode::from_u16(self.status).ok();
        code.filter(|code| (300..600).contains(&code.as_u16()))
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The headers of the response, without those that frame the body and close the connection.
    ///
    /// # Errors
    /// [`WsErr::InvalidHeader`] for those that were added.
    pub(crate) fn response_headers(&self) -> Result<HeaderMap, WsErr> {
        let mut headers = self.own_headers();
        let mut added = HeaderMap::new();
        add_headers(&mut added, &self.headers)?;
        // A type that was added replaces ours.
        if added.contains_key(CONTENT_TYPE) {
            headers.remove(CONTENT_TYPE);
        }
        headers.extend(added);
        Ok(headers)
    }

    /// The headers without those that were added.
    pub(crate) fn own_headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        headers.insert(CONTENT_TYPE, text);
        for (name, value) in &self.protocol_headers {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers
    }
}
