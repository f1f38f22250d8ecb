//! The tunnel of an HTTP proxy: CONNECT (RFC 9110 section 9.3.6).

use bytes::BytesMut;
use futures::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{HOST, PROXY_AUTHORIZATION},
};

use super::{
    added_headers::invalid_header,
    client::{read_rejection, read_response, rejected},
    head,
    outcome::KnownError,
};
use crate::error::{ProxyError, WsErr};

/// Lets a proxy connect to `target`, a host and a port. As soon as the status of a rejection has
/// been received, its error is in `known`.
///
/// # Errors
/// [`WsErr::Proxy`], [`WsErr::Io`].
pub(crate) async fn connect<S>(
    io: &mut S,
    target: &str,
    authorization: Option<&str>,
    known: &mut KnownError,
) -> Result<(), WsErr>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let value = |text: &str| HeaderValue::from_str(text).map_err(invalid_header);
    let mut headers = HeaderMap::new();
    headers.insert(HOST, value(target)?);
    if let Some(authorization) = authorization {
        headers.insert(PROXY_AUTHORIZATION, value(authorization)?);
    }
    let request = head::write_head(&format!("CONNECT {target} HTTP/1.1"), &headers);
    io.write_all(&request).await?;
    io.flush().await?;
    let mut buffer = BytesMut::new();
    let mut status = None;
    let head = read_response(io, &mut buffer, |received| {
        status = Some(received);
        if !received.is_success() {
            *known = Some(rejection(received, HeaderMap::new(), &[]));
        }
    })
    .await;
    match (status, head) {
        // Without a body, whatever the headers say. Neither TLS nor a WebSocket begins with the
        // server.
        (Some(status), Ok(_)) if status.is_success() => {
            if buffer.is_empty() {
                Ok(())
            } else {
                Err(invalid("it sent data before it was asked for any"))
            }
        }
        (Some(status), head) if !status.is_success() => {
            Err(read_rejection(io, status, head.ok(), buffer, known, rejection).await)
        }
        // Status 101.
        (_, Ok(_)) => Err(invalid("it responded with an upgrade to CONNECT")),
        (_, Err(WsErr::Handshake(why))) => Err(invalid(&why)),
        (_, Err(error)) => Err(error),
    }
}

fn rejection(status: StatusCode, headers: HeaderMap, body: &[u8]) -> WsErr {
    ProxyError::Rejected(rejected(status, headers, body)).into()
}

fn invalid(why: &str) -> WsErr {
    ProxyError::Invalid(why.to_owned()).into()
}
