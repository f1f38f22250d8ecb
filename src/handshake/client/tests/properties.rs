//! Any response, in any pieces.

use proptest::prelude::*;

use super::*;

fn response() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "HTTP/1.1 101 x\r\n",
        "HTTP/1.1 103 x\r\n\r\n",
        "HTTP/1.0 404 x\r\n",
        "HTTP/1.1  500\n",
        "Upgrade: websocket\r\n",
        "Connection: Upgrade\r\n",
        "Sec-WebSocket-Accept: {a}\r\n",
        "Sec-WebSocket-Protocol: a\r\n",
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "no colon\r\n",
        "\r\n",
        "5\r\nhello\r\n",
        "hello",
        OK,
    ]);
    prop::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    /// The result does not depend on the lengths of the reads.
    #[test]
    fn splits_do_not_matter(response in response(), reads in prop::collection::vec(1_usize..40, 0..20)) {
        let split = Client { reads, ..Client::offering(&["a"]) };
        let whole = Client::offering(&["a"]);
        // A reason may contain the key, which is random. What is left over depends on the reads.
        let comparable = |result: Connected| match result {
            Ok((subprotocol, _)) => Ok(subprotocol),
            Err(error) => Err((error.len(), error.chars().take(20).collect::<String>())),
        };
        let (whole, split) = (whole.finish(&response), split.finish(&response));
        prop_assert_eq!(comparable(whole), comparable(split));
    }
}
