// Its snippets are tested in `examples/frameworks`.
#![cfg_attr(not(doctest), doc = include_str!("hyper.md"))]

#[cfg(feature = "http2")]
mod client;
mod io;

use std::net::SocketAddr;

#[cfg(feature = "http2")]
use ::hyper::ext::Protocol;
use ::hyper::upgrade::OnUpgrade;
use http::{Request, Response};

#[cfg(feature = "http2")]
#[cfg_attr(docsrs, doc(cfg(feature = "http2")))]
pub use self::client::Http2;
use self::io::HyperStream;
use crate::{
    config::Config,
    error::WsErr,
    handshake::{
        handshaken::Handshaken,
        outcome::{self, Agreement},
    },
    server::{self, Acceptor, Finish},
    time::timeout,
    trace::Trace,
    transport::{BoxTransport, io::TokioIo, socket::Socket},
};

/// Answers a request. The response has to be returned to hyper in every case; the stream is
/// available when hyper has sent it. A rejected request gets a status as in [`Acceptor::accept`],
/// or 503 if the [callback](Acceptor::on_request) takes longer than
/// [`handshake_timeout`](crate::Config::handshake_timeout). An acceptor with an invalid setting, or
/// with TLS, answers each request with status 500.
///
/// The callback gets the extensions of the request. One of type [`SocketAddr`] is the address of
/// the peer in spans; without it, that of the TCP socket is, once the connection is open.
///
/// In HTTP/1.1, a TCP socket of tokio that `hyper_util::server::conn::auto` or hyper's `http1`
/// serves is used without hyper in between, once the connection is open. It sends without Nagle's
/// algorithm, and the operating system holds at most 64 KiB of unsent data (on Linux and Android).
/// Below TLS, set `TCP_NODELAY` yourself.
///
/// # Errors
/// Those of the inner future:
/// - [`WsErr::Rejected`] with the status of the response.
/// - [`WsErr::InvalidHeader`] and [`WsErr::InvalidConfig`]: a setting is not valid.
/// - [`WsErr::TimedOut`]: `handshake_timeout` elapses in the callback, or before the response has
///   been sent.
/// - [`WsErr::Io`]: the response cannot be sent, or the server does not serve upgrades.
///
/// # Cancel safety
/// Dropping either future closes the connection, or leaves it to hyper if there is no response yet.
pub async fn upgrade<B, T>(
    acceptor: &Acceptor<T>,
    request: &mut Request<B>,
) -> (
    Response<String>,
    impl Future<Output = Result<T, WsErr>> + Send + use<B, T>,
) {
    let upgrade = request.extensions_mut().remove();
    let mut copy = Request::new(());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    let (response, opening) = respond(acceptor, copy, upgrade).await;
    let open = async move { opening?.open(BoxTransport::new).await };
    (response, open)
}

/// A connection whose request has been answered.
pub(crate) struct Opening<T> {
    upgrade: OnUpgrade,
    agreement: Agreement,
    finish: Finish<T>,
    /// The address of the peer, if the server that hyper runs in knows it.
    peer: Option<SocketAddr>,
    pub(crate) config: Config,
    pub(crate) trace: Trace,
}

/// The response, and the connection that it opens. A request without an `upgrade` cannot be
/// upgraded.
pub(crate) async fn respond<T>(
    acceptor: &Acceptor<T>,
    request: Request<()>,
    upgrade: Option<OnUpgrade>,
) -> (Response<String>, Result<Opening<T>, WsErr>) {
    let trace = Trace::server();
    let peer = request.extensions().get::<SocketAddr>().copied();
    trace.peer(|| peer);
    #[cfg(feature = "http2")]
    let protocol = request.extensions().get::<Protocol>().cloned();
    #[cfg(feature = "http2")]
    let protocol = protocol.as_ref().map(Protocol::as_str);
    #[cfg(not(feature = "http2"))]
    let protocol = None;
    match acceptor.respond(request, protocol, upgrade, &trace).await {
        Ok(accepted) => {
            let opening = Opening {
                upgrade: accepted.upgrade,
                agreement: accepted.agreement,
                finish: accepted.value,
                peer,
                config: acceptor.config.clone(),
                trace,
            };
            (accepted.response.map(|()| String::new()), Ok(opening))
        }
        Err((response, error)) => {
            trace.not_opened(&error);
            (response, Err(error))
        }
    }
}

impl<T> Opening<T> {
    /// Opens the connection when the response has been sent.
    pub(crate) async fn open(
        self,
        box_transport: impl FnOnce(Socket<TokioIo<HyperStream>>) -> BoxTransport,
    ) -> Result<T, WsErr> {
        let handshake = async {
            let upgraded = self.upgrade.await.map_err(std::io::Error::other)?;
            let (io, leftover, peer) = HyperStream::new(upgraded);
            if self.peer.is_none() {
                self.trace.peer(|| peer);
            }
            let handshaken = Handshaken {
                io: TokioIo(io),
                leftover,
                agreement: self.agreement,
            };
            server::stream(handshaken, &self.config, &self.trace, box_transport)
        };
        let opened = timeout(self.config.handshake_timeout, Box::pin(handshake)).await;
        outcome::finish(opened, None, &self.trace).map(self.finish)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    /// A request that passed through something which does not support upgrades.
    #[test]
    fn request_without_upgrade_is_rejected() {
        let request = Request::get("/")
            .header("Host", "a")
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("Sec-WebSocket-Version", "13");
        let mut request = request.body(()).unwrap();
        let (response, opening) = upgrade(&Acceptor::new(), &mut request)
            .now_or_never()
            .unwrap();
        assert_eq!(response.status(), 426);
        assert_eq!(response.headers()["Connection"], "Upgrade");
        assert_eq!(response.headers()["Upgrade"], "websocket");
        let error = opening.now_or_never().unwrap().map(drop).unwrap_err();
        assert!(
            matches!(&error, WsErr::Rejected(response) if response.status() == 426),
            "{error:?}"
        );
    }
}
