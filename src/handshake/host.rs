//! Hosts with their ports: of requests, and those that a server allows.

use std::net::Ipv6Addr;

/// A host, and its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Host<'a> {
    /// A name or an address, which is in brackets if it is one of IPv6. A `Host` header may be
    /// empty (RFC 9112 section 3.2).
    pub(super) name: &'a str,
    pub(super) port: Option<u16>,
}

impl<'a> Host<'a> {
    /// Parses `uri-host [ ":" port ]` (RFC 9110 section 7.2). An empty port is none (RFC 3986
    /// section 3.2.3). Userinfo is not part of a host, and not allowed (RFC 9110 section 4.2.4).
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        // The colons in brackets are not before the port.
        let end = match text.strip_prefix('[') {
            Some(_) => text.find(']')? + 1,
            None => text.find(':').unwrap_or(text.len()),
        };
        let (name, port) = text.split_at_checked(end)?;
        let port = match port {
            "" | ":" => None,
            port => Some(parse_port(port.strip_prefix(':')?)?),
        };
        let is_valid = match name.strip_prefix('[') {
            Some(literal) => is_ip_literal(literal.strip_suffix(']')?),
            None => is_registered_name(name),
        };
        is_valid.then_some(Self { name, port })
    }

    /// Whether this is the allowed host: with its port, or with any if it has none. A host without
    /// a port has the default port of its scheme, 80 or 443. Behind a proxy, the scheme is not
    /// known.
    pub(super) fn is_allowed_by(self, allowed: Self) -> bool {
        let is_port = match (self.port, allowed.port) {
            (_, None) => true,
            (None, Some(allowed)) => matches!(allowed, 80 | 443),
            (Some(port), Some(allowed)) => port == allowed,
        };
        is_port && self.name.eq_ignore_ascii_case(allowed.name)
    }
}

/// A number without a sign, which `parse` would take.
fn parse_port(digits: &str) -> Option<u16> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// An address of IPv6, without a zone, or of a later version (RFC 3986 section 3.2.2).
fn is_ip_literal(literal: &str) -> bool {
    let Some(later) = literal.strip_prefix(['v', 'V']) else {
        return literal.parse::<Ipv6Addr>().is_ok();
    };
    later.split_once('.').is_some_and(|(version, address)| {
        let mut version = version.bytes();
        let is_version = version.len() > 0 && version.all(|byte| byte.is_ascii_hexdigit());
        let is_allowed = |byte: u8| is_plain(byte) || byte == b':';
        is_version && !address.is_empty() && address.bytes().all(is_allowed)
    })
}

/// A name, or an address of IPv4 (RFC 3986 section 3.2.2). It may be empty.
fn is_registered_name(name: &str) -> bool {
    let mut rest = name.as_bytes();
    loop {
        rest = match rest {
            [] => return true,
            [b'%', first, second, rest @ ..]
                if first.is_ascii_hexdigit() && second.is_ascii_hexdigit() =>
            {
                rest
            }
            [byte, rest @ ..] if is_plain(*byte) => rest,
            _ => return false,
        };
    }
}

/// Whether a byte is unreserved, or a delimiter within a component (RFC 3986 section 2).
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_with_ports() {
        for (text, name, port) in [
            ("", "", None),
            (":80", "", Some(80)),
            ("a", "a", None),
            ("Chat-1.example.:8080", "Chat-1.example.", Some(8080)),
            ("a:", "a", None),
            ("a:0", "a", Some(0)),
            ("a:00080", "a", Some(80)),
            ("a:65535", "a", Some(65535)),
            ("127.0.0.1:1", "127.0.0.1", Some(1)),
            ("a_b~!$&'()*+,;=", "a_b~!$&'()*+,;=", None),
            ("%C3%b8", "%C3%b8", None),
            ("[::1]", "[::1]", None),
            ("[::1]:", "[::1]", None),
            ("[1:2:3:4:5:6:7:8]:9", "[1:2:3:4:5:6:7:8]", Some(9)),
            ("[::ffff:127.0.0.1]:9", "[::ffff:127.0.0.1]", Some(9)),
            ("[v1F.a:b]", "[v1F.a:b]", None),
        ] {
            assert_eq!(Host::parse(text), Some(Host { name, port }), "{text}");
        }
    }

    #[test]
    fn invalid_hosts() {
        for text in [
            " ",
            "a b",
            "a, b",
            "a\tb",
            "a/b",
            "a?b",
            "a#b",
            "a\\b",
            "a\"",
            "a|b",
            "{a}",
            "<a>",
            "u@a",
            "u:p@a",
            "http://a",
            "\u{f8}",
            "a\u{7f}",
            // Ports.
            "a:x",
            "a:-1",
            "a:+1",
            "a:65536",
            "a:99999",
            "a:80:80",
            "a: 80",
            "a:80 ",
            "a:80, b",
            "a:80@b",
            "a:@b",
            "a:/b",
            "a:b.example",
            "::1",
            // Brackets.
            "[",
            "[]",
            "[]:80",
            "[::1",
            "::1]",
            "[::1]80",
            "[::1]a:80",
            "[::1]:80@b",
            "[::1]:x",
            "[a]",
            "[127.0.0.1]",
            "[::1%25lo]",
            "[::1%lo]",
            "[::1]]",
            "[[::1]]",
            "a[::1]",
            "[::1]]:1",
            "[v.a]",
            "[v1.]",
            "[vx.a]",
            "[v1]",
            "[v1.a b]",
            // Encodings.
            "%",
            "%4",
            "%4g",
            "a%zz",
            "%%41",
        ] {
            assert_eq!(Host::parse(text), None, "{text}");
        }
    }
}
