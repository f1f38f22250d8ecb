#[cfg(feature = "__property-tests")]
mod properties;

use std::io::ErrorKind;

use futures::FutureExt;

use super::{
    super::peer::{End, Peer},
    *,
};

/// A response that opens the connection, without its last line. The peer replaces `{a}`.
const OK: &str =
    "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {a}\r\n";

/// What a handshake came to: the subprotocol and what was left over, or the error.
type Connected = Result<(Option<String>, Vec<u8>), String>;

type Opened = Result<(Handshaken<Peer>, HeaderMap), WsErr>;

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

    /// The result, and the error that is known. A handshake that waits has no result.
    fn connect(&self, response: &[u8]) -> (Option<Opened>, KnownError) {
        let mut known = None;
        let io = Peer::new(response, &self.reads, self.end);
        let url = WsUrl::parse("ws://localhost/").unwrap();
        let headers = AddedHeaders::default();
        let result = connect(io, &url, &headers, &self.options, &mut known).now_or_never();
        (result, known)
    }

    fn finish(&self, response: impl AsRef<[u8]>) -> Connected {
        let (result, _) = self.connect(response.as_ref());
        match result.expect("the peer does not stall") {
            Ok((handshaken, _)) => {
                let leftover = handshaken.leftover.to_vec();
                Ok((handshaken.agreement.subprotocol, leftover))
            }
            Err(WsErr::Rejected(response)) => Err(response.to_string()),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InvalidData, "{error:?}");
                Err(format!("{error:?}"))
            }
        }
    }
}

fn rejected(status: u16, reason: &str) -> Connected {
    let phrase = StatusCode::from_u16(status).unwrap().canonical_reason();
    Err(match phrase.filter(|phrase| !reason.contains(phrase)) {
        Some(phrase) => format!("HTTP status {status} ({phrase}): {reason}"),
        None => format!("HTTP status {status}: {reason}"),
    })
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
        format!("{OK}\r\n").replace("websocket", "\tWebSocket "),
        // Lists.
        format!("{OK}Connection: ,\tkeep-alive\r\n\r\n"),
        format!("{OK}\r\n").replace(
            "Connection:",
            "Connection: x\r\nConnection:\r\nConnection: ,,",
        ),
        format!("{OK}\r\n").replace("{a}", "\t{a} "),
        // Headers without meaning.
        format!("{OK}Content-Length: 5\r\n\r\n"),
        format!("{OK}Sec-WebSocket-Protocol: \r\n\r\n"),
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

/// Interim responses arrive in any pieces, such as in a packet of their own.
#[test]
fn interim_responses_in_pieces() {
    for head in [
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 102 Processing\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    ] {
        for count in [1, 2] {
            let response = format!("{}{OK}\r\n", head.repeat(count));
            let each_alone = [vec![head.len(); count], vec![usize::MAX]].concat();
            for reads in [vec![], vec![1], vec![head.len()], each_alone] {
                let client = Client {
                    reads,
                    end: End::Stall,
                    ..Client::new()
                };
                let reads = &client.reads;
                let opened = client.finish(&response);
                assert_eq!(opened, Ok((None, Vec::new())), "{head} {count} {reads:?}");
            }
        }
    }
}

/// The error names the extension that was not offered, or says that the list is malformed.
#[test]
fn unoffered_extensions_are_named() {
    for (line, named) in [
        ("", "the list is malformed"),
        (",", "the list is malformed"),
        (" ,\t,", "the list is malformed"),
        ("x y", "the list is malformed"),
        (";", "the list is malformed"),
        (",x", "x"),
        ("a, b; c=1", "b; c=1"),
        ("permessage-deflate", "permessage-deflate"),
    ] {
        let response = format!("{OK}Sec-WebSocket-Extensions: {line}\r\n\r\n");
        let failed = Client::new().finish(&response).unwrap_err();
        assert_eq!(failed, format!("Extension({named:?})"));
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
        // The whole value is the protocol (RFC 6455 section 4.1).
        (
            format!("{OK}\r\n").replace("websocket", "websocket, foo"),
            "upgrade to websocket",
        ),
        (
            format!("{OK}\r\n").replace("websocket", "foo, websocket"),
            "upgrade to websocket",
        ),
        (
            format!("{OK}\r\n").replace("websocket", "websocket,"),
            "upgrade to websocket",
        ),
        (
            format!("{OK}\r\n").replace("websocket", "websocket/13"),
            "upgrade to websocket",
        ),
        (format!("{OK}Upgrade: websocket\r\n\r\n"), "several upgrade"),
        (format!("{OK}Upgrade: h2c\r\n\r\n"), "several upgrade"),
        (format!("{OK}Upgrade:\r\n\r\n"), "several upgrade"),
        // Documented deviations.
        (
            format!("{OK}\r\n").replace("HTTP/1.1", "HTTP/1.2"),
            "invalid HTTP version",
        ),
        (format!("{OK}X: a\r\n b\r\n\r\n"), "folded"),
        (format!("{OK}X:\r\n\tb\r\n\r\n"), "folded"),
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
            rejected(404, "gone"),
        ),
        (
            "HTTP/1.0 503 x\r\n\r\n",
            rejected(503, "Service Unavailable"),
        ),
        (
            "HTTP/1.1 503 x\r\nServer : a\r\nContent-Length: 4\r\n\r\nback",
            rejected(503, "back"),
        ),
        (
            "HTTP/1.1 403 x\r\nno colon\r\n\r\n",
            rejected(403, "Forbidden"),
        ),
        ("HTTP/1.1 403 x\r\nno", rejected(403, "Forbidden")),
        ("HTTP/1.1 403\r\n", rejected(403, "Forbidden")),
        (
            "HTTP/1.1 103 x\r\n\r\nHTTP/1.1 403 x\n",
            rejected(403, "Forbidden"),
        ),
        ("HTTP/1.1  403   x\r\n\r\nno", rejected(403, "no")),
        (
            "HTTP/1.1 403 x\nContent-Length: 2\n\nno",
            rejected(403, "no"),
        ),
        (
            "HTTP/1.1 799 x\r\nContent-Length: 0\r\n\r\n",
            rejected(799, ""),
        ),
        (
            &format!("HTTP/1.1 403 x\r\nX: {long}\r\n\r\n"),
            rejected(403, "Forbidden"),
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
        assert!(matches!(known, Some(WsErr::Rejected(_))), "{start:?}");
    }
}

#[test]
fn bodies_of_rejections() {
    let chunked = "HTTP/1.1 429 x\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nslow \r\n4\r\ndown\r\n0\r\n\r\n";
    for (response, expected) in [
        (chunked, rejected(429, "slow down")),
        (
            "HTTP/1.1 503 x\r\nConnection: close\r\n\r\nback at 14:00",
            rejected(503, "back at 14:00"),
        ),
        (
            "HTTP/1.1 503 x\r\nContent-Length: 5\r\n\r\n back and more",
            rejected(503, "back"),
        ),
        ("HTTP/1.1 204 x\r\n\r\nmore", rejected(204, "No Content")),
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
    assert_eq!(stalling.finish(chunked), rejected(429, "slow down"));
}

/// What is decided is decided at once, without the end of the connection.
#[test]
fn nothing_waits_for_more() {
    let stalling = Client {
        end: End::Stall,
        ..Client::new()
    };
    for (response, is_open) in [
        (format!("{OK}\r\n").replace("\r\n", "\n"), true),
        (format!("{OK}\n"), true),
        ("SSH-2.0-OpenSSH_9.9\r\n".to_owned(), false),
        ("220 mail.example ESMTP\r\n".to_owned(), false),
        ("<html>".to_owned(), false),
        ("HTTP/2 ".to_owned(), false),
        // An alert of TLS, settings of HTTP/2.
        ("\u{15}\u{3}\u{1}".to_owned(), false),
        ("\0\0\u{12}\u{4}\0".to_owned(), false),
        ("HTTP/1.1 101 x\r\n\r\n".to_owned(), false),
        ("HTTP/1.1 404 x\nContent-Length: 0\r\n\n".to_owned(), false),
        (
            "HTTP/1.0 404 x\r\nContent-Length: 0\r\n\r\n".to_owned(),
            false,
        ),
    ] {
        let (result, _) = stalling.connect(response.as_bytes());
        let result = result.map(|result| result.is_ok());
        assert_eq!(result, Some(is_open), "{response:?}");
    }
}

/// A reason ends with a whole character, and what is not UTF-8 is replaced.
#[test]
fn reasons_are_text() {
    let reason = |body: &[u8]| {
        let head = format!("HTTP/1.1 403 x\r\nContent-Length: {}\r\n\r\n", body.len());
        Client::new().finish([head.as_bytes(), body].concat())
    };
    let long = "\u{e9}".repeat(600);
    assert_eq!(
        reason(&long.as_bytes()[..1199]),
        rejected(403, &long[..1024])
    );
    let shifted = format!("x{long}");
    assert_eq!(reason(shifted.as_bytes()), rejected(403, &shifted[..1023]));
    assert_eq!(reason(b"B\xfcro"), rejected(403, "B\u{fffd}ro"));
    assert_eq!(reason(b"\xfc"), rejected(403, "Forbidden"));
}

/// The headers of a rejection are there, even if its head or its body is not complete.
#[test]
fn headers_of_rejections() {
    let long = format!("X: {}\r\n", "x".repeat(17_000));
    for (behind, other) in [
        ("Content-Length: 0\r\n\r\n", Some("content-length")),
        ("\r\n", None),
        ("Content-Length: 9\r\n\r\nhal", Some("content-length")),
        ("no colon\r\nX : y\r\n\r\n", Some("x")),
        ("", None),
        ("X: cut", None),
        (&long, None),
    ] {
        let response = format!(
            "HTTP/1.1 503 x\r\nRetry-After: 3\r\nSet-Cookie: a\r\nSet-Cookie: b\u{e9}\r\n{behind}"
        );
        for end in [End::Eof, End::Reset, End::Stall] {
            let client = Client {
                end,
                ..Client::new()
            };
            let (result, known) = client.connect(response.as_bytes());
            // A head that stalls is not complete, and its headers are not known.
            if result.is_none() && (behind.is_empty() || behind.ends_with("cut")) {
                continue;
            }
            let error = result.map_or(known, |result| result.map(drop).err());
            let Some(WsErr::Rejected(rejected)) = error else {
                panic!("{behind}: {error:?}");
            };
            let headers = rejected.headers();
            assert_eq!(headers["retry-after"], "3", "{behind}");
            assert_eq!(headers.get_all("set-cookie").iter().count(), 2, "{behind}");
            assert_eq!(headers.keys_len(), 2 + other.iter().count(), "{headers:?}");
            assert!(other.is_none_or(|name| headers.contains_key(name)));
        }
    }
}

/// The headers of the response without those of the handshake.
#[test]
fn headers_of_accepted_responses() {
    let lines = "Set-Cookie: a=1\r\nset-cookie: b=2\r\nX:\r\n";
    let (result, _) = Client::new().connect(format!("{OK}{lines}\r\n").as_bytes());
    let headers = result.unwrap().unwrap().1;
    let cookies: Vec<_> = headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    assert_eq!(headers["x"], "");
    assert_eq!(headers.keys_len(), 2);
}

/// The head of the request for this URL, with these headers added.
fn request_for(url: &str, headers: &[(&str, &str)], options: &HandshakeOptions) -> String {
    let url = WsUrl::parse(url).unwrap();
    let mut added = AddedHeaders::default();
    for (name, value) in headers {
        added.add(*name, *value);
    }
    String::from_utf8(request(&url, &added, options, "KEY").unwrap()).unwrap()
}

#[test]
fn requests() {
    let mut options = HandshakeOptions::default();
    let head = request_for("wss://user:pass@Chat.example:443?room=7#x", &[], &options);
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
    options.add_subprotocol("v2");
    options.add_subprotocol("v1");
    let added = [
        ("authorization", "Bearer 1"),
        ("host", "other:1"),
        ("x-a", "b\u{e9}"),
        ("X-A", "c"),
    ];
    let head = request_for("ws://user:pass@[fe80::1%25lo]:8080/", &added, &options);
    assert!(
        head.starts_with("GET / HTTP/1.1\r\nHost: other:1\r\n"),
        "{head}"
    );
    for line in [
        "Host: other:1",
        "Authorization: Bearer 1",
        "Sec-WebSocket-Protocol: v2, v1",
        "X-A: b\u{e9}\r\nX-A: c",
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line}: {head}");
    }
    assert!(!head.contains("Basic"), "{head}");
}
