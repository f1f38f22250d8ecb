#[cfg(feature = "__property-tests")]
mod properties;

use std::{future::ready, io::ErrorKind};

use futures::FutureExt;

use super::{
    super::peer::{End, Peer},
    *,
};

/// A request for a WebSocket.
const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// The result, and what was written.
fn answer(request: &[u8], reads: &[usize]) -> (Result<Handshaken<Vec<u8>>, WsErr>, String) {
    answer_with(request, reads, |_| Ok(()))
}

/// The same, with a callback.
fn answer_with(
    request: &[u8],
    reads: &[usize],
    on_request: impl Fn(Request<()>) -> Result<(), Rejection> + Send + Sync + 'static,
) -> (Result<Handshaken<Vec<u8>>, WsErr>, String) {
    let on_request: Box<OnRequest<()>> =
        Box::new(move |request| ready(on_request(request)).boxed());
    let server = Server {
        options: &HandshakeOptions::default(),
        headers: &HeaderMap::new(),
        policy: &Policy::default(),
        on_request: &*on_request,
        trace: &Trace::server(),
    };
    let mut io = Peer::new(request, reads, End::Eof);
    let mut known = None;
    let result = server.accept(&mut io, None, &mut known).now_or_never();
    let result = result.expect("the peer does not stall");
    let result = result.map(|(handshaken, ())| Handshaken {
        io: Vec::new(),
        leftover: handshaken.leftover,
        agreement: handshaken.agreement,
    });
    (result, String::from_utf8(io.output).unwrap())
}

/// The status and head of the response.
fn respond_to(request: &str) -> (u16, String) {
    let (result, output) = answer(request.as_bytes(), &[]);
    let status = output
        .split(' ')
        .nth(1)
        .map_or(0, |status| status.parse().unwrap());
    match result {
        Ok(_) => assert_eq!(status, 101),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Other, "{error:?}");
            assert!(
                matches!(&error, WsErr::Rejected(response) if response.status() == status),
                "{error:?}"
            );
        }
    }
    (status, output)
}

#[test]
fn requests_that_are_accepted() {
    let add = |lines: &str| REQUEST.replace("\r\n\r\n", &format!("\r\n{lines}\r\n\r\n"));
    let headers = "X:\r\n".repeat(3_000);
    for request in [
        REQUEST.to_owned(),
        format!("\r\n\n{REQUEST}"),
        REQUEST.replace("\r\n", "\n"),
        REQUEST.replace("a\r\n", "a\n"),
        REQUEST.replace("GET /", "GET http://a/chat?b"),
        // Lists.
        add("Connection: keep-alive"),
        REQUEST.replace("Connection:", "Connection: keep-alive\r\nconnection:"),
        REQUEST.replace("Connection:", "Connection:\r\nConnection: ,,\t"),
        REQUEST.replace("Connection: Upgrade", "Connection: keep-alive\t,\tUPGRADE"),
        REQUEST.replace("Upgrade: websocket", "Upgrade: h2c\r\nUpgrade: WebSocket"),
        REQUEST.replace("Upgrade: websocket", "Upgrade: websocket, h2c"),
        // Keys need not be decoded.
        REQUEST.replace("dGhlIHNhbXBsZSBub25jZQ==", "AQIDBAUGBwgJCgsMDQ4PEC=="),
        REQUEST.replace("dGhlIHNhbXBsZSBub25jZQ==", "0123456789012345678901=="),
        // Headers without meaning.
        add("Content-Length: 0"),
        add("Content-Length: 0, 0\r\nContent-Length: 00"),
        add("Cookie: name=Zo\u{eb}"),
        add(headers.trim_end()),
    ] {
        let (status, head) = respond_to(&request);
        let start: String = request.chars().take(300).collect();
        assert_eq!(status, 101, "{start}\n{head}");
        assert!(head.ends_with("\r\n\r\n"));
    }
    let (_, head) = respond_to(REQUEST);
    let lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    ];
    assert_eq!(head, format!("{}\r\n\r\n", lines.join("\r\n")));
}

#[test]
fn requests_that_are_rejected() {
    let add = |lines: &str| REQUEST.replace("\r\n\r\n", &format!("\r\n{lines}\r\n\r\n"));
    for (request, status) in [
        ("\0".to_owned(), 400),
        ("GET / HTTP/1.1\r\nno colon\r\n\r\n".to_owned(), 400),
        (REQUEST.replace("GET /", "GET ?a"), 400),
        (REQUEST.replace("GET /", "GET /\u{f8}"), 400),
        (REQUEST.replace("GET /", "GET http://u@a/"), 400),
        (REQUEST.replace("Host: a", "Host: a b"), 400),
        (REQUEST.replace("Host: a", "Host: a, b"), 400),
        (add("Sec-WebSocket-Extensions: foo bar"), 400),
        (add("Sec-WebSocket-Extensions:"), 400),
        (add("X: a\r\n b"), 400),
        // Documented deviations.
        (REQUEST.replace("HTTP/1.1", "HTTP/1.2"), 400),
        (REQUEST.replace("HTTP/1.1", "HTTP/2.0"), 400),
        (REQUEST.replace("GET", "POST"), 405),
        (REQUEST.replace("HTTP/1.1", "HTTP/1.0"), 426),
        ("GET / HTTP/1.0\r\n\r\n".to_owned(), 426),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 426),
        (
            REQUEST.replace("Connection: Upgrade", "Connection: no upgrade here"),
            426,
        ),
        (
            REQUEST.replace("Upgrade: websocket", "Upgrade: websocket2"),
            426,
        ),
        (REQUEST.replace("Version: 13", "Version: 8"), 426),
        (REQUEST.replace("Version: 13", "Version: 13, 8"), 426),
        (add("Sec-WebSocket-Version: 8"), 400),
        (add("Sec-WebSocket-Version: 13"), 400),
        (add("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="), 400),
        (REQUEST.replace("Sec-WebSocket-Key", "X"), 400),
        (REQUEST.replace("ZQ==", "Z=="), 400),
        (add("Content-Length: 8"), 400),
        (add("Content-Length: 0\r\nContent-Length: 8"), 400),
        (add("Content-Length: -0"), 400),
        (add("Transfer-Encoding: chunked"), 400),
        (format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(17_000)), 431),
    ] {
        let (sent, output) = respond_to(&request);
        let start: String = request.chars().take(300).collect();
        assert_eq!(sent, status, "{start}\n{output}");
        let (head, _) = output.split_once("\r\n\r\n").unwrap();
        let mut expected = vec!["Connection: close"];
        match status {
            405 => expected.push("Allow: GET"),
            426 => expected.extend([
                "Connection: Upgrade",
                "Upgrade: websocket",
                "Sec-WebSocket-Version: 13",
            ]),
            _ => {}
        }
        for line in expected {
            assert!(head.lines().any(|own| own == line), "{line}: {head}");
        }
    }
}

/// RFC 9110 section 9.3.2.
#[test]
fn head_gets_no_content() {
    for request in [
        "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        "HEAD / HTTP/1.1\r\nno colon\r\n\r\n",
    ] {
        let (_, output) = respond_to(request);
        assert!(output.ends_with("\r\n\r\n"), "{output}");
        assert!(!output.contains("Content-Length: 0\r\n"), "{output}");
    }
    assert!(
        !respond_to("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            .1
            .ends_with("\r\n\r\n")
    );
}

/// No response has a part only: headers that are not ASCII are sent as they are.
#[test]
fn added_headers_outside_of_ascii() {
    let (result, output) = answer_with(REQUEST.as_bytes(), &[], |_| {
        let realm = "Basic realm=\"B\u{fc}ro\"";
        Err(Rejection::new(401, "log in").header("WWW-Authenticate", realm))
    });
    let error = result.map(drop).unwrap_err();
    assert!(
        matches!(&error, WsErr::Rejected(response) if response.status() == 401),
        "{error:?}"
    );
    assert!(
        output.contains("\r\nWWW-Authenticate: Basic realm=\"B\u{fc}ro\"\r\n"),
        "{output}"
    );
    assert!(output.ends_with("\r\n\r\nlog in"), "{output}");
}
