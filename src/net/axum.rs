// Its snippets are tested in `examples/frameworks`.
#![cfg_attr(not(doctest), doc = include_str!("axum.md"))]

mod served;

use std::{
    convert::Infallible,
    fmt,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

use ::axum::{
    extract::{ConnectInfo, FromRequestParts, OriginalUri},
    response::{IntoResponse, Response},
};
use ::hyper::upgrade::OnUpgrade;
use futures::{FutureExt, channel::oneshot};
use http::{Request, request::Parts};

pub use self::served::Served;
use self::served::{HandedOver, sealed::IntoError};
use super::hyper;
use crate::{
    close::{CloseCode, CloseFrame},
    error::WsErr,
    server::Acceptor,
    stream::WsStream,
    trace,
    transport::BoxTransport,
};

type OnFailedUpgrade = Box<dyn FnOnce(WsErr) + Send + Sync>;

/// The extractor of a request that may become a WebSocket. It accepts every request; the
/// [`Acceptor`] decides which ones are rejected.
///
/// The path that the acceptor checks is the one that the client asked for, also in a nested router.
/// The address of the peer is in spans, and in the extensions of the request as a [`SocketAddr`],
/// if the router is served with
/// [`ConnectInfo<SocketAddr>`](::axum::Router::into_make_service_with_connect_info).
#[must_use = "the request is answered by `on_upgrade` or `upgrade`"]
pub struct WsUpgrade {
    request: Request<()>,
    upgrade: Option<OnUpgrade>,
    on_failed_upgrade: Option<OnFailedUpgrade>,
}

impl WsUpgrade {
    /// The request, with its extensions.
    pub fn request(&self) -> &Request<()> {
        &self.request
    }

    /// Calls `on_failed_upgrade` if [`on_upgrade`](Self::on_upgrade) opens no connection: to count
    /// rejected requests, for example. The error is one of [`hyper::upgrade`].
    pub fn on_failed_upgrade(
        mut self,
        on_failed_upgrade: impl FnOnce(WsErr) + Send + Sync + 'static,
    ) -> Self {
        self.on_failed_upgrade = Some(Box::new(on_failed_upgrade));
        self
    }

    /// Answers the request, and runs `serve` with the stream in a task of its own, or with a pair
    /// if the acceptor has a [callback](Acceptor::on_request). If the request is rejected, or the
    /// client disconnects before it has the response, `serve` does not run.
    ///
    /// The closure may return a `Result`. With an error, the connection is closed with [code
    /// 1011](CloseCode::INTERNAL_ERROR), unless it has ended or is closing; bytes that are not
    /// flushed are lost. With the feature `tracing`, the task runs in the current span, and the
    /// text of the error is logged in the span of the connection below it. The peer does not get
    /// the text.
    ///
    /// If the closure panics, the connection is closed in the same way, and then the task panics.
    ///
    /// # Cancel safety
    /// Dropping the future before the request is answered leaves the connection to axum.
    pub async fn on_upgrade<T, F, Fut>(self, acceptor: &Acceptor<T>, serve: F) -> Response
    where
        T: 'static,
        F: FnOnce(T) -> Fut + Send + 'static,
        Fut: Future<Output: Served> + Send + 'static,
    {
        let on_failed = self.on_failed_upgrade.unwrap_or_else(|| Box::new(drop));
        let (response, opening) = hyper::respond(acceptor, self.request, self.upgrade).await;
        match opening {
            Ok(opening) => {
                let task = serve_task(opening, serve, on_failed);
                tokio::spawn(trace::in_current_span(task));
            }
            Err(error) => on_failed(error),
        }
        response.into_response()
    }

    /// Answers the request. The inner future returns the stream when the response has been sent:
    /// for callers that manage their own tasks. The handler has to return the response, and another
    /// task waits for the stream; within the handler, the inner future would never complete. The
    /// [module](self) has an example.
    ///
    /// # Errors
    /// Those of the inner future, see [`hyper::upgrade`].
    ///
    /// # Cancel safety
    /// See [`hyper::upgrade`].
    pub async fn upgrade<T>(
        self,
        acceptor: &Acceptor<T>,
    ) -> (
        Response,
        impl Future<Output = Result<T, WsErr>> + Send + use<T>,
    ) {
        let (response, opening) = hyper::respond(acceptor, self.request, self.upgrade).await;
        let open = async move { opening?.open(BoxTransport::new).await };
        (response.into_response(), open)
    }
}

async fn serve_task<T, F, Fut>(opening: hyper::Opening<T>, serve: F, on_failed: OnFailedUpgrade)
where
    F: FnOnce(T) -> Fut,
    Fut: Future<Output: Served>,
{
    let (config, trace) = (opening.config.clone(), opening.trace.clone());
    let (sender, mut dropped) = oneshot::channel();
    let opened = opening.open(|transport| BoxTransport::new(HandedOver::new(transport, sender)));
    let accepted = match opened.await {
        Ok(accepted) => accepted,
        Err(error) => return on_failed(error),
    };
    // The panic goes on below, so nothing is observed that it left half done.
    let served = match catch_unwind(AssertUnwindSafe(|| serve(accepted))) {
        Ok(serving) => AssertUnwindSafe(serving).catch_unwind().await,
        Err(panic) => Err(panic),
    };
    let served = served.map(IntoError::into_error);
    match &served {
        Ok(None) => return,
        Ok(Some(error)) => trace.serving_failed(error),
        Err(_) => trace.serving_panicked(),
    }
    // Another task of the caller may still have the stream.
    if let Ok(Some(transport)) = dropped.try_recv() {
        let frame = CloseFrame::new(CloseCode::INTERNAL_ERROR, "");
        if let (Ok(mut stream), Ok(frame)) = (WsStream::traced(transport, config, trace), frame) {
            // How it ends is logged.
            let _ = stream.close_with(frame).await;
        }
    }
    if let Err(panic) = served {
        resume_unwind(panic);
    }
}

impl<S: Sync> FromRequestParts<S> for WsUpgrade {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let upgrade = parts.extensions.remove();
        let mut request = Request::new(());
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = match parts.extensions.get() {
            // A router strips the path of one that is nested in it.
            Some(OriginalUri(uri)) => uri.clone(),
            None => parts.uri.clone(),
        };
        *request.version_mut() = parts.version;
        *request.headers_mut() = parts.headers.clone();
        *request.extensions_mut() = parts.extensions.clone();
        if let Some(ConnectInfo(peer)) = parts.extensions.get::<ConnectInfo<SocketAddr>>() {
            request.extensions_mut().insert(*peer);
        }
        Ok(Self {
            request,
            upgrade,
            on_failed_upgrade: None,
        })
    }
}

// Headers may be secrets.
impl fmt::Debug for WsUpgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WsUpgrade").finish_non_exhaustive()
    }
}
