//! Connecting, whatever the runtime: a byte stream, TLS over it, and the WebSocket over that.

#[cfg(any(feature = "smol", feature = "tokio"))]
use std::borrow::Cow;
use std::net::SocketAddr;

use http::header::LOCATION;

#[cfg(any(feature = "smol", feature = "tokio"))]
use super::tcp::{self, Runtime};
#[cfg(any(feature = "smol", feature = "tokio"))]
use crate::handshake::{
    self,
    url::proxy::{Proxy, ProxyProtocol},
};
use crate::{
    client::Connector,
    error::{ConnectError, Redirect, RejectedHandshake, WsErr},
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
type Tls = Option<ClientTls>;

/// No TLS.
#[cfg(not(feature = "rustls"))]
type Tls = ();

/// What is known of an attempt to connect, if the time limit ends it.
#[derive(Default)]
struct Progress {
    known: KnownError,
    /// While addresses are tried.
    tcp: Option<ConnectError>,
}

impl Progress {
    fn into_known(self) -> KnownError {
        self.known.or_else(|| self.tcp.map(WsErr::from))
    }
}

impl Connector {
    /// Connects by TCP, with TLS for `wss`.
    #[cfg(any(feature = "smol", feature = "tokio"))]
    pub(super) async fn connect_by<R: Runtime>(&self, url: &str) -> Result<WsStream, WsErr> {
        let url = WsUrl::parse(url);
        let trace = trace(&url);
        let mut progress = Progress::default();
        // Boxed, so that the futures around it stay small.
        let handshake = Box::pin(async {
            self.config.validate()?;
            self.follow::<R>(url?, &trace, &mut progress).await
        });
        let opened = timeout(self.config.handshake_timeout, handshake).await;
        outcome::finish(opened, progress.into_known(), &trace)
    }

    /// Connects to a URL, and to where its server redirects to, as far as the settings allow.
    #[cfg(any(feature = "smol", feature = "tokio"))]
    async fn follow<R: Runtime>(
        &self,
        mut url: WsUrl,
        trace: &Trace,
        progress: &mut Progress,
    ) -> Result<WsStream, WsErr> {
        let mut headers = Cow::Borrowed(&self.headers);
        let mut left = self.route.max_redirects;
        loop {
            let opened = self.connect_to::<R>(&url, &headers, trace, progress).await;
            let error = match opened.map_err(|error| with_redirect(error, &url)) {
                Ok(stream) => return Ok(stream),
                Err(error) => error,
            };
            let target = match &error {
                WsErr::Rejected(response) => redirect_target(response, &url),
                _ => None,
            };
            let target = target.filter(|target| may_follow(&url, target));
            let (Some(target), Some(next)) = (target, left.checked_sub(1)) else {
                return Err(error);
            };
            left = next;
            progress.known = None;
            if !target.is_same_origin(&url) {
                headers = Cow::Owned(headers.for_other_origin());
            }
            url = target;
        }
    }

    #[cfg(any(feature = "smol", feature = "tokio"))]
    async fn connect_to<R: Runtime>(
        &self,
        url: &WsUrl,
        headers: &AddedHeaders,
        trace: &Trace,
        progress: &mut Progress,
    ) -> Result<WsStream, WsErr> {
        let tls = self.tls_for(url.is_secure)?;
        let Some(proxy) = self.route.proxy.for_url(url)? else {
            let host = (url.host.as_str(), url.port);
            let io = tcp::connect::<R>(&self.route, host, false, &mut progress.tcp).await?;
            trace.peer(|| R::peer(&io));
            return self
                .open_with(tls, io, (url, headers), trace, &mut progress.known)
                .await;
        };
        let proxy_tls = self.tls_for(proxy.is_secure())?;
        let host = (proxy.host.as_str(), proxy.port);
        let mut io = tcp::connect::<R>(&self.route, host, true, &mut progress.tcp).await?;
        trace.peer(|| R::peer(&io));
        let known = &mut progress.known;
        #[cfg(feature = "rustls")]
        if let Some(proxy_tls) = proxy_tls {
            let io = proxy_tls.connect(&proxy.host, io).await?;
            // Boxed, since TLS within TLS is not worth code of its own.
            let mut io: Box<dyn ByteStream> = Box::new(FuturesIo::vectored(io));
            open_tunnel(&mut io, &proxy, url, known).await?;
            return self.open_with(tls, io, (url, headers), trace, known).await;
        }
        #[cfg(not(feature = "rustls"))]
        let () = proxy_tls;
        open_tunnel(&mut io, &proxy, url, known).await?;
        self.open_with(tls, io, (url, headers), trace, known).await
    }

    /// The TLS of a connection that is opened by TCP.
    #[cfg(all(feature = "rustls", any(feature = "smol", feature = "tokio")))]
    fn tls_for(&self, is_secure: bool) -> Result<Tls, WsErr> {
        let tls = || crate::tls::client(self.tls.as_ref());
        is_secure.then(tls).transpose()
    }

    #[cfg(all(not(feature = "rustls"), any(feature = "smol", feature = "tokio")))]
    #[expect(clippy::unused_self, reason = "with TLS, it is used")]
    fn tls_for(&self, is_secure: bool) -> Result<Tls, WsErr> {
        match is_secure {
            true => Err(WsErr::InvalidUrl(
                "wss, and an https proxy, need a TLS feature".to_owned(),
            )),
            false => Ok(()),
        }
    }

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
            self.config.validate()?;
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
    async fn open_with<S>(
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
fn redirect_target(response: &RejectedHandshake, url: &WsUrl) -> Option<WsUrl> {
    let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(LOCATION).filter(|_| is_redirect)?;
    url.join(std::str::from_utf8(location.as_bytes()).ok()?)
}

/// Whether a redirect keeps secret what was.
fn may_follow(url: &WsUrl, target: &WsUrl) -> bool {
    target.is_secure || !url.is_secure
}

/// Adds the target of a redirect.
fn with_redirect(error: WsErr, url: &WsUrl) -> WsErr {
    let WsErr::Rejected(mut response) = error else {
        return error;
    };
    if let Some(target) = redirect_target(&response, url) {
        let may_follow = may_follow(url, &target);
        response.set_redirect(Redirect::new(target.to_text(), may_follow));
    }
    WsErr::Rejected(response)
}

/// Lets a proxy, to which `io` is open, connect to the server of `url`.
#[cfg(any(feature = "smol", feature = "tokio"))]
async fn open_tunnel(
    io: &mut impl ByteStream,
    proxy: &Proxy,
    url: &WsUrl,
    known: &mut KnownError,
) -> Result<(), WsErr> {
    match &proxy.protocol {
        ProxyProtocol::Http { authorization, .. } => {
            let authorization = authorization.as_deref();
            handshake::proxy::connect(io, &url.host_and_port(), authorization, known).await
        }
        #[cfg(feature = "socks")]
        ProxyProtocol::Socks5 { credentials } => {
            let credentials = credentials.as_ref();
            let credentials = credentials.map(|(user, password)| (&**user, &**password));
            super::socks::connect(io, (url.server_name(), url.port), credentials).await
        }
        #[cfg(not(feature = "socks"))]
        ProxyProtocol::Socks5 { .. } => Err(WsErr::InvalidUrl(
            "a SOCKS5 proxy needs the feature socks".to_owned(),
        )),
    }
}

/// The span of a connection to this URL.
fn trace(url: &Result<WsUrl, WsErr>) -> Trace {
    let url = url.as_ref().ok();
    Trace::client(url.map(|url| (url.authority(), url.path())))
}
