//! A TCP connection that was not opened.

use std::{error::Error, fmt, io, net::SocketAddr};

/// No TCP connection to the server, or to the proxy: which addresses were tried, and how each
/// failed. In [`WsErr::Connect`](super::WsErr::Connect).
///
/// ```
/// use ws_framed::WsErr;
///
/// fn print(error: &WsErr) {
///     if let WsErr::Connect(error) = error {
///         for attempt in error.attempts() {
///             println!("{}: {}", attempt.address(), attempt.error());
///         }
///     }
/// }
/// ```
#[derive(Debug)]
pub struct ConnectError {
    host: String,
    port: u16,
    is_proxy: bool,
    lookup: Option<io::Error>,
    pub(crate) attempts: Vec<ConnectAttempt>,
}

impl ConnectError {
    /// An error without attempts.
    #[cfg_attr(
        not(all(any(feature = "smol", feature = "tokio"), not(target_arch = "wasm32"))),
        expect(dead_code, reason = "only clients that connect by TCP use it")
    )]
    pub(crate) fn new(host: &str, port: u16, is_proxy: bool) -> Self {
        Self {
            host: host.to_owned(),
            port,
            is_proxy,
            lookup: None,
            attempts: Vec::new(),
        }
    }

    /// Adds the error of the lookup of the name.
    #[cfg_attr(
        not(all(any(feature = "smol", feature = "tokio"), not(target_arch = "wasm32"))),
        expect(dead_code, reason = "only clients that connect by TCP use it")
    )]
    pub(crate) fn with_lookup(mut self, error: io::Error) -> Self {
        self.lookup = Some(error);
        self
    }

    /// The name or the address of the server or proxy.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port of the server or proxy.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether the host is a proxy.
    #[must_use]
    pub fn is_proxy(&self) -> bool {
        self.is_proxy
    }

    /// The error of the lookup, if the name could not be resolved.
    #[must_use]
    pub fn lookup_error(&self) -> Option<&io::Error> {
        self.lookup.as_ref()
    }

    /// The attempts, in the order in which they were started. There are none if the name could not
    /// be resolved, or has no addresses.
    #[must_use]
    pub fn attempts(&self) -> &[ConnectAttempt] {
        &self.attempts
    }

    /// `TimedOut` if an attempt timed out. Otherwise that of the last attempt, or of the lookup;
    /// `NotFound` for a name without addresses.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        let mut kinds = self.attempts.iter().map(|attempt| attempt.error.kind());
        match kinds.clone().next_back() {
            Some(_) if kinds.any(|kind| kind == io::ErrorKind::TimedOut) => io::ErrorKind::TimedOut,
            Some(last) => last,
            None => (self.lookup.as_ref()).map_or(io::ErrorKind::NotFound, io::Error::kind),
        }
    }
}

/// The error of each attempt is part of the text, so it is no [source](Error::source).
impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proxy = if self.is_proxy { "the proxy " } else { "" };
        let (host, port) = (&self.host, self.port);
        if host.contains(':') {
            write!(f, "cannot connect to {proxy}[{host}]:{port}: ")?;
        } else {
            write!(f, "cannot connect to {proxy}{host}:{port}: ")?;
        }
        match (&self.lookup, self.attempts.as_slice()) {
            (Some(error), []) => write!(f, "{error}"),
            (None, []) => f.write_str("the name has no addresses"),
            (_, [first, others @ ..]) => {
                write!(f, "{first}")?;
                others.iter().try_for_each(|other| write!(f, "; {other}"))
            }
        }
    }
}

impl Error for ConnectError {}

/// An address that a client tried to connect to, in a [`ConnectError`].
#[derive(Debug)]
pub struct ConnectAttempt {
    address: SocketAddr,
    error: io::Error,
}

impl ConnectAttempt {
    /// An attempt in flight. If nothing else happens to it, it has timed out.
    #[cfg_attr(
        not(all(any(feature = "smol", feature = "tokio"), not(target_arch = "wasm32"))),
        expect(dead_code, reason = "only clients that connect by TCP use it")
    )]
    pub(crate) fn start(address: SocketAddr) -> Self {
        Self {
            address,
            error: io::ErrorKind::TimedOut.into(),
        }
    }

    /// Records the error of the attempt.
    #[cfg_attr(
        not(all(any(feature = "smol", feature = "tokio"), not(target_arch = "wasm32"))),
        expect(dead_code, reason = "only clients that connect by TCP use it")
    )]
    pub(crate) fn fail(&mut self, error: io::Error) {
        self.error = error;
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Why there is no connection. An attempt that was in flight when
    /// [`handshake_timeout`](crate::Config::handshake_timeout) elapsed has the kind `TimedOut`.
    #[must_use]
    pub fn error(&self) -> &io::Error {
        &self.error
    }
}

impl fmt::Display for ConnectAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.address, self.error)
    }
}
