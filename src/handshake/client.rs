//! The client's side of the handshake (RFC 6455 section 4.1).

#[cfg(feature = "http2")]
pub(crate) mod extended_connect;

use std::time::Duration;

use bytes::BytesMut;
use futures::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode, Version,
    header::{
        AUTHORIZATION, CONNECTION, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
        SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};

#[cfg(feature = "deflate")]
use http::header::SEC_WEBSOCKET_EXTENSIONS;

#[cfg(feature = "deflate")]
use super::extensions::deflate;
use super::{
    added_headers::{AddedHeaders, invalid_header},
    body::{Framing, read_body},
    extensions::{self, Extension, Malformed},
    handshaken::Handshaken,
    head::{self, HeadError, Kind, read_head},
    headers::{Duplicate, list_contains, single},
    key::{accept_value, generate_key},
    options::HandshakeOptions,
    outcome::{Agreement, KnownError},
    url::WsUrl,
};
use crate::{
    error::{RejectedHandshake, WsErr},
    time::timeout,
};

/// The time limit for the body of a rejection. Most servers send it together with the status.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(1);

/// The maximum number of interim responses (RFC 9110 section 15.2) before the final one.
const MAX_INTERIM_RESPONSES: usize = 16;

/// Sends a request and reads the response. Gives its headers, without those of the handshake.
///
/// As soon as the status of a rejection has been received, its error is in `known`. No later
/// failure replaces it.
///
/// # Errors
/// [`WsErr::InvalidHeader`], [`WsErr::Rejected`], [`WsErr::Handshake`], [`WsErr::NoSubprotocol`],
/// [`WsErr::Extension`], [`WsErr::Io`].
pub(crate) async fn connect<S>(
    mut io: S,
    url: &WsUrl,
    headers: &AddedHeaders,
    options: &HandshakeOptions,
    known: &mut KnownError,
) -> Result<(Handshaken<S>, HeaderMap), WsErr>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let key = generate_key()?;
    io.write_all(&request(url, headers, options, &key)?).await?;
    io.flush().await?;
    let mut buffer = BytesMut::new();
    let mut rejected = None;
    let head = read_response(&mut io, &mut buffer, |status| {
        rejected = Some(status);
        *known = Some(rejection(status, HeaderMap::new(), &[]));
    })
    .await;
    if let Some(status) = rejected {
        let head = head.ok();
        return Err(read_rejection(&mut io, status, head, buffer, known, rejection).await);
    }
    let response = head::parse_response(&head?).map_err(failed)?;
    let headers = response.headers();
    check_upgrade(headers, &key)?;
    let agreement = selected(headers, options)?;
    let handshaken = Handshaken {
        io,
        leftover: buffer,
        agreement,
    };
    Ok((handshaken, without_handshake(headers)))
}

/// The request.
fn request(
    url: &WsUrl,
    added: &AddedHeaders,
    options: &HandshakeOptions,
    key: &str,
) -> Result<Vec<u8>, WsErr> {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, value(&url.authority)?);
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    headers.insert(SEC_WEBSOCKET_KEY, value(key)?);
    insert_offer(&mut headers, url, added, options)?;
    let first_line = format!("GET {} HTTP/1.1", url.target);
    Ok(head::write_head(&first_line, &headers))
}

fn value(text: &str) -> Result<HeaderValue, WsErr> {
    HeaderValue::from_str(text).map_err(invalid_header)
}

/// Adds the subprotocols, the user of the URL, and the headers of the caller.
fn insert_offer(
    headers: &mut HeaderMap,
    url: &WsUrl,
    added: &AddedHeaders,
    options: &HandshakeOptions,
) -> Result<(), WsErr> {
    options.validate()?;
    let added = added.get()?;
    if !options.subprotocols().is_empty() {
        let offer = options.subprotocols().join(", ");
        headers.insert(SEC_WEBSOCKET_PROTOCOL, value(&offer)?);
    }
    #[cfg(feature = "deflate")]
    if let Some(deflate) = &options.compression {
        headers.insert(SEC_WEBSOCKET_EXTENSIONS, value(&deflate::offer(deflate))?);
    }
    if let Some(authorization) = &url.authorization {
        headers.insert(AUTHORIZATION, value(authorization)?);
    }
    // A header that was added replaces one of the same name.
    headers.extend(added.clone());
    Ok(())
}

/// Reads the head of the final response. `on_rejection` is called with its status if that is not
/// 101, even if reading fails later.
pub(super) async fn read_response(
    io: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
    mut on_rejection: impl FnMut(StatusCode),
) -> Result<BytesMut, WsErr> {
    for _ in 0..=MAX_INTERIM_RESPONSES {
        let mut status = None;
        let head = read_head(Kind::Response, io, buffer, |line| {
            status = head::parse_status_line(line).ok();
            if let Some((_, status)) = status.filter(|(_, status)| !status.is_informational()) {
                on_rejection(status);
            }
        });
        let head = head.await?.map_err(failed)?;
        match status {
            Some((_, status)) if !status.is_informational() => return Ok(head),
            Some((Version::HTTP_11, StatusCode::SWITCHING_PROTOCOLS)) => return Ok(head),
            Some((_, StatusCode::SWITCHING_PROTOCOLS)) => {
                return Err(failed(HeadError::Malformed("status 101 in HTTP/1.0")));
            }
            Some(_) => {}
            None => return Err(failed(HeadError::Malformed("invalid status"))),
        }
    }
    Err(WsErr::Handshake("too many interim responses".to_owned()))
}

/// Checks what a response with status 101 says about the upgrade (RFC 6455 section 4.1).
fn check_upgrade(headers: &HeaderMap, key: &str) -> Result<(), WsErr> {
    // The whole value, and not an element of a list.
    let protocol = single_value(headers, &UPGRADE)?;
    if !protocol.is_some_and(|protocol| protocol.eq_ignore_ascii_case(b"websocket")) {
        return Err(invalid("the server does not upgrade to websocket"));
    }
    if !list_contains(headers, CONNECTION, "upgrade") {
        return Err(invalid("the server does not upgrade the connection"));
    }
    let accept = single_value(headers, &SEC_WEBSOCKET_ACCEPT)?;
    if accept != Some(accept_value(key.as_bytes()).as_bytes()) {
        return Err(invalid("the server did not accept the key"));
    }
    Ok(())
}

/// The value of a header that a response may have once.
fn single_value<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, WsErr> {
    let duplicate = |Duplicate| invalid(&format!("the server sent several {name} headers"));
    single(headers, name.clone()).map_err(duplicate)
}

/// Checks what a server selected of the offer.
fn selected(headers: &HeaderMap, options: &HandshakeOptions) -> Result<Agreement, WsErr> {
    let extensions = extensions::parse(headers)
        .map_err(|Malformed| WsErr::Extension("the list is malformed".to_owned()))?;
    let offered = options.subprotocols();
    let subprotocol = match single_value(headers, &SEC_WEBSOCKET_PROTOCOL)? {
        None if offered.is_empty() => None,
        None => return Err(WsErr::NoSubprotocol),
        Some(name) => {
            let selected = offered.iter().find(|offer| offer.as_bytes() == name);
            let unknown = || invalid("the server selected a subprotocol that was not offered");
            Some(selected.cloned().ok_or_else(unknown)?)
        }
    };
    agree(Agreement::new(subprotocol, options), &extensions, options)
}

/// Adds the extension that the server selected, if there is one.
#[cfg(feature = "deflate")]
fn agree(
    mut agreement: Agreement,
    selected: &[Extension],
    options: &HandshakeOptions,
) -> Result<Agreement, WsErr> {
    match (selected, &options.compression) {
        ([], _) => {}
        ([extension], Some(offered)) => {
            agreement.compression = Some(deflate::agree(extension, offered)?);
        }
        // None was offered, or each may be selected once.
        ([.., extension], _) => return Err(WsErr::Extension(extension.to_string())),
    }
    Ok(agreement)
}

/// None was offered.
#[cfg(not(feature = "deflate"))]
fn agree(
    agreement: Agreement,
    selected: &[Extension],
    _: &HandshakeOptions,
) -> Result<Agreement, WsErr> {
    match selected.last() {
        Some(extension) => Err(WsErr::Extension(extension.to_string())),
        None => Ok(agreement),
    }
}

/// The headers without those of the handshake, which a map of their own keeps small.
fn without_handshake(headers: &HeaderMap) -> HeaderMap {
    let is_own = |name: &HeaderName| {
        [CONNECTION, UPGRADE].contains(name) || name.as_str().starts_with("sec-websocket-")
    };
    let others = headers.iter().filter(|(name, _)| !is_own(name));
    let mut kept = HeaderMap::new();
    for (name, value) in others {
        kept.append(name.clone(), value.clone());
    }
    kept
}

/// Reads the body of a rejection, within [`BODY_TIMEOUT`]. `received` came with the head.
async fn read_reason(
    io: &mut (impl AsyncRead + Unpin),
    framing: Framing,
    received: BytesMut,
) -> Vec<u8> {
    let mut raw = received.to_vec();
    let _ = timeout(BODY_TIMEOUT, read_body(framing, io, &mut raw)).await;
    framing.decode(&raw).0
}

/// Reads what is left of a rejection, and gives its error, which `error` makes of the status, the
/// headers and the body. As soon as the headers have been received, the error without a body is in
/// `known`.
pub(super) async fn read_rejection(
    io: &mut (impl AsyncRead + Unpin),
    status: StatusCode,
    head: Option<BytesMut>,
    received: BytesMut,
    known: &mut KnownError,
    error: fn(StatusCode, HeaderMap, &[u8]) -> WsErr,
) -> WsErr {
    // A head that is not complete is all that was received.
    let headers = head::parse_rejection(head.as_ref().unwrap_or(&received));
    *known = Some(error(status, headers.clone(), &[]));
    let body = match head {
        Some(_) => read_reason(io, Framing::of(status, &headers), received).await,
        None => Vec::new(),
    };
    error(status, headers, &body)
}

/// The error of a rejection.
fn rejection(status: StatusCode, headers: HeaderMap, body: &[u8]) -> WsErr {
    rejected(status, headers, body).into()
}

/// A response without a WebSocket. Without a body, the reason is the phrase of the status.
pub(super) fn rejected(status: StatusCode, headers: HeaderMap, body: &[u8]) -> RejectedHandshake {
    let reason = String::from_utf8_lossy(body);
    // A character that the limit truncates.
    let reason = reason.trim_end_matches(char::REPLACEMENT_CHARACTER);
    let reason = match reason.trim() {
        "" => status.canonical_reason().unwrap_or_default(),
        reason => reason,
    };
    RejectedHandshake::new(status, headers, reason)
}

fn failed(error: HeadError) -> WsErr {
    match error {
        HeadError::Eof => invalid("the peer disconnected before the response was complete"),
        HeadError::TooLarge => invalid("the response is too long"),
        HeadError::Malformed(why) => invalid(&format!("the response is malformed: {why}")),
    }
}

fn invalid(why: &str) -> WsErr {
    WsErr::Handshake(why.to_owned())
}

#[cfg(test)]
mod tests;
