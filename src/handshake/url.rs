//! URLs of WebSockets (RFC 6455 section 3, RFC 3986).

use std::{fmt::Write, net::Ipv6Addr};

use data_encoding::BASE64;

use crate::error::WsErr;

/// A parsed URL.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct WsUrl {
    pub(crate) is_secure: bool,
    /// A name or an address, without brackets, with the zone of an IPv6 address.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The value of `Host`: without a zone, and without the default port.
    pub(super) authority: String,
    /// The value of `Authorization`, if there is a user.
    pub(super) authorization: Option<String>,
    /// Path and query.
    pub(super) target: String,
}

impl WsUrl {
    /// Parses a URL. No part of the URL is in an error, since it may contain a password.
    ///
    /// # Errors
    /// [`WsErr::InvalidUrl`].
    pub(crate) fn parse(url: &str) -> Result<Self, WsErr> {
        let (scheme, rest) = url.split_once("://").ok_or(invalid("no scheme"))?;
        let is_secure = match scheme {
            _ if scheme.eq_ignore_ascii_case("ws") => false,
            _ if scheme.eq_ignore_ascii_case("wss") => true,
            _ => return Err(invalid("the scheme is not ws or wss")),
        };
        let (rest, _fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (user, host),
            None => ("", authority),
        };
        let (host, port) = split_port(host)?;
        let default_port = if is_secure { 443 } else { 80 };
        let port = port.unwrap_or(default_port);
        let Host { name, zone } = Host::parse(host)?;
        Ok(Self {
            is_secure,
            port,
            authority: match port {
                _ if port == default_port => name.clone(),
                port => format!("{name}:{port}"),
            },
            host: name.trim_matches(['[', ']']).to_owned() + &zone,
            authorization: basic_authorization(user),
            target: encode_target(target)?,
        })
    }

    /// The host as a certificate has it: without a zone.
    #[cfg(all(feature = "rustls", any(feature = "smol", feature = "tokio")))]
    pub(crate) fn server_name(&self) -> &str {
        self.host.split('%').next().unwrap_or_default()
    }
}

pub(crate) fn invalid(why: &str) -> WsErr {
    WsErr::InvalidUrl(why.to_owned())
}

/// Splits a host from its port. An empty port is none (RFC 3986 section 3.2.3).
fn split_port(host: &str) -> Result<(&str, Option<u16>), WsErr> {
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (host, ""),
    };
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse() {
        Ok(port) if is_number => Ok((host, Some(port))),
        _ if port.is_empty() => Ok((host, None)),
        _ => Err(invalid("the port is not a number up to 65535")),
    }
}

struct Host {
    /// In lower case, with the brackets of an IPv6 address.
    name: String,
    /// The zone of an IPv6 address, with `%`, or nothing.
    zone: String,
}

impl Host {
    fn parse(host: &str) -> Result<Self, WsErr> {
        if let Some(address) = host.strip_prefix('[') {
            let address = address.strip_suffix(']');
            let address = address.ok_or(invalid("the address is not closed by a bracket"))?;
            // RFC 6874 writes `%` as `%25`; others do not.
            let (address, zone) = match address.split_once('%') {
                Some((address, zone)) => (address, zone.strip_prefix("25").unwrap_or(zone)),
                None => (address, ""),
            };
            let is_zone = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            if address.parse::<Ipv6Addr>().is_err() || !zone.bytes().all(is_zone) {
                return Err(invalid("the address in brackets is not IPv6"));
            }
            return Ok(Self {
                name: format!("[{}]", address.to_ascii_lowercase()),
                zone: match zone {
                    "" => String::new(),
                    zone => format!("%{zone}"),
                },
            });
        }
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte);
        if host.is_empty() {
            return Err(invalid("no host"));
        }
        if !host.is_ascii() {
            return Err(invalid("the host is not ASCII; use its form with xn--"));
        }
        if !host.bytes().all(is_name) {
            return Err(invalid("the host contains an invalid character"));
        }
        Ok(Self {
            name: host.to_ascii_lowercase(),
            zone: String::new(),
        })
    }
}

/// The value of `Authorization` for the part of a URL before `@` (RFC 7617).
fn basic_authorization(user: &str) -> Option<String> {
    if user.is_empty() {
        return None;
    }
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let credentials = [decode(name), b":".to_vec(), decode(password)].concat();
    Some(format!("Basic {}", BASE64.encode(&credentials)))
}

/// Decodes percent signs (RFC 3986 section 2.1). Those that are not followed by two digits stay.
fn decode(text: &str) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let digits = behind
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = byte.filter(|_| *first == b'%') {
            decoded.push(byte);
            rest = behind.get(2..).unwrap_or_default();
        } else {
            decoded.push(*first);
            rest = behind;
        }
    }
    decoded
}

/// The request target for path and query: never empty, and ASCII. Characters that a target cannot
/// contain are encoded (RFC 3986 sections 2.1, 3.3, 3.4). Percent signs stay as they are.
fn encode_target(target: &str) -> Result<String, WsErr> {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte);
    let mut encoded = String::new();
    if !target.starts_with('/') {
        encoded.push('/');
    }
    for byte in target.bytes() {
        match byte {
            _ if is_plain(byte) => encoded.push(byte.into()),
            b' ' | 0x00..=0x1f | 0x7f => {
                return Err(invalid("a space or control character in path or query"));
            }
            _ => {
                // Writing to a string does not fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    Ok(encoded)
}

#[cfg(test)]
mod tests {
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
            ("ws://a/\"\\^{}|[]`<>", "/%22%5C%5E%7B%7D%7C%5B%5D%60%3C%3E"),
        ] {
            assert_eq!(parts(url).1, expected, "{url}");
        }
    }

    #[test]
    fn hosts_and_ports() {
        for (url, authority, host, port) in [
            ("ws://chat.example/", "chat.example", "chat.example", 80),
            ("wss://chat.example/", "chat.example", "chat.example", 443),
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
        ] {
            let url = WsUrl::parse(url).unwrap();
            assert_eq!(
                (&*url.authority, &*url.host, url.port),
                (authority, host, port)
            );
        }
        assert!(WsUrl::parse("WSS://a").unwrap().is_secure);
        assert!(!WsUrl::parse("Ws://a").unwrap().is_secure);
    }

    #[test]
    fn users_become_basic_authorization() {
        for (url, authority, expected) in [
            ("ws://user:pass@a/", "a", Some("user:pass")),
            ("ws://us%40er:pa%3Ass@a:1/", "a:1", Some("us@er:pa:ss")),
            ("ws://user@a/", "a", Some("user:")),
            ("ws://:pass@a", "a", Some(":pass")),
            (
                "ws://ann@mail.example:secret@a:8080/",
                "a:8080",
                Some("ann@mail.example:secret"),
            ),
            ("ws://user:pass@[::1]:1/", "[::1]:1", Some("user:pass")),
            ("ws://us%e9r%zz:é@a", "a", None),
            ("ws://@a", "a", None),
            ("ws://a/user:pass@b", "a", None),
        ] {
            let (host, _, authorization) = parts(url);
            assert_eq!(host, authority, "{url}");
            if let Some(expected) = expected {
                let expected = format!("Basic {}", BASE64.encode(expected.as_bytes()));
                assert_eq!(authorization, Some(expected), "{url}");
            }
        }
        assert_eq!(decode("us%e9r%zz%"), b"us\xe9r%zz%");
        assert_eq!(parts("ws://@a").2, None);
    }

    #[test]
    fn invalid_urls() {
        for url in [
            "",
            "a",
            "/a",
            "http://a",
            "ftp://a",
            "ws:a",
            "ws:/a",
            "ws://",
            "ws:///a",
            "ws://?a",
            "ws://:80/",
            "ws://user:secret@/",
            "ws://user:secret@:80/",
            "ws://a:secret",
            "ws://a:+80",
            "ws://a:65536",
            "ws://a:99999999999999",
            "ws://a b/",
            "ws://a/b c",
            "ws://a/\r\nX: secret",
            "ws://bücher.example/",
            "ws://a%20b/",
            "ws://a\\b/",
            "ws://a:b:80/",
            "ws://::1/",
            "ws://[::1/",
            "ws://[::1]secret/",
            "ws://[127.0.0.1]/",
            "ws://[::1%25a/b]/",
            "ws://[v1.a]/",
            " ws://a",
        ] {
            let error = WsUrl::parse(url).map(drop).unwrap_err();
            assert!(matches!(error, WsErr::InvalidUrl(_)), "{url:?}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
