//! The heads of requests and answers: reading them, and the headers that a caller adds.
//!
//! Put together from the engine's parts rather than by its own `accept` and `client`: those answer a request
//! that they refuse with nothing at all, and give up on a peer whose head comes in many small pieces.

use std::fmt::Display;

use async_tungstenite::tungstenite::{
    Error,
    handshake::machine::TryParse,
    http::{HeaderMap, HeaderName, HeaderValue, header},
};
use futures::io::{AsyncRead, AsyncReadExt};

use crate::error::WsErr;

/// The longest head of a request or an answer that is read, in bytes.
const MAX_HEAD_LEN: usize = 16 * 1024;

/// What reading the head of a request or an answer gave.
pub(super) enum Head<T> {
    /// The head, and what came right behind it.
    Complete(T, Vec<u8>),
    TooLarge,
    /// The peer left before it was complete.
    Eof,
    Malformed(Error),
}

pub(super) async fn read_head<T: TryParse>(
    io: &mut (impl AsyncRead + Unpin),
) -> Result<Head<T>, WsErr> {
    let mut head = Vec::new();
    let mut chunk = [0; 2048];
    // Empty lines may come before a head (RFC 9112 section 2.2), and are not the end of it.
    let mut start = 0;
    loop {
        let room = chunk.len().min(MAX_HEAD_LEN - head.len());
        let (room, _) = chunk.split_at_mut(room);
        if room.is_empty() {
            return Ok(Head::TooLarge);
        }
        let read = io.read(room).await?;
        if read == 0 {
            return Ok(Head::Eof);
        }
        // The end may lie across two reads.
        let seen = head.len().saturating_sub(3);
        head.extend(room.iter().take(read));
        let line_ends = head.iter().skip(start);
        start += line_ends.take_while(|byte| b"\r\n".contains(byte)).count();
        let new = head.get(seen.max(start)..).unwrap_or_default();
        if !new.windows(4).any(|end| end == b"\r\n\r\n") {
            continue;
        }
        match T::try_parse(&head) {
            Ok(Some((len, parsed))) => return Ok(Head::Complete(parsed, head.split_off(len))),
            Ok(None) => {}
            Err(error) => return Ok(Head::Malformed(error)),
        }
    }
}

pub(super) fn add_headers(
    headers: &mut HeaderMap,
    extras: &[(String, String)],
) -> Result<(), WsErr> {
    for (name, value) in extras {
        let (name, value) = header(name, value)?;
        let reserved = [
            header::CONNECTION,
            header::UPGRADE,
            header::CONTENT_LENGTH,
            header::TRANSFER_ENCODING,
        ];
        if reserved.contains(&name) || name.as_str().starts_with("sec-websocket-") {
            return Err(WsErr::InvalidHeader(format!(
                "{name} belongs to the handshake"
            )));
        }
        if name == header::HOST {
            headers.insert(name, value);
        } else {
            headers.append(name, value);
        }
    }
    Ok(())
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), WsErr> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| invalid_header(&error))?;
    let value = HeaderValue::from_str(value).map_err(|error| invalid_header(&error))?;
    Ok((name, value))
}

pub(super) fn invalid_header(error: &dyn Display) -> WsErr {
    WsErr::InvalidHeader(error.to_string())
}
