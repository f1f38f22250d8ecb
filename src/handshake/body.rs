//! The body of a rejection (RFC 9112 section 6).

use futures::io::{AsyncRead, AsyncReadExt};
use http::{
    HeaderMap, StatusCode,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};

use super::headers::list;

/// The maximum length of a body that is read, in bytes.
pub(super) const MAX_BODY_LEN: usize = 1024;

/// The maximum length with the framing of chunks.
const MAX_RAW_LEN: usize = 8 * 1024;

/// How the length of a body is determined (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

impl Framing {
    pub(super) fn of(status: StatusCode, headers: &HeaderMap) -> Self {
        if matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            return Self::Length(0);
        }
        if let Some(last) = list(headers, TRANSFER_ENCODING).last() {
            return if last.eq_ignore_ascii_case(b"chunked") {
                Self::Chunked
            } else {
                Self::UntilClose
            };
        }
        let parse = |value: &[u8]| std::str::from_utf8(value).ok()?.parse().ok();
        let mut lens = list(headers, CONTENT_LENGTH).map(parse);
        match lens.next() {
            // Several values that are equal are one.
            Some(Some(len)) if lens.all(|other| other == Some(len)) => Self::Length(len),
            _ => Self::UntilClose,
        }
    }

    /// The body in what was received, at most [`MAX_BODY_LEN`], and whether it is complete.
    pub(super) fn decode(self, raw: &[u8]) -> (Vec<u8>, bool) {
        match self {
            Self::Length(len) => {
                let max = usize::try_from(len).unwrap_or(usize::MAX).min(MAX_BODY_LEN);
                let body = raw.get(..max).unwrap_or(raw);
                (body.to_vec(), body.len() == max)
            }
            Self::Chunked => decode_chunks(raw),
            Self::UntilClose => {
                let body = raw.get(..MAX_BODY_LEN).unwrap_or(raw);
                (body.to_vec(), body.len() == MAX_BODY_LEN)
            }
        }
    }
}

/// The data of the chunks (RFC 9112 section 7.1), up to one that is malformed. The trailer is
/// ignored.
fn decode_chunks(mut raw: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let (start, len) = match httparse::parse_chunk_size(raw) {
            Ok(httparse::Status::Complete((start, len))) => (start, len),
            Ok(httparse::Status::Partial) => return (body, false),
            Err(_) => return (body, true),
        };
        let room = MAX_BODY_LEN - body.len();
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let data = raw.get(start..).unwrap_or_default();
        let data = data.get(..len.min(room)).unwrap_or(data);
        body.extend_from_slice(data);
        if len == 0 || body.len() == MAX_BODY_LEN {
            return (body, true);
        }
        // Behind the data is a line break.
        raw = match raw.get(start.saturating_add(len)..) {
            Some([b'\r', b'\n', rest @ ..] | [b'\n', rest @ ..]) => rest,
            Some([] | [b'\r']) | None => return (body, false),
            Some(_) => return (body, true),
        };
    }
}

/// Reads a body as far as possible: an incomplete one is useful, too. `raw` is the part that was
/// received with the head, and receives the rest. The caller limits the time.
pub(super) async fn read_body(
    framing: Framing,
    io: &mut (impl AsyncRead + Unpin),
    raw: &mut Vec<u8>,
) {
    let mut chunk = [0; 1024];
    while raw.len() < MAX_RAW_LEN && !framing.decode(raw).1 {
        match io.read(&mut chunk).await {
            Ok(len) if len > 0 => raw.extend_from_slice(chunk.get(..len).unwrap_or_default()),
            _ => break,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn framing(status: u16, headers: &[(&'static str, &str)]) -> Framing {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_static(name);
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        Framing::of(StatusCode::from_u16(status).unwrap(), &map)
    }

    #[test]
    fn framing_of_responses() {
        for (status, headers, expected) in [
            (404, &[][..], Framing::UntilClose),
            (204, &[("content-length", "5")], Framing::Length(0)),
            (304, &[], Framing::Length(0)),
            (404, &[("content-length", "5")], Framing::Length(5)),
            (
                404,
                &[("content-length", "5, 5"), ("content-length", "5")],
                Framing::Length(5),
            ),
            (404, &[("content-length", "5, 6")], Framing::UntilClose),
            (404, &[("content-length", "-5")], Framing::UntilClose),
            (404, &[("content-length", "five")], Framing::UntilClose),
            (404, &[("transfer-encoding", "Chunked")], Framing::Chunked),
            (
                404,
                &[
                    ("transfer-encoding", "gzip, chunked"),
                    ("content-length", "5"),
                ],
                Framing::Chunked,
            ),
            (404, &[("transfer-encoding", "gzip")], Framing::UntilClose),
            (
                404,
                &[
                    ("transfer-encoding", "chunked"),
                    ("transfer-encoding", "gzip"),
                ],
                Framing::UntilClose,
            ),
        ] {
            assert_eq!(framing(status, headers), expected, "{status} {headers:?}");
        }
    }

    #[test]
    fn bodies_of_all_framings() {
        let long = vec![b'x'; MAX_BODY_LEN + 1];
        let long_chunk = [&b"401\r\n"[..], &long, b"\r\n0\r\n\r\n"].concat();
        let max = &long[1..];
        for (framing, raw, expected, is_complete) in [
            (Framing::Length(0), &b""[..], &b""[..], true),
            (Framing::Length(4), b"gone", b"gone", true),
            (Framing::Length(4), b"gone and more", b"gone", true),
            (Framing::Length(5), b"gone", b"gone", false),
            (Framing::Length(u64::MAX), &long, max, true),
            (Framing::UntilClose, b"gone", b"gone", false),
            (Framing::UntilClose, &long, max, true),
            (Framing::Chunked, b"", b"", false),
            (Framing::Chunked, b"0\r\n\r\n", b"", true),
            (
                Framing::Chunked,
                b"5\r\nslow \r\n4\r\ndown\r\n0\r\n\r\n",
                b"slow down",
                true,
            ),
            (
                Framing::Chunked,
                b"5;ext=\"1\"\r\nslow \r\n4 \r\ndown\r\n0\r\nTrailer: x\r\n\r\n",
                b"slow down",
                true,
            ),
            (Framing::Chunked, b"5\r\nslow", b"slow", false),
            (Framing::Chunked, b"5\r\nslow \r", b"slow ", false),
            (Framing::Chunked, b"5\r\nslow \r\n4", b"slow ", false),
            (Framing::Chunked, b"5\r\nslow x", b"slow ", true),
            (Framing::Chunked, b"slow", b"", true),
            (
                Framing::Chunked,
                b"ffffffffffffffff\r\nslow",
                b"slow",
                false,
            ),
            (Framing::Chunked, b"fffffffffffffffff\r\nslow", b"", true),
            (Framing::Chunked, &long_chunk, max, true),
        ] {
            let (body, complete) = framing.decode(raw);
            let case = String::from_utf8_lossy(raw);
            assert_eq!(
                (&*body, complete),
                (expected, is_complete),
                "{framing:?} {case}"
            );
        }
    }
}
