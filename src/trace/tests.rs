use super::*;

#[test]
fn what_is_told_of_a_url_are_host_port_and_path() {
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
    ];
    for (url, told) in cases {
        assert_eq!(host_and_path(url), told, "{url}");
    }
}

#[test]
fn an_error_is_told_without_what_others_wrote_into_it() {
    let errors = [
        WsErr::Aborted(CloseFrame::from_peer(CloseCode::from(4000), "secret")),
        WsErr::InvalidHeader("subprotocol \"secret\"".to_owned()),
    ];
    for error in errors {
        assert!(error.to_string().contains("secret"));
        assert!(!text(&error).contains("secret"), "{}", text(&error));
    }
}
