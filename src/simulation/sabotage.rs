//! Faulty transports, to test that the simulation detects faults.

use std::task::{Context, Poll, Waker};

use bytes::BytesMut;

use crate::{BoxTransport, Message, MessageTransport, Payload, Progress, Properties, WsErr};

/// A fault, which occurs once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sabotage {
    /// A task that waits for a message is not woken.
    LosesWakeups,
    /// A byte of a message is missing.
    DropsByte,
    /// A message is received twice.
    RepeatsMessage,
    /// A flush returns success without flushing, so close frames are not sent.
    SkipsFlushes,
    /// The end of the connection looks like a close frame.
    FakesClose,
    /// A violation looks like the end of the connection.
    HidesViolation,
    /// One text is lost.
    SwallowsText,
}

pub(super) struct Sabotaged {
    transport: BoxTransport,
    sabotage: Sabotage,
    repeated: Option<Message>,
    has_struck: bool,
}

impl Sabotaged {
    pub(super) fn new(transport: BoxTransport, sabotage: Sabotage) -> Self {
        Self {
            transport,
            sabotage,
            repeated: None,
            has_struck: false,
        }
    }

    fn tamper(&mut self, message: Message) -> Message {
        match message {
            Message::Binary(data) if !self.has_struck && data.len() > 1 => {
                self.has_struck = true;
                match self.sabotage {
                    Sabotage::DropsByte => Message::Binary(data.into_bytes().slice(1..).into()),
                    Sabotage::RepeatsMessage => {
                        self.repeated = Some(Message::Binary(data.clone()));
                        Message::Binary(data)
                    }
                    _ => Message::Binary(data),
                }
            }
            Message::Text(text) if self.sabotage == Sabotage::SwallowsText && text == "2" => {
                Message::Binary(Payload::default())
            }
            other => other,
        }
    }
}

impl MessageTransport for Sabotaged {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        if let Some(message) = self.repeated.take() {
            return Poll::Ready(Some(Ok(message)));
        }
        let mut noop = Context::from_waker(Waker::noop());
        let cx = if self.sabotage == Sabotage::LosesWakeups {
            &mut noop
        } else {
            cx
        };
        match self.transport.poll_next(cx) {
            Poll::Ready(Some(Ok(message))) => Poll::Ready(Some(Ok(self.tamper(message)))),
            Poll::Ready(None) if self.sabotage == Sabotage::FakesClose && !self.has_struck => {
                self.has_struck = true;
                Poll::Ready(Some(Ok(Message::Close(None))))
            }
            Poll::Ready(Some(Err(_))) if self.sabotage == Sabotage::HidesViolation => {
                Poll::Ready(None)
            }
            other => other,
        }
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.transport.poll_ready(cx)
    }

    fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
        self.transport.start_send(message)
    }

    fn start_send_buffer(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut BytesMut,
        headroom: usize,
    ) -> Result<(), WsErr> {
        self.transport.start_send_buffer(cx, buffer, headroom)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        if self.sabotage == Sabotage::SkipsFlushes {
            return Poll::Ready(Ok(()));
        }
        self.transport.poll_flush(cx)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.transport.poll_close(cx)
    }

    fn provide_buffer(&mut self, buffer: BytesMut) {
        self.transport.provide_buffer(buffer);
    }

    fn progress(&self) -> Progress {
        self.transport.progress()
    }

    fn properties(&self) -> Properties {
        self.transport.properties()
    }
}
