//! Opening connections in a browser.

use crate::{
    client::Connector,
    error::{Unsupported, WsErr},
    handshake::outcome::{self, Agreement},
    stream::WsStream,
    time::timeout,
    trace::{self, Trace},
    transport::browser::Browser,
};

/// Connects to a WebSocket URL, see [`Connector::connect`].
///
/// For settings and subprotocols, see [`Connector`].
///
/// # Errors
/// See [`Connector::connect`].
///
/// # Cancel safety
/// See [`Connector::connect`].
pub async fn connect(url: impl AsRef<str>) -> Result<WsStream, WsErr> {
    Connector::new().connect(url).await
}

impl Connector {
    /// Connects to a WebSocket URL.
    ///
    /// # Errors
    /// - [`WsErr::InvalidUrl`], [`WsErr::InvalidHeader`], [`WsErr::InvalidConfig`]: an argument is
    ///   not valid.
    /// - [`WsErr::TimedOut`] after [`handshake_timeout`](crate::Config::handshake_timeout).
    /// - [`WsErr::Unsupported`] if headers were added.
    /// - [`WsErr::Handshake`] for all other failures: a browser does not report reasons.
    ///
    /// # Cancel safety
    /// Dropping the future closes the socket.
    pub async fn connect(&self, url: impl AsRef<str>) -> Result<WsStream, WsErr> {
        self.config.validate()?;
        let trace = Trace::client(trace::host_and_path(url.as_ref()));
        let handshake = self.open(url.as_ref(), &trace);
        let opened = timeout(self.config.handshake_timeout, handshake).await;
        outcome::finish(opened, None, &trace)
    }

    async fn open(&self, url: &str, trace: &Trace) -> Result<WsStream, WsErr> {
        let (config, options) = (&self.config, &self.options);
        options.validate()?;
        if !self.headers.get()?.is_empty() {
            return Err(WsErr::Unsupported(Unsupported::Headers));
        }
        let transport = Browser::connect(url, options.subprotocols(), config).await?;
        let subprotocol = transport.subprotocol();
        if subprotocol.is_none() && !options.subprotocols().is_empty() {
            return Err(WsErr::NoSubprotocol);
        }
        let agreement = Agreement::new(subprotocol, options);
        let stream = WsStream::traced(transport, config.clone(), trace.clone())?;
        trace.opened();
        Ok(stream
            .boxed()
            .with_subprotocol(agreement.subprotocol, agreement.contract))
    }
}
