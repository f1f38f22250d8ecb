//! WebSockets over a client's HTTP/2 connection.

use std::{
    error::Error,
    fmt, io,
    pin::{Pin, pin},
    time::Duration,
};

use ::hyper::{
    body::{Body, Incoming},
    client::conn::http2::{Connection, SendRequest},
    ext::Protocol,
    rt::{Read, Write, bounds::Http2ClientConnExec},
};
use bytes::{Buf, BytesMut};
use futures::future::poll_fn;
use http::StatusCode;
use hyper_util::rt::TokioIo as HyperIo;

use crate::{
    client::Connector,
    error::{Unsupported, WsErr},
    handshake::{
        client::{BODY_TIMEOUT, extended_connect},
        handshaken::Handshaken,
        outcome::{self, KnownError},
        url::WsUrl,
    },
    net::connect::with_redirect,
    stream::WsStream,
    time::timeout,
    trace::Trace,
    transport::io::TokioIo,
};

/// How long [`Http2::handshake`] waits between two looks at the settings of the server, at most.
const MAX_PAUSE: Duration = Duration::from_millis(50);

/// A client's HTTP/2 connection of hyper whose server accepts WebSockets (RFC 8441).
///
/// Clones use the same connection. The caller may send ordinary requests on it.
pub struct Http2<B> {
    sender: SendRequest<B>,
}

impl<B> Http2<B>
where
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin + 'static,
{
    /// Waits until the server announces WebSockets, by `SETTINGS_ENABLE_CONNECT_PROTOCOL` (RFC 8441
    /// section 3). Servers do so in their first frame.
    ///
    /// Polls `connection` until then. Afterwards the caller has to poll it, usually in a task of
    /// its own: without that, neither WebSockets nor requests progress.
    ///
    /// # Errors
    /// - [`WsErr::Unsupported`] with [`Unsupported::ExtendedConnect`]: the server did not announce
    ///   WebSockets within `limit`. The error comes earlier if the settings of the server arrive
    ///   during this call, and change the number of streams that it allows: hyper tells no more of
    ///   their arrival. `connection` can still be used for ordinary requests.
    /// - [`WsErr::Io`], [`WsErr::Closed`]: the connection has ended, and must not be polled again.
    ///
    /// # Cancel safety
    /// Dropping the future closes nothing: `connection` stays usable.
    pub async fn handshake<T, E>(
        sender: SendRequest<B>,
        connection: &mut Connection<T, B, E>,
        limit: Duration,
    ) -> Result<Self, WsErr>
    where
        T: Read + Write + Unpin + 'static,
        E: Http2ClientConnExec<B, T> + Clone + Unpin,
    {
        // Before the first settings of the server, hyper shows what it assumes.
        let assumed = connection.current_max_send_streams();
        let wait = pin!(async {
            let mut pause = Duration::from_millis(1);
            loop {
                // In this order: another thread may receive the settings meanwhile.
                let is_known = connection.current_max_send_streams() != assumed;
                if connection.is_extended_connect_protocol_enabled() {
                    return Ok(());
                }
                if is_known {
                    return Err(unsupported());
                }
                // A task of its own receives the settings, and does not wake this one.
                match timeout(pause, &mut *connection).await {
                    None => pause = MAX_PAUSE.min(pause * 2),
                    Some(Ok(())) => return Err(WsErr::Closed),
                    Some(Err(error)) => return Err(io::Error::other(error).into()),
                }
            }
        });
        match timeout(limit, wait).await {
            Some(Ok(())) => Ok(Self { sender }),
            Some(Err(error)) => Err(error),
            None => Err(unsupported()),
        }
    }
}

fn unsupported() -> WsErr {
    WsErr::Unsupported(Unsupported::ExtendedConnect)
}

impl<B> Http2<B>
where
    B: Body + Default + 'static,
{
    /// Opens a WebSocket as one stream of the connection. Beyond the number of streams that the
    /// server allows, this waits until another one ends.
    ///
    /// The connector's configuration, headers, subprotocols and contracts apply. Its settings about
    /// the way to a server would have no effect, and are errors: TLS, proxies, a resolver, a local
    /// address and redirects.
    ///
    /// `:authority` is the host of the URL, or the header `Host` of the connector. The scheme of
    /// the URL becomes `:scheme`, and nothing else: whether the connection is secure is not
    /// verified.
    ///
    /// # Errors
    /// - [`WsErr::InvalidConfig`]: the connector has a setting that has no effect here, or an
    ///   invalid one.
    /// - [`WsErr::InvalidUrl`], [`WsErr::InvalidHeader`]: an argument is not valid.
    /// - [`WsErr::TimedOut`]: [`handshake_timeout`](crate::Config::handshake_timeout) has elapsed.
    /// - [`WsErr::Rejected`]: the server responded with another status than 200.
    /// - [`WsErr::NoSubprotocol`], [`WsErr::Extension`], [`WsErr::Handshake`]: as in
    ///   [`Connector::connect`].
    /// - [`WsErr::Io`]: the connection or the stream has ended.
    ///
    /// # Cancel safety
    /// Dropping the future resets the stream. The connection and its other streams stay open.
    pub async fn connect(
        &self,
        connector: &Connector,
        url: impl AsRef<str>,
    ) -> Result<WsStream, WsErr> {
        let mut known = None;
        let url = WsUrl::parse(url.as_ref());
        let trace = Trace::client(url.as_ref().ok().map(|url| (url.authority(), url.path())));
        let handshake = Box::pin(async {
            connector.validate_for_http2()?;
            let url = url.as_ref().map_err(WsErr::clone)?;
            let sender = self.sender.clone();
            let opened = open(connector, sender, url, &trace, &mut known).await;
            opened.map_err(|error| with_redirect(error, url))
        });
        let opened = timeout(connector.config.handshake_timeout, handshake).await;
        outcome::finish(opened, known, &trace)
    }
}

async fn open<B>(
    connector: &Connector,
    mut sender: SendRequest<B>,
    url: &WsUrl,
    trace: &Trace,
    known: &mut KnownError,
) -> Result<WsStream, WsErr>
where
    B: Body + Default + 'static,
{
    let request = extended_connect::request(url, &connector.headers, &connector.options)?;
    let mut request = request.map(|()| B::default());
    let protocol = Protocol::from_static("websocket");
    request.extensions_mut().insert(protocol);
    let response = sender.send_request(request).await;
    let (head, body) = response.map_err(io::Error::other)?.into_parts();
    if head.status != StatusCode::OK {
        *known = Some(extended_connect::rejected(&head, &[]));
        let mut reason = BytesMut::new();
        let _ = timeout(BODY_TIMEOUT, read_reason(body, &mut reason)).await;
        return Err(extended_connect::rejected(&head, &reason));
    }
    let (agreement, response_headers) = extended_connect::opened(&head, &connector.options)?;
    let upgraded = ::hyper::upgrade::on(http::Response::from_parts(head, ())).await;
    let handshaken = Handshaken {
        io: TokioIo(HyperIo::new(upgraded.map_err(io::Error::other)?)),
        leftover: BytesMut::new(),
        agreement,
    };
    connector.stream((handshaken, response_headers), trace)
}

/// Reads the beginning of the body of a rejection, as far as possible.
async fn read_reason(mut body: Incoming, reason: &mut BytesMut) {
    while reason.len() < extended_connect::MAX_REJECTION_LEN {
        let frame = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        let Some(Ok(frame)) = frame else { return };
        if let Ok(data) = frame.into_data() {
            let room = extended_connect::MAX_REJECTION_LEN - reason.len();
            let data = data.take(room);
            reason.extend_from_slice(data.chunk());
        }
    }
}

impl<B> Clone for Http2<B> {
    fn clone(&self) -> Self {
        let sender = self.sender.clone();
        Self { sender }
    }
}

impl<B> fmt::Debug for Http2<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2").finish_non_exhaustive()
    }
}
