//! Connecting outside of browsers.

use http::HeaderMap;

use super::Connector;
use crate::{
    error::WsErr,
    handshake::{
        added_headers::AddedHeaders, client, handshaken::Handshaken, outcome::KnownError,
        url::WsUrl,
    },
    protocol::Role,
    stream::WsStream,
    trace::Trace,
    transport::{io::ByteStream, socket::Socket},
};

impl Connector {
    /// Sets the TLS configuration for `wss://` URLs: trusted certificates, and one of the client's
    /// own. `connect_over` uses TLS for these URLs if, and only if, this was called.
    ///
    /// TLS negotiates HTTP/1.1, whatever protocols (ALPN, RFC 7301) the configuration lists.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn tls(mut self, tls: impl Into<crate::tls::ClientTls>) -> Self {
        self.tls = Some(tls.into());
        self
    }

    /// Checks the settings for a byte stream that is open, where those about the way to a server
    /// have no effect.
    ///
    /// # Errors
    /// [`WsErr::InvalidConfig`].
    pub(crate) fn validate_over_stream(&self) -> Result<(), WsErr> {
        self.config.validate()?;
        #[cfg(any(feature = "smol", feature = "tokio"))]
        if let Some(setting) = self.route.first_setting() {
            return Err(WsErr::InvalidConfig(setting));
        }
        Ok(())
    }

    /// Checks the settings for a connection of HTTP/2, whose TLS is below HTTP.
    ///
    /// # Errors
    /// [`WsErr::InvalidConfig`].
    #[cfg(feature = "http2")]
    pub(crate) fn validate_for_http2(&self) -> Result<(), WsErr> {
        #[cfg(feature = "rustls")]
        if self.tls.is_some() {
            return Err(WsErr::InvalidConfig(crate::error::Setting::ConnectorTls));
        }
        self.validate_over_stream()
    }

    /// Performs the handshake over `io` with these headers, and makes a stream of it.
    pub(crate) async fn open<S>(
        &self,
        io: S,
        url: &WsUrl,
        headers: &AddedHeaders,
        trace: &Trace,
        known: &mut KnownError,
    ) -> Result<WsStream, WsErr>
    where
        S: ByteStream,
    {
        let opened = client::connect(io, url, headers, &self.options, known).await?;
        self.stream(opened, trace)
    }

    /// The stream over the result of a handshake, with the headers of the response.
    pub(crate) fn stream<S>(
        &self,
        (handshaken, response_headers): (Handshaken<S>, HeaderMap),
        trace: &Trace,
    ) -> Result<WsStream, WsErr>
    where
        S: ByteStream,
    {
        let Handshaken {
            io,
            leftover,
            agreement,
        } = handshaken;
        let transport = Socket::new(io, leftover, Role::Client, &self.config);
        #[cfg(feature = "deflate")]
        let transport = transport.compressed(&self.config, agreement.compression);
        let stream = WsStream::traced(transport, self.config.clone(), trace.clone())?;
        trace.opened();
        #[cfg(feature = "deflate")]
        let stream = stream.with_compression(agreement.compression);
        Ok(stream
            .boxed()
            .with_subprotocol(agreement.subprotocol, agreement.contract)
            .with_response_headers(response_headers))
    }
}
