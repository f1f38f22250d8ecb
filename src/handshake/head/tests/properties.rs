//! Heads of any bytes, and heads that are written and read back.

use proptest::prelude::*;

use super::*;

/// Pieces of which heads, and what is nearly one, consist.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let fixed = prop::sample::select(vec![
        &b"GET / HTTP/1.1"[..],
        b"HTTP/1.1 101 Switching Protocols",
        b"HTTP/1.0 404 Not Found",
        b"HTTP/1.1 ",
        b"\r\n",
        b"\n",
        b"\r",
        b"\r\n\r\n",
        b"Host: a",
        b"X:",
        b" ",
        b"\t",
        b"\0",
        b"\xff",
    ]);
    prop_oneof![
        8 => fixed.prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..8),
        1 => (0..MAX_HEAD_LEN + 9).prop_map(|len| vec![b'x'; len]),
    ]
}

proptest! {
    /// The result does not depend on where the input is split.
    #[test]
    fn splits_do_not_matter(
        pieces in prop::collection::vec(piece(), 0..12),
        splits in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        is_request: bool,
    ) {
        let kind = if is_request { Kind::Request } else { Kind::Response };
        let input = pieces.concat();
        let mut splits: Vec<_> = splits.iter().map(|split| split.index(input.len() + 1)).collect();
        splits.sort_unstable();
        prop_assert_eq!(scan(kind, &input, splits), scan(kind, &input, []));
    }

    /// What is written is read back.
    #[test]
    fn heads_round_trip(names in prop::collection::vec("[a-z][a-z0-9-]{0,8}", 0..200), value in "[!-~]([ -~]{0,8}[!-~])?") {
        let mut headers = HeaderMap::new();
        for name in names {
            headers.append(HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        }
        let head = write_head("GET /chat?a=b HTTP/1.1", &headers);
        let request = parse_request(&head).unwrap();
        prop_assert_eq!(request.headers(), &headers);
        prop_assert_eq!(request.uri(), "/chat?a=b");
        prop_assert_eq!(request.version(), Version::HTTP_11);
        let head = write_head("HTTP/1.1 101 Switching Protocols", &headers);
        let response = parse_response(&head).unwrap();
        prop_assert_eq!(response.headers(), &headers);
    }
}
