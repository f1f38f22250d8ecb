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
use crate::{
    error::{Unsupported, WsErr},
    server::Acceptor,
    stream::WsStream,
};

/// The extractor of a request that may become a WebSocket. It accepts every request; the
/// [`Acceptor`] decides which ones are rejected.
#[derive(Debug)]
pub struct WsUpgrade {
    request: Request<()>,
    upgrade: Option<OnUpgrade>,
}

impl WsUpgrade {
    /// Answers the request, and runs `serve` with the stream in a task of its own. If the request
    /// is rejected, or the client disconnects before it has the response, `serve` does not run.
    pub fn serve<F, Fut>(self, acceptor: &Acceptor, serve: F) -> Response
    where
        F: FnOnce(WsStream) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send,
    {
        let (response, opening) = self.answer(acceptor);
        tokio::spawn(async move {
            if let Ok(stream) = opening.await {
                serve(stream).await;
            }
        });
        response
    }

    /// Answers the request. The future returns the stream when the response has been sent: for
    /// callers that manage their own tasks, or handle errors. The handler has to return the
    /// response, and another task waits for the stream; within the handler, the future would never
    /// complete. The [module](self) has an example.
    ///
    /// # Errors
    /// Those of the future, see [`hyper::upgrade`].
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
        let (response, negotiated) =
            hyper::respond(acceptor, &self.request, self.upgrade.is_some());
        let config = acceptor.config.clone();
        let open = async move {
            let negotiated = negotiated?;
            let Some(upgrade) = self.upgrade else {
                return Err(WsErr::Unsupported(Unsupported::Upgrade));
            };
            hyper::open(&config, upgrade, negotiated).await
        };
        (response.into_response(), open)
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
