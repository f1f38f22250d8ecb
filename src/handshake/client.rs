//! The client's side of the handshake (RFC 6455 section 4.1).

use std::time::Duration;

use bytes::BytesMut;
use futures::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version,
    header::{
        AUTHORIZATION, CONNECTION, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
        SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};

use super::{
    body::{Framing, read_body},
    handshaken::Handshaken,
    head::{self, HeadError, Kind, read_head},
    headers::{Duplicate, add_headers, invalid_header, list, list_contains, single},
    key::{accept_value, generate_key},
    options::HandshakeOptions,
    outcome::{Agreement, KnownError},
    url::WsUrl,
};
use crate::{error::WsErr, time::timeout};

/// The time limit for the body of a rejection. Most servers send it together with the status.
const BODY_TIMEOUT: Duration = Duration::from_secs(1);

/// The maximum number of interim responses (RFC 9110 section 15.2) before the final one.
const MAX_INTERIM_RESPONSES: usize = 16;

/// Sends a request and reads the response.
///
/// As soon as the status of a rejection has been received, its error is in `known`. No later
/// failure replaces it.
///
/// # Errors
/// [`WsErr::InvalidHeader`], [`WsErr::Refused`], [`WsErr::Handshake`], [`WsErr::NoSubprotocol`],
/// [`WsErr::Io`].
pub(crate) async fn connect<S>(
    mut io: S,
    url: &WsUrl,
    options: &HandshakeOptions,
    known: &mut KnownError,
) -> Result<Handshaken<S>, WsErr>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let key = generate_key()?;
    io.write_all(&request(url, options, &key)?).await?;
    io.flush().await?;
    let mut leftover = BytesMut::new();
    let mut rejected = None;
    let head = read_response(&mut io, &mut leftover, |status| {
        rejected = Some(status);
        *known = Some(rejection(status, &[]));
    })
    .await;
    if let Some(status) = rejected {
        let body = match head {
            Ok(head) => read_reason(&mut io, &head, leftover).await,
            Err(_) => Vec::new(),
        };
        return Err(rejection(status, &body));
    }
    let response = head::parse_response(&head?).map_err(failed)?;
    let subprotocol = validate(&response, &key, options.subprotocols())?;
    Ok(Handshaken {
        io,
        leftover,
        agreement: Agreement::new(subprotocol, options),
    })
}

/// The request.
fn request(url: &WsUrl, options: &HandshakeOptions, key: &str) -> Result<Vec<u8>, WsErr> {
    options.validate()?;
    let value = |text: &str| HeaderValue::from_str(text).map_err(invalid_header);
    let mut headers = HeaderMap::new();
    headers.insert(HOST, value(&url.authority)?);
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    headers.insert(SEC_WEBSOCKET_KEY, value(key)?);
    if !options.subprotocols().is_empty() {
        let offer = options.subprotocols().join(", ");
        headers.insert(SEC_WEBSOCKET_PROTOCOL, value(&offer)?);
    }
    add_headers(&mut headers, options.headers())?;
    if let Some(authorization) = &url.authorization {
        if !headers.contains_key(AUTHORIZATION) {
            let mut authorization = value(authorization)?;
            authorization.set_sensitive(true);
            headers.insert(AUTHORIZATION, authorization);
        }
    }
    let first_line = format!("GET {} HTTP/1.1", url.target);
    Ok(head::write_head(&first_line, &headers))
}

/// Reads the head of the final response. `on_rejection` is called with its status if that is not
/// 101, even if reading fails later.
async fn read_response(
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

/// Checks a response with status 101 (RFC 6455 section 4.1), and gives the subprotocol that the
/// server selected.
fn validate(
    response: &Response<()>,
    key: &str,
    offered: &[String],
) -> Result<Option<String>, WsErr> {
    let headers = response.headers();
    let value = |name: HeaderName| {
        let duplicate = |Duplicate| invalid(&format!("the server sent several {name} headers"));
        single(headers, name.clone()).map_err(duplicate)
    };
    if !list_contains(headers, UPGRADE, "websocket") {
        return Err(invalid("the server does not upgrade to websocket"));
    }
    if !list_contains(headers, CONNECTION, "upgrade") {
        return Err(invalid("the server does not upgrade the connection"));
    }
    if value(SEC_WEBSOCKET_ACCEPT)? != Some(accept_value(key.as_bytes()).as_bytes()) {
        return Err(invalid("the server did not accept the key"));
    }
    if list(headers, SEC_WEBSOCKET_EXTENSIONS).next().is_some() {
        return Err(invalid(
            "the server selected an extension that was not offered",
        ));
    }
    match value(SEC_WEBSOCKET_PROTOCOL)? {
        None if offered.is_empty() => Ok(None),
        None => Err(WsErr::NoSubprotocol),
        Some(name) => {
            let selected = offered.iter().find(|offer| offer.as_bytes() == name);
            let selected = selected.cloned().map(Some);
            selected
                .ok_or_else(|| invalid("the server selected a subprotocol that was not offered"))
        }
    }
}

/// Reads the body of a rejection, within [`BODY_TIMEOUT`].
async fn read_reason(
    io: &mut (impl AsyncRead + Unpin),
    head: &[u8],
    leftover: BytesMut,
) -> Vec<u8> {
    let Ok(response) = head::parse_rejection(head) else {
        return Vec::new();
    };
    let framing = Framing::of(&response);
    let mut raw = leftover.to_vec();
    let _ = timeout(BODY_TIMEOUT, read_body(framing, io, &mut raw)).await;
    framing.decode(&raw).0
}

/// The error of a rejection. Without a body, the reason is the phrase of the status.
fn rejection(status: StatusCode, body: &[u8]) -> WsErr {
    let reason = String::from_utf8_lossy(body);
    let reason = match reason.trim() {
        "" => status.canonical_reason().unwrap_or_default(),
        reason => reason,
    };
    WsErr::Refused {
        status: status.as_u16(),
        reason: reason.to_owned(),
    }
}

fn failed(error: HeadError) -> WsErr {
    match error {
        HeadError::Eof => invalid("the server disconnected before its response was complete"),
        HeadError::TooLarge => invalid("the response is too long"),
        HeadError::Malformed(why) => invalid(&format!("the response is malformed: {why}")),
    }
}

fn invalid(why: &str) -> WsErr {
    WsErr::Handshake(why.to_owned())
}

#[cfg(all(test, feature = "__property-tests"))]
mod tests;
