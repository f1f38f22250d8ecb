use futures::FutureExt;
use proptest::prelude::*;

use super::{
    super::peer::{End, Peer},
    *,
};

/// A response that opens the connection, without its last line. The peer replaces `{a}`.
const OK: &str =
    "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {a}\r\n";

/// What a handshake came to: the subprotocol and what was left over, or the error.
type Connected = Result<(Option<String>, Vec<u8>), String>;

struct Client {
    options: HandshakeOptions,
    reads: Vec<usize>,
    end: End,
}

impl Client {
    fn new() -> Self {
        Self {
            options: HandshakeOptions::default(),
            reads: Vec::new(),
            end: End::Eof,
        }
    }

    fn offering(names: &[&str]) -> Self {
        let mut client = Self::new();
        for name in names {
            client.options.add_subprotocol(*name);
        }
        client
    }

    /// The result, and the error that is known. A handshake that waits has none.
    fn connect(&self, response: &[u8]) -> (Option<Connected>, KnownError) {
        let mut known = None;
        let io = Peer::new(response, &self.reads, self.end);
        let url = WsUrl::parse("ws://localhost/").unwrap();
        let result = connect(io, &url, &self.options, &mut known).now_or_never();
        let result = result.map(|result| match result {
            Ok(handshaken) => {
                let leftover = handshaken.leftover.to_vec();
                Ok((handshaken.agreement.subprotocol, leftover))
            }
            Err(error) => Err(format!("{error:?}")),
        });
        (result, known)
    }

    fn finish(&self, response: impl AsRef<[u8]>) -> Connected {
        let (result, _) = self.connect(response.as_ref());
        result.expect("the peer does not stall")
    }
}

fn refused(status: u16, reason: &str) -> Connected {
    let reason = reason.to_owned();
    Err(format!("{:?}", WsErr::Refused { status, reason }))
}

#[test]
fn responses_that_open() {
    let many_headers = "X:\r\n".repeat(3_000);
    for response in [
        format!("{OK}\r\n"),
        // Interim responses, and empty lines.
        format!("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n{OK}\r\n"),
        format!("{}{OK}\r\n", "HTTP/1.1 100 Continue\r\n\r\n".repeat(16)),
        format!("HTTP/1.0 102 x\r\nnonsense\r\n\r\n{OK}\r\n"),
        format!("\r\n\n{OK}\r\n"),
        // Lists.
        format!("{OK}\r\n").replace("websocket", "h2c ,\tWebSocket"),
        format!("{OK}Upgrade: h2c\r\nConnection: ,\tkeep-alive\r\n\r\n"),
        format!("{OK}\r\n").replace(
            "Connection:",
            "Connection: x\r\nConnection:\r\nConnection: ,,",
        ),
        format!("{OK}\r\n").replace("{a}", "\t{a} "),
        // Headers without meaning.
        format!("{OK}Content-Length: 5\r\n\r\n"),
        format!("{OK}Sec-WebSocket-Extensions:\r\nSec-WebSocket-Protocol: \r\n\r\n"),
        format!("{OK}Server: caf\u{e9}\r\n\r\n"),
        format!("{OK}{many_headers}\r\n"),
        // Line breaks.
        format!("{OK}\r\n").replace("\r\n", "\n"),
        format!("{OK}\n"),
    ] {
        let start: String = response.chars().take(300).collect();
        let frames = [response.as_bytes(), b"\x82\x00"].concat();
        let opened = Client::new().finish(frames);
        assert_eq!(opened, Ok((None, b"\x82\x00".to_vec())), "{start}");
    }
}

#[test]
fn responses_that_fail() {
    for (response, why) in [
        (String::new(), "disconnected"),
        ("HTTP/1.1 101 x\r\n".to_owned(), "disconnected"),
        (OK.to_owned(), "disconnected"),
        ("HTTP/1.1 103 x\r\n\r\n".to_owned(), "disconnected"),
        ("SSH-2.0-OpenSSH_9.9\r\n".to_owned(), "malformed"),
        (
            format!("{}{OK}\r\n", "HTTP/1.1 100 x\r\n\r\n".repeat(17)),
            "too many interim",
        ),
        (
            format!("{OK}\r\n").replace("1.1 101", "1.0 101"),
            "HTTP/1.0",
        ),
        (
            format!("{OK}\r\n").replace("1.1 101", "1.1  101"),
            "malformed",
        ),
        (format!("{OK}no colon\r\n\r\n"), "malformed"),
        (format!("{OK}X: {}\r\n\r\n", "x".repeat(17_000)), "too long"),
        (
            format!("{OK}\r\n").replace("Upgrade: websocket", "Upgrade: websockets"),
            "upgrade to",
        ),
        (
            format!("{OK}\r\n").replace("Upgrade: websocket\r\n", ""),
            "upgrade to",
        ),
        (
            format!("{OK}\r\n").replace("Connection: Upgrade", "Connection: no upgrade"),
            "upgrade the",
        ),
        (format!("{OK}\r\n").replace("{a}", "{a}A"), "key"),
        (
            format!("{OK}\r\n").replace("Sec-WebSocket-Accept", "X"),
            "key",
        ),
        (
            format!("{OK}Sec-WebSocket-Accept: AAAA\r\n\r\n"),
            "several sec-websocket-accept",
        ),
        (
            format!("{OK}Sec-WebSocket-Extensions: ,x\r\n\r\n"),
            "extension",
        ),
        (
            format!("{OK}Sec-WebSocket-Protocol: a\r\n\r\n"),
            "subprotocol",
        ),
    ] {
        let failed = Client::new().finish(&response).unwrap_err();
        assert!(failed.starts_with("Handshake("), "{failed}");
        assert!(failed.contains(why), "{why}: {failed}");
    }
}

#[test]
fn selected_subprotocols() {
    let client = Client::offering(&["a", "b"]);
    let selected = |lines: &str| client.finish(format!("{OK}{lines}\r\n"));
    assert_eq!(
        selected("Sec-WebSocket-Protocol: b\r\n"),
        Ok((Some("b".to_owned()), Vec::new()))
    );
    assert_eq!(
        selected("Sec-WebSocket-Protocol:\t a \r\n"),
        Ok((Some("a".to_owned()), Vec::new()))
    );
    assert_eq!(selected(""), Err("NoSubprotocol".to_owned()));
    assert_eq!(
        selected("Sec-WebSocket-Protocol:\r\n"),
        Err("NoSubprotocol".to_owned())
    );
    for lines in [
        "Sec-WebSocket-Protocol: c\r\n",
        "Sec-WebSocket-Protocol: A\r\n",
        "Sec-WebSocket-Protocol: a, b\r\n",
        "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n",
        "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a\r\n",
    ] {
        let failed = selected(lines).unwrap_err();
        assert!(failed.starts_with("Handshake("), "{lines}: {failed}");
    }
}

/// A status that was understood is the result, whatever is wrong behind it.
#[test]
fn a_status_is_not_lost() {
    let long = "x".repeat(17_000);
    for (response, expected) in [
        (
            "HTTP/1.0 404 Not Found\r\nContent-Length: 4\r\n\r\ngone",
            refused(404, "gone"),
        ),
        (
            "HTTP/1.0 503 x\r\n\r\n",
            refused(503, "Service Unavailable"),
        ),
        (
            "HTTP/1.1 503 x\r\nServer : a\r\nContent-Length: 4\r\n\r\nback",
            refused(503, "back"),
        ),
        (
            "HTTP/1.1 403 x\r\nno colon\r\n\r\n",
            refused(403, "Forbidden"),
        ),
        ("HTTP/1.1 403 x\r\nno", refused(403, "Forbidden")),
        ("HTTP/1.1 403\r\n", refused(403, "Forbidden")),
        (
            "HTTP/1.1 103 x\r\n\r\nHTTP/1.1 403 x\n",
            refused(403, "Forbidden"),
        ),
        ("HTTP/1.1  403   x\r\n\r\nno", refused(403, "no")),
        (
            "HTTP/1.1 403 x\nContent-Length: 2\n\nno",
            refused(403, "no"),
        ),
        (
            "HTTP/1.1 799 x\r\nContent-Length: 0\r\n\r\n",
            refused(799, ""),
        ),
        (
            &format!("HTTP/1.1 403 x\r\nX: {long}\r\n\r\n"),
            refused(403, "Forbidden"),
        ),
    ] {
        let start: String = response.chars().take(80).collect();
        for end in [End::Eof, End::Reset] {
            let client = Client {
                end,
                ..Client::new()
            };
            assert_eq!(client.finish(response), expected, "{start:?} {end:?}");
        }
        // If the server stalls, it is known when the time is over.
        let stalling = Client {
            end: End::Stall,
            ..Client::new()
        };
        let (_, known) = stalling.connect(response.as_bytes());
        assert!(matches!(known, Some(WsErr::Refused { .. })), "{start:?}");
    }
}

#[test]
fn bodies_of_rejections() {
    let chunked = "HTTP/1.1 429 x\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nslow \r\n4\r\ndown\r\n0\r\n\r\n";
    for (response, expected) in [
        (chunked, refused(429, "slow down")),
        (
            "HTTP/1.1 503 x\r\nConnection: close\r\n\r\nback at 14:00",
            refused(503, "back at 14:00"),
        ),
        (
            "HTTP/1.1 503 x\r\nContent-Length: 5\r\n\r\n back and more",
            refused(503, "back"),
        ),
        ("HTTP/1.1 204 x\r\n\r\nmore", refused(204, "No Content")),
    ] {
        for reads in [&[][..], &[1], &[3]] {
            let client = Client {
                reads: reads.to_vec(),
                ..Client::new()
            };
            assert_eq!(client.finish(response), expected, "{response}");
        }
    }
    // What ends by itself does not wait for the end of the connection.
    let stalling = Client {
        end: End::Stall,
        ..Client::new()
    };
    assert_eq!(stalling.finish(chunked), refused(429, "slow down"));
}

/// The head of the request for this URL.
fn request_for(url: &str, options: &HandshakeOptions) -> String {
    let url = WsUrl::parse(url).unwrap();
    String::from_utf8(request(&url, options, "KEY").unwrap()).unwrap()
}

#[test]
fn requests() {
    let mut options = HandshakeOptions::default();
    let head = request_for("wss://user:pass@Chat.example:443?room=7#x", &options);
    let lines = [
        "GET /?room=7 HTTP/1.1",
        "Host: chat.example",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: KEY",
        "Authorization: Basic dXNlcjpwYXNz",
    ];
    assert_eq!(head, format!("{}\r\n\r\n", lines.join("\r\n")));
    options.add_header("authorization", "Bearer 1");
    options.add_header("host", "other:1");
    options.add_header("x-a", "b\u{e9}");
    options.add_subprotocol("v2");
    options.add_subprotocol("v1");
    let head = request_for("ws://user:pass@[fe80::1%25lo]:8080/", &options);
    for line in [
        "Host: other:1",
        "Authorization: Bearer 1",
        "Sec-WebSocket-Protocol: v2, v1",
        "X-A: b\u{e9}",
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line}: {head}");
    }
    assert!(!head.contains("Basic"), "{head}");
}

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
