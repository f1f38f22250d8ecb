#[cfg(feature = "__property-tests")]
mod properties;

use super::*;

/// The length of a head and its first line, or the error, after input that comes in these pieces.
type Scanned = (Result<Option<usize>, HeadError>, Option<Vec<u8>>);

fn scan(kind: Kind, input: &[u8], splits: impl IntoIterator<Item = usize>) -> Scanned {
    let mut scanner = HeadScanner::new(kind);
    for len in splits.into_iter().chain([input.len()]) {
        let result = scanner.scan(&input[..len]);
        if len == input.len() || !matches!(result, Ok(None)) {
            return (result, scanner.first_line(input).map(<[u8]>::to_vec));
        }
    }
    unreachable!("the last piece is the whole")
}

#[test]
fn ends_of_heads() {
    use HeadError::{Malformed, TooLarge};
    let long = |len: usize| format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(len - 23));
    for (input, expected) in [
        ("", Ok(None)),
        ("G", Ok(None)),
        ("\r\n\n", Ok(None)),
        ("GET / HTTP/1.1\r\n", Ok(None)),
        ("GET / HTTP/1.1\r\n\r", Ok(None)),
        ("GET / HTTP/1.1\r\n\r\nrest", Ok(Some(18))),
        ("GET / HTTP/1.1\n\nrest", Ok(Some(16))),
        ("\r\n\nGET / HTTP/1.1\n\r\nrest", Ok(Some(20))),
        ("GET / HTTP/1.1\nA: b\r\nC: d\n\n", Ok(Some(27))),
        ("GET / HTTP/1.1\r\nnonsense\r\n\r\n", Ok(Some(28))),
        ("\0", Err(Malformed("invalid HTTP"))),
        ("\u{16}\u{3}\u{1}", Err(Malformed("invalid HTTP"))),
        ("GET / SMTP", Err(Malformed("invalid HTTP version"))),
        ("\r\n\r\n\0", Err(Malformed("invalid HTTP"))),
        (&"x".repeat(MAX_HEAD_LEN - 1), Ok(None)),
        (&"x".repeat(MAX_HEAD_LEN), Err(TooLarge)),
        (&"\n".repeat(MAX_HEAD_LEN), Err(TooLarge)),
        (&long(MAX_HEAD_LEN), Ok(Some(MAX_HEAD_LEN))),
        (&long(MAX_HEAD_LEN + 1), Err(TooLarge)),
    ] {
        let start = &input[..input.len().min(40)];
        let whole = scan(Kind::Request, input.as_bytes(), []);
        assert_eq!(whole.0, expected, "{start:?}");
        let bytes = scan(Kind::Request, input.as_bytes(), 0..input.len());
        assert_eq!(bytes, whole, "{start:?}, byte by byte");
    }
    for (input, expected) in [
        ("SSH-2.0", Err(Malformed("invalid HTTP version"))),
        ("HTTP/1.1 abc", Err(Malformed("invalid status"))),
        ("HTTP/1.0 404 Gone\r\n \0\r\n\r\n", Ok(Some(25))),
        ("HTTP/1.1  404 Gone\r\n\r\n", Ok(Some(22))),
    ] {
        let whole = scan(Kind::Response, input.as_bytes(), []);
        assert_eq!(whole.0, expected, "{input:?}");
        assert_eq!(
            scan(Kind::Response, input.as_bytes(), 0..input.len()),
            whole
        );
    }
}

#[test]
fn request_targets() {
    for (target, expected) in [
        ("/", Some("/")),
        ("/chat?a=b", Some("/chat")),
        ("http://a/chat", Some("/chat")),
        ("http://a", Some("/")),
        ("?a", None),
        ("*", None),
        ("a:80", None),
    ] {
        let head = format!("GET {target} HTTP/1.1\r\n\r\n");
        let path = parse_request(head.as_bytes()).map(|request| request.uri().path().to_owned());
        assert_eq!(path.ok().as_deref(), expected, "{target}");
    }
}

#[test]
fn malformed_requests() {
    for (lines, expected) in [
        ("No colon here", "invalid header name"),
        ("X : a", "invalid header name"),
        (": a", "invalid header name"),
        ("X: a\0b", "invalid header value"),
        ("X: a\r\n folded", "a header is folded over several lines"),
        ("X: a\r\n\tfolded", "a header is folded over several lines"),
        (
            "X: a\r\n folded\r\nY : a",
            "a header is folded over several lines",
        ),
    ] {
        let head = format!("GET / HTTP/1.1\r\n{lines}\r\n\r\n");
        let error = parse_request(head.as_bytes()).map(drop).unwrap_err();
        assert_eq!(error, HeadError::Malformed(expected), "{lines:?}");
    }
}

#[test]
fn status_lines() {
    for (line, expected) in [
        ("HTTP/1.1 404 Not Found", Ok((Version::HTTP_11, 404))),
        ("HTTP/1.1 404 Not Found\r", Ok((Version::HTTP_11, 404))),
        ("HTTP/1.0 404", Ok((Version::HTTP_10, 404))),
        (
            "HTTP/1.1 404 Nicht gef\u{fc}nden",
            Ok((Version::HTTP_11, 404)),
        ),
        ("HTTP/1.1  404  Not Found", Ok((Version::HTTP_11, 404))),
        ("HTTP/1.1 099 x", Err("invalid status")),
        ("HTTP/1.1 40 x", Err("invalid status")),
        ("HTTP/2 404 x", Err("invalid HTTP version")),
        ("HTTP/1.1", Err("invalid HTTP version")),
    ] {
        let parsed = parse_status_line(line.as_bytes());
        let parsed = parsed.map(|(version, status)| (version, status.as_u16()));
        assert_eq!(parsed, expected.map_err(HeadError::Malformed), "{line:?}");
    }
}

/// A rejection keeps its valid headers, whatever else is in it.
#[test]
fn rejections_keep_valid_headers() {
    let head = b"HTTP/1.0 503 x\r\nServer : a\r\nno colon\r\nContent-Length: 5\r\n folded\r\nX: \x01\r\nRetry-After: 3\r\n\r\n";
    assert_eq!(parse_rejection(head)["retry-after"], "3");
    // Without the end of the head, lines that are complete count.
    let names = |head| parse_rejection(head).keys_len();
    assert_eq!(names(b"HTTP/1.0 503 x\r\nX: a\r\nY: b"), 1);
    assert_eq!(names(b"HTTP/1.0 503 x\nX: a\n"), 1);
    assert_eq!(names(b"HTTP/1.0 503"), 0);
    assert_eq!(names(b""), 0);
    assert_eq!(
        parse_response(head).map(drop),
        Err(HeadError::Malformed(
            "a header is folded over several lines"
        ))
    );
}

#[test]
fn names_are_written_in_title_case() {
    for (name, expected) in [
        ("host", "Host"),
        ("x-forwarded-for", "X-Forwarded-For"),
        ("sec-websocket-key", "Sec-WebSocket-Key"),
        ("www-authenticate", "WWW-Authenticate"),
        ("-a--b", "-A--B"),
    ] {
        let written = String::from_utf8(title_case(name).collect()).unwrap();
        assert_eq!(written, expected);
    }
}
