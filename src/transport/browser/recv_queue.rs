//! `RecvQueue`: messages that were received and not read. It is bounded, because a page cannot make
//! a peer wait.

use std::{cell::RefCell, collections::VecDeque, task::Waker};

use js_sys::{ArrayBuffer, JsString, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use crate::{
    close::CloseFrame,
    config::Config,
    error::{Violation, WsErr},
    message::Message,
};

/// The event handlers push into it, the transport pops from it.
#[derive(Debug)]
pub(super) struct RecvQueue {
    pub(super) is_open: bool,
    messages: VecDeque<Result<Message, WsErr>>,
    /// The sum of [`queue_cost`] over `messages`.
    queued: usize,
    max_queued: usize,
    max_message: usize,
    /// An error was received: what follows is discarded.
    discards: bool,
    /// The browser has closed the connection.
    pub(super) has_ended: bool,
    pub(super) waker: Option<Waker>,
}

/// The room that a message takes in a queue. An empty message takes some, too.
fn queue_cost(len: usize) -> usize {
    len.saturating_add(64)
}

impl RecvQueue {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            is_open: false,
            messages: VecDeque::new(),
            queued: 0,
            max_queued: config.max_recv_queue_len,
            max_message: config.max_recv_message_len,
            discards: false,
            has_ended: false,
            waker: None,
        }
    }

    /// Pushes the message of the browser, or the error for which it is refused. Returns the close
    /// frame that reports the error to the peer.
    pub(super) fn push(&mut self, data: &JsValue) -> Option<CloseFrame> {
        if self.discards {
            return None;
        }
        let message = self.accept(data);
        let close_frame = message.as_ref().err().and_then(WsErr::close_frame);
        self.discards = message.is_err();
        self.messages.push_back(message);
        close_frame
    }

    /// The connection has ended, with a close frame of the peer's or without one.
    pub(super) fn end(&mut self, close: Option<Message>) {
        self.messages
            .extend(close.filter(|_| !self.discards).map(Ok));
        self.has_ended = true;
    }

    /// Converts a message of the browser, and takes room for it.
    fn accept(&mut self, data: &JsValue) -> Result<Message, WsErr> {
        let message = if let Some(text) = data.dyn_ref::<JsString>() {
            // UTF-8 takes at least one byte for each UTF-16 unit: a long text is refused before it
            // is copied.
            self.check(to_usize(text.length()))?;
            Message::Text(text.into())
        } else if let Some(buffer) = data.dyn_ref::<ArrayBuffer>() {
            self.check(to_usize(buffer.byte_length()))?;
            Message::Binary(Uint8Array::new(buffer).to_vec().into())
        } else {
            return Err(WsErr::Protocol(Violation::new(
                "a message that is neither bytes nor text",
            )));
        };
        let len = message.data_len();
        self.check(len)?;
        self.queued += queue_cost(len);
        Ok(message)
    }

    /// Whether there is room. An empty queue takes any message that is not too long by itself.
    fn check(&self, len: usize) -> Result<(), WsErr> {
        let max = self.max_message;
        if len > max {
            return Err(WsErr::MessageTooLarge { len, max });
        }
        let max = self.max_queued;
        if self.queued > 0 && self.queued.saturating_add(queue_cost(len)) > max {
            return Err(WsErr::Overflow { max });
        }
        Ok(())
    }

    /// The next message, and gives its room back.
    pub(super) fn pop(&mut self) -> Option<Result<Message, WsErr>> {
        let message = self.messages.pop_front()?;
        if let Ok(message) = &message {
            if message.is_data() {
                self.queued -= queue_cost(message.data_len());
            }
        }
        Some(message)
    }
}

fn to_usize(len: u32) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}

/// Changes a queue, and wakes the task that waits for a change.
pub(super) fn update(queue: &RefCell<RecvQueue>, change: impl FnOnce(&mut RecvQueue)) {
    let waker = {
        let mut queue = queue.borrow_mut();
        change(&mut queue);
        queue.waker.take()
    };
    // Not while it is borrowed: an executor may poll at once.
    if let Some(waker) = waker {
        waker.wake();
    }
}
