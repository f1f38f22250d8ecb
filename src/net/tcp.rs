//! Connecting by TCP, whatever the runtime.

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
    /// Opens a byte stream with `connect_tcp`, which gets a host and a port, then TLS for `wss://`,
    /// and then the WebSocket over it. `peer` tells the address of the peer.
    pub(crate) async fn connect_by<S, F>(
        &self,
        url: &str,
        connect_tcp: impl FnOnce(String, u16) -> F,
        peer: impl FnOnce(&S) -> Option<SocketAddr>,
    ) -> Result<WsStream, WsErr>
    where
        S: ByteStream,
        F: Future<Output = io::Result<S>>,
    {
        self.config.validate()?;
        let mut known = None;
        let trace = Trace::client(url);
        // Boxed, so that the futures around it stay small.
        let handshake = Box::pin(async {
            let url = WsUrl::parse(url)?;
            if !url.is_secure {
                let io = connect_tcp(url.host.clone(), url.port).await?;
                trace.peer(|| peer(&io));
                return self.open(io, &url, &trace, &mut known).await;
            }
            #[cfg(feature = "rustls")]
            {
                let tls = crate::tls::client(self.tls.as_ref())?;
                let io = connect_tcp(url.host.clone(), url.port).await?;
                trace.peer(|| peer(&io));
                let io = crate::transport::io::FuturesIo::vectored(
                    tls.connect(url.server_name(), io).await?,
                );
                self.open(io, &url, &trace, &mut known).await
            }
            #[cfg(not(feature = "rustls"))]
            Err(crate::handshake::url::invalid("wss needs a TLS feature"))
        });
        let opened = timeout(self.config.handshake_timeout, handshake).await;
        outcome::finish(opened, known, &trace)
    }
}
