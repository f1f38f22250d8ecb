//! A transport that keeps what is sent.

use std::{
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::Bytes;
use ws_framed::{Message, MessageTransport, WsErr};

/// Keeps what is sent. It is ready for as many messages as the test says. Its clones are the same
/// transport.
#[derive(Clone, Debug)]
pub struct RecordingTransport(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    ready: usize,
    sent: Vec<Bytes>,
    is_ended: bool,
}

impl RecordingTransport {
    /// A transport that takes `ready` messages.
    pub fn new(ready: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            ready,
            sent: Vec::with_capacity(100),
            is_ended: false,
        })))
    }

    /// Takes so many messages more.
    pub fn add_ready(&self, messages: usize) {
        let ready = &mut self.0.lock().unwrap().ready;
        *ready = ready.saturating_add(messages);
    }

    /// Has no more to read.
    pub fn end(&self) {
        self.0.lock().unwrap().is_ended = true;
    }

    /// The payloads of the binary messages that were sent.
    pub fn sent(&self) -> Vec<Bytes> {
        self.0.lock().unwrap().sent.clone()
    }

    /// What they carried, in one piece.
    pub fn all_sent(&self) -> Vec<u8> {
        self.sent().concat()
    }
}

impl MessageTransport for RecordingTransport {
    fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        if self.0.lock().unwrap().is_ended {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    }

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        let mut state = self.0.lock().unwrap();
        if state.ready == 0 {
            return Poll::Pending;
        }
        state.ready -= 1;
        Poll::Ready(Ok(()))
    }

    fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
        if let Message::Binary(data) = message {
            self.0.lock().unwrap().sent.push(data.into_bytes());
        }
        Ok(())
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        Poll::Ready(Ok(()))
    }
}
