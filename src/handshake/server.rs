//! The server's side of the handshake (RFC 6455 section 4.2).

use std::time::Duration;

use bytes::BytesMut;
use futures::{
    future::join,
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version,
    header::{
        ALLOW, CONNECTION, CONTENT_LENGTH, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
        SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
    },
};

use super::{
    handshaken::Handshaken,
    head::{self, HeadError, Kind, read_head},
    headers::{Duplicate, add_headers, list, list_contains, single},
    key::{accept_value, is_key},
    options::HandshakeOptions,
    outcome::{Agreement, KnownError},
    rejection::Rejection,
    request::HandshakeRequest,
    subprotocol,
};
use crate::{error::WsErr, time::timeout};

/// How many bytes are discarded behind a request that is rejected.
const MAX_DISCARDED: usize = 256 * 1024;

/// How long a rejected client may be silent before it counts as one that has sent everything.
const IDLE_TIMEOUT: Duration = Duration::from_secs(1);

/// Reads a request and answers it. A request that is not for a WebSocket, or that `validate`
/// rejects, gets an HTTP response with the reason.
///
/// As soon as a request is rejected, the error is in `known`.
///
/// # Errors
/// [`WsErr::InvalidHeader`], [`WsErr::Rejected`], [`WsErr::Handshake`], [`WsErr::Io`].
pub(crate) async fn accept<S>(
    mut io: S,
    options: &HandshakeOptions,
    validate: impl FnOnce(&HandshakeRequest<'_>) -> Result<(), Rejection>,
    known: &mut KnownError,
) -> Result<Handshaken<S>, WsErr>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let headers = added_headers(options)?;
    let mut leftover = BytesMut::new();
    // The response to HEAD has no content (RFC 9110 section 9.3.2), whatever else is wrong with the
    // request.
    let mut is_head = false;
    let head = read_head(Kind::Request, &mut io, &mut leftover, |line| {
        is_head = line.starts_with(b"HEAD ");
    });
    let request = head.await?.and_then(|head| head::parse_request(&head));
    let response = match request {
        Ok(request) => respond_with(&request, headers, options, validate),
        Err(HeadError::Eof) => {
            let why = "the client disconnected before its request was complete";
            return Err(WsErr::Handshake(why.to_owned()));
        }
        Err(HeadError::TooLarge) => Err(Rejection::new(431, "the request is too long")),
        Err(HeadError::Malformed(why)) => {
            Err(Rejection::new(400, format!("malformed request: {why}")))
        }
    };
    let (response, agreement) = match response {
        Ok(response) => response,
        Err(rejection) => return Err(reject(&rejection, is_head, io, known).await),
    };
    io.write_all(&write_response(&response)).await?;
    io.flush().await?;
    Ok(Handshaken {
        io,
        leftover,
        agreement,
    })
}

/// The response to a request that another HTTP implementation has read.
#[cfg(feature = "hyper")]
pub(crate) fn respond<B>(
    request: &Request<B>,
    options: &HandshakeOptions,
    validate: impl FnOnce(&HandshakeRequest<'_>) -> Result<(), Rejection>,
) -> Result<(Response<()>, Agreement), Rejection> {
    let headers = added_headers(options);
    let headers = headers.map_err(|error| Rejection::new(500, error.to_string()))?;
    respond_with(request, headers, options, validate)
}

/// The headers that the caller adds to a response.
fn added_headers(options: &HandshakeOptions) -> Result<HeaderMap, WsErr> {
    options.validate()?;
    let mut headers = HeaderMap::new();
    add_headers(&mut headers, options.headers())?;
    Ok(headers)
}

/// The response that opens the WebSocket, or the reason why it is not opened.
fn respond_with<B>(
    request: &Request<B>,
    headers: HeaderMap,
    options: &HandshakeOptions,
    validate: impl FnOnce(&HandshakeRequest<'_>) -> Result<(), Rejection>,
) -> Result<(Response<()>, Agreement), Rejection> {
    let key = validate_upgrade(request)?;
    let view = HandshakeRequest::new(request.uri(), request.headers());
    validate(&view)?;
    let selected = subprotocol::select(options, &view)?;
    let value = |text: &str| {
        let value = HeaderValue::from_str(text);
        value.map_err(|error| Rejection::new(500, error.to_string()))
    };
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let own = response.headers_mut();
    own.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    own.insert(UPGRADE, HeaderValue::from_static("websocket"));
    own.insert(SEC_WEBSOCKET_ACCEPT, value(&accept_value(key))?);
    if let Some(name) = &selected {
        own.insert(SEC_WEBSOCKET_PROTOCOL, value(name)?);
    }
    own.extend(headers);
    Ok((response, Agreement::new(selected, options)))
}

/// Checks that a request is for a WebSocket (RFC 6455 section 4.2.1), and gives its key.
fn validate_upgrade<B>(request: &Request<B>) -> Result<&[u8], Rejection> {
    let headers = request.headers();
    let value = |name: HeaderName| {
        let duplicate = |Duplicate| Rejection::new(400, format!("several {name} headers"));
        single(headers, name.clone()).map_err(duplicate)
    };
    if request.method() != Method::GET {
        let rejection = Rejection::new(405, "the method is not GET");
        return Err(rejection.protocol_header(ALLOW, "GET"));
    }
    if request.version() < Version::HTTP_11 {
        return Err(Rejection::new(400, "the version of HTTP is not 1.1"));
    }
    if has_content(headers) {
        return Err(Rejection::new(400, "a WebSocket request has no content"));
    }
    if !list_contains(headers, CONNECTION, "upgrade")
        || !list_contains(headers, UPGRADE, "websocket")
    {
        return Err(upgrade_required("this is a WebSocket endpoint"));
    }
    if value(SEC_WEBSOCKET_VERSION)? != Some(b"13") {
        return Err(upgrade_required(
            "the version of the WebSocket protocol is not 13",
        ));
    }
    match value(SEC_WEBSOCKET_KEY)? {
        Some(key) if is_key(key) => Ok(key),
        Some(_) => Err(Rejection::new(400, "the Sec-WebSocket-Key is not valid")),
        None => Err(Rejection::new(400, "there is no Sec-WebSocket-Key")),
    }
}

/// Whether something follows the head that would be read as frames (RFC 9112 section 6.3).
fn has_content(headers: &HeaderMap) -> bool {
    let mut lens = list(headers, CONTENT_LENGTH);
    headers.contains_key(TRANSFER_ENCODING)
        || lens.any(|len| len.iter().any(|digit| *digit != b'0'))
}

/// Status 426, with the headers that RFC 9110 sections 7.8 and 15.5.22 and RFC 6455 section 4.4
/// demand.
pub(crate) fn upgrade_required(why: &str) -> Rejection {
    Rejection::new(426, why)
        .protocol_header(CONNECTION, "Upgrade")
        .protocol_header(UPGRADE, "websocket")
        .protocol_header(SEC_WEBSOCKET_VERSION, "13")
}

/// Sends a rejection, drains the request, and gives the error for the server.
async fn reject(
    rejection: &Rejection,
    is_head: bool,
    io: impl AsyncRead + AsyncWrite + Unpin,
    known: &mut KnownError,
) -> WsErr {
    let (mut headers, error) = match rejection.response_headers() {
        Ok(headers) => (headers, rejection.to_error()),
        Err(error) => (rejection.own_headers(), error),
    };
    *known = Some(WsErr::clone(&error));
    headers.insert(CONTENT_LENGTH, rejection.reason().len().into());
    headers.append(CONNECTION, HeaderValue::from_static("close"));
    let mut response = Response::new(());
    *response.headers_mut() = headers;
    *response.status_mut() = match error {
        WsErr::Rejected(_) => rejection.code(),
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut bytes = write_response(&response);
    if !is_head {
        bytes.extend_from_slice(rejection.reason().as_bytes());
    }
    let (reader, mut writer) = io.split();
    let send = async {
        // The error is the rejection, whether or not the client receives it.
        let _ = writer.write_all(&bytes).await;
        let _ = writer.close().await;
    };
    // Both at once: a client may send everything before it reads, and leave no room for the
    // response.
    join(send, discard(reader)).await;
    error
}

/// Reads and discards what the client still sends, within bounds. TCP resets a connection that is
/// closed with unread data, and a reset may destroy the response.
async fn discard(mut io: impl AsyncRead + Unpin) {
    let mut scratch = [0; 2048];
    let mut left = MAX_DISCARDED;
    while left > 0 {
        match timeout(IDLE_TIMEOUT, io.read(&mut scratch)).await {
            Some(Ok(read)) if read > 0 => left = left.saturating_sub(read),
            _ => return,
        }
    }
}

fn write_response(response: &Response<()>) -> Vec<u8> {
    let status = response.status();
    let phrase = status.canonical_reason().unwrap_or_default();
    let first_line = format!("HTTP/1.1 {} {phrase}", status.as_str());
    head::write_head(&first_line, response.headers())
}

#[cfg(all(test, feature = "__property-tests"))]
mod tests;
