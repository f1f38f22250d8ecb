//! The handshake of a client in HTTP/2: an extended CONNECT (RFC 8441).

use http::{
    HeaderMap, HeaderValue, Method, Request, Uri, Version,
    header::{HOST, SEC_WEBSOCKET_VERSION},
    response::Parts,
    uri::Scheme,
};

use super::{insert_offer, rejection, selected, without_handshake};
use crate::{
    error::WsErr,
    handshake::{
        added_headers::{AddedHeaders, invalid_header},
        body::MAX_BODY_LEN,
        options::HandshakeOptions,
        outcome::Agreement,
        url::WsUrl,
    },
};

/// The maximum length of the body of a rejection that is read, in bytes.
pub(crate) const MAX_REJECTION_LEN: usize = MAX_BODY_LEN;

/// The request, to which the HTTP implementation adds `:protocol` (RFC 8441 section 4).
///
/// # Errors
/// [`WsErr::InvalidHeader`], [`WsErr::InvalidUrl`].
pub(crate) fn request(
    url: &WsUrl,
    added: &AddedHeaders,
    options: &HandshakeOptions,
) -> Result<Request<()>, WsErr> {
    let mut headers = HeaderMap::new();
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    insert_offer(&mut headers, url, added, options)?;
    // A `Host` that the caller added replaces that of the URL, as in HTTP/1.1.
    let authority = match headers.remove(HOST) {
        Some(host) => host.to_str().map_err(invalid_header)?.to_owned(),
        None => url.authority.clone(),
    };
    let scheme = if url.is_secure {
        Scheme::HTTPS
    } else {
        Scheme::HTTP
    };
    let uri = Uri::builder()
        .scheme(scheme)
        .authority(authority)
        .path_and_query(&url.target)
        .build()
        .map_err(|error| WsErr::InvalidUrl(error.to_string()))?;
    let mut request = Request::new(());
    *request.method_mut() = Method::CONNECT;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Ok(request)
}

/// What a response with status 200 opens, and its headers, without those of the handshake.
///
/// # Errors
/// [`WsErr::Handshake`], [`WsErr::NoSubprotocol`], [`WsErr::Extension`].
pub(crate) fn opened(
    response: &Parts,
    options: &HandshakeOptions,
) -> Result<(Agreement, HeaderMap), WsErr> {
    let agreement = selected(&response.headers, options)?;
    Ok((agreement, without_handshake(&response.headers)))
}

/// The error of a response with another status.
pub(crate) fn rejected(response: &Parts, body: &[u8]) -> WsErr {
    rejection(response.status, response.headers.clone(), body)
}
