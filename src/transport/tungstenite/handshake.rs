//! The opening handshake (RFC 6455 section 4), over any byte stream.
//!
//! The client's half is the engine's. The server's half is put together from the engine's parts, because
//! the engine answers a request that it refuses with nothing at all.

use std::fmt::Display;

use async_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Error,
        client::IntoClientRequest,
        error::{ProtocolError, SubProtocolError},
        handshake::{
            client,
            machine::TryParse,
            server::{self, create_response, write_response},
        },
        http::{self, HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
        protocol::Role,
    },
};
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{Meter, Metered, engine_config};
use crate::{
    config::{Config, Extras},
    error::WsErr,
};

/// The longest request head that is read, in bytes.
const MAX_REQUEST_LEN: usize = 16 * 1024;

/// A connection that is open, and the subprotocol that was agreed on.
pub(crate) type Opened<S> = (Metered<S>, Option<String>);

/// Host and port of a `ws://` URL, for those who open its socket.
pub(crate) fn address(url: &str) -> Result<(String, u16), WsErr> {
    let uri: Uri = url
        .parse()
        .map_err(|error: http::uri::InvalidUri| WsErr::InvalidUrl(error.to_string()))?;
    match uri.scheme_str() {
        Some("ws") => {}
        Some("wss") => {
            return Err(WsErr::InvalidUrl(
                "TLS is yours to open: see connect_over".to_owned(),
            ));
        }
        _ => return Err(WsErr::InvalidUrl("the scheme is not ws".to_owned())),
    }
    let host = uri.host().filter(|host| !host.is_empty());
    let host = host.ok_or_else(|| WsErr::InvalidUrl("there is no host in it".to_owned()))?;
    // The brackets of an IPv6 address belong to the URL.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Ok((host.to_owned(), uri.port_u16().unwrap_or(80)))
}

/// The client's half.
pub(crate) async fn client<S>(
    io: S,
    url: &str,
    extras: &Extras,
    config: &Config,
) -> Result<Opened<S>, WsErr>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut request = url.into_client_request().map_err(client_error)?;
    add_headers(request.headers_mut(), &extras.headers)?;
    if !extras.subprotocols.is_empty() {
        let offer = extras
            .subprotocols
            .iter()
            .map(|name| token(name))
            .collect::<Result<Vec<_>, _>>()?;
        let offer =
            HeaderValue::from_str(&offer.join(", ")).map_err(|error| invalid_header(&error))?;
        request
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_PROTOCOL, offer);
    }
    let opening = client_async_with_config(request, Meter::new(io), Some(engine_config(config)));
    let (stream, response) = opening.await.map_err(client_error)?;
    let chosen = response.headers().get(header::SEC_WEBSOCKET_PROTOCOL);
    let chosen = chosen
        .and_then(|name| name.to_str().ok())
        .map(str::to_owned);
    Ok((Metered(stream), chosen))
}

/// The server's half. A request that is not one for a WebSocket gets an HTTP answer that says why.
pub(crate) async fn server<S>(
    mut io: S,
    extras: &Extras,
    config: &Config,
) -> Result<Opened<S>, WsErr>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut headers = HeaderMap::new();
    add_headers(&mut headers, &extras.headers)?;
    let answered = match read_request(&mut io).await? {
        Ok((request, rest)) => answer(&request, headers, &extras.subprotocols)
            .map(|(response, subprotocol)| (response, subprotocol, rest)),
        Err(refusal) => Err(refusal),
    };
    let (response, subprotocol, rest) = match answered {
        Ok(answered) => answered,
        Err(refusal) => return Err(refusal.send(io).await),
    };
    let mut head = Vec::new();
    write_response(&mut head, &response).map_err(|error| WsErr::Handshake(error.to_string()))?;
    io.write_all(&head).await?;
    io.flush().await?;
    let config = Some(engine_config(config));
    let stream =
        WebSocketStream::from_partially_read(Meter::new(io), rest, Role::Server, config).await;
    Ok((Metered(stream), subprotocol))
}

/// Why a request does not become a WebSocket.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    /// What a client may do about it.
    hint: Option<(HeaderName, HeaderValue)>,
    reason: String,
}

impl Refusal {
    fn new(status: StatusCode, reason: &dyn Display) -> Self {
        Self {
            status,
            hint: None,
            reason: reason.to_string(),
        }
    }

    fn hint(mut self, name: HeaderName, value: &'static str) -> Self {
        self.hint = Some((name, HeaderValue::from_static(value)));
        self
    }

    /// Answers with the refusal, and gives the error that the server sees.
    async fn send(self, mut io: impl AsyncWrite + Unpin) -> WsErr {
        let hint = self
            .hint
            .iter()
            .map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap_or("")));
        let answer = format!(
            "HTTP/1.1 {}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {}\r\n{}\r\n{}",
            self.status,
            self.reason.len(),
            hint.collect::<String>(),
            self.reason,
        );
        // The refusal is the error to report, whether or not the client waits to hear it.
        let _ = io.write_all(answer.as_bytes()).await;
        let _ = io.close().await;
        WsErr::Refused {
            status: self.status.as_u16(),
            reason: self.reason,
        }
    }
}

/// Reads the head of a request, and what came right behind it.
async fn read_request(
    io: &mut (impl AsyncRead + Unpin),
) -> Result<Result<(server::Request, Vec<u8>), Refusal>, WsErr> {
    let mut head = Vec::new();
    let mut chunk = [0; 2048];
    loop {
        let room = chunk.len().min(MAX_REQUEST_LEN - head.len());
        let (room, _) = chunk.split_at_mut(room);
        if room.is_empty() {
            let reason = "the request is too long";
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return Ok(Err(Refusal::new(status, &reason)));
        }
        let read = io.read(room).await?;
        if read == 0 {
            return Err(WsErr::Handshake(
                "the client left before its request was complete".to_owned(),
            ));
        }
        // The end may lie across two reads.
        let seen = head.len().saturating_sub(3);
        head.extend(room.iter().take(read));
        let is_complete = head
            .get(seen..)
            .unwrap_or_default()
            .windows(4)
            .any(|end| end == b"\r\n\r\n");
        if !is_complete {
            continue;
        }
        match server::Request::try_parse(&head) {
            Ok(Some((len, request))) => return Ok(Ok((request, head.split_off(len)))),
            Ok(None) => {}
            Err(error) => return Ok(Err(refuse_request(&error))),
        }
    }
}

/// The answer to a request for a WebSocket, and the subprotocol in it.
fn answer(
    request: &server::Request,
    headers: HeaderMap,
    supported: &[String],
) -> Result<(server::Response, Option<String>), Refusal> {
    let mut response = create_response(request).map_err(|error| refuse_request(&error))?;
    let offered = request
        .headers()
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter();
    let offered = offered.filter_map(|names| names.to_str().ok());
    let offered: Vec<&str> = offered
        .flat_map(|names| names.split(','))
        .map(str::trim)
        .collect();
    let chosen = supported
        .iter()
        .find(|name| offered.contains(&name.as_str()))
        .cloned();
    if chosen.is_none() && !supported.is_empty() && !offered.is_empty() {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            &"none of the offered subprotocols is spoken here",
        ));
    }
    response.headers_mut().extend(headers);
    if let Some(name) = &chosen {
        let name = HeaderValue::from_str(name);
        let name = name.map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, &error))?;
        response
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_PROTOCOL, name);
    }
    Ok((response, chosen))
}

fn refuse_request(error: &Error) -> Refusal {
    match error {
        Error::Protocol(ProtocolError::WrongHttpMethod) => {
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, error).hint(header::ALLOW, "GET")
        }
        Error::Protocol(
            ProtocolError::MissingConnectionUpgradeHeader
            | ProtocolError::MissingUpgradeWebSocketHeader,
        ) => Refusal::new(
            StatusCode::UPGRADE_REQUIRED,
            &"this is a WebSocket endpoint",
        )
        .hint(header::UPGRADE, "websocket"),
        // RFC 6455 section 4.4.
        Error::Protocol(ProtocolError::MissingSecWebSocketVersionHeader) => {
            Refusal::new(StatusCode::UPGRADE_REQUIRED, error)
                .hint(header::SEC_WEBSOCKET_VERSION, "13")
        }
        _ => Refusal::new(StatusCode::BAD_REQUEST, error),
    }
}

fn add_headers(headers: &mut HeaderMap, extras: &[(String, String)]) -> Result<(), WsErr> {
    for (name, value) in extras {
        let name =
            HeaderName::from_bytes(name.as_bytes()).map_err(|error| invalid_header(&error))?;
        let ours = [
            header::CONNECTION,
            header::UPGRADE,
            header::CONTENT_LENGTH,
            header::TRANSFER_ENCODING,
        ];
        if ours.contains(&name) || name.as_str().starts_with("sec-websocket-") {
            return Err(WsErr::InvalidHeader(format!(
                "{name} belongs to the handshake"
            )));
        }
        let value = HeaderValue::from_str(value).map_err(|error| invalid_header(&error))?;
        if name == header::HOST {
            headers.insert(name, value);
        } else {
            headers.append(name, value);
        }
    }
    Ok(())
}

/// A subprotocol is a token (RFC 6455 section 4.1), as the name of a header is.
pub(crate) fn token(name: &str) -> Result<&str, WsErr> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| WsErr::InvalidHeader(format!("subprotocol {name:?}")))?;
    Ok(name)
}

fn invalid_header(error: &dyn Display) -> WsErr {
    WsErr::InvalidHeader(error.to_string())
}

fn client_error(error: Error) -> WsErr {
    match error {
        Error::Io(error) => error.into(),
        Error::Url(error) => WsErr::InvalidUrl(error.to_string()),
        Error::HttpFormat(error) => WsErr::InvalidUrl(error.to_string()),
        Error::Http(response) => refused(&response),
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(
            SubProtocolError::NoSubProtocol,
        )) => WsErr::NoSubprotocol,
        error => WsErr::Handshake(error.to_string()),
    }
}

fn refused(response: &client::Response) -> WsErr {
    let body = response
        .body()
        .as_deref()
        .map(String::from_utf8_lossy)
        .unwrap_or_default();
    let canonical = response.status().canonical_reason().unwrap_or_default();
    let reason = if body.is_empty() { canonical } else { &body };
    WsErr::Refused {
        status: response.status().as_u16(),
        reason: reason.to_owned(),
    }
}
