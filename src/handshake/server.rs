//! The server's half of the handshake.

use std::time::Duration;

use async_tungstenite::tungstenite::{
    Error,
    error::ProtocolError,
    handshake::server::{Request, Response, create_response_with_body, write_response},
    http::{
        HeaderMap, HeaderValue, Request as HttpRequest, Response as HttpResponse, StatusCode,
        header,
    },
};
use futures::{
    future::join,
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
};

use super::{
    handshaken::Handshaken,
    head::{Head, add_headers, read_head},
    options::HandshakeOptions,
    outcome::{Agreement, KnownError},
    rejection::Rejection,
    request::HandshakeRequest,
    subprotocol,
};
use crate::{error::WsErr, time::timeout};

/// How much of what a client sends on after it was refused is taken, in bytes.
const MAX_DISCARDED: usize = 256 * 1024;

/// How long a client that was refused may be silent before it counts as one that has sent all.
const IDLE_TIMEOUT: Duration = Duration::from_secs(1);

/// Reads a request and answers it. A request that is not for a WebSocket, or that `validate` rejects,
/// gets an HTTP response that says why.
pub(crate) async fn accept<S>(
    mut io: S,
    options: &HandshakeOptions,
    validate: impl FnOnce(&HandshakeRequest<'_>) -> Result<(), Rejection>,
    known: &mut KnownError,
) -> Result<Handshaken<S>, WsErr>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let headers = response_headers(options)?;
    let answered = match read_head::<Request>(&mut io).await? {
        Head::Complete(request, rest) => {
            respond_with(&request, headers, options, validate).map(|answer| (answer, rest))
        }
        Head::Eof => {
            let why = "the client left before its request was complete".to_owned();
            return Err(WsErr::Handshake(why));
        }
        Head::TooLarge => Err(Rejection::new(431, "the request is too long")),
        Head::Malformed(error) => Err(refuse_request(&error)),
    };
    let ((response, agreement), leftover) = match answered {
        Ok(answered) => answered,
        Err(rejection) => return Err(reject(&rejection, io, known).await),
    };
    let mut head = Vec::new();
    write_response(&mut head, &response).map_err(|error| WsErr::Handshake(error.to_string()))?;
    io.write_all(&head).await?;
    io.flush().await?;
    Ok(Handshaken {
        io,
        leftover,
        agreement,
    })
}

/// Validates the options, and gives the headers of a response.
fn response_headers(options: &HandshakeOptions) -> Result<HeaderMap, WsErr> {
    options.validate()?;
    let mut headers = HeaderMap::new();
    add_headers(&mut headers, options.headers())?;
    Ok(headers)
}

/// Answers with the rejection, hears the client out, and gives the error that the server sees.
async fn reject(
    rejection: &Rejection,
    io: impl AsyncRead + AsyncWrite + Unpin,
    known: &mut KnownError,
) -> WsErr {
    let (headers, refused) = match rejection.response_headers() {
        Ok(headers) => (headers, rejection.to_error()),
        Err(error) => (HeaderMap::new(), error),
    };
    *known = Some(WsErr::clone(&refused));
    let mut response = HttpResponse::new(());
    *response.status_mut() = match &refused {
        WsErr::Refused { .. } => rejection.code(),
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    *response.headers_mut() = headers;
    let mut answer = Vec::new();
    if write_response(&mut answer, &response).is_ok() {
        answer.extend(rejection.reason().as_bytes());
    }
    let (reader, mut writer) = io.split();
    let tell = async {
        // The rejection is the error to report, whether or not the client waits to hear it.
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
        match timeout(IDLE_TIMEOUT, io.read(&mut chunk)).await {
            Some(Ok(read)) if read > 0 => left = left.saturating_sub(read),
            _ => return,
        }
    }
}

/// The response to a request that another HTTP implementation has read.
#[cfg(feature = "hyper")]
pub(crate) fn respond<B>(
    request: &HttpRequest<B>,
    options: &HandshakeOptions,
    validate: impl FnOnce(&HandshakeRequest<'_>) -> Result<(), Rejection>,
) -> Result<(Response, Agreement), Rejection> {
    let headers = response_headers(options);
    let headers = headers.map_err(|error| Rejection::new(500, error.to_string()))?;
    respond_with(request, headers, options, validate)
}

fn respond_with<B>(
    request: &HttpRequest<B>,
    headers: HeaderMap,
    options: &HandshakeOptions,
    validate: impl FnOnce(&HandshakeRequest<'_>) -> Result<(), Rejection>,
) -> Result<(Response, Agreement), Rejection> {
    let mut response =
        create_response_with_body(request, || ()).map_err(|error| refuse_request(&error))?;
    let request = HandshakeRequest::new(request.uri(), request.headers());
    validate(&request)?;
    let chosen = subprotocol::select(options, &request)?;
    response.headers_mut().extend(headers);
    if let Some(name) = &chosen {
        let name = HeaderValue::from_str(name);
        let name = name.map_err(|error| Rejection::new(500, error.to_string()))?;
        response
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_PROTOCOL, name);
    }
    Ok((response, Agreement::new(chosen, options)))
}

fn refuse_request(error: &Error) -> Rejection {
    match error {
        Error::Protocol(ProtocolError::WrongHttpMethod) => {
            Rejection::new(405, error.to_string()).hint(header::ALLOW, "GET")
        }
        Error::Protocol(
            ProtocolError::MissingConnectionUpgradeHeader
            | ProtocolError::MissingUpgradeWebSocketHeader,
        ) => Rejection::new(426, "this is a WebSocket endpoint").hint(header::UPGRADE, "websocket"),
        // RFC 6455 section 4.4.
        Error::Protocol(ProtocolError::MissingSecWebSocketVersionHeader) => {
            Rejection::new(426, error.to_string()).hint(header::SEC_WEBSOCKET_VERSION, "13")
        }
        _ => Rejection::new(400, error.to_string()),
    }
}
