//! URLs of proxies.

use std::fmt;

#[cfg(feature = "socks")]
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use super::{basic_authorization, invalid};
use crate::error::WsErr;

/// A proxy, and what it asks for.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proxy {
    /// A name or an address to connect to, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) protocol: ProxyProtocol,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum ProxyProtocol {
    /// CONNECT (RFC 9110 section 9.3.6).
    Http {
        /// Whether it is spoken over TLS.
        is_secure: bool,
        /// The value of `Proxy-Authorization`.
        authorization: Option<String>,
    },
    /// RFC 1928.
    #[cfg(feature = "socks")]
    Socks5 {
        /// User and password (RFC 1929).
        credentials: Option<(String, String)>,
    },
}

impl Proxy {
    /// Whether it is spoken to over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        matches!(self.protocol, ProxyProtocol::Http { is_secure, .. } if is_secure)
    }

    /// Adds credentials that are not part of the URL: a value of `Proxy-Authorization`, or a user
    /// and a password for SOCKS5.
    #[cfg(feature = "proxy-env")]
    #[cfg_attr(
        not(feature = "socks"),
        expect(unused_variables, clippy::unnecessary_wraps, reason = "for SOCKS5")
    )]
    pub(crate) fn with_credentials(
        mut self,
        basic: Option<&str>,
        user: Option<(&str, &str)>,
    ) -> Result<Self, WsErr> {
        match &mut self.protocol {
            ProxyProtocol::Http { authorization, .. } => *authorization = basic.map(str::to_owned),
            #[cfg(feature = "socks")]
            ProxyProtocol::Socks5 { credentials } => {
                let owned = |(user, password): (&str, &str)| checked(user.into(), password.into());
                *credentials = user.map(owned).transpose()?;
            }
        }
        Ok(self)
    }

    /// Parses a URL: `http`, `https`, `socks5` or `socks5h`, which are the same here. No part of
    /// the URL is in an error, since it may contain a password.
    ///
    /// # Errors
    /// [`WsErr::InvalidUrl`], also for a scheme whose feature is off.
    pub(crate) fn parse(url: &str) -> Result<Self, WsErr> {
        let url = Url::parse(url).map_err(|error| invalid(&format!("of the proxy: {error}")))?;
        let (default_port, protocol) = match url.scheme() {
            "https" if !cfg!(feature = "rustls") => {
                return Err(invalid("an https proxy needs the feature rustls"));
            }
            scheme @ ("http" | "https") => {
                let is_secure = scheme == "https";
                let authorization = basic_authorization(&url);
                let default_port = if is_secure { 443 } else { 80 };
                let protocol = ProxyProtocol::Http {
                    is_secure,
                    authorization,
                };
                (default_port, protocol)
            }
            #[cfg(not(feature = "socks"))]
            "socks5" | "socks5h" => return Err(invalid("a SOCKS5 proxy needs the feature socks")),
            #[cfg(feature = "socks")]
            "socks5" | "socks5h" => {
                let credentials = credentials(&url)?;
                (1080, ProxyProtocol::Socks5 { credentials })
            }
            _ => {
                return Err(invalid(
                    "the scheme of the proxy is not http, https, socks5 or socks5h",
                ));
            }
        };
        // The rest of a password with a `/` in it would be one.
        if !matches!(url.path(), "" | "/") {
            return Err(invalid(
                "the URL of a proxy has no path; a `/` in a password is `%2F`",
            ));
        }
        let host = match url.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => return Err(invalid("the proxy has no host")),
        };
        Ok(Self {
            host,
            port: url.port().unwrap_or(default_port),
            protocol,
        })
    }
}

/// The user and the password in a URL, for SOCKS5.
#[cfg(feature = "socks")]
fn credentials(url: &Url) -> Result<Option<(String, String)>, WsErr> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(None);
    }
    let decode = |text| percent_decode_str(text).decode_utf8();
    let user = decode(url.username());
    match (user, decode(url.password().unwrap_or_default())) {
        (Ok(user), Ok(password)) => checked(user.into(), password.into()).map(Some),
        _ => Err(invalid("user and password of a SOCKS5 proxy must be UTF-8")),
    }
}

/// Checks the lengths (RFC 1929 section 2).
#[cfg(feature = "socks")]
fn checked(user: String, password: String) -> Result<(String, String), WsErr> {
    match [&user, &password].map(|text| (1..=255).contains(&text.len())) {
        [true, true] => Ok((user, password)),
        _ => Err(invalid(
            "user and password of a SOCKS5 proxy must have 1 to 255 bytes",
        )),
    }
}

/// Does not print user and password.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.protocol {
            ProxyProtocol::Http { is_secure, .. } if is_secure => "https",
            ProxyProtocol::Http { .. } => "http",
            #[cfg(feature = "socks")]
            ProxyProtocol::Socks5 { .. } => "socks5",
        };
        f.debug_struct("Proxy")
            .field("scheme", &scheme)
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(is_secure: bool, authorization: Option<&str>) -> ProxyProtocol {
        let authorization = authorization.map(str::to_owned);
        ProxyProtocol::Http {
            is_secure,
            authorization,
        }
    }

    #[cfg(feature = "socks")]
    fn socks(credentials: Option<(&str, &str)>) -> ProxyProtocol {
        let credentials = credentials.map(|(user, password)| (user.into(), password.into()));
        ProxyProtocol::Socks5 { credentials }
    }

    /// Schemes, default ports, and percent-encoded credentials.
    #[test]
    fn urls_of_proxies() {
        for (url, host, port, protocol) in [
            (
                "http://proxy.example",
                "proxy.example",
                80,
                http(false, None),
            ),
            (
                "http://proxy.example:3128/",
                "proxy.example",
                3128,
                http(false, None),
            ),
            #[cfg(feature = "rustls")]
            (
                "https://proxy.example",
                "proxy.example",
                443,
                http(true, None),
            ),
            (
                "HTTP://ann:p%40ss@[::1]:8080",
                "::1",
                8080,
                http(false, Some("Basic YW5uOnBAc3M=")),
            ),
            (
                "http://ann@10.0.0.1",
                "10.0.0.1",
                80,
                http(false, Some("Basic YW5uOg==")),
            ),
            #[cfg(feature = "socks")]
            ("socks5://proxy.example", "proxy.example", 1080, socks(None)),
            #[cfg(feature = "socks")]
            (
                "socks5h://ann:p%40ss@[::1]:9050",
                "::1",
                9050,
                socks(Some(("ann", "p@ss"))),
            ),
        ] {
            let proxy = Proxy::parse(url).unwrap();
            assert_eq!((&*proxy.host, proxy.port), (host, port), "{url}");
            assert!(proxy.protocol == protocol, "{url}");
        }
    }

    /// A scheme whose feature is off is an error that names it, without a secret.
    #[test]
    fn schemes_need_their_features() {
        for (scheme, feature, is_on) in [
            ("http", "", true),
            ("https", "rustls", cfg!(feature = "rustls")),
            ("socks5", "socks", cfg!(feature = "socks")),
            ("socks5h", "socks", cfg!(feature = "socks")),
        ] {
            let parsed = Proxy::parse(&format!("{scheme}://ann:hunter2@proxy"));
            assert_eq!(parsed.is_ok(), is_on, "{scheme}");
            if let Err(error) = parsed {
                let text = error.to_string();
                assert!(matches!(error, WsErr::InvalidUrl(_)), "{error:?}");
                assert!(text.ends_with(&format!("the feature {feature}")), "{text}");
            }
        }
    }

    /// Other schemes, and credentials that SOCKS5 cannot send, are errors without a secret.
    #[test]
    fn invalid_urls_of_proxies() {
        let long = format!("socks5://ann:{}@proxy", "hunter2".repeat(40));
        for url in [
            "proxy.example:3128",
            "proxy.example",
            "ftp://ann:hunter2@proxy",
            "socks4://ann:hunter2@proxy",
            "http://ann:hunter2@",
            "http://ann:hunter2@proxy:99999",
            "http://ann:12/hunter2@proxy:3128",
            "http://proxy/hunter2",
            "socks5://ann@proxy",
            "socks5://:hunter2@proxy",
            "socks5://ann:%ffhunter2@proxy",
            &long,
        ] {
            let error = Proxy::parse(url).unwrap_err();
            assert!(matches!(error, WsErr::InvalidUrl(_)), "{url}: {error:?}");
            let text = format!("{error} {error:?}");
            assert!(!text.contains("hunter2"), "{text}");
        }
        let proxy = Proxy::parse("http://ann:hunter2@proxy").unwrap();
        let text = format!("{proxy:?}");
        assert!(!text.contains("hunter2") && !text.contains("ann"), "{text}");
    }
}
