//! Which origins, hosts and paths a server accepts.

use super::{rejection::Rejection, request::HandshakeRequest};

/// The allowed origins, hosts and paths. An empty list allows all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policy {
    pub(crate) origins: Vec<String>,
    pub(crate) requires_origin: bool,
    pub(crate) hosts: Vec<String>,
    pub(crate) paths: Vec<String>,
}

impl Policy {
    pub(crate) fn validate(&self, request: &HandshakeRequest<'_>) -> Result<(), Rejection> {
        // RFC 9112 section 3.2.
        if request.count("host") != 1 {
            return Err(Rejection::new(400, "a request has one Host header"));
        }
        let host = request.host().unwrap_or_default();
        if !self.hosts.is_empty() && !self.hosts.iter().any(|allowed| is_host(host, allowed)) {
            return Err(Rejection::new(421, "unknown host"));
        }
        let path = request.path();
        if !self.paths.is_empty() && !self.paths.iter().any(|allowed| path == allowed) {
            return Err(Rejection::new(404, "not found"));
        }
        self.validate_origin(request)
    }

    /// RFC 6455 section 10.2.
    fn validate_origin(&self, request: &HandshakeRequest<'_>) -> Result<(), Rejection> {
        match (request.count("origin"), request.origin()) {
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

/// Whether `host` is the allowed one: with this port, or with any if the allowed one has none.
fn is_host(host: &str, allowed: &str) -> bool {
    let has_port = |host: &str| {
        host.rsplit_once(':')
            .is_some_and(|(_, port)| !port.contains(']'))
    };
    let name = match host.rsplit_once(':') {
        Some((name, _)) if has_port(host) && !has_port(allowed) => name,
        _ => host,
    };
    name.eq_ignore_ascii_case(allowed)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, Uri};

    use super::*;

    /// The status of the response.
    fn status(policy: &Policy, path: &'static str, headers: &[(&'static str, &str)]) -> u16 {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        let uri = Uri::from_static(path);
        match policy.validate(&HandshakeRequest::new(&uri, &map)) {
            Ok(()) => 101,
            Err(rejection) => rejection.status(),
        }
    }

    #[test]
    fn without_a_policy_only_one_host_header_is_insisted_on() {
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

    #[test]
    fn pages_of_other_origins_are_refused_and_native_clients_are_not() {
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
            hosts: vec!["Chat.example".into(), "[::1]".into(), "localhost:80".into()],
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
            ("localhost", 421),
            ("evil.example", 421),
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
            ("/chat/", 404),
            ("/", 404),
        ] {
            assert_eq!(status(&policy, path, &[("host", "a")]), expected, "{path}");
        }
    }
}
