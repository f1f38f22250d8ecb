//! The grammar of the header.

use http::{HeaderMap, HeaderValue, header::SEC_WEBSOCKET_EXTENSIONS};

use super::*;

fn headers(lines: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        let line = HeaderValue::from_bytes(line.as_bytes()).unwrap();
        headers.append(SEC_WEBSOCKET_EXTENSIONS, line);
    }
    headers
}

fn parsed(lines: &[&str]) -> Result<Vec<String>, Malformed> {
    let found = parse(&headers(lines))?;
    Ok(found.iter().map(ToString::to_string).collect())
}

/// Names, parameters and quoted values, in one or several lines.
#[test]
fn lists_are_parsed() {
    for (lines, expected) in [
        (&[][..], &[][..]),
        (&["a"], &["a"]),
        (&["a,b", "c"], &["a", "b", "c"]),
        (&[" a ;x;\ty = 1 , ,, b;z=\"q\" "], &["a; x; y=1", "b; z=q"]),
        (&["a; x=\"a\\b\""], &["a; x=ab"]),
        (&["", " \t", ",", "a"], &["a"]),
        (&["a; x; x=1"], &["a; x; x=1"]),
    ] {
        let expected: Vec<_> = expected.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(parsed(lines), Ok(expected), "{lines:?}");
    }
}

/// What the grammar does not allow makes the whole list malformed.
#[test]
fn malformed_lists_are_refused() {
    for line in [
        "a b",
        "a;",
        "a;;x",
        "a; x=",
        "a; x=1 2",
        "a; =1",
        "; x",
        "=",
        "a; x=\"\"",
        "a; x=\"1",
        "a; x=\"1 2\"",
        "a; x=\"1,2\"",
        "a; x=\"1\\",
        "a; x=\"1\"2",
        "a; x=\"1\" y",
        "ä",
        "a/b",
        "a; x=1=2",
    ] {
        assert_eq!(parsed(&[line]), Err(Malformed), "{line}");
        assert_eq!(parsed(&["fine", line]), Err(Malformed), "{line}");
    }
}

/// A list has at least one extension, in all lines together.
#[test]
fn empty_lists_are_refused() {
    for lines in [&[""][..], &[" \t"], &[","], &[", ,"], &["", ","]] {
        assert_eq!(parsed(lines), Err(Malformed), "{lines:?}");
    }
}

/// An extension is shown as it may be sent.
#[test]
fn what_is_shown_parses_again() {
    let line = "permessage-deflate; server_max_window_bits=10; client_max_window_bits, x";
    let found = parse(&headers(&[line])).unwrap();
    let shown: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(shown.join(", "), line);
}
