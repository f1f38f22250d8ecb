//! The server's side of the handshake (RFC 6455 section 4.2).

use std::{net::SocketAddr, time::Duration};

use bytes::BytesMut;
use futures::{
    future::{BoxFuture, join},
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version,
    header::{
        ALLOW, CONNECTION, CONTENT_LENGTH, InvalidHeaderValue, ORIGIN, SEC_WEBSOCKET_ACCEPT,
        SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING,
        UPGRADE,
    },
};

#[cfg(feature = "deflate")]
use http::header::SEC_WEBSOCKET_EXTENSIONS;

#[cfg(feature = "deflate")]
use super::extensions::deflate;
use super::{
    extensions::{self, Extension, Malformed},
    handshaken::Handshaken,
    head::{self, HeadError, Kind, read_head},
    headers::{Duplicate, list, list_contains, single},
    key::{accept_value, is_key},
    options::HandshakeOptions,
    outcome::{Agreement, KnownError},
    policy::{self, Policy},
    rejection::Rejection,
    subprotocol,
};
#[cfg(feature = "deflate")]
use crate::config::Compression;
use crate::{error::WsErr, time::timeout, trace::Trace};

/// How many bytes are discarded behind a request that is rejected.
const MAX_DISCARDED: usize = 256 * 1024;

/// How long a rejected client may be silent before it counts as one that has sent everything.
const IDLE_TIMEOUT: Duration = Duration::from_secs(1);

/// What a server does about a request that it may accept: gives a value that belongs to the
/// connection, or rejects it.
pub(crate) type OnRequest<V> =
    dyn Fn(Request<()>) -> BoxFuture<'static, Result<V, Rejection>> + Send + Sync;

/// How a server handles a request.
pub(crate) struct Server<'a, V> {
    pub(crate) options: &'a HandshakeOptions,
    /// Those that the caller adds to the response.
    pub(crate) headers: &'a HeaderMap,
    pub(crate) policy: &'a Policy,
    pub(crate) on_request: &'a OnRequest<V>,
    pub(crate) trace: &'a Trace,
}

/// A request that is accepted.
pub(crate) struct Accepted<V, W> {
    /// The response that opens the WebSocket.
    pub(crate) response: Response<()>,
    pub(crate) agreement: Agreement,
    /// The value of the callback.
    pub(crate) value: V,
    /// What the WebSocket is opened on.
    pub(crate) upgrade: W,
}

impl<V> Server<'_, V> {
    /// Reads a request and answers it. A request that is not accepted gets another HTTP response.
    ///
    /// As soon as a request is rejected, the error is in `known`.
    ///
    /// # Errors
    /// [`WsErr::InvalidHeader`], [`WsErr::InvalidConfig`], [`WsErr::Rejected`],
    /// [`WsErr::Handshake`], [`WsErr::Io`].
    pub(crate) async fn accept<S>(
        &self,
        mut io: S,
        peer: Option<SocketAddr>,
        known: &mut KnownError,
    ) -> Result<(Handshaken<S>, V), WsErr>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut leftover = BytesMut::new();
        // The response to HEAD has no content (RFC 9110 section 9.3.2), whatever else is wrong with
        // the request.
        let mut is_head = false;
        let head = read_head(Kind::Request, &mut io, &mut leftover, |line| {
            is_head = line.starts_with(b"HEAD ");
        });
        let request = head.await?.and_then(|head| head::parse_request(&head));
        let result = match request {
            Ok(mut request) => {
                if let Some(peer) = peer {
                    request.extensions_mut().insert(peer);
                }
                self.respond(request, None, Some(())).await
            }
            Err(HeadError::Eof) => {
                let why = "the client disconnected before its request was complete";
                return Err(WsErr::Handshake(why.to_owned()));
            }
            Err(HeadError::TooLarge) => Err(Rejection::new(431, "the request is too long")),
            Err(HeadError::Malformed(why)) => {
                Err(Rejection::new(400, format!("malformed request: {why}")))
            }
        };
        let accepted = match result {
            Ok(accepted) => accepted,
            Err(rejection) => return Err(reject(rejection, is_head, io, known).await),
        };
        let Accepted {
            response,
            agreement,
            value,
            upgrade: (),
        } = accepted;
        io.write_all(&write_response(&response)).await?;
        io.flush().await?;
        let handshaken = Handshaken {
            io,
            leftover,
            agreement,
        };
        Ok((handshaken, value))
    }

    /// The response to a request that has been read. `protocol` is the `:protocol` of an extended
    /// CONNECT (RFC 8441 section 4). `upgrade` is what a WebSocket can be opened on.
    pub(crate) async fn respond<W>(
        &self,
        request: Request<()>,
        protocol: Option<&str>,
        upgrade: Option<W>,
    ) -> Result<Accepted<V, W>, Rejection> {
        let origin = policy::text(request.headers(), ORIGIN);
        let (host, path) = (policy::host(&request), request.uri().path());
        self.trace.request(host, path, origin);
        policy::check_host(&request)?;
        policy::check_target(&request)?;
        let upgrade = check_upgrade(&request, protocol).and_then(|()| {
            upgrade.ok_or_else(|| upgrade_required(&request, "this connection cannot be upgraded"))
        });
        let upgrade = match upgrade {
            Ok(upgrade) => upgrade,
            Err(rejection) => {
                // A plain request, such as a health check. The callback may have a response to it.
                self.call_back(request).await?;
                return Err(rejection);
            }
        };
        check_websocket(&request)?;
        let accept = match protocol {
            // RFC 8441 section 5.
            Some(_) => None,
            None => Some(accept_value(valid_key(&request)?)),
        };
        self.policy.check(&request)?;
        let selected = subprotocol::select(self.options, &request);
        // With or without compression.
        #[cfg_attr(
            not(feature = "deflate"),
            expect(unused_variables, reason = "for compression")
        )]
        let offered = offered_extensions(request.headers())?;
        #[cfg(feature = "deflate")]
        let compression = self.compress(&offered);
        let value = self.call_back(request).await?;
        // A client that the callback rejects does not learn the contracts.
        let selected = selected?;
        let response = self.opening_response(accept.as_deref(), selected.as_deref());
        let response = response.map_err(|error| Rejection::new(500, error.to_string()))?;
        let agreement = Agreement::new(selected, self.options);
        #[cfg(feature = "deflate")]
        let (response, agreement) = add_compression(response, agreement, compression)?;
        Ok(Accepted {
            response,
            agreement,
            value,
            upgrade,
        })
    }

    /// The answer to the offers of compression.
    #[cfg(feature = "deflate")]
    fn compress(&self, offered: &[Extension]) -> Option<(String, Compression)> {
        let deflate = self.options.compression.as_ref()?;
        deflate::answer(offered, deflate)
    }

    /// What the callback says to a request.
    async fn call_back(&self, request: Request<()>) -> Result<V, Rejection> {
        let is_connect = request.method() == Method::CONNECT;
        let result = (self.on_request)(request).await;
        result.map_err(|rejection| {
            if is_connect && rejection.status().is_success() {
                // It would open a tunnel (RFC 9110 section 9.3.6). A status that is not valid is an
                // error of the server.
                return Rejection::new(0, "");
            }
            rejection
        })
    }

    /// The response that opens the WebSocket: with the key of an upgrade, or without one, to an
    /// extended CONNECT.
    fn opening_response(
        &self,
        accept: Option<&str>,
        subprotocol: Option<&str>,
    ) -> Result<Response<()>, InvalidHeaderValue> {
        let mut response = Response::new(());
        if let Some(accept) = accept {
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            let headers = response.headers_mut();
            headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(SEC_WEBSOCKET_ACCEPT, HeaderValue::from_str(accept)?);
        }
        let headers = response.headers_mut();
        if let Some(name) = subprotocol {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_str(name)?);
        }
        headers.extend(self.headers.clone());
        Ok(response)
    }
}

/// Adds what was agreed on about compression to a response.
#[cfg(feature = "deflate")]
fn add_compression(
    mut response: Response<()>,
    mut agreement: Agreement,
    compression: Option<(String, Compression)>,
) -> Result<(Response<()>, Agreement), Rejection> {
    if let Some((answer, agreed)) = compression {
        let answer = HeaderValue::from_str(&answer)
            .map_err(|error| Rejection::new(500, error.to_string()))?;
        let headers = response.headers_mut();
        headers.insert(SEC_WEBSOCKET_EXTENSIONS, answer);
        agreement.compression = Some(agreed);
    }
    Ok((response, agreement))
}

/// Checks that a request asks for a WebSocket, with any key and version.
fn check_upgrade(request: &Request<()>, protocol: Option<&str>) -> Result<(), Rejection> {
    let headers = request.headers();
    if protocol.is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket")) {
        return Ok(());
    }
    if request.method() == Method::CONNECT && request.version() >= Version::HTTP_2 {
        // As RFC 9220 section 3 says for HTTP/3. Without the feature `http2`, no protocol is known.
        let why = "the :protocol of this CONNECT is not supported";
        return Err(Rejection::new(501, why));
    }
    if request.method() != Method::GET {
        let rejection = Rejection::new(405, "the method is not GET");
        return Err(rejection.protocol_header(ALLOW, "GET"));
    }
    // HTTP/1.0 has no upgrades (RFC 9110 section 7.8), and HTTP/2 has none (RFC 9113 section 8.6).
    if request.version() != Version::HTTP_11
        || !list_contains(headers, CONNECTION, "upgrade")
        || !list_contains(headers, UPGRADE, "websocket")
    {
        return Err(upgrade_required(request, "this is a WebSocket endpoint"));
    }
    Ok(())
}

/// Checks the rest of a request for a WebSocket (RFC 6455 section 4.2.1), except for its key.
fn check_websocket(request: &Request<()>) -> Result<(), Rejection> {
    if has_content(request.headers()) {
        return Err(Rejection::new(400, "a WebSocket request has no content"));
    }
    if single_value(request, &SEC_WEBSOCKET_VERSION)? != Some(b"13") {
        let why = "the version of the WebSocket protocol is not 13";
        return Err(upgrade_required(request, why));
    }
    Ok(())
}

/// The value of a header that a request may have once.
fn single_value<'a>(
    request: &'a Request<()>,
    name: &HeaderName,
) -> Result<Option<&'a [u8]>, Rejection> {
    let duplicate = |Duplicate| Rejection::new(400, format!("several {name} headers"));
    single(request.headers(), name.clone()).map_err(duplicate)
}

/// The extensions that a client offers.
fn offered_extensions(headers: &HeaderMap) -> Result<Vec<Extension>, Rejection> {
    let why = "the Sec-WebSocket-Extensions are malformed";
    extensions::parse(headers).map_err(|Malformed| Rejection::new(400, why))
}

/// The key of a request.
fn valid_key(request: &Request<()>) -> Result<&[u8], Rejection> {
    match single_value(request, &SEC_WEBSOCKET_KEY)? {
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
/// demand. HTTP/2 forbids them, so its status is 400.
fn upgrade_required(request: &Request<()>, why: &str) -> Rejection {
    let rejection = if request.version() >= Version::HTTP_2 {
        Rejection::new(400, why)
    } else {
        Rejection::new(426, why)
            .protocol_header(CONNECTION, "Upgrade")
            .protocol_header(UPGRADE, "websocket")
    };
    rejection.protocol_header(SEC_WEBSOCKET_VERSION, "13")
}

/// Sends a rejection, drains the request, and gives the error for the server.
async fn reject(
    rejection: Rejection,
    is_head: bool,
    io: impl AsyncRead + AsyncWrite + Unpin,
    known: &mut KnownError,
) -> WsErr {
    let (response, error) = rejection.into_response();
    *known = Some(WsErr::clone(&error));
    let (head, content) = response.into_parts();
    let mut response = Response::from_parts(head, ());
    let status = response.status();
    let headers = response.headers_mut();
    headers.append(CONNECTION, HeaderValue::from_static("close"));
    // RFC 9110 section 8.6. Status 205 has the length 0 (section 15.3.6).
    if !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        headers.insert(CONTENT_LENGTH, content.len().into());
    }
    let mut bytes = write_response(&response);
    if !is_head {
        bytes.extend_from_slice(content.as_bytes());
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

#[cfg(test)]
mod tests;
