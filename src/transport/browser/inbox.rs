//! What has come and has not been read: bounded, because a page cannot make a peer wait.

use std::{cell::RefCell, collections::VecDeque, task::Waker};

use js_sys::{ArrayBuffer, JsString, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use crate::{
    config::Config,
    error::{Violation, WsErr},
    message::Message,
};

/// What the handlers put in and the transport takes out.
#[derive(Debug)]
pub(super) struct Inbox {
    pub(super) opened: bool,
    pub(super) messages: VecDeque<Result<Message, WsErr>>,
    /// What `messages` hold, see [`cost`].
    queued: usize,
    max_queued: usize,
    max_message: usize,
    /// After an error nothing more is handed out.
    pub(super) failed: bool,
    /// The browser is done with the connection.
    pub(super) ended: bool,
    pub(super) waker: Option<Waker>,
}

/// What a message takes of the room in an inbox: empty ones take some, too.
fn cost(len: usize) -> usize {
    len.saturating_add(64)
}

impl Inbox {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            opened: false,
            messages: VecDeque::new(),
            queued: 0,
            max_queued: config.max_recv_queue_len,
            max_message: config.max_recv_message_len,
            failed: false,
            ended: false,
            waker: None,
        }
    }

    /// The message that the browser gives, or why it is not taken.
    pub(super) fn admit(&mut self, data: &JsValue) -> Result<Message, WsErr> {
        let (message, len) = if let Some(text) = data.dyn_ref::<JsString>() {
            // It has as many bytes as UTF-16 units, or more: a long one is refused before it is copied.
            self.check(size(text.length()))?;
            let text = String::from(text);
            let len = text.len();
            (Message::Text(text), len)
        } else if let Some(buffer) = data.dyn_ref::<ArrayBuffer>() {
            let len = size(buffer.byte_length());
            self.check(len)?;
            (
                Message::Binary(Uint8Array::new(buffer).to_vec().into()),
                len,
            )
        } else {
            return Err(WsErr::Protocol(Violation::new(
                "a message that is neither bytes nor text",
            )));
        };
        self.check(len)?;
        self.queued += cost(len);
        Ok(message)
    }

    /// Whether there is room. An empty inbox takes any message that is not too long by itself.
    fn check(&self, len: usize) -> Result<(), WsErr> {
        let max = self.max_message;
        if len > max {
            return Err(WsErr::MessageTooLarge { len, max });
        }
        let max = self.max_queued;
        if self.queued > 0 && self.queued.saturating_add(cost(len)) > max {
            return Err(WsErr::Overflow { max });
        }
        Ok(())
    }

    pub(super) fn take(&mut self) -> Option<Result<Message, WsErr>> {
        let message = self.messages.pop_front()?;
        match &message {
            Ok(Message::Binary(data)) => self.queued -= cost(data.len()),
            Ok(Message::Text(text)) => self.queued -= cost(text.len()),
            _ => {}
        }
        Some(message)
    }
}

fn size(len: u32) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}

/// Changes an inbox, and wakes whoever waits for that.
pub(super) fn update(inbox: &RefCell<Inbox>, change: impl FnOnce(&mut Inbox)) {
    let waker = {
        let mut inbox = inbox.borrow_mut();
        change(&mut inbox);
        inbox.waker.take()
    };
    // Not while it is borrowed: an executor may poll at once.
    if let Some(waker) = waker {
        waker.wake();
    }
}
