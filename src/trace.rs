//! What subscribers of `tracing` hear, with the feature `tracing`. Without it, nothing here is left in the program.
//!
//! Events name the span of their connection as their parent, and no poll enters it: it would cost each poll, and what
//! wakers and adapters do within one is not the connection's alone. What peers and users write (data, texts, headers,
//! queries, reasons) is never told, because logs go where secrets should not.

#![allow(
    dead_code,
    unused_variables,
    reason = "what is used depends on the features that are on"
)]
#![cfg_attr(
    not(feature = "tracing"),
    allow(unused_imports, clippy::unused_self, reason = "all bodies are empty")
)]

#[cfg(test)]
mod tests;

use std::{borrow::Cow, net::SocketAddr, time::Duration};

use crate::{
    close::{CloseCode, CloseFrame, CloseOutcome, ClosedBy},
    error::WsErr,
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
    /// Of a connection that was opened elsewhere.
    pub(crate) fn unknown() -> Self {
        Self::new(None)
    }

    pub(crate) fn server() -> Self {
        Self::new(Some(Role::Server))
    }

    pub(crate) fn client(url: &str) -> Self {
        let trace = Self::new(Some(Role::Client));
        #[cfg(feature = "tracing")]
        if let Some((host, path)) = host_and_path(url) {
            trace.span.record("host", host);
            trace.span.record("path", path);
        }
        trace
    }

    fn new(role: Option<Role>) -> Self {
        Self {
            // At the level of errors, so that whatever passes a filter has its connection.
            #[cfg(feature = "tracing")]
            span: tracing::error_span!(
                target: "ws_framed",
                "websocket",
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

    /// What a server is asked for.
    pub(crate) fn request(&self, host: Option<&str>, path: &str, origin: Option<&str>) {
        #[cfg(feature = "tracing")]
        {
            self.span.record("host", host.map(without_secrets));
            self.span.record("path", without_query(path));
            self.span.record("origin", origin.map(without_secrets));
        }
    }

    /// The address of the peer, if it is known. `address` is called only if it is recorded.
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

    /// To a server, clients that ask for what they don't get are ordinary traffic.
    pub(crate) fn not_opened(&self, error: &WsErr) {
        #[cfg(feature = "tracing")]
        match (self.role, error) {
            (Some(Role::Server), WsErr::Refused { status, .. }) => {
                tell!(self, INFO, status, "the handshake was refused");
            }
            (_, WsErr::Refused { status, .. }) => {
                tell!(self, WARN, status, "the handshake was refused");
            }
            (Some(Role::Server), _) => {
                tell!(self, INFO, error = %text(error), "the handshake failed");
            }
            _ => tell!(self, WARN, error = %text(error), "the handshake failed"),
        }
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

    /// Somebody broke a rule, or the transport failed. The end comes when the peer has been told.
    pub(crate) fn failed(&self, error: &WsErr) {
        tell!(self, DEBUG, error = %text(error), "the connection failed");
    }

    /// The peer did nothing for too long.
    pub(crate) fn gave_up(&self, error: &WsErr) {
        tell!(self, DEBUG, error = %text(error), "the peer was given up");
    }

    /// Says how it ended and what it carried: a warning if it was an error.
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
                (_, Some(error)) => {
                    tell_end!(WARN, error = %text(error), "the connection ended badly");
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

/// The text of an error, without what somebody else wrote into it.
fn text(error: &WsErr) -> Cow<'static, str> {
    match error {
        WsErr::Aborted(frame) => format!("the peer closed with {}", frame.code()).into(),
        WsErr::InvalidHeader(_) => "not a valid header".into(),
        // Browsers say it with the URL.
        WsErr::InvalidUrl(_) => "cannot connect to this URL".into(),
        WsErr::Refused { status, .. } => {
            format!("the handshake was refused with HTTP status {status}").into()
        }
        // A transport may be a link of this library, too.
        WsErr::Io(error) if WsErr::find_in(error).is_some() => {
            let inner = WsErr::find_in(error).map(text).unwrap_or_default();
            format!("the transport failed: {inner}").into()
        }
        error => error.to_string().into(),
    }
}

/// Host, with the port if there is one, and path of a URL. A browser takes URLs without a host, too.
fn host_and_path(url: &str) -> Option<(&str, &str)> {
    let (_, rest) = without_query(url).split_once("://")?;
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = without_user(authority);
    is_host(host).then_some((host, path))
}

/// Whether it is a host with at most a port. What is none may be the first half of a password in which there is a `/` or
/// a `?`, and the path the other.
fn is_host(text: &str) -> bool {
    let is_number = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (text, None),
    };
    let is_name = !name.is_empty() && (name.starts_with('[') || !name.contains(':'));
    is_name && port.is_none_or(is_number)
}

/// For what a peer sends in a place of which anybody may think that it is told.
fn without_secrets(text: &str) -> &str {
    without_user(without_query(text))
}

fn without_query(text: &str) -> &str {
    let end = text.find(['?', '#']).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// In a URL, a name and a password may stand before the host.
fn without_user(text: &str) -> &str {
    text.rsplit_once('@').map_or(text, |(_, host)| host)
}
