//! Which origins, hosts and paths a server accepts.

use http::{
    HeaderMap, HeaderName, Request, Version,
    header::{HOST, ORIGIN},
};

use super::{host::Host, rejection::Rejection};
use crate::error::{Setting, WsErr};

/// The allowed origins, hosts and paths. An empty list allows all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policy {
    pub(crate) origins: Vec<String>,
    pub(crate) requires_origin: bool,
    pub(crate) hosts: Vec<String>,
    pub(crate) paths: Vec<String>,
}

impl Policy {
    /// # Errors
    /// [`WsErr::InvalidConfig`] for an origin or a host that no request has.
    pub(crate) fn validate(&self) -> Result<(), WsErr> {
        let mut hosts = self.hosts.iter();
        let are_hosts = hosts.all(|host| Host::parse(host).is_some());
        if are_hosts && self.origins.iter().all(|origin| origin.is_ascii()) {
            return Ok(());
        }
        Err(WsErr::InvalidConfig(Setting::AllowedName))
    }

    /// Checks a request for a WebSocket.
    pub(super) fn check(&self, request: &Request<()>) -> Result<(), Rejection> {
        if !self.hosts.is_empty() && !self.allows_host(host(request).unwrap_or_default()) {
            return Err(Rejection::new(421, "unknown host"));
        }
        let path = normalize_path(request.uri().path());
        let mut paths = self.paths.iter();
        if !self.paths.is_empty() && !paths.any(|allowed| path == normalize_path(allowed)) {
            return Err(Rejection::new(404, "not found"));
        }
        self.check_origin(request.headers())
    }

    /// Whether a host is valid and allowed.
    fn allows_host(&self, host: &str) -> bool {
        let mut allowed = self.hosts.iter().filter_map(|allowed| Host::parse(allowed));
        Host::parse(host).is_some_and(|host| allowed.any(|allowed| host.is_allowed_by(allowed)))
    }

    /// RFC 6455 section 10.2.
    fn check_origin(&self, headers: &HeaderMap) -> Result<(), Rejection> {
        match (count(headers, ORIGIN), text(headers, ORIGIN)) {
            (0, _) if self.requires_origin => Err(Rejection::new(403, "no Origin header")),
            (0, _) => Ok(()),
            (1, _) if self.origins.is_empty() => Ok(()),
            (1, Some(origin)) if self.allows(origin) => Ok(()),
            _ => Err(Rejection::new(403, "this origin is not allowed")),
        }
    }

    /// Whether an origin is allowed. Its case does not matter (RFC 6454 section 4), nor does a
    /// default port (section 6.2).
    fn allows(&self, origin: &str) -> bool {
        let mut allowed = self.origins.iter();
        allowed.any(|allowed| {
            let (allowed, origin) = (without_default_port(allowed), without_default_port(origin));
            allowed.eq_ignore_ascii_case(origin)
        })
    }
}

/// The host that a request is for, with its port: that of its target, which is the `:authority` of
/// HTTP/2 (RFC 9113 section 8.3.1), or else `Host` (RFC 9112 section 3.2.2).
pub(super) fn host(request: &Request<()>) -> Option<&str> {
    match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => text(request.headers(), HOST),
    }
}

/// Checks that a request has one `Host`, which is valid (RFC 9112 section 3.2). Before HTTP/1.1,
/// and in HTTP/2, it may have none. A host in the target must be valid, too; in HTTP/2, a `Host`
/// that differs from it is malformed.
pub(super) fn check_host(request: &Request<()>) -> Result<(), Rejection> {
    let malformed = |why: &str| Err(Rejection::new(400, why));
    match count(request.headers(), HOST) {
        0 if request.version() != Version::HTTP_11 => {}
        1 => {}
        _ => return malformed("a request has one Host header"),
    }
    let own = request.headers().get(HOST);
    let own = own.map(|value| value.to_str().unwrap_or("not ASCII"));
    if own.is_some_and(|own| Host::parse(own).is_none()) {
        return malformed("the Host header is not valid");
    }
    let Some(authority) = request.uri().authority() else {
        return Ok(());
    };
    // An empty host is none (RFC 9110 section 4.2.1).
    if Host::parse(authority.as_str()).is_none_or(|host| host.name.is_empty()) {
        return malformed("the host in the request target is not valid");
    }
    let differs = own.is_some_and(|own| !own.eq_ignore_ascii_case(authority.as_str()));
    if differs && request.version() >= Version::HTTP_2 {
        return malformed("Host differs from :authority");
    }
    Ok(())
}

/// Checks the target, of which the type [`Uri`](http::Uri) allows more than RFC 9112 section 3.2
/// does. ASCII that is not encoded is accepted, since browsers send it in a query. A fragment does
/// not reach this check: the type discards it.
pub(super) fn check_target(request: &Request<()>) -> Result<(), Rejection> {
    let uri = request.uri();
    if uri.path().is_ascii() && uri.query().is_none_or(str::is_ascii) {
        return Ok(());
    }
    Err(Rejection::new(400, "the request target is not ASCII"))
}

/// The value of a header, if it is visible ASCII.
pub(super) fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// The number of headers of this name, readable or not.
fn count(headers: &HeaderMap, name: HeaderName) -> usize {
    headers.get_all(name).iter().count()
}

/// An origin without the default port of its scheme, and without a slash behind its host.
fn without_default_port(origin: &str) -> &str {
    let Some((scheme, host)) = origin.split_once("://") else {
        return origin;
    };
    let mut origin = origin;
    if host.len() > 1 {
        origin = origin.strip_suffix('/').unwrap_or(origin);
    }
    let port = match scheme.to_ascii_lowercase().as_str() {
        "http" | "ws" => ":80",
        "https" | "wss" => ":443",
        _ => return origin,
    };
    origin.strip_suffix(port).unwrap_or(origin)
}

/// A path in its normal form (RFC 3986 section 6.2.2): unreserved characters are as they are, and
/// what is not ASCII is encoded.
fn normalize_path(path: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut normal = String::with_capacity(path.len());
    let mut push = |byte: u8, is_plain: bool| {
        if is_plain {
            normal.push(byte.into());
        } else {
            let digits = [byte >> 4, byte & 15];
            let digits = digits.map(|digit| DIGITS.get(usize::from(digit)).copied());
            normal.push('%');
            normal.extend(digits.into_iter().flatten().map(char::from));
        }
    };
    let mut rest = path.as_bytes();
    while let [first, behind @ ..] = rest {
        if let Some((byte, behind)) = decode(rest) {
            let is_unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            push(byte, is_unreserved);
            rest = behind;
        } else {
            push(*first, first.is_ascii());
            rest = behind;
        }
    }
    normal
}

/// The byte that is encoded at the beginning, and what is behind it.
fn decode(path: &[u8]) -> Option<(u8, &[u8])> {
    let [b'%', digits @ ..] = path else {
        return None;
    };
    let (digits, behind) = digits.split_at_checked(2)?;
    let value = |digit: &u8| char::from(*digit).to_digit(16);
    let byte = digits
        .iter()
        .map(value)
        .try_fold(0, |byte, digit| Some(byte * 16 + digit?))?;
    Some((u8::try_from(byte).ok()?, behind))
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    /// The status of the response.
    fn status(policy: &Policy, path: &str, headers: &[(&'static str, &str)]) -> u16 {
        let mut request = Request::new(());
        *request.uri_mut() = path.parse().unwrap();
        for (name, value) in headers {
            let headers = request.headers_mut();
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        let checked = check_host(&request).and_then(|()| policy.check(&request));
        checked.map_or_else(|rejection| rejection.status().as_u16(), |()| 101)
    }

    /// Without a policy, a request needs exactly one `Host`, and at most one `Origin`.
    #[test]
    fn default_policy_requires_one_host() {
        let policy = Policy::default();
        assert_eq!(status(&policy, "/x?y", &[("host", "a")]), 101);
        assert_eq!(
            status(&policy, "/", &[("host", "a"), ("origin", "null")]),
            101
        );
        assert_eq!(status(&policy, "/", &[]), 400);
        assert_eq!(status(&policy, "/", &[("host", "a"), ("host", "a")]), 400);
        assert_eq!(
            status(
                &policy,
                "/",
                &[("host", "a"), ("origin", "b"), ("origin", "b")]
            ),
            403
        );
    }

    /// Pages of other origins are refused, and native clients are not.
    #[test]
    fn other_origins_are_refused() {
        let mut policy = Policy {
            origins: vec![
                "https://Chat.example".into(),
                "http://localhost:8080/".into(),
            ],
            ..Policy::default()
        };
        let from =
            |policy: &Policy, origin| status(policy, "/", &[("host", "a"), ("origin", origin)]);
        assert_eq!(from(&policy, "https://chat.example"), 101);
        assert_eq!(from(&policy, "http://localhost:8080"), 101);
        for origin in [
            "http://chat.example",
            "https://chat.example:8443",
            "https://chat.example.evil.example",
            "https://evil.example",
            "https://evil.example/https://chat.example",
            "null",
            "",
        ] {
            assert_eq!(from(&policy, origin), 403, "{origin}");
        }
        assert_eq!(status(&policy, "/", &[("host", "a")]), 101);
        policy.requires_origin = true;
        assert_eq!(status(&policy, "/", &[("host", "a")]), 403);
        assert_eq!(from(&policy, "https://chat.example"), 101);
    }

    #[test]
    fn origins_are_normalized() {
        for (allowed, origin, expected) in [
            ("https://chat.example:443", "https://chat.example", 101),
            ("https://chat.example", "https://chat.example:443", 101),
            ("HTTP://chat.example:80/", "http://Chat.example", 101),
            ("http://[::1]:80", "http://[::1]", 101),
            ("http://chat.example:443", "http://chat.example", 403),
            ("https://chat.example:80", "https://chat.example", 403),
            ("https://chat.example:4430", "https://chat.example", 403),
            ("file://", "file://", 101),
            ("file://", "file:", 403),
            ("app://", "app://", 101),
            ("tauri://localhost", "tauri://localhost", 101),
            ("null", "null", 101),
        ] {
            let policy = Policy {
                origins: vec![allowed.into()],
                ..Policy::default()
            };
            let headers = [("host", "a"), ("origin", origin)];
            assert_eq!(
                status(&policy, "/", &headers),
                expected,
                "{allowed} {origin}"
            );
        }
    }

    #[test]
    fn other_hosts_are_misdirected() {
        let policy = Policy {
            hosts: [
                "Chat.example",
                "[::1]",
                "localhost:80",
                "secure.example:443",
            ]
            .map(Into::into)
            .into(),
            ..Policy::default()
        };
        for (host, expected) in [
            ("chat.example", 101),
            ("chat.example:8080", 101),
            ("[::1]", 101),
            ("[::1]:99", 101),
            ("[::2]", 421),
            ("localhost:80", 101),
            ("localhost:81", 421),
            // The default ports of HTTP.
            ("localhost", 101),
            ("localhost:", 101),
            ("localhost:443", 421),
            ("secure.example", 101),
            ("secure.example:443", 101),
            ("secure.example:80", 421),
            ("evil.example", 421),
            ("", 421),
        ] {
            assert_eq!(status(&policy, "/", &[("host", host)]), expected, "{host}");
        }
    }

    #[test]
    fn other_paths_are_not_found() {
        let policy = Policy {
            paths: vec!["/chat".into()],
            ..Policy::default()
        };
        for (path, expected) in [
            ("/chat", 101),
            ("/chat?room=1", 101),
            ("/%63h%61t", 101),
            ("/chat/", 404),
            ("/Chat", 404),
            ("/", 404),
        ] {
            assert_eq!(status(&policy, path, &[("host", "a")]), expected, "{path}");
        }
    }

    #[test]
    fn paths_are_normalized() {
        for (path, expected) in [
            ("/", "/"),
            ("/a/b-c.d~e", "/a/b-c.d~e"),
            ("/alban\u{f8}", "/alban%C3%B8"),
            ("/alban%c3%b8", "/alban%C3%B8"),
            ("/%61%2f%2F", "/a%2F%2F"),
            // A space is encoded, and a percent sign that encodes nothing stays.
            ("/a%20b%zz%2", "/a%20b%zz%2"),
            ("/!$&'()*+,;=:@", "/!$&'()*+,;=:@"),
        ] {
            assert_eq!(normalize_path(path), expected);
            assert_eq!(normalize_path(expected), expected);
        }
    }

    #[test]
    fn names_that_no_request_has() {
        let is_valid = |origin: &str, host: &str| {
            let policy = Policy {
                origins: vec![origin.into()],
                hosts: vec![host.into()],
                ..Policy::default()
            };
            policy.validate().is_ok()
        };
        assert!(is_valid(
            "https://xn--bcher-kva.example",
            "xn--bcher-kva.example"
        ));
        assert!(!is_valid("https://b\u{fc}cher.example", "a"));
        assert!(!is_valid("null", "b\u{fc}cher.example"));
        assert!(!is_valid("null", "https://chat.example"));
        assert!(!is_valid("null", "::1"));
    }
}
