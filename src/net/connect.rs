//! The WebSocket over a byte stream that is open, with TLS or without.

use std::net::SocketAddr;

use http::header::LOCATION;

use crate::{
    client::Connector,
    error::{Redirect, RejectedHandshake, WsErr},
    handshake::{
        added_headers::AddedHeaders,
        outcome::{self, KnownError},
        url::WsUrl,
    },
    stream::WsStream,
    time::timeout,
    trace::Trace,
    transport::io::ByteStream,
};
#[cfg(feature = "rustls")]
use crate::{tls::ClientTls, transport::io::FuturesIo};

/// TLS over a byte stream, if there is any.
#[cfg(feature = "rustls")]
pub(super) type Tls = Option<ClientTls>;

/// No TLS.
#[cfg(not(feature = "rustls"))]
pub(super) type Tls = ();

impl Connector {
    /// Opens the WebSocket over a byte stream that is open, with TLS for `wss` if it is configured:
    /// otherwise, the byte stream may be one of TLS already.
    pub(super) async fn connect_on<S>(
        &self,
        io: S,
        url: &str,
        peer: Option<SocketAddr>,
    ) -> Result<WsStream, WsErr>
    where
        S: ByteStream,
    {
        let url = WsUrl::parse(url);
        let trace = trace(&url);
        trace.peer(|| peer);
        let mut known = None;
        let handshake = Box::pin(async {
            self.validate_over_stream()?;
            let url = &url?;
            #[cfg(feature = "rustls")]
            let tls = self.tls.clone().filter(|_| url.is_secure);
            #[cfg(not(feature = "rustls"))]
            let tls = ();
            let request = (url, &self.headers);
            let opened = self.open_with(tls, io, request, &trace, &mut known).await;
            opened.map_err(|error| with_redirect(error, url))
        });
        let opened = timeout(self.config.handshake_timeout, handshake).await;
        outcome::finish(opened, known, &trace)
    }

    /// Opens the WebSocket over a byte stream, with or without TLS.
    pub(super) async fn open_with<S>(
        &self,
        tls: Tls,
        io: S,
        (url, headers): (&WsUrl, &AddedHeaders),
        trace: &Trace,
        known: &mut KnownError,
    ) -> Result<WsStream, WsErr>
    where
        S: ByteStream,
    {
        #[cfg(feature = "rustls")]
        if let Some(tls) = tls {
            let io = tls.connect(url.server_name(), io).await?;
            let io = FuturesIo::vectored(io);
            return self.open(io, url, headers, trace, known).await;
        }
        #[cfg(not(feature = "rustls"))]
        let () = tls;
        self.open(io, url, headers, trace, known).await
    }
}

/// Where a response redirects to, if it is a redirect to a WebSocket (RFC 9110 section 15.4).
pub(super) fn redirect_target(response: &RejectedHandshake, url: &WsUrl) -> Option<WsUrl> {
    let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(LOCATION).filter(|_| is_redirect)?;
    url.join(std::str::from_utf8(location.as_bytes()).ok()?)
}

/// Whether a redirect keeps secret what was.
pub(super) fn may_follow(url: &WsUrl, target: &WsUrl) -> bool {
    target.is_secure || !url.is_secure
}

/// Adds the target of a redirect.
pub(super) fn with_redirect(error: WsErr, url: &WsUrl) -> WsErr {
    let WsErr::Rejected(mut response) = error else {
        return error;
    };
    if let Some(target) = redirect_target(&response, url) {
        let may_follow = may_follow(url, &target);
        response.set_redirect(Redirect::new(target.to_text(), may_follow));
    }
    WsErr::Rejected(response)
}

/// The span of a connection to this URL.
pub(super) fn trace(url: &Result<WsUrl, WsErr>) -> Trace {
    let url = url.as_ref().ok();
    Trace::client(url.map(|url| (url.authority(), url.path())))
}
