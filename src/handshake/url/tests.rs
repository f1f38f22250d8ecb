use super::*;

/// `Host`, target, and `Authorization`.
fn parts(url: &str) -> (String, String, Option<String>) {
    let url = WsUrl::parse(url).unwrap();
    (url.authority, url.target, url.authorization)
}

#[test]
fn targets() {
    for (url, expected) in [
        ("ws://a", "/"),
        ("ws://a/", "/"),
        ("ws://a/b/c?d=e&f", "/b/c?d=e&f"),
        ("ws://a?room=7", "/?room=7"),
        ("ws://a#x", "/"),
        ("ws://a/b#x?y", "/b"),
        ("ws://a?b/c@d:e", "/?b/c@d:e"),
        ("ws://a/b@c:d", "/b@c:d"),
        ("ws://a/albanø?q=é", "/alban%C3%B8?q=%C3%A9"),
        ("ws://a/%C3%B8%zz%", "/%C3%B8%zz%"),
        ("ws://a/b c?d e", "/b%20c?d%20e"),
        ("ws://a/\"^{}|[]`<>", "/%22%5E%7B%7D%7C%5B%5D%60%3C%3E"),
        (
            "ws://a/?\"\\^{}|[]`<>'",
            "/?%22%5C%5E%7B%7D%7C%5B%5D%60%3C%3E%27",
        ),
        // As in a page.
        ("ws:\\\\a\\b\\c?d\\e", "/b/c?d%5Ce"),
        ("ws://a/b/../c/./%2e%2e/d", "/d"),
        ("ws://a/b\r\n\tc", "/bc"),
        (" ws://a/b ", "/b"),
    ] {
        assert_eq!(parts(url).1, expected, "{url}");
    }
}

#[test]
fn hosts_and_ports() {
    for (url, authority, host, port) in [
        ("ws://chat.example/", "chat.example", "chat.example", 80),
        ("wss://chat.example/", "chat.example", "chat.example", 443),
        ("http://chat.example/", "chat.example", "chat.example", 80),
        ("https://chat.example/", "chat.example", "chat.example", 443),
        ("ws://chat.example:80/", "chat.example", "chat.example", 80),
        (
            "wss://chat.example:443",
            "chat.example",
            "chat.example",
            443,
        ),
        (
            "wss://chat.example:80",
            "chat.example:80",
            "chat.example",
            80,
        ),
        ("ws://chat.example:/", "chat.example", "chat.example", 80),
        (
            "ws://chat.example:0080/",
            "chat.example",
            "chat.example",
            80,
        ),
        (
            "WS://Chat.EXAMPLE:8080/",
            "chat.example:8080",
            "chat.example",
            8080,
        ),
        ("ws://a_b-c.d/", "a_b-c.d", "a_b-c.d", 80),
        ("ws://127.0.0.1:1/", "127.0.0.1:1", "127.0.0.1", 1),
        ("ws://[::1]/", "[::1]", "::1", 80),
        ("ws://[::1]:80/", "[::1]", "::1", 80),
        ("ws://[FE80::1]:8080/", "[fe80::1]:8080", "fe80::1", 8080),
        (
            "ws://[fe80::1%25lo]:8080/",
            "[fe80::1]:8080",
            "fe80::1%lo",
            8080,
        ),
        ("ws://[fe80::1%lo]/", "[fe80::1]", "fe80::1%lo", 80),
        ("ws://[fe80::1%251]/", "[fe80::1]", "fe80::1%1", 80),
        ("ws://[fe80::1%25]/", "[fe80::1]", "fe80::1%25", 80),
        (
            "ws:user@[fe80::1%lo]?[::1%x]",
            "[fe80::1]",
            "fe80::1%lo",
            80,
        ),
        // As in a page.
        (
            "ws://b\u{fc}cher.example/",
            "xn--bcher-kva.example",
            "xn--bcher-kva.example",
            80,
        ),
        ("ws://127.1/", "127.0.0.1", "127.0.0.1", 80),
        ("ws:///a", "a", "a", 80),
        ("ws:a", "a", "a", 80),
        ("ws://a\\b", "a", "a", 80),
    ] {
        let parsed = WsUrl::parse(url).unwrap();
        assert_eq!(
            (&*parsed.authority, &*parsed.host, parsed.port),
            (authority, host, port),
            "{url}"
        );
    }
}

/// The scheme alone decides about TLS, in any case.
#[test]
fn schemes() {
    for (url, is_secure) in [
        ("ws://a", false),
        ("Ws://a", false),
        ("HTTP://a", false),
        ("wss://a", true),
        ("WSS://a:80", true),
        ("Https://a", true),
    ] {
        assert_eq!(WsUrl::parse(url).unwrap().is_secure, is_secure, "{url}");
    }
}

#[test]
fn users_become_basic_authorization() {
    for (url, authority, expected) in [
        ("ws://user:pass@a/", "a", "user:pass"),
        ("ws://us%40er:pa%3Ass@a:1/", "a:1", "us@er:pa:ss"),
        ("ws://user@a/", "a", "user:"),
        ("ws://:pass@a", "a", ":pass"),
        (
            "ws://ann@mail.example:secret@a:8080/",
            "a:8080",
            "ann@mail.example:secret",
        ),
        ("ws://user:pass@[::1]:1/", "[::1]:1", "user:pass"),
        ("ws://[::1%25x]:pass@a/", "a", "[::1%x]:pass"),
        ("ws://us%zz%:\u{e9}@a", "a", "us%zz%:\u{e9}"),
    ] {
        let (host, _, authorization) = parts(url);
        let expected = format!("Basic {}", BASE64.encode(expected.as_bytes()));
        assert_eq!(
            (&*host, authorization),
            (authority, Some(expected)),
            "{url}"
        );
    }
    for url in ["ws://@a", "ws://:@a", "ws://a/user:pass@b", "ws://a?u:p@b"] {
        let (host, _, authorization) = parts(url);
        assert_eq!((&*host, authorization), ("a", None), "{url}");
    }
    // Bytes that are not UTF-8 stay what they are.
    let expected = format!("Basic {}", BASE64.encode(b"us\xe9r:"));
    assert_eq!(parts("ws://us%e9r@a").2, Some(expected));
}

#[test]
fn invalid_urls() {
    for url in [
        "",
        "a",
        "/a",
        "//a",
        "ftp://a",
        "file:///secret",
        "blob:ws://a",
        "a:80",
        "ws://",
        "ws:",
        "ws://?secret",
        "ws://:80/",
        "ws://user:secret@/",
        "ws://user:secret@:80/",
        "ws://a:secret",
        "ws://user:pa/secret@a",
        "ws://a:+80",
        "ws://a:65536",
        "ws://a:99999999999999",
        "ws://a b/",
        "ws://a%20b/",
        "ws://a:b:80/",
        "ws://1.2.3.4.5/",
        "ws://::1/",
        "ws://[::1/",
        "ws://[::1]secret/",
        "ws://[127.0.0.1]/",
        "ws://[::1%]/",
        "ws://[::1%25a b]/",
        "ws://[::1%25a%0d]/",
        "ws://[::1%25a/b]/",
        "ws://[a%25lo]/",
        "ws://[v1.a]/",
        "ws://xn--\u{fc}.example/",
    ] {
        let error = WsUrl::parse(url).map(drop).unwrap_err();
        assert!(matches!(error, WsErr::InvalidUrl(_)), "{url:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
