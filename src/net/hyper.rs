// Its snippets are tested in `examples/frameworks`.
#![cfg_attr(not(doctest), doc = include_str!("hyper.md"))]

use ::hyper::upgrade::OnUpgrade;
use async_tungstenite::tokio::TokioAdapter;
use http::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;

use crate::{
    error::WsErr,
    handshake::{opening::Opening, rejection::Refusal, server},
    server::Acceptor,
    stream::WsStream,
    trace::Trace,
};

/// Answers a request. The answer has to go back to hyper, whatever it is; the stream is there when hyper has sent
/// it. A request that is refused gets a status as in [`Acceptor::accept`], and an acceptor that was told what
/// makes no sense gives every request a 500.
///
/// # Errors
/// Those of the future: [`WsErr::Refused`] with the status of the answer; [`WsErr::TimedOut`] when
/// [`handshake_timeout`](crate::Config::handshake_timeout) is over before the answer has been sent; [`WsErr::Io`]
/// when it could not be, or when the server does not serve upgrades.
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
    let (answer, agreed) = answer(acceptor, request);
    let upgrade = ::hyper::upgrade::on(request);
    let opening = acceptor.opening.clone();
    (
        answer,
        async move { open(&opening, upgrade, agreed?).await },
    )
}

/// What is known of a connection when its request has been answered.
#[derive(Debug)]
pub(crate) struct Agreed {
    subprotocol: Option<String>,
    trace: Trace,
}

/// The answer, and what was agreed on if the WebSocket is opened.
pub(crate) fn answer<B>(
    acceptor: &Acceptor,
    request: &Request<B>,
) -> (Response<String>, Result<Agreed, WsErr>) {
    let trace = Trace::server();
    match acceptor.answer(request, &trace) {
        Ok((response, subprotocol)) => (
            response.map(|()| String::new()),
            Ok(Agreed { subprotocol, trace }),
        ),
        Err(refusal) => {
            let error = refusal.to_error();
            trace.not_opened(&error);
            (refuse(&refusal), Err(error))
        }
    }
}

fn refuse(refusal: &Refusal) -> Response<String> {
    let mut response = Response::new(refusal.reason().to_owned());
    *response.status_mut() = refusal.code();
    // What is wrong with a header that was added is told by `Acceptor::accept`.
    let mut headers = refusal
        .answer_headers()
        .unwrap_or_else(|_| HeaderMap::new());
    // It is hyper's to say how long a body is, and whether the connection goes on.
    headers.remove(http::header::CONTENT_LENGTH);
    headers.remove(http::header::CONNECTION);
    *response.headers_mut() = headers;
    response
}

pub(crate) async fn open(
    opening: &Opening,
    upgrade: OnUpgrade,
    Agreed { subprotocol, trace }: Agreed,
) -> Result<WsStream, WsErr> {
    let handshake = async {
        let upgraded = upgrade.await.map_err(std::io::Error::other)?;
        let io = TokioAdapter::new(TokioIo::new(upgraded));
        let transport = server::opened(io, Vec::new(), &opening.config).await;
        opening.stream((transport, subprotocol), &trace)
    };
    Opening::conclude(opening.in_time(Box::pin(handshake)).await, None, &trace)
}
