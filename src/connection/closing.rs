//! A close that we ask for, and the deadline that every end has.

use std::task::{Context, Poll, ready};

use super::{Connection, MESSAGES_PER_POLL, Mode, life::Phase};
use crate::{
    close::{CloseFrame, CloseOutcome},
    error::WsErr,
    time::{Deadline, Side},
    transport::MessageTransport,
};

impl<M: MessageTransport> Connection<M> {
    /// Asks for a close, and is ready when everything written and then the close frame are flushed.
    /// Receives nothing. Closing again waits for the first close.
    pub(crate) fn poll_close(
        &mut self,
        task: &mut Context<'_>,
        frame: impl FnOnce() -> CloseFrame,
    ) -> Poll<Result<(), WsErr>> {
        self.take_requests();
        self.ask_to_close(frame);
        ready!(self.poll_rest(task));
        self.poll_flush(task)
    }

    /// The link ends without us: flushes what the peer is to be told, and sees to the shutdown. It ends with the
    /// deadline.
    fn poll_rest(&mut self, task: &mut Context<'_>) -> Poll<()> {
        let waker = self.enter(Side::Writer, task);
        let cx = &mut Context::from_waker(&waker);
        let is_done = match self.life.phase() {
            Phase::Leaving if self.life.has_failed() => self.poll_send_steps(cx).is_ready(),
            Phase::Leaving => self.poll_answer(cx).is_ready(),
            Phase::Ended => self.poll_shutdown(cx).is_ready(),
            _ => true,
        };
        if is_done {
            Poll::Ready(())
        } else {
            self.poll_deadline(cx)
        }
    }

    /// Closes, throws away what still comes, and waits for the end of the transport: all in
    /// `close_timeout` without progress.
    pub(crate) fn poll_close_with(
        &mut self,
        task: &mut Context<'_>,
        frame: &CloseFrame,
        mode: Mode,
    ) -> Poll<Result<CloseOutcome, WsErr>> {
        self.take_requests();
        self.ask_to_close(|| frame.clone());
        self.discards = true;
        for _ in 0..MESSAGES_PER_POLL {
            if ready!(self.poll_recv(task, mode)).is_none() {
                return self.poll_goodbye_outcome();
            }
        }
        let waker = self.waker.clone();
        let cx = &mut Context::from_waker(&waker);
        if self.poll_deadline(cx).is_ready() {
            self.time_out(cx);
        }
        task.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_goodbye_outcome(&mut self) -> Poll<Result<CloseOutcome, WsErr>> {
        let outcome = self.outcome();
        if matches!(outcome, CloseOutcome::Clean { .. }) {
            let waker = self.waker.clone();
            let cx = &mut Context::from_waker(&waker);
            if self.poll_shutdown(cx).is_ready() {
                ready!(self.poll_transport_end(cx));
            } else {
                ready!(self.poll_deadline(cx));
            }
        }
        self.report_lost()?;
        Poll::Ready(Ok(outcome))
    }

    pub(super) fn ask_to_close(&mut self, frame: impl FnOnce() -> CloseFrame) {
        if self.life.phase() == Phase::Open && self.goodbye.is_none() {
            self.goodbye = Some(frame());
            self.start_deadline();
            // The task that reads has to watch the deadline from now on.
            self.shared().reader.wake();
        }
    }

    pub(super) fn time_out(&mut self, cx: &mut Context<'_>) {
        let error = self.lateness();
        self.give_up(cx, error);
    }

    /// Why a link ends whose deadline is over.
    pub(super) fn lateness(&self) -> WsErr {
        let error = self.write_error.clone();
        error.unwrap_or(WsErr::TimedOut("the peer did not close in time"))
    }

    pub(super) fn start_deadline(&mut self) {
        match &mut self.deadline {
            Some(deadline) => deadline.restart(),
            None => self.deadline = Some(Deadline::after(self.config.close_timeout)),
        }
    }

    pub(super) fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.deadline.is_none() {
            return Poll::Pending;
        }
        let progress = self.progress();
        let came = self.transport.unfinished_message().unwrap_or(0);
        let grows = came > std::mem::replace(&mut self.under_way, came);
        let is_wanted = self.only_reads() && !self.discards;
        match &mut self.deadline {
            Some(deadline) => {
                if grows && is_wanted {
                    // A message that comes slowly still comes.
                    deadline.restart();
                }
                if is_wanted {
                    // And so may one of which this transport cannot tell, for a user who is late.
                    deadline.forgive_pause();
                }
                deadline.poll(cx, self.side, progress)
            }
            None => Poll::Pending,
        }
    }
}
