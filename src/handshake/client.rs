//! The client's half of the handshake.

use std::time::Duration;

use async_tungstenite::tungstenite::{
    Error,
    client::IntoClientRequest,
    handshake::{
        client::{Request, Response, generate_request},
        derive_accept_key,
    },
    http::{
        HeaderValue, StatusCode, Uri,
        header::{self, HeaderName},
        uri::{Authority, InvalidUri},
    },
};
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{
    handshaken::Handshaken,
    head::{Head, add_headers, invalid_header, read_head},
    options::HandshakeOptions,
    outcome::{Agreement, KnownError},
};
use crate::{error::WsErr, time::timeout};

/// The maximum length of the body of a rejection that is read, in bytes.
const MAX_BODY_LEN: usize = 1024;

/// The time limit for it. Most servers send it together with the status.
const BODY_TIMEOUT: Duration = Duration::from_secs(1);

/// Where a URL leads.
#[cfg(any(feature = "tokio", feature = "smol"))]
#[derive(Debug)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) is_secure: bool,
}

/// Host and port of a URL, for those who open its socket.
#[cfg(any(feature = "tokio", feature = "smol"))]
pub(crate) fn address(url: &str) -> Result<Address, WsErr> {
    let uri = parse(url)?;
    let is_secure = uri.scheme_str() == Some("wss");
    // The brackets of an IPv6 address belong to the URL.
    let host = uri
        .host()
        .unwrap_or_default()
        .trim_start_matches('[')
        .trim_end_matches(']');
    Ok(Address {
        host: host.to_owned(),
        // RFC 6455 section 3.
        port: uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 }),
        is_secure,
    })
}

fn parse(url: &str) -> Result<Uri, WsErr> {
    let uri: Uri = url
        .parse()
        .map_err(|error: InvalidUri| invalid_url(&error.to_string()))?;
    if !matches!(uri.scheme_str(), Some("ws" | "wss")) {
        return Err(invalid_url("the scheme is not ws or wss"));
    }
    if uri.host().is_none_or(str::is_empty) {
        return Err(invalid_url("there is no host in it"));
    }
    // A port that is no number is not a port to this parser; what is left of one is a colon.
    let authority = uri.authority().map(Authority::as_str).unwrap_or_default();
    let has_port = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.contains(']'));
    if has_port && uri.port_u16().is_none() {
        return Err(invalid_url("the port is not one"));
    }
    Ok(uri)
}

pub(crate) fn invalid_url(why: &str) -> WsErr {
    WsErr::InvalidUrl(why.to_owned())
}

/// Sends a request and reads the answer.
pub(crate) async fn connect<S>(
    mut io: S,
    url: &str,
    options: &HandshakeOptions,
    known: &mut KnownError,
) -> Result<Handshaken<S>, WsErr>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    options.validate()?;
    let (request, key) =
        generate_request(request(url, options)?).map_err(|error| failed(&error))?;
    io.write_all(&request).await?;
    io.flush().await?;
    let (response, rest) = match read_head::<Response>(&mut io).await? {
        Head::Complete(response, rest) => (response, rest),
        Head::Eof => {
            return Err(WsErr::Handshake(
                "the server left before it answered".to_owned(),
            ));
        }
        Head::TooLarge => return Err(WsErr::Handshake("the answer is too long".to_owned())),
        Head::Malformed(error) => return Err(failed(&error)),
    };
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(rejected(io, &response, rest, known).await);
    }
    let subprotocol = verify(&response, &key, options.subprotocols())?;
    Ok(Handshaken {
        io,
        leftover: rest,
        agreement: Agreement::new(subprotocol, options),
    })
}

fn request(url: &str, options: &HandshakeOptions) -> Result<Request, WsErr> {
    let mut request = parse(url)?
        .into_client_request()
        .map_err(|error| invalid_url(&error.to_string()))?;
    add_headers(request.headers_mut(), options.headers())?;
    if !options.subprotocols().is_empty() {
        let offer = options.subprotocols().join(", ");
        let offer = HeaderValue::from_str(&offer).map_err(|error| invalid_header(&error))?;
        request
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_PROTOCOL, offer);
    }
    Ok(request)
}

/// The checks of RFC 6455 section 4.1. Gives the subprotocol that the server chose.
fn verify(response: &Response, key: &str, offered: &[String]) -> Result<Option<String>, WsErr> {
    let value = |name: HeaderName| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let has_token = |name: HeaderName, token: &str| {
        let values = response.headers().get_all(name).iter();
        values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|list| list.split(','))
            .any(|item| item.trim().eq_ignore_ascii_case(token))
    };
    let problem = if !has_token(header::UPGRADE, "websocket") {
        "the server does not upgrade to websocket"
    } else if !has_token(header::CONNECTION, "upgrade") {
        "the server does not upgrade the connection"
    } else if value(header::SEC_WEBSOCKET_ACCEPT) != Some(&derive_accept_key(key.as_bytes())) {
        "the server did not understand the key"
    } else if response
        .headers()
        .contains_key(header::SEC_WEBSOCKET_EXTENSIONS)
    {
        "the server chose an extension, and none was offered"
    } else {
        match value(header::SEC_WEBSOCKET_PROTOCOL) {
            None if offered.is_empty() => return Ok(None),
            None => return Err(WsErr::NoSubprotocol),
            Some(name) if offered.iter().any(|offer| offer == name) => {
                return Ok(Some(name.to_owned()));
            }
            Some(_) => "the server chose a subprotocol that was not offered",
        }
    };
    Err(WsErr::Handshake(problem.to_owned()))
}

/// The server said no. What it says besides is read as far as it says how much that is, and as it comes soon.
async fn rejected(
    io: impl AsyncRead + Unpin,
    response: &Response,
    mut body: Vec<u8>,
    known: &mut KnownError,
) -> WsErr {
    let status = response.status();
    let refusal = |reason: &str| WsErr::Refused {
        status: status.as_u16(),
        reason: match reason {
            "" => status.canonical_reason().unwrap_or_default().to_owned(),
            reason => reason.to_owned(),
        },
    };
    *known = Some(refusal(""));
    let len = response
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|len| len.to_str().ok()?.parse().ok());
    let len = len.unwrap_or(0_usize).min(MAX_BODY_LEN);
    let missing = len.saturating_sub(body.len());
    // Half a reason is better than none.
    let _ = timeout(BODY_TIMEOUT, io.take(missing as u64).read_to_end(&mut body)).await;
    body.truncate(len);
    refusal(String::from_utf8_lossy(&body).trim())
}

fn failed(error: &Error) -> WsErr {
    WsErr::Handshake(error.to_string())
}
