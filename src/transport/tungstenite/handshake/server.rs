//! The server's half of the handshake.

use std::{fmt::Display, time::Duration};

use async_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error,
        error::ProtocolError,
        handshake::server::{Request, Response, create_response, write_response},
        http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
        protocol::Role,
    },
};
use futures::{
    future::join,
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
};

use super::{Head, Meter, Metered, add_headers, engine_config, read_head};
use crate::{
    clock::within,
    config::{Config, Extras},
    error::WsErr,
    transport::{Opened, Verdict},
};

/// How much of what a client sends on after it was refused is taken, in bytes.
const MAX_DISCARDED: usize = 256 * 1024;

/// How long a client that was refused may be silent before it counts as one that has sent all.
const SILENCE: Duration = Duration::from_secs(1);

/// Reads a request and answers it. One that is not for a WebSocket gets an HTTP answer that says why.
pub(crate) async fn open<S>(
    mut io: S,
    extras: &Extras,
    config: &Config,
    verdict: &mut Verdict,
) -> Result<Opened<Metered<S>>, WsErr>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut headers = HeaderMap::new();
    add_headers(&mut headers, &extras.headers)?;
    let (request, rest) = match read_head::<Request>(&mut io).await? {
        Head::Complete(request, rest) => (request, rest),
        Head::Cut => {
            let why = "the client left before its request was complete".to_owned();
            return Err(WsErr::Handshake(why));
        }
        Head::TooLong => {
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            let refusal = Refusal::new(status, &"the request is too long");
            return Err(refusal.send(io, verdict).await);
        }
        Head::Malformed(error) => return Err(refuse_request(&error).send(io, verdict).await),
    };
    let (response, subprotocol) = match answer(&request, headers, &extras.subprotocols) {
        Ok(answered) => answered,
        Err(refusal) => return Err(refusal.send(io, verdict).await),
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

    /// Answers with the refusal, hears the client out, and gives the error that the server sees.
    async fn send(self, io: impl AsyncRead + AsyncWrite + Unpin, verdict: &mut Verdict) -> WsErr {
        let refused = WsErr::Refused {
            status: self.status.as_u16(),
            reason: self.reason.clone(),
        };
        *verdict = Some(refused.clone());
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
        let (reader, mut writer) = io.split();
        let tell = async {
            // The refusal is the error to report, whether or not the client waits to hear it.
            let _ = writer.write_all(answer.as_bytes()).await;
            let _ = writer.close().await;
        };
        // At the same time: a client that sends all before it reads may leave no room for the answer.
        join(tell, discard(reader)).await;
        refused
    }
}

/// TCP resets a connection that is dropped with something unread, and a reset may overtake the answer. So what
/// the client still sends is taken, within bounds.
async fn discard(mut io: impl AsyncRead + Unpin) {
    let mut chunk = [0; 2048];
    let mut left = MAX_DISCARDED;
    while left > 0 {
        match within(SILENCE, io.read(&mut chunk)).await {
            Some(Ok(read)) if read > 0 => left = left.saturating_sub(read),
            _ => return,
        }
    }
}

/// The answer to a request for a WebSocket, and the subprotocol in it.
fn answer(
    request: &Request,
    headers: HeaderMap,
    supported: &[String],
) -> Result<(Response, Option<String>), Refusal> {
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
