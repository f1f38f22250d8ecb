// Its snippets are tested in `examples/frameworks`.
#![cfg_attr(not(doctest), doc = include_str!("axum.md"))]

use std::convert::Infallible;

use ::hyper::upgrade::OnUpgrade;
use axum_core::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::{Request, request::Parts};

use super::hyper;
use crate::{error::WsErr, server::Acceptor, stream::WsStream};

/// The extractor: a request that may become a WebSocket. It takes every request; which ones are refused is for
/// the [`Acceptor`] to say.
#[derive(Debug)]
pub struct WsUpgrade {
    request: Request<()>,
    upgrade: Option<OnUpgrade>,
}

impl WsUpgrade {
    /// Answers the request, and runs `serve` with the stream on a task of its own. When the request is refused, or the
    /// client goes away before it has the answer, `serve` does not run.
    pub fn serve<F, Fut>(self, acceptor: &Acceptor, serve: F) -> Response
    where
        F: FnOnce(WsStream) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send,
    {
        let (answer, opening) = self.answer(acceptor);
        tokio::spawn(async move {
            if let Ok(stream) = opening.await {
                serve(stream).await;
            }
        });
        answer
    }

    /// Answers the request, and gives the stream when that has been sent: for those who keep their tasks themselves,
    /// or want to know what went wrong. So return the answer, and wait for the stream elsewhere; in the handler it would
    /// never come. The [module](self) has an example.
    ///
    /// # Errors
    /// Those of the future, as in [`hyper::upgrade`].
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection.
    pub fn answer(
        self,
        acceptor: &Acceptor,
    ) -> (
        Response,
        impl Future<Output = Result<WsStream, WsErr>> + Send + use<>,
    ) {
        let (answer, agreed) = hyper::answer(acceptor, &self.request);
        let opening = acceptor.opening.clone();
        let open = async move {
            let agreed = agreed?;
            let Some(upgrade) = self.upgrade else {
                return Err(WsErr::Unsupported("be upgraded"));
            };
            hyper::open(&opening, upgrade, agreed).await
        };
        (answer.into_response(), open)
    }
}

impl<S: Sync> FromRequestParts<S> for WsUpgrade {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let mut request = Request::new(());
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = parts.uri.clone();
        *request.version_mut() = parts.version;
        *request.headers_mut() = parts.headers.clone();
        Ok(Self {
            request,
            upgrade: parts.extensions.remove(),
        })
    }
}
