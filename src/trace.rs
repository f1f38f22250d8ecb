//! Spans and events, with the feature `tracing`. Without it, all functions are empty.
//!
//! The span of a connection is the explicit parent of its events. No poll enters the span: that
//! would cost time in each poll, and include events of wakers and adapters. What peers and callers
//! write (data, texts, headers, queries, reasons) is never logged, because it may contain secrets.

#![allow(
    dead_code,
    unused_variables,
    reason = "the features decide what is used"
)]
#![cfg_attr(
    not(feature = "tracing"),
    allow(unused_imports, clippy::unused_self, reason = "all bodies are empty")
)]

#[cfg(test)]
mod tests;

#[cfg(feature = "tracing")]
use std::sync::atomic::{AtomicU64, Ordering};
use std::{borrow::Cow, net::SocketAddr, time::Duration};

use crate::{
    close::{CloseCode, CloseFrame, CloseOutcome, ClosedBy},
    error::{ProxyError, WsErr},
    stats::Stats,
};

/// An event in the span of a connection.
macro_rules! tell {
    ($trace:expr, $level:ident, $($what:tt)+) => {{
        #[cfg(feature = "tracing")]
        tracing::event!(target: "ws_framed", parent: &$trace.span, tracing::Level::$level, $($what)+);
    }};
}

/// The span of a connection, from its handshake to its end.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    #[cfg(feature = "tracing")]
    span: tracing::Span,
    #[cfg(feature = "tracing")]
    role: Option<Role>,
}

#[cfg(not(feature = "tracing"))]
const _: () = assert!(size_of::<Trace>() == 0);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Client,
    Server,
}

impl Trace {
    /// The span of a connection that the caller opened.
    pub(crate) fn unknown() -> Self {
        Self::new(None)
    }

    pub(crate) fn server() -> Self {
        Self::new(Some(Role::Server))
    }

    /// The span of a client, with the host and the path of its URL.
    pub(crate) fn client(host_and_path: Option<(&str, &str)>) -> Self {
        let trace = Self::new(Some(Role::Client));
        #[cfg(feature = "tracing")]
        if let Some((host, path)) = host_and_path {
            trace.span.record("host", host);
            trace.span.record("path", path);
        }
        trace
    }

    fn new(role: Option<Role>) -> Self {
        Self {
            // At the level of errors, so that each event that passes a filter has its span.
            #[cfg(feature = "tracing")]
            span: tracing::error_span!(
                target: "ws_framed",
                "websocket",
                id = next_id(),
                role = role.map(|role| match role {
                    Role::Client => "client",
                    Role::Server => "server",
                }),
                peer = tracing::field::Empty,
                host = tracing::field::Empty,
                path = tracing::field::Empty,
                origin = tracing::field::Empty,
            ),
            #[cfg(feature = "tracing")]
            role,
        }
    }

    /// Records the request that a server received.
    pub(crate) fn request(&self, host: Option<&str>, path: &str, origin: Option<&str>) {
        #[cfg(feature = "tracing")]
        {
            self.span.record("host", host.map(without_secrets));
            self.span.record("path", without_query(path));
            self.span.record("origin", origin.map(without_secrets));
        }
    }

    /// Records the address of the peer, if it is known. `address` is called only if the span is
    /// enabled.
    pub(crate) fn peer(&self, address: impl FnOnce() -> Option<SocketAddr>) {
        #[cfg(feature = "tracing")]
        if !self.span.is_disabled() {
            if let Some(address) = address() {
                self.span.record("peer", tracing::field::display(address));
            }
        }
    }

    pub(crate) fn opened(&self) {
        tell!(self, DEBUG, "the handshake is done");
    }

    /// Logs a failed handshake. Rejected clients are ordinary traffic for a server.
    pub(crate) fn not_opened(&self, error: &WsErr) {
        #[cfg(feature = "tracing")]
        match (self.role, error) {
            // The callback has answered a plain request, such as a health check.
            (Some(Role::Server), WsErr::Rejected(response)) if response.status().as_u16() < 400 => {
                let status = response.status().as_u16();
                tell!(self, DEBUG, status, "the request was answered");
            }
            (Some(Role::Server), WsErr::Rejected(response)) => {
                let status = response.status().as_u16();
                tell!(self, INFO, status, "the handshake was rejected");
            }
            (_, WsErr::Rejected(response)) => {
                let status = response.status().as_u16();
                tell!(self, WARN, status, "the handshake was rejected");
            }
            (Some(Role::Server), _) => {
                tell!(self, INFO, error = %redacted(error), "the handshake failed");
            }
            _ => tell!(self, WARN, error = %redacted(error), "the handshake failed"),
        }
    }

    /// The closure that serves a connection has returned an error, whose text is the caller's. It
    /// may be that of a client that has disconnected.
    #[cfg(feature = "axum")]
    pub(crate) fn serving_failed(&self, error: &str) {
        tell!(self, INFO, error, "serving the connection failed");
    }

    /// The closure that serves a connection has panicked.
    #[cfg(feature = "axum")]
    pub(crate) fn serving_panicked(&self) {
        tell!(self, WARN, "serving the connection panicked");
    }

    pub(crate) fn ping_sent(&self) {
        tell!(self, TRACE, "ping sent");
    }

    pub(crate) fn ping_received(&self) {
        tell!(self, TRACE, "ping received");
    }

    pub(crate) fn pong_received(&self, round_trip: Option<Duration>) {
        tell!(
            self,
            TRACE,
            round_trip = round_trip.map(tracing::field::debug),
            "pong received"
        );
    }

    pub(crate) fn close_sent(&self, code: CloseCode) {
        tell!(self, DEBUG, code = u16::from(code), "close sent");
    }

    pub(crate) fn close_received(&self, frame: Option<&CloseFrame>) {
        tell!(
            self,
            DEBUG,
            code = frame.map(|frame| u16::from(frame.code())),
            "close received"
        );
    }

    /// A violation, or a failure of the transport. The connection ends later, after its close
    /// frame.
    pub(crate) fn failed(&self, error: &WsErr) {
        tell!(self, DEBUG, error = %redacted(error), "the connection failed");
    }

    /// The codec cannot continue. `reason` is that of the close frame, which has no data of the
    /// peer.
    pub(crate) fn undecodable(&self, error: &WsErr, reason: &str) {
        tell!(self, DEBUG, error = %redacted(error), reason, "the connection failed");
    }

    /// A timeout.
    pub(crate) fn gave_up(&self, error: &WsErr) {
        tell!(self, DEBUG, error = %redacted(error), "the connection timed out");
    }

    /// Logs the outcome and the statistics. An error is a warning for a client only: a stranger
    /// could cause warnings of a server, and each client that loses its network would.
    pub(crate) fn ended(
        &self,
        outcome: &CloseOutcome,
        error: Option<&WsErr>,
        stats: impl FnOnce() -> Stats,
    ) {
        #[cfg(feature = "tracing")]
        {
            let stats = stats();
            macro_rules! tell_end {
                ($level:ident, $($what:tt)+) => {
                    tell!(
                        self,
                        $level,
                        messages_sent = stats.messages_sent,
                        bytes_sent = stats.bytes_sent,
                        messages_received = stats.messages_received,
                        bytes_received = stats.bytes_received,
                        $($what)+
                    )
                };
            }
            match (outcome, error) {
                (_, Some(error)) if self.role != Some(Role::Client) => {
                    tell_end!(INFO, error = %redacted(error), "the connection ended badly");
                }
                (_, Some(error)) => {
                    tell_end!(WARN, error = %redacted(error), "the connection ended badly");
                }
                (CloseOutcome::Clean { code, by, .. }, None) => {
                    let by = match by {
                        ClosedBy::Us => "us",
                        ClosedBy::Peer => "the peer",
                    };
                    tell_end!(
                        DEBUG,
                        code = u16::from(*code),
                        by,
                        "the connection was closed"
                    );
                }
                (_, None) => tell_end!(DEBUG, "the connection was dropped"),
            }
        }
    }
}

/// Tells the connections of a process apart in its logs.
#[cfg(feature = "tracing")]
fn next_id() -> u64 {
    static LAST_ID: AtomicU64 = AtomicU64::new(0);
    LAST_ID.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
}

/// Runs `future` in the span of the caller.
pub(crate) fn in_current_span<F: Future>(future: F) -> impl Future<Output = F::Output> {
    #[cfg(feature = "tracing")]
    let future = tracing::Instrument::in_current_span(future);
    future
}

/// The text of an error, without what peers or callers wrote into it.
fn redacted(error: &WsErr) -> Cow<'static, str> {
    match error {
        WsErr::Aborted(frame) => format!("the peer closed with {}", frame.code()).into(),
        WsErr::InvalidHeader(_) => "not a valid header".into(),
        // The text of a browser contains the URL.
        WsErr::InvalidUrl(_) => "cannot connect to this URL".into(),
        WsErr::Rejected(response) => {
            let status = response.status().as_u16();
            format!("the handshake was rejected with HTTP status {status}").into()
        }
        // The text of an error may be the caller's, if the resolver is.
        WsErr::Connect(error) => {
            let attempts = error.attempts().iter();
            let attempts: Vec<_> = attempts
                .map(|attempt| format!("{}: {}", attempt.address(), attempt.error().kind()))
                .collect();
            let to = if error.is_proxy() {
                "the proxy"
            } else {
                "the server"
            };
            let (kind, attempts) = (error.kind(), attempts.join("; "));
            format!("cannot connect to {to}: {kind} [{attempts}]").into()
        }
        WsErr::Proxy(error) => match &**error {
            ProxyError::Rejected(response) => {
                let status = response.status().as_u16();
                format!("the proxy responded with HTTP status {status}").into()
            }
            error => error.to_string().into(),
        },
        // A transport may be a connection of this library, too.
        WsErr::Io(io) if WsErr::find_in(&**io).is_some() => {
            WsErr::find_in(&**io).map(redacted).unwrap_or_default()
        }
        error => error.to_string().into(),
    }
}

/// Host, with the port if there is one, and path of a URL that a browser will parse. Browsers
/// accept URLs without a host.
pub(crate) fn host_and_path(url: &str) -> Option<(&str, &str)> {
    let (_, rest) = without_query(url).split_once("://")?;
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = without_user(authority);
    is_host(host).then_some((host, path))
}

/// Whether the text is a host, with an optional port. Otherwise it may be the first half of a
/// password that contains `/` or `?`, and the path the second half.
fn is_host(text: &str) -> bool {
    let is_number = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (text, None),
    };
    let is_name = !name.is_empty() && (name.starts_with('[') || !name.contains(':'));
    is_name && port.is_none_or(is_number)
}

/// Redacts a value that the peer controls.
fn without_secrets(text: &str) -> &str {
    without_user(without_query(text))
}

fn without_query(text: &str) -> &str {
    let end = text.find(['?', '#']).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// Removes the name and the password before a host.
fn without_user(text: &str) -> &str {
    text.rsplit_once('@').map_or(text, |(_, host)| host)
}
