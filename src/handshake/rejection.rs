//! A request that is answered without a WebSocket.

use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{CONTENT_TYPE, IntoHeaderName},
};

use super::added_headers::AddedHeaders;
use crate::error::{RejectedHandshake, Setting, WsErr};

/// An HTTP response in place of a WebSocket: a status, headers, and a body, which is the reason.
///
/// ```
/// use ws_framed::{Rejection, http::{StatusCode, header}};
///
/// let log_in = Rejection::new(401, "log in first").header(header::WWW_AUTHENTICATE, "Bearer");
/// let later = Rejection::new(StatusCode::TOO_MANY_REQUESTS, "slow down").header("Retry-After", 3);
/// // The response to a health check.
/// let healthy = Rejection::new(200, "ok");
/// ```
///
/// An [`http::Response`] with a text as its body converts into a rejection, and so does a
/// [`StatusCode`], whose phrase becomes the reason. The connection is closed behind the response,
/// unless an HTTP server such as hyper manages it.
#[derive(Clone, Debug)]
pub struct Rejection(Box<Inner>);

/// Boxed, so that a `Result` with a rejection is small.
#[derive(Clone, Debug)]
struct Inner {
    /// `None` if the given one is not valid.
    status: Option<StatusCode>,
    headers: AddedHeaders,
    /// Headers that are reserved for the handshake.
    protocol_headers: HeaderMap,
    reason: String,
}

impl Rejection {
    /// A rejection with a status from 200 to 599, in HTTP/2 from 300. The reason is sent as the
    /// body, and is in [`WsErr::Rejected`] at both ends. Status 204, 205 and 304 have no body.
    ///
    /// With another status, the server gets [`WsErr::InvalidConfig`], and the client status 500.
    #[must_use]
    pub fn new<S>(status: S, reason: impl Into<String>) -> Self
    where
        StatusCode: TryFrom<S>,
    {
        let status = StatusCode::try_from(status).ok();
        Self(Box::new(Inner {
            status: status.filter(|status| (200..600).contains(&status.as_u16())),
            headers: AddedHeaders::default(),
            protocol_headers: HeaderMap::new(),
            reason: reason.into(),
        }))
    }

    /// Adds a header to the response, beside earlier ones of the same name. The type of the body is
    /// `text/plain; charset=utf-8`, unless a `Content-Type` is added.
    ///
    /// If the header is not valid, or belongs to the handshake or to the framing of the body, such
    /// as `Upgrade` or `Content-Length`, the server gets [`WsErr::InvalidHeader`], and the client
    /// status 500.
    #[must_use]
    pub fn header<K, V>(mut self, name: K, value: V) -> Self
    where
        HeaderName: TryFrom<K, Error: Into<http::Error>>,
        HeaderValue: TryFrom<V, Error: Into<http::Error>>,
    {
        self.0.headers.add(name, value);
        self
    }

    /// Adds a header that is reserved for the handshake.
    pub(super) fn protocol_header(
        mut self,
        name: impl IntoHeaderName,
        value: &'static str,
    ) -> Self {
        let value = HeaderValue::from_static(value);
        self.0.protocol_headers.append(name, value);
        self
    }

    /// The status that is sent: 500 if the given one is not valid.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The reason.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// The response, without the headers that frame its body, and the error for the server.
    pub(crate) fn into_response(self) -> (Response<String>, WsErr) {
        let status = self.status();
        let inner = *self.0;
        let headers = match (inner.status, inner.headers.get()) {
            (Some(_), Ok(headers)) => headers.clone(),
            (None, _) => {
                return (
                    internal_error(),
                    WsErr::InvalidConfig(Setting::RejectionStatus),
                );
            }
            (_, Err(error)) => return (internal_error(), error),
        };
        let content = if has_content(status) {
            &*inner.reason
        } else {
            ""
        };
        let mut response = text(status, content.to_owned());
        if headers.contains_key(CONTENT_TYPE) {
            response.headers_mut().remove(CONTENT_TYPE);
        }
        response.headers_mut().extend(inner.protocol_headers);
        response.headers_mut().extend(headers);
        let headers = response.headers().clone();
        let error = RejectedHandshake::new(status, headers, inner.reason).into();
        (response, error)
    }
}

impl<B: Into<String>> From<Response<B>> for Rejection {
    fn from(response: Response<B>) -> Self {
        let (head, body) = response.into_parts();
        let mut rejection = Self::new(head.status, body);
        for (name, value) in &head.headers {
            rejection.0.headers.add(name, value);
        }
        rejection
    }
}

impl From<StatusCode> for Rejection {
    fn from(status: StatusCode) -> Self {
        Self::new(status, status.canonical_reason().unwrap_or_default())
    }
}

/// The response to a client if an error of the server prevents another one. It says nothing about
/// the server.
pub(crate) fn internal_error() -> Response<String> {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    text(status, "internal server error".to_owned())
}

/// Whether a response with this status has content (RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5).
fn has_content(status: StatusCode) -> bool {
    !matches!(
        status,
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED
    )
}

/// A response with a text.
pub(crate) fn text(status: StatusCode, text: String) -> Response<String> {
    let mut response = Response::new(text);
    *response.status_mut() = status;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}
