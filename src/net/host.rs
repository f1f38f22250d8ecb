//! Connecting to the host of a URL: by TCP, through a proxy if there is one, and to where its
//! server redirects to.

use std::borrow::Cow;

use super::{
    connect::{Tls, may_follow, redirect_target, trace, with_redirect},
    tcp::{self, Runtime},
};
#[cfg(feature = "rustls")]
use crate::transport::io::FuturesIo;
use crate::{
    client::Connector,
    error::{ConnectError, WsErr},
    handshake::{
        self,
        added_headers::AddedHeaders,
        outcome::{self, KnownError},
        url::{
            WsUrl,
            proxy::{Proxy, ProxyProtocol},
        },
    },
    stream::WsStream,
    time::timeout,
    trace::Trace,
    transport::io::ByteStream,
};

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
    /// Connects to a URL on this runtime.
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
            let peer = R::prepare(&io);
            trace.peer(|| peer);
            return self
                .open_with(tls, io, (url, headers), trace, &mut progress.known)
                .await;
        };
        let proxy_tls = self.tls_for(proxy.is_secure())?;
        let host = (proxy.host.as_str(), proxy.port);
        let mut io = tcp::connect::<R>(&self.route, host, true, &mut progress.tcp).await?;
        let peer = R::prepare(&io);
        trace.peer(|| peer);
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
    #[cfg(feature = "rustls")]
    fn tls_for(&self, is_secure: bool) -> Result<Tls, WsErr> {
        let tls = || crate::tls::client(self.tls.as_ref());
        is_secure.then(tls).transpose()
    }

    #[cfg(not(feature = "rustls"))]
    #[expect(clippy::unused_self, reason = "with TLS, it is used")]
    fn tls_for(&self, is_secure: bool) -> Result<Tls, WsErr> {
        if is_secure {
            let why = "wss:// and https:// need a feature for TLS, such as ring with rustls-platform-verifier";
            return Err(WsErr::InvalidUrl(why.to_owned()));
        }
        Ok(())
    }
}

/// Lets a proxy, to which `io` is open, connect to the server of `url`.
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
    }
}
