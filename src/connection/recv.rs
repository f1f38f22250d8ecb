//! The poll loop of a read, and what becomes of a message that came.

use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::{
    Connection, MESSAGES_PER_POLL, Mode,
    keepalive::Verdict,
    life::{Goodbye, Input, Phase},
};
use crate::{
    close::CloseFrame,
    config::TextPolicy,
    error::WsErr,
    event::WsEvent,
    message::{ControlPayload, Message},
    time::Side,
    transport::{MAX_PONGS_OWED, MessageTransport},
};

/// What a pong takes besides its payload, at most: more than its header.
const PONG_OVERHEAD: usize = 16;

impl<M: MessageTransport> Connection<M> {
    /// The next data, never empty where it is packed; then the error, if it did not end well; then `None`, for
    /// ever.
    pub(crate) fn poll_recv(
        &mut self,
        task: &mut Context<'_>,
        mode: Mode,
    ) -> Poll<Option<Result<Bytes, WsErr>>> {
        let waker = self.enter(Side::Reader, task);
        let cx = &mut Context::from_waker(&waker);
        if self.goodbye.is_some() || self.pongs_owed > 0 || self.pings.is_waiting() {
            // A peer that sends without pause must not keep it back. An error is the writer's to see; a
            // reader reads what is left.
            let _ = self.poll_send(cx);
        }
        for _ in 0..MESSAGES_PER_POLL {
            match self.life.phase() {
                Phase::Ended => {
                    // What could not be shut down at once may be by now.
                    let _ = self.poll_shutdown(cx);
                    return Poll::Ready(self.take_error().map(Err));
                }
                Phase::Leaving => ready!(self.poll_leave(cx)),
                Phase::Open | Phase::Closing => {
                    if self.poll_pongs(cx).is_pending() {
                        // Reading on is no help, so this is a wait like any other.
                        drop(ready!(self.poll_stuck(cx)));
                        continue;
                    }
                    match self.transport.poll_next(cx) {
                        Poll::Ready(Some(Ok(message))) => {
                            if let Some(data) = self.take_message(message, mode) {
                                return Poll::Ready(Some(Ok(data)));
                            }
                        }
                        Poll::Ready(Some(Err(error))) => self.fail(cx, error),
                        Poll::Ready(None) => {
                            self.is_dry = true;
                            self.fail(cx, WsErr::UnexpectedEof);
                        }
                        Poll::Pending => {
                            ready!(self.poll_before_park(cx));
                        }
                    }
                }
            }
        }
        let _ = self.poll_send(cx);
        // The deadline counts when there is nothing left to read, or more than can be: a user who comes back
        // late still gets what came in time.
        if self.poll_deadline(cx).is_ready() {
            self.time_out(cx);
        }
        task.waker().wake_by_ref();
        Poll::Pending
    }

    /// A read finds nothing and is about to wait: sends what is gathered, since nobody else may, and
    /// looks at the clock. Ready if there is something new to look at.
    fn poll_before_park(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let is_flushed = self.poll_send(cx).is_ready();
        if !self.is_kept_alive() {
            return self.poll_stuck(cx).map(drop);
        }
        let mut verdict = Poll::Pending;
        if self.config.message_timeout.is_some() {
            let is_under_way = self.transport.unfinished_message().is_some();
            let progress = self.progress();
            verdict = self.watch.poll_message(cx, is_under_way, progress);
        }
        if verdict.is_pending() {
            if !is_flushed {
                return self.poll_stuck(cx).map(drop);
            }
            let bytes = self.transport.bytes_received();
            verdict = self.watch.poll_receiving(cx, bytes, self.messages);
        }
        match ready!(verdict) {
            Verdict::Ping => self.pings.ask_for_life(),
            Verdict::Dead(why) => self.give_up(cx, WsErr::TimedOut(why)),
        }
        Poll::Ready(())
    }

    /// Ready when more pings may be read: while many pongs are owed, only when a flush completes. The transport keeps a
    /// pong for each, so a peer that pings and never reads would grow its buffer for ever.
    fn poll_pongs(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.pongs_owed < MAX_PONGS_OWED {
            return Poll::Ready(());
        }
        if self.write_error.is_none() {
            return self.poll_send(cx).map(drop);
        }
        // A writer that gave up has not made the peer take anything. Where writing fails, nothing is kept.
        let _ = ready!(self.transport.poll_flush(cx));
        self.pongs_owed = 0;
        Poll::Ready(())
    }

    /// Deals with one message; gives back the data that is in it.
    fn take_message(&mut self, message: Message, mode: Mode) -> Option<Bytes> {
        self.messages += 1;
        if matches!(message, Message::Binary(_) | Message::Text(_)) {
            self.watch.saw_data();
        }
        match message {
            Message::Binary(data) => self.take_data(data.into_bytes(), mode),
            Message::Text(text) => self.take_text(text, mode),
            Message::Ping(payload) => {
                self.take_ping(payload);
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
                self.take_close(frame);
                None
            }
        }
    }

    /// The transport answers it, once that is flushed.
    pub(super) fn take_ping(&mut self, payload: ControlPayload) {
        self.pongs_owed += payload.as_bytes().len() + PONG_OVERHEAD;
        self.outgoing.unflushed = true;
        self.shared().counters.pings_received.add(1);
        self.trace().ping_received();
        self.shared().emit(|| WsEvent::Ping(payload.into()));
    }

    fn take_close(&mut self, frame: Option<CloseFrame>) {
        self.trace().close_received(frame.as_ref());
        self.shared().emit(|| WsEvent::CloseFrame(frame.clone()));
        // What still waits here cannot have been answered.
        if self.outgoing.undelivered || self.life.goodbye() == Goodbye::Said {
            self.life.on(Input::AnswerWaits);
        }
        self.leave(Input::PeerClosed(frame));
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
