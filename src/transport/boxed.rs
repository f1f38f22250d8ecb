//! `BoxTransport`: one type for all transports.

use std::{
    fmt,
    task::{Context, Poll},
};

use bytes::BytesMut;

use super::{MessageTransport, Progress, Properties};
use crate::{
    error::WsErr,
    message::{Message, SharedMessage},
};

/// `Send` on native targets; anything in a browser, where nothing is shared between threads.
#[cfg(not(target_arch = "wasm32"))]
pub trait MaybeSend: Send {}
#[cfg(not(target_arch = "wasm32"))]
impl<T: Send> MaybeSend for T {}

/// `Send` on native targets; anything in a browser, where nothing is shared between threads.
#[cfg(target_arch = "wasm32")]
pub trait MaybeSend {}
#[cfg(target_arch = "wasm32")]
impl<T> MaybeSend for T {}

#[cfg(not(target_arch = "wasm32"))]
type Dyn = dyn MessageTransport + Send;
#[cfg(target_arch = "wasm32")]
type Dyn = dyn MessageTransport;

/// Any transport, behind one type, so that `WsStream` and `WsFramed<Chat>` are names for a struct
/// field. It costs one virtual call for each message. `Send` on native targets only.
pub struct BoxTransport(Box<Dyn>);

impl BoxTransport {
    /// Boxes `transport`. [`WsStream::boxed`](crate::WsStream::boxed) does so for an open
    /// connection.
    #[must_use]
    pub fn new(transport: impl MessageTransport + MaybeSend + 'static) -> Self {
        Self(Box::new(transport))
    }
}

impl fmt::Debug for BoxTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxTransport").finish_non_exhaustive()
    }
}

impl MessageTransport for BoxTransport {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        self.0.poll_next(cx)
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.0.poll_ready(cx)
    }

    fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
        self.0.start_send(message)
    }

    fn start_send_shared(&mut self, message: SharedMessage) -> Result<(), WsErr> {
        self.0.start_send_shared(message)
    }

    fn start_send_buffer(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut BytesMut,
        headroom: usize,
    ) -> Result<(), WsErr> {
        self.0.start_send_buffer(cx, buffer, headroom)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.0.poll_flush(cx)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.0.poll_close(cx)
    }

    fn poll_send_slice(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize, WsErr>> {
        self.0.poll_send_slice(cx, data)
    }

    fn provide_buffer(&mut self, buffer: BytesMut) {
        self.0.provide_buffer(buffer);
    }

    fn progress(&self) -> Progress {
        self.0.progress()
    }

    fn properties(&self) -> Properties {
        self.0.properties()
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use crate::transport::forwarding::assert_forwards;

    #[test]
    fn every_method_is_forwarded() {
        assert_forwards(BoxTransport::new);
    }
}
