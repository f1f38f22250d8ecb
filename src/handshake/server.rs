//! The server's half of the handshake.

use std::time::Duration;

use async_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error,
        error::ProtocolError,
        handshake::server::{Request, Response, create_response_with_body, write_response},
        http::{
            HeaderMap, HeaderValue, Request as HttpRequest, Response as HttpResponse, StatusCode,
            header,
        },
        protocol::Role,
    },
};
use futures::{
    future::join,
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
};

use super::{
    head::{Head, headers, read_head},
    rejection::Refusal,
    request::HandshakeRequest,
    subprotocol::choose,
};
use crate::{
    config::{Config, Extras},
    error::WsErr,
    handshake::opening::{Opened, Verdict},
    time::within,
    transport::{
        meter::Meter,
        tungstenite::{Metered, tungstenite_config},
    },
};

/// How much of what a client sends on after it was refused is taken, in bytes.
const MAX_DISCARDED: usize = 256 * 1024;

/// How long a client that was refused may be silent before it counts as one that has sent all.
const SILENCE: Duration = Duration::from_secs(1);

/// Reads a request and answers it. One that is not for a WebSocket, or that `judge` refuses, gets an HTTP answer
/// that says why.
pub(crate) async fn open<S>(
    mut io: S,
    extras: &Extras,
    config: &Config,
    judge: impl FnOnce(&HandshakeRequest<'_>) -> Result<(), Refusal>,
    verdict: &mut Verdict,
) -> Result<Opened<Metered<S>>, WsErr>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let headers = headers(extras)?;
    let answered = match read_head::<Request>(&mut io).await? {
        Head::Complete(request, rest) => {
            answer(&request, headers, extras, judge).map(|answer| (answer, rest))
        }
        Head::Cut => {
            let why = "the client left before its request was complete".to_owned();
            return Err(WsErr::Handshake(why));
        }
        Head::TooLong => Err(Refusal::new(431, "the request is too long")),
        Head::Malformed(error) => Err(refuse_request(&error)),
    };
    let ((response, subprotocol), rest) = match answered {
        Ok(answered) => answered,
        Err(refusal) => return Err(refuse(&refusal, io, verdict).await),
    };
    let mut head = Vec::new();
    write_response(&mut head, &response).map_err(|error| WsErr::Handshake(error.to_string()))?;
    io.write_all(&head).await?;
    io.flush().await?;
    Ok((opened(io, rest, config).await, subprotocol))
}

/// The engine over a stream whose handshake is over, with what came right behind that.
pub(crate) async fn opened<S>(io: S, rest: Vec<u8>, config: &Config) -> Metered<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let io = Meter::new(io, config.max_recv_message_len, &rest);
    let config = Some(tungstenite_config(config));
    Metered::new(WebSocketStream::from_partially_read(io, rest, Role::Server, config).await)
}

/// Answers with the refusal, hears the client out, and gives the error that the server sees.
async fn refuse(
    refusal: &Refusal,
    io: impl AsyncRead + AsyncWrite + Unpin,
    verdict: &mut Verdict,
) -> WsErr {
    let (headers, refused) = match refusal.answer_headers() {
        Ok(headers) => (headers, refusal.to_error()),
        Err(error) => (HeaderMap::new(), error),
    };
    *verdict = Some(WsErr::clone(&refused));
    let mut response = HttpResponse::new(());
    *response.status_mut() = match &refused {
        WsErr::Refused { .. } => refusal.code(),
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    *response.headers_mut() = headers;
    let mut answer = Vec::new();
    if write_response(&mut answer, &response).is_ok() {
        answer.extend(refusal.reason().as_bytes());
    }
    let (reader, mut writer) = io.split();
    let tell = async {
        // The refusal is the error to report, whether or not the client waits to hear it.
        let _ = writer.write_all(&answer).await;
        let _ = writer.close().await;
    };
    // At the same time: a client that sends all before it reads may leave no room for the answer.
    join(tell, discard(reader)).await;
    refused
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
pub(crate) fn answer<T>(
    request: &HttpRequest<T>,
    headers: HeaderMap,
    extras: &Extras,
    check: impl FnOnce(&HandshakeRequest<'_>) -> Result<(), Refusal>,
) -> Result<(Response, Option<String>), Refusal> {
    let mut response =
        create_response_with_body(request, || ()).map_err(|error| refuse_request(&error))?;
    let request = HandshakeRequest::new(request.uri(), request.headers());
    check(&request)?;
    let chosen = choose(extras, &request)?;
    response.headers_mut().extend(headers);
    if let Some(name) = &chosen {
        let name = HeaderValue::from_str(name);
        let name = name.map_err(|error| Refusal::new(500, error.to_string()))?;
        response
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_PROTOCOL, name);
    }
    Ok((response, chosen))
}

fn refuse_request(error: &Error) -> Refusal {
    match error {
        Error::Protocol(ProtocolError::WrongHttpMethod) => {
            Refusal::new(405, error.to_string()).hint(header::ALLOW, "GET")
        }
        Error::Protocol(
            ProtocolError::MissingConnectionUpgradeHeader
            | ProtocolError::MissingUpgradeWebSocketHeader,
        ) => Refusal::new(426, "this is a WebSocket endpoint").hint(header::UPGRADE, "websocket"),
        // RFC 6455 section 4.4.
        Error::Protocol(ProtocolError::MissingSecWebSocketVersionHeader) => {
            Refusal::new(426, error.to_string()).hint(header::SEC_WEBSOCKET_VERSION, "13")
        }
        _ => Refusal::new(400, error.to_string()),
    }
}
