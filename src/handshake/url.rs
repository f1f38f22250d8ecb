//! URLs of WebSockets, as browsers parse them (the URL Standard), with zones of IPv6 addresses (RFC
//! 6874), which the URL Standard does not have.

#[cfg(all(any(feature = "smol", feature = "tokio"), not(target_arch = "wasm32")))]
pub(crate) mod proxy;

use std::borrow::Cow;

use data_encoding::BASE64;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use url::{Host, ParseError, Url};

use crate::error::WsErr;

/// What a request target cannot contain (RFC 3986 sections 3.3 and 3.4). Some of it stays as it is
/// in a URL of a browser. Percent signs are not encoded again.
const NOT_IN_TARGET: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A parsed URL.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct WsUrl {
    /// As it was parsed: without a zone.
    url: Url,
    pub(crate) is_secure: bool,
    /// A name or an address to connect to: without brackets, with the zone of an IPv6 address.
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
    /// Parses a URL: `ws`, `wss`, or `http` and `https` instead of them. No part of the URL is in
    /// an error, since it may contain a password.
    ///
    /// # Errors
    /// [`WsErr::InvalidUrl`].
    pub(crate) fn parse(url: &str) -> Result<Self, WsErr> {
        let (url, zone) = cut_zone(url)?;
        let url = Url::parse(&url).map_err(|error| match error {
            ParseError::RelativeUrlWithoutBase => invalid("it does not begin with ws:// or wss://"),
            error => invalid(&error.to_string()),
        })?;
        Self::from_url(url, &zone)
    }

    fn from_url(url: Url, zone: &str) -> Result<Self, WsErr> {
        let (is_secure, default_port) = match url.scheme() {
            "ws" | "http" => (false, 80),
            "wss" | "https" => (true, 443),
            _ => {
                return Err(invalid(
                    "it does not begin with ws://, wss://, http:// or https://",
                ));
            }
        };
        let (Some(host), Some(name)) = (url.host(), url.host_str()) else {
            return Err(invalid("no host"));
        };
        Ok(Self {
            is_secure,
            authority: match url.port() {
                Some(port) => format!("{name}:{port}"),
                None => name.to_owned(),
            },
            host: match host {
                Host::Ipv6(address) => format!("{address}{zone}"),
                Host::Ipv4(_) | Host::Domain(_) => name.to_owned(),
            },
            port: url.port().unwrap_or(default_port),
            authorization: basic_authorization(&url),
            target: encode_target(&url),
            url,
        })
    }

    /// The URL that a `Location` leads to. It has the credentials of this one if the origin is the
    /// same, and no others. `None` if it is not valid.
    pub(crate) fn join(&self, location: &str) -> Option<Self> {
        let (location, zone) = cut_zone(location).ok()?;
        let url = self.url.join(&location).ok()?;
        let is_same_host = url.host() == self.url.host();
        let own_zone = self.host.find('%').and_then(|at| self.host.get(at..));
        let zone = match own_zone {
            Some(own) if zone.is_empty() && is_same_host => own,
            _ => &zone,
        };
        let mut joined = Self::from_url(url, zone).ok()?;
        let is_same_origin = self.is_same_origin(&joined);
        joined.authorization = self.authorization.clone().filter(|_| is_same_origin);
        Some(joined)
    }

    /// Whether scheme, host and port are the same.
    pub(crate) fn is_same_origin(&self, other: &Self) -> bool {
        let origin = |url: &Self| (url.is_secure, url.host.clone(), url.port);
        origin(self) == origin(other)
    }

    /// The host as a certificate has it: without a zone.
    #[cfg(any(feature = "rustls", feature = "smol", feature = "tokio"))]
    pub(crate) fn server_name(&self) -> &str {
        self.host.split('%').next().unwrap_or_default()
    }

    /// The URL as text, without credentials.
    pub(crate) fn to_text(&self) -> String {
        let scheme = if self.is_secure { "wss" } else { "ws" };
        let authority = match self.host.split_once('%') {
            Some((_, zone)) => self.authority.replacen(']', &format!("%25{zone}]"), 1),
            None => self.authority.clone(),
        };
        format!("{scheme}://{authority}{}", self.target)
    }

    /// The host, with a port that is not the default one.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// The host and the port, for a proxy to connect to: without a zone, which it does not know.
    #[cfg(any(feature = "smol", feature = "tokio"))]
    pub(crate) fn host_and_port(&self) -> String {
        let host = self.server_name();
        if host.contains(':') {
            format!("[{host}]:{}", self.port)
        } else {
            format!("{host}:{}", self.port)
        }
    }

    /// The path, without the query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

fn invalid(why: &str) -> WsErr {
    WsErr::InvalidUrl(why.to_owned())
}

/// Removes the zone of an IPv6 address from a URL, and gives it with `%`: the rest is a URL that
/// the URL Standard knows. Without a zone, it is empty.
fn cut_zone(url: &str) -> Result<(Cow<'_, str>, String), WsErr> {
    let without_zone = (Cow::Borrowed(url), String::new());
    let Some((_, rest)) = url.split_once(':') else {
        return Ok(without_zone);
    };
    let rest = rest.trim_start_matches(['/', '\\']);
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let (authority, _) = rest.split_at(end);
    let start = authority.rfind('@').map_or(0, |at| at + 1);
    let (_, host) = authority.split_at(start);
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.split_once(']'))
        .map(|(address, _)| address);
    let Some((address, zone)) = address.and_then(|address| address.split_once('%')) else {
        return Ok(without_zone);
    };
    // RFC 6874 writes `%` as `%25`; others do not.
    let name = zone.strip_prefix("25").filter(|name| !name.is_empty());
    let name = name.unwrap_or(zone);
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_valid) {
        return Err(invalid("the zone of the IPv6 address is not valid"));
    }
    let from = url.len() - rest.len() + start + '['.len_utf8() + address.len();
    let mut shortened = url.to_owned();
    shortened.replace_range(from..=from + zone.len(), "");
    Ok((Cow::Owned(shortened), format!("%{name}")))
}

/// The value of `Authorization` for the user and the password in a URL (RFC 7617).
fn basic_authorization(url: &Url) -> Option<String> {
    let (user, password) = (url.username(), url.password());
    if user.is_empty() && password.is_none() {
        return None;
    }
    let mut credentials: Vec<u8> = percent_decode_str(user).collect();
    credentials.push(b':');
    credentials.extend(percent_decode_str(password.unwrap_or_default()));
    Some(format!("Basic {}", BASE64.encode(&credentials)))
}

/// Path and query.
fn encode_target(url: &Url) -> String {
    let encode = |part| utf8_percent_encode(part, NOT_IN_TARGET);
    let path = encode(url.path());
    match url.query() {
        Some(query) => format!("{path}?{}", encode(query)),
        None => path.to_string(),
    }
}

#[cfg(test)]
mod tests;
