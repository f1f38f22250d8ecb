//! What becomes of a message that came.

use bytes::Bytes;

use super::{
    Link, Mode,
    life::{Input, Phase},
};
use crate::{
    config::TextPolicy, error::WsErr, event::WsEvent, message::Message, transport::MessageTransport,
};

/// What a pong takes besides its payload, at most: more than its header.
const PONG_OVERHEAD: usize = 16;

impl<M: MessageTransport> Link<M> {
    /// Deals with one message; gives back the data that is in it.
    pub(super) fn take_message(&mut self, message: Message, mode: Mode) -> Option<Bytes> {
        self.messages += 1;
        if matches!(message, Message::Binary(_) | Message::Text(_)) {
            self.watch.saw_data();
        }
        match message {
            Message::Binary(data) => self.take_data(data, mode),
            Message::Text(text) => self.take_text(text, mode),
            Message::Ping(payload) => {
                self.pongs_owed += payload.as_bytes().len() + PONG_OVERHEAD;
                self.shared().counters.pings_received.add(1);
                self.trace().ping_received();
                self.shared().emit(|| WsEvent::Ping(payload.into()));
                self.outgoing.unflushed = true;
                None
            }
            Message::Pong(payload) => {
                self.shared().counters.pongs_received.add(1);
                let time = self.pings.answered(&payload);
                if let Some(time) = time {
                    self.shared().counters.record_round_trip(time);
                }
                self.trace().pong_received(time);
                self.shared().emit(|| WsEvent::Pong(payload.into()));
                None
            }
            Message::Close(frame) => {
                self.trace().close_received(frame.as_ref());
                self.shared().emit(|| WsEvent::CloseFrame(frame.clone()));
                self.leave(Input::PeerClosed(frame));
                None
            }
        }
    }

    fn take_data(&mut self, data: Bytes, mode: Mode) -> Option<Bytes> {
        let is_nothing = data.is_empty() && mode == Mode::Packed;
        if !self.admit(data.len()) || is_nothing || self.discards {
            return None;
        }
        if let (true, Some(deadline)) = (self.only_reads(), &mut self.deadline) {
            // A user who reads slowly finds what the peer had under way all the same.
            deadline.restart();
        }
        Some(data)
    }

    /// Nothing goes out any more, and what the peer has under way still comes.
    pub(super) fn only_reads(&self) -> bool {
        self.life.phase() == Phase::Closing || self.write_error.is_some()
    }

    fn take_text(&mut self, text: String, mode: Mode) -> Option<Bytes> {
        match self.config.text {
            _ if mode.takes_text() => return self.take_data(text.into(), mode),
            TextPolicy::Reject => self.break_off(WsErr::ReceivedText),
            TextPolicy::Bytes => return self.take_data(text.into(), mode),
            TextPolicy::Event => {
                if self.admit(text.len()) {
                    self.shared().emit(|| WsEvent::Text(text.into()));
                }
            }
        }
        None
    }

    /// Counts a data message, or refuses it because it is too long.
    fn admit(&mut self, len: usize) -> bool {
        let max = self.config.max_recv_message_len;
        if len > max {
            self.break_off(WsErr::MessageTooLarge { len, max });
            return false;
        }
        self.shared().counters.messages_received.add(1);
        self.shared().counters.bytes_received.add(len);
        true
    }
}
