//! The heads of requests and responses (RFC 9112), without I/O but for one function.

use std::ops::Range;

use bytes::BytesMut;
use futures::io::{AsyncRead, AsyncReadExt};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, Version};
use httparse::{EMPTY_HEADER, Header, ParserConfig};

use crate::error::WsErr;

/// The maximum length of a head, in bytes. There is no limit on the number of headers.
pub(super) const MAX_HEAD_LEN: usize = 16 * 1024;

/// The number of bytes that are checked before the first line is complete. What is not HTTP differs
/// from the beginning.
const MAX_START_LEN: usize = 64;

/// Why there is no head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeadError {
    /// The peer disconnected before the head was complete.
    Eof,
    TooLarge,
    /// The bytes are not an HTTP head.
    Malformed(&'static str),
}

/// What a head belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    Response,
}

impl Kind {
    /// Checks the first bytes of a head.
    fn check_start(self, start: &[u8]) -> Result<(), HeadError> {
        let parsed = match self {
            Self::Request => httparse::Request::new(&mut []).parse(start).map(drop),
            Self::Response => lenient()
                .parse_response(&mut httparse::Response::new(&mut []), start)
                .map(drop),
        };
        match parsed {
            // The first line is complete, and a header follows.
            Ok(()) | Err(httparse::Error::TooManyHeaders) => Ok(()),
            Err(error) => Err(malformed(error)),
        }
    }
}

/// Finds the end of a head in input that grows. The result does not depend on how the input is
/// split.
#[derive(Debug)]
pub(super) struct HeadScanner {
    kind: Kind,
    /// The number of bytes in which no further line ends.
    scanned: usize,
    /// Where the current line begins.
    line: usize,
    first_line: Option<Range<usize>>,
}

impl HeadScanner {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            scanned: 0,
            line: 0,
            first_line: None,
        }
    }

    /// The length of the head at the beginning of the input, or `None` if it is not complete. Empty
    /// lines before a head are a part of it (RFC 9112 section 2.2). Lines end with CR LF or LF.
    pub(super) fn scan(&mut self, input: &[u8]) -> Result<Option<usize>, HeadError> {
        let input = input.get(..MAX_HEAD_LEN).unwrap_or(input);
        let end = self.scan_lines(input);
        // What follows the first line cannot take its meaning away.
        let start = self
            .first_line
            .as_ref()
            .map_or(input.len(), |line| line.end + 1);
        let start = input.get(..start.min(MAX_START_LEN)).unwrap_or(input);
        if let Err(error) = self.kind.check_start(start) {
            self.first_line = None;
            return Err(error);
        }
        if end.is_none() && input.len() == MAX_HEAD_LEN {
            return Err(HeadError::TooLarge);
        }
        Ok(end)
    }

    /// Scans new lines, up to the empty one behind a head.
    fn scan_lines(&mut self, input: &[u8]) -> Option<usize> {
        loop {
            let new = input.get(self.scanned..).unwrap_or_default();
            let Some(len) = new.iter().position(|byte| *byte == b'\n') else {
                self.scanned = input.len();
                return None;
            };
            let end = self.scanned + len;
            let line = input.get(self.line..end).unwrap_or_default();
            let is_empty = matches!(line, b"" | b"\r");
            if is_empty && self.first_line.is_some() {
                return Some(end + 1);
            }
            if !is_empty && self.first_line.is_none() {
                self.first_line = Some(self.line..end);
            }
            self.scanned = end + 1;
            self.line = end + 1;
        }
    }

    /// The first line of the head that was scanned, if it is complete.
    pub(super) fn first_line<'a>(&self, input: &'a [u8]) -> Option<&'a [u8]> {
        input.get(self.first_line.clone()?)
    }
}

/// Reads until there is a head, and gives it. What follows it stays in `buffer`. `on_first_line` is
/// called as soon as the first line is complete.
///
/// # Errors
/// Those of `io`.
pub(super) async fn read_head(
    kind: Kind,
    io: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
    mut on_first_line: impl FnMut(&[u8]),
) -> Result<Result<BytesMut, HeadError>, WsErr> {
    let mut state = HeadScanner::new(kind);
    let mut has_first_line = false;
    let mut chunk = [0; 2048];
    loop {
        let result = state.scan(buffer);
        if let Some(line) = state.first_line(buffer).filter(|_| !has_first_line) {
            has_first_line = true;
            on_first_line(line);
        }
        match result {
            Ok(Some(len)) => return Ok(Ok(buffer.split_to(len))),
            Ok(None) => {}
            Err(error) => return Ok(Err(error)),
        }
        let read = io.read(&mut chunk).await?;
        if read == 0 {
            return Ok(Err(HeadError::Eof));
        }
        buffer.extend_from_slice(chunk.get(..read).unwrap_or_default());
    }
}

/// Parses a complete head of a request.
pub(super) fn parse_request(head: &[u8]) -> Result<Request<()>, HeadError> {
    let mut headers = header_slots(head);
    let mut parsed = httparse::Request::new(&mut headers);
    let parse = parsed.parse(head);
    let is_complete = parse.map_err(|error| malformed_in(head, error))?;
    let is_complete = is_complete.is_complete();
    let (Some(method), Some(target), Some(minor), true) =
        (parsed.method, parsed.path, parsed.version, is_complete)
    else {
        return Err(HeadError::Malformed("incomplete head"));
    };
    let mut request = Request::new(());
    *request.method_mut() = method
        .parse()
        .map_err(|_| HeadError::Malformed("invalid method"))?;
    *request.uri_mut() = parse_target(target)?;
    *request.version_mut() = version(minor);
    *request.headers_mut() = header_map(parsed.headers)?;
    Ok(request)
}

/// A request target: a path with or without an origin (RFC 9112 sections 3.2.1 and 3.2.2).
fn parse_target(target: &str) -> Result<Uri, HeadError> {
    let uri: Option<Uri> = target.parse().ok();
    uri.filter(|uri| uri.path().starts_with('/'))
        .ok_or(HeadError::Malformed("invalid request target"))
}

/// The version and the status in the first line of a response.
pub(super) fn parse_status_line(line: &[u8]) -> Result<(Version, StatusCode), HeadError> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let head = [line, b"\r\n\r\n"].concat();
    let mut parsed = httparse::Response::new(&mut []);
    let parse = lenient().parse_response(&mut parsed, &head);
    parse.map_err(malformed)?;
    let status = parsed.code.and_then(|code| StatusCode::from_u16(code).ok());
    match (parsed.version, status) {
        (Some(minor), Some(status)) => Ok((version(minor), status)),
        _ => Err(HeadError::Malformed("invalid status")),
    }
}

/// Parses a complete head of a response with status 101.
pub(super) fn parse_response(head: &[u8]) -> Result<Response<()>, HeadError> {
    parse_response_with(&ParserConfig::default(), head)
}

/// The headers of another response: those that can be understood, in the lines that are complete.
pub(super) fn parse_rejection(head: &[u8]) -> HeaderMap {
    let end = head.iter().rposition(|byte| *byte == b'\n');
    let lines = end.and_then(|end| head.get(..=end)).unwrap_or_default();
    let head = [lines, b"\r\n"].concat();
    let response = parse_response_with(&lenient(), &head);
    response.map_or_else(
        |_| HeaderMap::new(),
        |response| response.into_parts().0.headers,
    )
}

/// A parser that accepts deviations which do not change a status.
fn lenient() -> ParserConfig {
    let mut config = ParserConfig::default();
    config
        .allow_multiple_spaces_in_response_status_delimiters(true)
        .allow_spaces_after_header_name_in_responses(true)
        .ignore_invalid_headers_in_responses(true);
    config
}

fn parse_response_with(config: &ParserConfig, head: &[u8]) -> Result<Response<()>, HeadError> {
    let mut headers = header_slots(head);
    let mut parsed = httparse::Response::new(&mut headers);
    let parse = config.parse_response(&mut parsed, head);
    let is_complete = parse.map_err(|error| malformed_in(head, error))?;
    let is_complete = is_complete.is_complete();
    let (Some(status), Some(minor), true) = (parsed.code, parsed.version, is_complete) else {
        return Err(HeadError::Malformed("incomplete head"));
    };
    let mut response = Response::new(());
    *response.status_mut() =
        StatusCode::from_u16(status).map_err(|_| HeadError::Malformed("invalid status"))?;
    *response.version_mut() = version(minor);
    *response.headers_mut() = header_map(parsed.headers)?;
    Ok(response)
}

/// Room for as many headers as a head has lines.
fn header_slots(head: &[u8]) -> Vec<Header<'_>> {
    let lines = head.split(|byte| *byte == b'\n').count();
    vec![EMPTY_HEADER; lines]
}

fn header_map(headers: &[Header<'_>]) -> Result<HeaderMap, HeadError> {
    let mut map = HeaderMap::new();
    for header in headers {
        let name = HeaderName::from_bytes(header.name.as_bytes());
        let name = name.map_err(|_| HeadError::Malformed("invalid header name"))?;
        let value = HeaderValue::from_bytes(header.value);
        let value = value.map_err(|_| HeadError::Malformed("invalid header value"))?;
        map.try_append(name, value)
            .map_err(|_| HeadError::TooLarge)?;
    }
    Ok(map)
}

fn version(minor: u8) -> Version {
    match minor {
        0 => Version::HTTP_10,
        _ => Version::HTTP_11,
    }
}

fn malformed(error: httparse::Error) -> HeadError {
    HeadError::Malformed(match error {
        httparse::Error::HeaderName => "invalid header name",
        httparse::Error::HeaderValue => "invalid header value",
        httparse::Error::NewLine => "invalid line break",
        httparse::Error::Status => "invalid status",
        httparse::Error::Version => "invalid HTTP version",
        httparse::Error::Token | httparse::Error::TooManyHeaders => "invalid HTTP",
    })
}

/// The same for a whole head. A folded header (RFC 9112 section 5.2) has a reason of its own,
/// because its line is not wrong as such.
fn malformed_in(head: &[u8], error: httparse::Error) -> HeadError {
    let mut pairs = head.windows(2);
    let is_folded = pairs.any(|pair| matches!(pair, b"\n " | b"\n\t"));
    match error {
        httparse::Error::HeaderName if is_folded => {
            HeadError::Malformed("a header is folded over several lines")
        }
        error => malformed(error),
    }
}

/// A head: the first line, the headers, and the empty line.
pub(super) fn write_head(first_line: &str, headers: &HeaderMap) -> Vec<u8> {
    let mut head = format!("{first_line}\r\n").into_bytes();
    for (name, value) in headers {
        head.extend(title_case(name.as_str()));
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// `content-type` as `Content-Type`: the case does not matter, except to some old implementations.
fn title_case(name: &str) -> impl Iterator<Item = u8> {
    let name = match name {
        "sec-websocket-accept" => "Sec-WebSocket-Accept",
        "sec-websocket-key" => "Sec-WebSocket-Key",
        "sec-websocket-protocol" => "Sec-WebSocket-Protocol",
        "sec-websocket-version" => "Sec-WebSocket-Version",
        "www-authenticate" => "WWW-Authenticate",
        name => name,
    };
    let before = std::iter::once(b'-').chain(name.bytes());
    name.bytes().zip(before).map(|(byte, before)| match before {
        b'-' => byte.to_ascii_uppercase(),
        _ => byte,
    })
}

#[cfg(test)]
mod tests;
