//! Reading: the poll loop of a read, and what becomes of a message that was received.

use std::{
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use bytes::BytesMut;

use super::{
    Connection, Core, MESSAGES_PER_POLL, Mode,
    keepalive::Action,
    state::{Input, Reading},
};
use crate::{
    close::CloseFrame,
    config::TextPolicy,
    error::WsErr,
    event::WsEvent,
    message::{ControlPayload, Message, Payload},
    time::Task,
    transport::MessageTransport,
};

impl<M: MessageTransport> Connection<M> {
    /// Receives the next data, never empty where it is packed; then the error, if the connection
    /// did not end well; then `None`, forever.
    #[inline]
    pub(crate) fn poll_recv(
        &mut self,
        task: &mut Context<'_>,
        mode: Mode,
    ) -> Poll<Option<Result<Payload, WsErr>>> {
        self.poll_recv_message(task, mode)
            .map_ok(Message::into_data)
    }

    /// The same, with the kind of the message.
    #[inline]
    pub(crate) fn poll_recv_message(
        &mut self,
        task: &mut Context<'_>,
        mode: Mode,
    ) -> Poll<Option<Result<Message, WsErr>>> {
        Poll::Ready(match ready!(self.poll_data(Task::Reader, task, mode)) {
            Some(message) => Some(Ok(message)),
            None => self.core.take_error().map(Err),
        })
    }

    /// See [`MessageTransport::provide_buffer`].
    pub(crate) fn provide_buffer(&mut self, buffer: BytesMut) {
        self.transport.provide_buffer(buffer);
    }

    /// Receives the next data message, for one of the two tasks; then `None`, forever.
    #[inline]
    pub(super) fn poll_data(
        &mut self,
        polled_by: Task,
        task: &mut Context<'_>,
        mode: Mode,
    ) -> Poll<Option<Message>> {
        self.poll_as(polled_by, task, |this, cx| {
            this.poll_data_with(cx, mode, task.waker())
        })
    }

    /// `task` is woken if there is more to do than one poll may.
    #[inline]
    fn poll_data_with(
        &mut self,
        cx: &mut Context<'_>,
        mode: Mode,
        task: &Waker,
    ) -> Poll<Option<Message>> {
        if let Some(data) = self.core.take_early(mode) {
            return Poll::Ready(Some(data));
        }
        if self.core.has_urgent_output() {
            // A peer that sends without pause must not hold it back. An error is the writer's to
            // see; a reader reads what is left.
            let _ = self.poll_send(cx);
        }
        for _ in 0..MESSAGES_PER_POLL {
            match self.core.state.reading() {
                Reading::Ended => {
                    // What could not be closed at once may be by now.
                    let _ = self.poll_close_transport(cx);
                    return Poll::Ready(None);
                }
                Reading::Finish => ready!(self.poll_finish(cx)),
                Reading::Receive => match self.transport.poll_next(cx) {
                    Poll::Ready(Some(Ok(message))) => {
                        if let Some(data) = self.core.take_message(message, mode) {
                            return Poll::Ready(Some(data));
                        }
                    }
                    Poll::Ready(Some(Err(error))) => self.core.fail(error),
                    Poll::Ready(None) => self.core.on_transport_end(),
                    Poll::Pending => ready!(self.poll_idle(cx)),
                },
            }
        }
        let _ = self.poll_send(cx);
        // The deadline counts when there is nothing left to read, or more than can be: a caller who
        // returns late still gets what arrived in time.
        if self.poll_deadline(cx).is_ready() {
            self.core.time_out();
        }
        task.wake_by_ref();
        Poll::Pending
    }

    /// A read finds nothing and is about to wait: sends what is buffered, since no other task may,
    /// and polls the timers. Ready if there is something new to look at.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let is_flushed = self.poll_send(cx).is_ready();
        let mut action = Poll::Pending;
        if self.core.config.message_timeout.is_some() {
            let is_partial = self.transport.progress().partial_message.is_some();
            let progress = self.progress();
            action = self.core.keepalive.poll_message(cx, is_partial, progress);
        }
        if action.is_pending() {
            if !is_flushed || !self.core.is_kept_alive() {
                return self.poll_timeouts(cx).map(drop);
            }
            let progress = self.transport.progress();
            let received = progress.received.unwrap_or(self.core.received);
            let sent = progress.sent.unwrap_or(self.core.sent);
            action = self.core.keepalive.poll_receiving(cx, received, sent);
            self.record_life();
        }
        match ready!(action) {
            Action::SendPing => self.core.pings.queue_keepalive(),
            Action::TimedOut(why) => self.core.give_up(WsErr::TimedOut(why)),
        }
        Poll::Ready(())
    }

    /// A writer must wait: receives control messages, and at most one data message, which is kept
    /// for the reader. So a connection that is only written to replies to pings, and learns of its
    /// end.
    pub(super) fn recv_while_blocked(&mut self, cx: &mut Context<'_>) {
        for _ in 0..MESSAGES_PER_POLL {
            if self.core.early.is_some() || self.core.state.reading() != Reading::Receive {
                return;
            }
            match self.transport.poll_next(cx) {
                Poll::Ready(Some(Ok(message))) if message.is_data() => {
                    self.core.early = Some(message);
                    self.core.shared().reader.wake();
                }
                Poll::Ready(Some(Ok(message))) => {
                    self.core.take_control(message);
                }
                Poll::Ready(Some(Err(error))) => self.core.fail(error),
                Poll::Ready(None) => self.core.on_transport_end(),
                Poll::Pending => return,
            }
        }
        cx.waker().wake_by_ref();
    }

    /// Discards what arrives, as much of it as one poll may take.
    pub(super) fn drain(&mut self, cx: &mut Context<'_>) {
        self.core.early = None;
        for _ in 0..MESSAGES_PER_POLL {
            if self.core.state.has_transport_ended() {
                return;
            }
            match self.transport.poll_next(cx) {
                Poll::Ready(None | Some(Err(WsErr::Io(_) | WsErr::UnexpectedEof))) => {
                    self.core.apply(Input::TransportEnded);
                }
                Poll::Ready(Some(Ok(message))) if !self.core.state.is_close_queued() => {
                    self.core.take_drained(message);
                }
                Poll::Ready(Some(_)) => {}
                Poll::Pending => return,
            }
        }
        cx.waker().wake_by_ref();
    }
}

impl Core {
    /// Whether there is output that a reader sends even while it has something to read.
    fn has_urgent_output(&self) -> bool {
        let is_waiting = self.state.is_close_pending()
            || self.pong.is_some()
            || self.pings.is_waiting()
            || self.reply_unflushed;
        // The transport may be closed after the end.
        is_waiting && self.state.end().is_none()
    }

    /// The data that a writer received while it waited.
    #[inline]
    fn take_early(&mut self, mode: Mode) -> Option<Message> {
        let message = self.early.take()?;
        self.take_message(message, mode)
    }

    /// Handles one message, and returns it if it holds data.
    fn take_message(&mut self, message: Message, mode: Mode) -> Option<Message> {
        match message {
            binary @ Message::Binary(_) => {
                self.count_data();
                self.take_data(binary, mode)
            }
            Message::Text(text) => {
                self.count_data();
                self.take_text(text, mode)
            }
            control => {
                self.take_control(control);
                None
            }
        }
    }

    fn count_data(&mut self) {
        self.received += 1;
        self.keepalive.on_data();
    }

    fn take_control(&mut self, message: Message) {
        self.received += 1;
        match message {
            Message::Ping(payload) => self.take_ping(payload),
            Message::Pong(payload) => {
                self.shared().counters.pongs_received.add(1);
                let time = self.pings.on_pong(&payload);
                if let Some(time) = time {
                    self.shared().counters.record_round_trip(time);
                }
                self.trace().pong_received(time);
                self.shared().emit(|| WsEvent::Pong(payload.into()));
            }
            Message::Close(frame) => self.take_close(frame),
            Message::Binary(_) | Message::Text(_) => {}
        }
    }

    fn take_ping(&mut self, payload: ControlPayload) {
        self.shared().counters.pings_received.add(1);
        self.trace().ping_received();
        if self.properties.replies {
            // The reply of the transport is sent with the next flush.
            self.unflushed = true;
            self.reply_unflushed = true;
        } else if !self.state.is_close_queued() {
            self.pong = Some(payload.clone());
        }
        self.shared().emit(|| WsEvent::Ping(payload.into()));
    }

    fn take_close(&mut self, frame: Option<CloseFrame>) {
        self.trace().close_received(frame.as_ref());
        self.shared().emit(|| WsEvent::CloseFrame(frame.clone()));
        self.apply_peer_close(frame);
    }

    fn apply_peer_close(&mut self, frame: Option<CloseFrame>) {
        let replies = self.properties.replies;
        self.unflushed |= replies;
        let is_normal = self.config.is_normal_closure(frame.as_ref());
        self.apply(Input::PeerClosed {
            frame,
            is_normal,
            replies,
        });
    }

    /// A message that arrives after a violation. What the transport replies to it has to be
    /// flushed.
    fn take_drained(&mut self, message: Message) {
        match message {
            Message::Ping(payload) if self.properties.replies => self.take_ping(payload),
            Message::Close(frame) => self.apply_peer_close(frame),
            _ => {}
        }
    }

    fn take_data(&mut self, data: Message, mode: Mode) -> Option<Message> {
        let len = data.data_len();
        let is_empty = len == 0 && mode == Mode::Packed;
        if !self.admit(len) || is_empty || self.state.discards() {
            return None;
        }
        if !self.state.is_open() {
            self.apply(Input::Progress);
        }
        Some(data)
    }

    fn take_text(&mut self, text: String, mode: Mode) -> Option<Message> {
        match self.config.text {
            _ if mode.takes_text() => return self.take_data(Message::Text(text), mode),
            TextPolicy::Reject => self.fail(WsErr::ReceivedText),
            TextPolicy::Bytes => return self.take_data(Message::Text(text), mode),
            TextPolicy::Event => {
                if self.admit(text.len()) {
                    self.shared().emit(|| WsEvent::Text(text.into()));
                }
            }
        }
        None
    }

    /// Counts a data message, or fails the connection if it is too long.
    fn admit(&mut self, len: usize) -> bool {
        let max = self.config.max_recv_message_len;
        if len > max {
            self.fail(WsErr::MessageTooLarge { len, max });
            return false;
        }
        self.shared().counters.messages_received.add(1);
        self.shared().counters.bytes_received.add(len);
        true
    }

    fn on_transport_end(&mut self) {
        self.apply(Input::TransportEnded);
        self.fail(WsErr::UnexpectedEof);
    }

    /// Ends the connection because the transport ended or failed, or fails it because of what the
    /// peer sent (RFC 6455 section 7.1.7).
    pub(super) fn fail(&mut self, error: WsErr) {
        let error = match error {
            // TLS and custom transports report a missing close frame as an error.
            WsErr::Io(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => WsErr::UnexpectedEof,
            error => error,
        };
        // A socket reports an error once: where a write got it, a read finds the end only.
        let error = match (error, self.state.write_error()) {
            (WsErr::UnexpectedEof, Some(cause @ WsErr::Io(_))) => cause.clone(),
            (error, _) => error,
        };
        self.report_failure(&error);
        self.apply(match error.close_frame() {
            Some(frame) => Input::Violation(error, frame),
            None => Input::TransportFailed(error),
        });
    }

    /// Fails the connection because received data cannot be decoded. The peer gets `frame`.
    fn fail_with(&mut self, frame: CloseFrame) {
        if self.state.reading() == Reading::Receive {
            let error = WsErr::Undecodable(frame.code());
            self.trace().undecodable(&error, frame.reason());
            self.emit_error(&error);
            self.apply(Input::Violation(error, frame));
        }
    }

    fn report_failure(&self, error: &WsErr) {
        self.trace().failed(error);
        self.emit_error(error);
    }

    pub(super) fn emit_error(&self, error: &WsErr) {
        self.shared()
            .emit(|| WsEvent::Error(Arc::new(error.clone())));
    }

    pub(super) fn take_error(&mut self) -> Option<WsErr> {
        let error = self.state.take_error()?;
        self.is_reported(&error).then_some(error)
    }

    fn is_reported(&self, error: &WsErr) -> bool {
        !self.config.lenient_eof || matches!(error, WsErr::Io(_) | WsErr::TimedOut(_))
    }
}

impl<M> Connection<M> {
    /// The bytes that a writer received while it waited.
    pub(crate) fn take_early(&mut self) -> Option<Payload> {
        self.core.take_early(Mode::Packed).map(Message::into_data)
    }

    /// Fails the connection because what was received cannot be decoded. The peer gets `frame`.
    pub(crate) fn fail_with(&mut self, frame: CloseFrame) {
        self.core.fail_with(frame);
    }

    /// Whether the connection has ended with an error that a reader gets.
    pub(crate) fn ended_with_error(&self) -> bool {
        let end = self.core.state.end();
        let error = end.and_then(|end| end.error.as_ref());
        error.is_some_and(|error| self.core.is_reported(error))
    }
}
