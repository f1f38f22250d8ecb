// Its snippets are tested in `examples/frameworks`.
#![cfg_attr(not(doctest), doc = include_str!("hyper.md"))]

use ::hyper::upgrade::OnUpgrade;
use bytes::BytesMut;
use http::{Request, Response};
use hyper_util::rt::TokioIo as HyperIo;

use crate::{
    config::Config,
    error::WsErr,
    handshake::{
        handshaken::Handshaken,
        outcome::{self, Agreement},
        rejection::Rejection,
        server::upgrade_required,
    },
    server::{self, Acceptor},
    stream::WsStream,
    time::timeout,
    trace::Trace,
    transport::io::TokioIo,
};

/// Answers a request. The response has to be returned to hyper in every case; the stream is
/// available when hyper has sent it. A rejected request gets a status as in [`Acceptor::accept`].
/// An acceptor with an invalid setting answers each request with status 500.
///
/// # Errors
/// Those of the future: [`WsErr::Rejected`] with the status of the response; [`WsErr::TimedOut`] if
/// [`handshake_timeout`](crate::Config::handshake_timeout) elapses before the response has been
/// sent; [`WsErr::Io`] if it cannot be sent, or if the server does not serve upgrades.
///
/// # Cancel safety
/// Dropping the future closes the connection.
pub fn upgrade<B>(
    acceptor: &Acceptor,
    request: &mut Request<B>,
) -> (
    Response<String>,
    impl Future<Output = Result<WsStream, WsErr>> + Send + use<B>,
) {
    let can_upgrade = request.extensions().get::<OnUpgrade>().is_some();
    let (response, negotiated) = respond(acceptor, request, can_upgrade);
    let upgrade = ::hyper::upgrade::on(request);
    let config = acceptor.config.clone();
    (response, async move {
        open(&config, upgrade, negotiated?).await
    })
}

/// The state of a connection whose request has been answered.
#[derive(Debug)]
pub(crate) struct Negotiated {
    agreement: Agreement,
    trace: Trace,
}

/// The response, and the agreement if it opens the WebSocket. A request that cannot be upgraded is
/// rejected.
pub(crate) fn respond<B>(
    acceptor: &Acceptor,
    request: &Request<B>,
    can_upgrade: bool,
) -> (Response<String>, Result<Negotiated, WsErr>) {
    let trace = Trace::server();
    let response = acceptor.respond(request, &trace).and_then(|response| {
        let why = "this connection cannot be upgraded";
        can_upgrade
            .then_some(response)
            .ok_or_else(|| upgrade_required(why))
    });
    match response {
        Ok((response, agreement)) => (
            response.map(|()| String::new()),
            Ok(Negotiated { agreement, trace }),
        ),
        Err(rejection) => {
            let error = rejection.to_error();
            trace.not_opened(&error);
            (reject(&rejection), Err(error))
        }
    }
}

fn reject(rejection: &Rejection) -> Response<String> {
    let mut response = Response::new(rejection.reason().to_owned());
    *response.status_mut() = rejection.code();
    // `Acceptor::accept` reports what is wrong with an added header.
    let headers = rejection.response_headers();
    *response.headers_mut() = headers.unwrap_or_else(|_| rejection.own_headers());
    response
}

pub(crate) async fn open(
    config: &Config,
    upgrade: OnUpgrade,
    Negotiated { agreement, trace }: Negotiated,
) -> Result<WsStream, WsErr> {
    let handshake = async {
        let upgraded = upgrade.await.map_err(std::io::Error::other)?;
        let handshaken = Handshaken {
            io: TokioIo(HyperIo::new(upgraded)),
            leftover: BytesMut::new(),
            agreement,
        };
        server::stream(handshaken, config, &trace)
    };
    let opened = timeout(config.handshake_timeout, Box::pin(handshake)).await;
    outcome::finish(opened, None, &trace)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    /// A request that passed through something which does not support upgrades.
    #[test]
    fn a_request_without_an_upgrade_is_rejected() {
        let request = Request::get("/")
            .header("Host", "a")
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("Sec-WebSocket-Version", "13");
        let mut request = request.body(()).unwrap();
        let (response, opening) = upgrade(&Acceptor::new(), &mut request);
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
