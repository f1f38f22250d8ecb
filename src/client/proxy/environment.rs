//! The proxies in environment variables.

use std::sync::Arc;

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use crate::{
    error::WsErr,
    handshake::url::{WsUrl, proxy::Proxy},
};

/// What the variables said. It prints no secret.
#[derive(Clone, Debug)]
pub(crate) struct Environment(Arc<Matcher>);

impl Environment {
    pub(super) fn read() -> Self {
        Self(Arc::new(Matcher::from_env()))
    }

    /// The proxy for a connection to `url`. The matcher knows the schemes of HTTP only.
    pub(super) fn proxy_for(&self, url: &WsUrl) -> Result<Option<Proxy>, WsErr> {
        let scheme = if url.is_secure { "https" } else { "http" };
        let uri = Uri::builder()
            .scheme(scheme)
            .authority(url.host_and_port())
            .path_and_query("/")
            .build();
        let uri = uri.map_err(|error| WsErr::InvalidUrl(error.to_string()))?;
        let found = self.0.intercept(&uri);
        found.as_ref().map(proxy).transpose()
    }
}

fn proxy(found: &Intercept) -> Result<Proxy, WsErr> {
    let proxy = Proxy::parse(&found.uri().to_string())?;
    let basic = found.basic_auth().and_then(|value| value.to_str().ok());
    proxy.with_credentials(basic, found.raw_auth())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::url::proxy::ProxyProtocol;

    fn proxy_for(matcher: Matcher, url: &str) -> Result<Option<Proxy>, WsErr> {
        let url = WsUrl::parse(url).unwrap();
        Environment(Arc::new(matcher)).proxy_for(&url)
    }

    /// `ws` counts as `http`, `wss` as `https`, whatever the URL says.
    #[test]
    fn schemes_select_the_variable() {
        for (url, expected) in [
            ("ws://chat.example", "plain"),
            ("http://chat.example:81", "plain"),
            ("wss://chat.example", "secure"),
            ("https://[2001:db8::1]", "secure"),
            ("wss://[fe80::1%25lo]:444", "secure"),
        ] {
            let matcher = Matcher::builder().http("plain:3128").https("http://secure");
            let proxy = proxy_for(matcher.build(), url).unwrap().unwrap();
            assert_eq!(proxy.host, expected, "{url}");
        }
    }

    /// Names, subdomains, addresses and networks are excluded.
    #[test]
    fn excluded_servers() {
        for (url, is_excluded) in [
            ("ws://chat.example", true),
            ("wss://eu.chat.example:444", true),
            ("ws://nochat.example", false),
            ("ws://10.1.2.3", true),
            ("ws://11.1.2.3", false),
            ("ws://[::1]:80", true),
            ("wss://chat.corp.example:8443", true),
            ("ws://corp.example.org", false),
        ] {
            let matcher = Matcher::builder()
                .all("http://proxy")
                .no("chat.example, 10.0.0.0/8,::1,.corp.example");
            let proxy = proxy_for(matcher.build(), url).unwrap();
            assert_eq!(proxy.is_none(), is_excluded, "{url}");
        }
    }

    /// Credentials reach either kind of proxy, and nothing prints them.
    #[test]
    fn credentials_reach_the_proxy() {
        let find = |url: &str| proxy_for(Matcher::builder().all(url).build(), "ws://chat.example");
        let proxy = find("ann:p%40ss@proxy:3128").unwrap().unwrap();
        let expected = ProxyProtocol::Http {
            is_secure: false,
            authorization: Some("Basic YW5uOnBAc3M=".to_owned()),
        };
        assert!(proxy.protocol == expected, "{proxy:?}");
        #[cfg(feature = "socks")]
        {
            let proxy = find("socks5h://ann:p%40ss@proxy").unwrap().unwrap();
            let ProxyProtocol::Socks5 { credentials } = &proxy.protocol else {
                panic!("{proxy:?}")
            };
            assert_eq!(credentials.as_ref().unwrap().1, "p@ss");
        }
        for url in ["socks5://ann@proxy", "socks4://ann:p%40ss@proxy"] {
            let error = find(url).unwrap_err();
            assert!(matches!(error, WsErr::InvalidUrl(_)), "{error:?}");
            assert!(!error.to_string().contains("ss@"), "{error}");
        }
    }
}
