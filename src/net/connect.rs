//! Connecting, whatever the runtime: a byte stream, TLS over it, and the WebSocket over that.

use std::{io, net::SocketAddr};

use crate::{
    client::Connector,
    error::WsErr,
    handshake::{outcome, url::WsUrl},
    stream::WsStream,
    time::timeout,
    trace::Trace,
    transport::io::ByteStream,
};

impl Connector {
    /// Opens a byte stream with `connect_tcp`, which gets a host and a port, then TLS for `wss`,
    /// and then the WebSocket over it. `peer` tells the address of the peer.
    #[cfg(any(feature = "smol", feature = "tokio"))]
    pub(super) async fn connect_by<S, F>(
        &self,
        url: &str,
        connect_tcp: impl FnOnce(String, u16) -> F,
        peer: impl FnOnce(&S) -> Option<SocketAddr>,
    ) -> Result<WsStream, WsErr>
    where
        S: ByteStream,
        F: Future<Output = io::Result<S>>,
    {
        self.connect_through(url, Tls::ForSecureUrls, connect_tcp, peer)
            .await
    }

    /// Opens the WebSocket over a byte stream that is open, with TLS for `wss` if it is configured.
    pub(super) async fn connect_on<S>(
        &self,
        io: S,
        url: &str,
        peer: impl FnOnce(&S) -> Option<SocketAddr>,
    ) -> Result<WsStream, WsErr>
    where
        S: ByteStream,
    {
        self.connect_through(url, Tls::IfConfigured, async |_, _| Ok(io), peer)
            .await
    }

    async fn connect_through<S, F>(
        &self,
        url: &str,
        tls: Tls,
        open_io: impl FnOnce(String, u16) -> F,
        peer: impl FnOnce(&S) -> Option<SocketAddr>,
    ) -> Result<WsStream, WsErr>
    where
        S: ByteStream,
        F: Future<Output = io::Result<S>>,
    {
        self.config.validate()?;
        let mut known = None;
        let url = WsUrl::parse(url);
        let logged = url.as_ref().ok().map(|url| (url.authority(), url.path()));
        let trace = Trace::client(logged);
        // Boxed, so that the futures around it stay small.
        let handshake = Box::pin(async {
            let url = url.as_ref().map_err(WsErr::clone)?;
            #[cfg(feature = "rustls")]
            let tls = match tls {
                _ if !url.is_secure => None,
                Tls::IfConfigured => self.tls.clone(),
                Tls::ForSecureUrls => Some(crate::tls::client(self.tls.as_ref())?),
            };
            #[cfg(not(feature = "rustls"))]
            if url.is_secure && matches!(tls, Tls::ForSecureUrls) {
                return Err(WsErr::InvalidUrl("wss needs a TLS feature".to_owned()));
            }
            let io = open_io(url.host.clone(), url.port).await?;
            trace.peer(|| peer(&io));
            #[cfg(feature = "rustls")]
            if let Some(tls) = tls {
                let io = tls.connect(url.server_name(), io).await?;
                let io = crate::transport::io::FuturesIo::vectored(io);
                return self.open(io, url, &trace, &mut known).await;
            }
            self.open(io, url, &trace, &mut known).await
        });
        let opened = timeout(self.config.handshake_timeout, handshake).await;
        outcome::finish(opened, known, &trace)
    }
}

/// Which connections use TLS.
#[derive(Clone, Copy, Debug)]
enum Tls {
    /// All to secure URLs.
    #[cfg_attr(
        not(any(feature = "smol", feature = "tokio")),
        expect(dead_code, reason = "only clients that connect by TCP use it")
    )]
    ForSecureUrls,
    /// Those to secure URLs, if the connector has a configuration. Otherwise, the byte stream may
    /// be one of TLS already.
    IfConfigured,
}
