//! A server's no.

use async_tungstenite::tungstenite::http::{
    HeaderMap, HeaderName, StatusCode,
    header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue},
};

use super::head::add_headers;
use crate::error::WsErr;

/// Why a server does not open a WebSocket: an HTTP status, and a reason for a human.
///
/// ```
/// use ws_framed::Rejection;
///
/// let refusal = Rejection::new(401, "log in first").header("WWW-Authenticate", "Bearer");
/// ```
#[derive(Clone, Debug)]
pub struct Rejection {
    status: u16,
    /// One of the handshake's own, which is not for everybody to set.
    hint: Option<(HeaderName, &'static str)>,
    headers: Vec<(String, String)>,
    reason: String,
}

impl Rejection {
    /// A refusal with this status, from 300 to 599; any other goes out as 500. The reason goes to the client, and
    /// into [`WsErr::Refused`].
    #[must_use]
    pub fn new(status: u16, reason: impl Into<String>) -> Self {
        Self {
            status,
            hint: None,
            headers: Vec::new(),
            reason: reason.into(),
        }
    }

    /// Adds a header to the answer. One that is not valid, or belongs to the handshake itself, such as `Upgrade`, is
    /// [`WsErr::InvalidHeader`] for the server, and status 500 for the client.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn hint(mut self, name: HeaderName, value: &'static str) -> Self {
        self.hint = Some((name, value));
        self
    }

    /// The status that goes out.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.code().as_u16()
    }

    /// The reason.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The error that it is for whoever refuses.
    pub(crate) fn to_error(&self) -> WsErr {
        WsErr::Refused {
            status: self.status(),
            reason: self.reason.clone(),
        }
    }

    pub(crate) fn code(&self) -> StatusCode {
        let code = StatusCode::from_u16(self.status).ok();
        code.filter(|code| (300..600).contains(&code.as_u16()))
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The headers of the answer.
    ///
    /// # Errors
    /// [`WsErr::InvalidHeader`] for those that were added.
    pub(crate) fn response_headers(&self) -> Result<HeaderMap, WsErr> {
        let mut headers = HeaderMap::new();
        add_headers(&mut headers, &self.headers)?;
        if let Some((name, value)) = &self.hint {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        headers.entry(CONTENT_TYPE).or_insert(text);
        headers.insert(CONTENT_LENGTH, self.reason.len().into());
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        Ok(headers)
    }
}
