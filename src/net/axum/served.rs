//! What happens to a connection that its closure drops.

use std::{
    fmt::Display,
    task::{Context, Poll},
};

use bytes::BytesMut;
use futures::channel::oneshot;

use crate::{
    error::WsErr,
    message::{Message, SharedMessage},
    transport::{MessageTransport, Progress, Properties},
};

/// What the closure of [`WsUpgrade::on_upgrade`](super::WsUpgrade::on_upgrade) returns: nothing, or
/// a `Result` whose error closes the connection. Other types cannot implement it.
pub trait Served: sealed::IntoError {}

impl Served for () {}

impl<T, E: Display> Served for Result<T, E> {}

pub(super) mod sealed {
    /// How the closure has ended.
    pub trait IntoError {
        /// The text of the error.
        fn into_error(self) -> Option<String>;
    }
}

impl sealed::IntoError for () {
    fn into_error(self) -> Option<String> {
        None
    }
}

impl<T, E: Display> sealed::IntoError for Result<T, E> {
    fn into_error(self) -> Option<String> {
        self.err().map(|error| error.to_string())
    }
}

/// A transport that is handed over when it is dropped, if a close frame can still be sent on it.
pub(super) struct HandedOver<M> {
    /// `None` only while it is dropped.
    transport: Option<M>,
    /// Whether a close frame was sent, or the transport has failed or ended.
    is_over: bool,
    receiver: Option<oneshot::Sender<M>>,
}

impl<M> HandedOver<M> {
    pub(super) fn new(transport: M, receiver: oneshot::Sender<M>) -> Self {
        Self {
            transport: Some(transport),
            is_over: false,
            receiver: Some(receiver),
        }
    }

    fn call<T>(
        &mut self,
        call: impl FnOnce(&mut M) -> Poll<Result<T, WsErr>>,
    ) -> Poll<Result<T, WsErr>> {
        let Some(transport) = &mut self.transport else {
            return Poll::Ready(Err(WsErr::Closed));
        };
        let result = call(transport);
        self.is_over |= matches!(result, Poll::Ready(Err(_)));
        result
    }

    fn send(&mut self, send: impl FnOnce(&mut M) -> Result<(), WsErr>) -> Result<(), WsErr> {
        let result = self.transport.as_mut().map_or(Err(WsErr::Closed), send);
        self.is_over |= result.is_err();
        result
    }
}

impl<M> Drop for HandedOver<M> {
    fn drop(&mut self) {
        if let (Some(transport), Some(receiver), false) =
            (self.transport.take(), self.receiver.take(), self.is_over)
        {
            // Without a closure that serves the connection, the receiver is gone.
            let _ = receiver.send(transport);
        }
    }
}

impl<M: MessageTransport> MessageTransport for HandedOver<M> {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        let next = match &mut self.transport {
            Some(transport) => transport.poll_next(cx),
            None => Poll::Ready(None),
        };
        self.is_over |= matches!(next, Poll::Ready(None | Some(Err(_))));
        next
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.call(|transport| transport.poll_ready(cx))
    }

    fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
        self.is_over |= matches!(message, Message::Close(_));
        self.send(|transport| transport.start_send(message))
    }

    fn start_send_shared(&mut self, message: SharedMessage) -> Result<(), WsErr> {
        self.send(|transport| transport.start_send_shared(message))
    }

    fn start_send_buffer(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut BytesMut,
        headroom: usize,
    ) -> Result<(), WsErr> {
        self.send(|transport| transport.start_send_buffer(cx, buffer, headroom))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.call(|transport| transport.poll_flush(cx))
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.is_over = true;
        self.call(|transport| transport.poll_close(cx))
    }

    fn poll_send_slice(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize, WsErr>> {
        self.call(|transport| transport.poll_send_slice(cx, data))
    }

    fn provide_buffer(&mut self, buffer: BytesMut) {
        if let Some(transport) = &mut self.transport {
            transport.provide_buffer(buffer);
        }
    }

    fn progress(&self) -> Progress {
        let progress = self.transport.as_ref().map(M::progress);
        progress.unwrap_or_default()
    }

    fn properties(&self) -> Properties {
        let properties = self.transport.as_ref().map(M::properties);
        properties.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::forwarding::assert_forwards;

    /// A transport whose writing has failed.
    struct Failed;

    impl MessageTransport for Failed {
        fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
            Poll::Pending
        }

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
            Poll::Ready(Ok(()))
        }

        fn start_send(&mut self, _: Message) -> Result<(), WsErr> {
            Err(WsErr::UnexpectedEof)
        }

        fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
            Poll::Pending
        }

        fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
            Poll::Pending
        }
    }

    /// A transport on which a message could not be written is not handed over.
    #[test]
    fn failed_transport_is_not_handed_over() {
        let (sender, mut receiver) = oneshot::channel();
        let mut transport = HandedOver::new(Failed, sender);
        let cx = &mut Context::from_waker(std::task::Waker::noop());
        let mut buffer = BytesMut::from(&b"data"[..]);
        let sent = transport.start_send_buffer(cx, &mut buffer, 0);
        assert!(sent.is_err());
        drop(transport);
        assert!(!matches!(receiver.try_recv(), Ok(Some(_))));

        let (sender, mut receiver) = oneshot::channel();
        let mut transport = HandedOver::new(Failed, sender);
        assert!(transport.start_send(Message::from("data")).is_err());
        drop(transport);
        assert!(!matches!(receiver.try_recv(), Ok(Some(_))));
    }

    #[test]
    fn every_method_is_forwarded() {
        assert_forwards(|transport| HandedOver::new(transport, oneshot::channel().0));
    }
}
