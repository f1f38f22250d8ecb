use std::{io, sync::Arc};

use super::*;
use crate::error::{ConnectError, RejectedHandshake};

#[test]
fn urls_are_logged_without_secrets() {
    let cases = [
        (
            "ws://chat.example/room/7",
            Some(("chat.example", "/room/7")),
        ),
        ("ws://[::1]:8080/", Some(("[::1]:8080", "/"))),
        ("wss://ann:secret@chat.example", Some(("chat.example", ""))),
        ("ws://a@b:secret@c/@d", Some(("c", "/@d"))),
        ("ws://host/path?token=secret", Some(("host", "/path"))),
        ("ws://host?token=secret/path", Some(("host", ""))),
        ("ws://host#secret", Some(("host", ""))),
        // A browser takes these.
        ("/chat?token=secret", None),
        ("chat?from=ws://secret", None),
        ("ws:///ann:secret@host/path", None),
        // What is before the `/` or the `?` of a password is no host, and what is behind it no
        // path.
        ("ws://ann:se/cret@host/path", None),
        ("ws://ann:se?cret@host/path", None),
        ("ws://ann:se#cret@host/path", None),
        ("ws://ann:/secret@host/path", None),
        ("ws://ann:secret:80/@host/path", None),
        ("ws://:80/path", None),
        ("ws://[::1]:secret/@host", None),
        ("ws://[::1]/path", Some(("[::1]", "/path"))),
    ];
    for (url, logged) in cases {
        assert_eq!(host_and_path(url), logged, "{url}");
    }
}

#[test]
fn errors_are_logged_without_peer_data() {
    let errors = [
        WsErr::Aborted(CloseFrame::from_peer(CloseCode::from(4000), "secret")),
        WsErr::InvalidHeader("subprotocol \"secret\"".to_owned()),
        WsErr::InvalidUrl("the URL 'ws://ann:secret@host:x' is invalid".to_owned()),
        RejectedHandshake::new(
            http::StatusCode::FORBIDDEN,
            http::HeaderMap::new(),
            "secret",
        )
        .into(),
        ConnectError::new("chat.example", 80, false)
            .with_lookup(io::Error::other("secret"))
            .into(),
        ProxyError::Rejected(RejectedHandshake::new(
            http::StatusCode::FORBIDDEN,
            http::HeaderMap::new(),
            "secret",
        ))
        .into(),
    ];
    for error in errors {
        assert!(error.to_string().contains("secret"));
        assert!(!redacted(&error).contains("secret"), "{}", redacted(&error));
        // The error of a connection two layers below, each the transport of the next.
        let below = |error: WsErr| WsErr::Io(Arc::new(error.into()));
        let error = below(below(error));
        assert!(error.to_string().contains("secret"));
        assert!(!redacted(&error).contains("secret"), "{}", redacted(&error));
    }
    let reset = WsErr::from(io::Error::other("connection reset"));
    assert_eq!(redacted(&reset), reset.to_string());
}
