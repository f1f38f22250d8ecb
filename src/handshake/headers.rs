//! Header fields: lists and single values.

use http::{HeaderMap, HeaderName};

/// The elements of a list (RFC 9110 section 5.6.1), over all header lines of this name, without
/// empty ones.
pub(super) fn list(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(name).into_iter();
    lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(trim)
        .filter(|element| !element.is_empty())
}

/// Whether a list contains this element, in any case.
pub(super) fn list_contains(headers: &HeaderMap, name: HeaderName, element: &str) -> bool {
    list(headers, name).any(|own| own.eq_ignore_ascii_case(element.as_bytes()))
}

/// The value of a header that may be there once. An empty value counts as none.
///
/// # Errors
/// If there are several lines.
pub(super) fn single(headers: &HeaderMap, name: HeaderName) -> Result<Option<&[u8]>, Duplicate> {
    let mut lines = headers.get_all(name).into_iter();
    let first = lines.next().map(|line| trim(line.as_bytes()));
    match lines.next() {
        Some(_) => Err(Duplicate),
        None => Ok(first.filter(|value| !value.is_empty())),
    }
}

/// A header that may be there only once has several lines.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Duplicate;

/// Removes optional whitespace, which is spaces and tabs (RFC 9110 section 5.6.3).
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

#[cfg(test)]
mod tests {
    use http::header::UPGRADE;

    use super::*;

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(UPGRADE, http::HeaderValue::from_bytes(line).unwrap());
        }
        headers
    }

    #[test]
    fn lists_over_several_lines() {
        for (lines, expected) in [
            (&[][..], &[][..]),
            (&[b"a" as &[u8]], &["a"]),
            (&[b"a,b", b"c"], &["a", "b", "c"]),
            (&[b" a\t,\t b  ", b"", b",,", b" , c"], &["a", "b", "c"]),
            (&[b"", b"\t"], &[]),
            (&[b"a b, c"], &["a b", "c"]),
        ] {
            let headers = headers(lines);
            let found: Vec<_> = list(&headers, UPGRADE).collect();
            let expected: Vec<_> = expected.iter().map(|element| element.as_bytes()).collect();
            assert_eq!(found, expected, "{lines:?}");
        }
    }

    #[test]
    fn list_elements_match_in_any_case() {
        for (line, expected) in [
            (&b"upgrade"[..], true),
            (b"keep-alive ,\tUPGRADE", true),
            (b"\xff, Upgrade", true),
            (b"no upgrade here", false),
            (b"upgrades", false),
            (b"", false),
        ] {
            let found = list_contains(&headers(&[line]), UPGRADE, "Upgrade");
            assert_eq!(found, expected, "{line:?}");
        }
    }

    #[test]
    fn single_values() {
        let value = |lines: &[&[u8]]| {
            single(&headers(lines), UPGRADE).map(|value| value.map(<[u8]>::to_vec))
        };
        assert_eq!(value(&[]), Ok(None));
        assert_eq!(value(&[b" "]), Ok(None));
        assert_eq!(value(&[b"\ta "]), Ok(Some(b"a".to_vec())));
        assert_eq!(value(&[b"a", b"a"]), Err(Duplicate));
        assert_eq!(value(&[b"a", b""]), Err(Duplicate));
    }
}
