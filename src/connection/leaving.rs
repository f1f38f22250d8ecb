//! How a link ends: because the peer closed, or because something went wrong.

#[cfg(test)]
mod tests;

use std::{
    sync::Arc,
    task::{Context, Poll, ready},
};

use super::{
    Connection, MESSAGES_PER_POLL,
    life::{Input, Phase},
    pings::Pings,
};
use crate::{
    close::{CloseFrame, CloseOutcome},
    error::WsErr,
    event::WsEvent,
    message::Message,
    transport::{MAX_PONGS_OWED, MessageTransport},
};

impl<M: MessageTransport> Connection<M> {
    /// Ends the link because of what the views found in the data: the peer is told with this close frame.
    pub(crate) fn break_off_with(&mut self, frame: CloseFrame) {
        if matches!(self.life.phase(), Phase::Open | Phase::Closing) {
            self.break_off(WsErr::Undecodable);
            if let Some(goodbye) = &mut self.goodbye {
                *goodbye = frame;
            }
        }
    }

    /// The transport ended or failed, or the peer broke the protocol.
    pub(super) fn fail(&mut self, cx: &mut Context<'_>, error: WsErr) {
        let error = match error {
            // TLS, and transports of other makes, tell a missing goodbye as an error.
            WsErr::Io(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => WsErr::UnexpectedEof,
            error => error,
        };
        // A socket tells why it failed once, and if a write was told, a read finds nothing but the end.
        let error = match (error, &self.write_error) {
            (WsErr::UnexpectedEof, Some(cause @ WsErr::Io(_))) => cause.clone(),
            (error, _) => error,
        };
        self.break_off(error);
        if self.life.phase() == Phase::Ended {
            self.end(cx);
        }
    }

    /// Tells the observers of an error and begins to leave.
    pub(super) fn break_off(&mut self, error: WsErr) {
        self.trace().failed(&error);
        self.emit_error(&error);
        self.goodbye = if self.life.said_goodbye() {
            None
        } else {
            error.farewell()
        };
        self.leave(Input::Failed(error));
    }

    /// The other end of the link will take no more, so what was not delivered is lost; or it is to be told why we will not,
    /// behind what it is still to get.
    pub(super) fn leave(&mut self, input: Input) {
        // Our close frame, or the transport's own answer to the peer's.
        let unflushed = self.outgoing.unflushed || !self.life.said_goodbye();
        if matches!(input, Input::PeerClosed(_)) {
            self.goodbye = None;
            self.lose_undelivered();
        } else {
            self.lose_gathered();
        }
        self.life.on(input);
        self.outgoing.unflushed = unflushed;
        self.pings = Pings::default();
        self.start_deadline();
        // A writer that waits for room need not any more.
        self.shared().writer.wake();
    }

    /// Ends the link without further ado.
    pub(super) fn give_up(&mut self, cx: &mut Context<'_>, error: WsErr) {
        if self.life.abort_of_peer().is_some() {
            // That is what ends it, and observers have seen the close frame.
            self.trace().gave_up(&error);
        } else if !self.life.is_settled() {
            self.tell_given_up(&error);
        }
        self.life.on(Input::GaveUp(error));
        self.end(cx);
    }

    fn tell_given_up(&self, error: &WsErr) {
        self.emit_error(error);
        self.trace().gave_up(error);
    }

    fn emit_error(&self, error: &WsErr) {
        self.shared()
            .emit(|| WsEvent::Error(Arc::new(error.clone())));
    }

    /// The peer takes nothing, and that may be because nobody here reads. So the link has ended for everybody but a
    /// reader, who gets what came before.
    pub(super) fn give_up_writing(&mut self, cx: &mut Context<'_>, error: &WsErr) {
        self.tell_given_up(error);
        drop(self.note_write_error(Err(error.clone())));
        let _ = self.poll_shutdown(cx);
        self.life.on(Input::GaveUpWriting(error.clone()));
        self.pings = Pings::default();
        self.shared().end(self.outcome(), Some(error), self.trace());
    }

    /// The link has ended: closes the transport as far as that goes at once, and tells everybody.
    fn end(&mut self, cx: &mut Context<'_>) {
        if self.poll_shutdown(cx).is_pending() {
            // A close that comes later waits for it, but not for ever.
            self.start_deadline();
        }
        self.lose_undelivered();
        self.goodbye = None;
        self.pongs_owed = 0;
        self.pings = Pings::default();
        let error = self.life.error();
        self.shared().end(self.outcome(), error, self.trace());
        // The other task may wait for what will not happen any more.
        self.shared().reader.wake();
        self.shared().writer.wake();
    }

    pub(super) fn outcome(&self) -> CloseOutcome {
        self.life.outcome().cloned().unwrap_or(CloseOutcome::Lost)
    }

    pub(super) fn take_error(&mut self) -> Option<WsErr> {
        let error = self.life.take_error()?;
        self.is_told(&error).then_some(error)
    }

    fn is_told(&self, error: &WsErr) -> bool {
        !self.config.lenient_eof || matches!(error, WsErr::Io(_) | WsErr::TimedOut(_))
    }

    /// Whether the end, once it is there, is one that a reader was told an error for.
    pub(crate) fn is_cut(&self) -> bool {
        self.life.error().is_some_and(|error| self.is_told(error))
    }

    /// Does what is left to do once it is decided how the link ends.
    pub(super) fn poll_leave(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.poll_leave_steps(cx) {
            Poll::Ready(Ok(())) => {
                self.life.on(Input::Left);
                self.end(cx);
            }
            Poll::Ready(Err(error)) => self.give_up(cx, error),
            Poll::Pending => {
                ready!(self.poll_deadline(cx));
                self.time_out(cx);
            }
        }
        Poll::Ready(())
    }

    fn poll_leave_steps(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        if !self.life.has_failed() {
            return self.poll_answer(cx);
        }
        let sent = self.poll_send_steps(cx);
        if sent.is_pending() {
            // A peer that sends everything before it reads hears nothing until somebody takes that.
            self.discard(cx);
        }
        ready!(sent)?;
        ready!(self.poll_shutdown(cx))?;
        // Closing a socket with unread bytes in it may reset it, and the peer would never read why.
        ready!(self.poll_transport_end(cx));
        Poll::Ready(Ok(()))
    }

    /// Flushes what answers the peer's close frame.
    pub(super) fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        ready!(self.poll_send_steps(cx))?;
        let flushed = self.transport.poll_flush_answer(cx);
        if flushed.is_pending() {
            self.life.on(Input::AnswerWaits);
        }
        flushed
    }

    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        if !self.is_shut {
            let done = ready!(self.transport.poll_shutdown(cx));
            self.is_shut = true;
            done?;
        }
        Poll::Ready(Ok(()))
    }

    /// Throws away what comes until the transport has ended, within the close deadline.
    pub(super) fn poll_transport_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.discard(cx);
        if self.is_dry {
            Poll::Ready(())
        } else {
            self.poll_deadline(cx)
        }
    }

    /// Throws away what has come, as much of it as one poll may take.
    fn discard(&mut self, cx: &mut Context<'_>) {
        for _ in 0..MESSAGES_PER_POLL {
            if self.is_dry || self.pongs_owed >= MAX_PONGS_OWED {
                return;
            }
            match self.transport.poll_discard(cx) {
                Poll::Ready(None | Some(Err(WsErr::Io(_) | WsErr::UnexpectedEof))) => {
                    self.is_dry = true;
                }
                Poll::Ready(Some(Ok(message))) if !self.life.said_goodbye() => {
                    self.take_answered(message);
                }
                Poll::Ready(Some(_)) => {}
                Poll::Pending => return,
            }
        }
        cx.waker().wake_by_ref();
    }

    /// What the transport answers by itself still has to go out, and a close frame that it answers leaves no room for ours.
    fn take_answered(&mut self, message: Message) {
        match message {
            Message::Ping(payload) => self.take_ping(payload),
            Message::Close(_) => {
                self.goodbye = None;
                self.outgoing.unflushed = true;
            }
            _ => {}
        }
    }
}
