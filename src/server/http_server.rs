//! Requests that another HTTP implementation has read.

use http::{Response, StatusCode};

use super::{Acceptor, Finish};
use crate::{
    error::{Timeout, WsErr},
    handshake::{
        rejection::{self, internal_error},
        server::Accepted,
    },
    time::timeout,
    trace::Trace,
};

impl<T> Acceptor<T> {
    /// Decides about a request. `protocol` is the `:protocol` of an extended CONNECT.
    ///
    /// # Errors
    /// Another response, and the error for the server.
    pub(crate) async fn respond<W>(
        &self,
        request: http::Request<()>,
        protocol: Option<&str>,
        upgrade: Option<W>,
        trace: &Trace,
    ) -> Result<Accepted<Finish<T>, W>, (Response<String>, WsErr)> {
        let server = self
            .validate_without_tls()
            .and_then(|()| self.server(trace));
        let server = server.map_err(|error| (internal_error(), error))?;
        let respond = server.respond(request, protocol, upgrade);
        match timeout(self.config.handshake_timeout, respond).await {
            Some(Ok(accepted)) => Ok(accepted),
            Some(Err(rejection)) => Err(rejection.into_response()),
            None => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                let response = rejection::text(status, "the server took too long".to_owned());
                Err((response, WsErr::TimedOut(Timeout::Handshake)))
            }
        }
    }

    fn validate_without_tls(&self) -> Result<(), WsErr> {
        #[cfg(feature = "rustls")]
        if self.tls.is_some() {
            return Err(WsErr::InvalidConfig(crate::error::Setting::AcceptorTls));
        }
        self.validate()
    }
}
