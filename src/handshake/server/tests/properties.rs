//! Any request, in any pieces.

use proptest::prelude::*;

use super::*;

fn request() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "GET / HTTP/1.1\r\n",
        "HEAD / HTTP/1.1\n",
        "Host: a\r\n",
        "Connection: Upgrade\r\n",
        "Upgrade: websocket\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "Sec-WebSocket-Version: 13\r\n",
        "Content-Length: 5\r\n",
        "no colon\r\n",
        "\r\n",
        "\0",
        REQUEST,
    ]);
    prop::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    /// The result does not depend on the lengths of the reads.
    #[test]
    fn splits_do_not_matter(request in request(), reads in prop::collection::vec(1_usize..40, 0..20)) {
        let (whole, whole_output) = answer(&request, &[]);
        let (split, split_output) = answer(&request, &reads);
        prop_assert_eq!(whole_output, split_output);
        let error = |result: Result<_, WsErr>| result.err().map(|error| format!("{error:?}"));
        prop_assert_eq!(error(whole.map(drop)), error(split.map(drop)));
    }
}
