//! Closing: a close that the caller asks for, the steps of ending, and the deadline that they have.
//!
//! # The deadline
//! It runs from the first of these events, with a limit of `close_timeout`, and ends a wait, not a
//! read that finds data.
//!
//! | event | effect |
//! |---|---|
//! | a close is requested | starts |
//! | the transport takes a message that precedes our close frame, or that frame | restarts |
//! | more of these is sent while they wait | restarts |
//! | the peer's close frame, a violation, a failed write | restarts |
//! | data, or more of an incomplete message, arrives while nothing more is sent and data is wanted | restarts |
//! | the connection has ended and the transport is still to be closed | restarts |
//! | a writer gives up | restarts with a limit of zero: a reader gets what has arrived, and then the error |

#[cfg(test)]
mod tests;

use std::{
    task::{Context, Poll, ready},
    time::Duration,
};

use super::{
    Connection, Core, MESSAGES_PER_POLL, Mode,
    state::{Input, Reading, Step},
};
use crate::{
    close::{CloseFrame, CloseOutcome},
    error::{Timeout, WsErr},
    time::{Deadline, Task},
    transport::MessageTransport,
};

impl<M: MessageTransport> Connection<M> {
    /// Requests a close, and is ready when everything written and then the close frame are flushed.
    /// A second close waits for the first.
    pub(crate) fn poll_close(
        &mut self,
        task: &mut Context<'_>,
        frame: impl FnOnce() -> CloseFrame,
    ) -> Poll<Result<(), WsErr>> {
        self.poll_as(Task::Writer, task, |this, cx| {
            this.core.request_close(frame);
            let is_done = match this.core.state.reading() {
                Reading::Finish if this.core.state.step() == Step::Flush => {
                    this.poll_finish_step(cx).is_ready()
                }
                Reading::Receive | Reading::Finish => true,
                Reading::Ended => this.poll_close_transport(cx).is_ready(),
            };
            if !is_done {
                ready!(this.poll_deadline(cx));
            }
            this.poll_flush_written(cx)
        })
    }

    /// Closes, discards what still arrives, and waits for the end of the transport. Each step may
    /// take `close_timeout`, which discarded data does not restart.
    ///
    /// Where the writer polls it, the error of the connection is left to the reader.
    pub(crate) fn poll_close_with(
        &mut self,
        polled_by: Task,
        task: &mut Context<'_>,
        frame: &CloseFrame,
        mode: Mode,
    ) -> Poll<Result<CloseOutcome, WsErr>> {
        self.core.take_requests();
        self.core.request_close(|| frame.clone());
        self.core.apply(Input::DiscardRequested);
        for _ in 0..MESSAGES_PER_POLL {
            if ready!(self.poll_data(polled_by, task, mode)).is_none() {
                if polled_by == Task::Reader {
                    let _ = self.core.take_error();
                }
                return self.poll_close_outcome();
            }
        }
        if self.with_waker(Self::poll_deadline).is_ready() {
            self.core.time_out();
        }
        task.waker().wake_by_ref();
        Poll::Pending
    }

    /// Ends the connection, unless it has ended, and closes the transport as far as that needs no
    /// wait: perhaps no task polls it again.
    pub(crate) fn abandon(&mut self) -> Result<CloseOutcome, WsErr> {
        if self.core.state.end().is_none() {
            self.core.time_out();
        }
        let _ = self.with_waker(Self::poll_close_transport);
        self.core.report_loss()?;
        Ok(self.core.outcome())
    }

    fn poll_close_outcome(&mut self) -> Poll<Result<CloseOutcome, WsErr>> {
        let outcome = self.core.outcome();
        if matches!(outcome, CloseOutcome::Clean { .. }) {
            ready!(self.with_waker(|this, cx| {
                if this.poll_close_transport(cx).is_ready() {
                    this.poll_drain(cx)
                } else {
                    this.poll_deadline(cx)
                }
            }));
        }
        self.core.report_loss()?;
        Poll::Ready(Ok(outcome))
    }

    /// Carries out the steps of ending until it is known how the connection ended, within the
    /// deadline.
    pub(super) fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.core.state.reading() == Reading::Finish {
            match self.poll_finish_step(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => self.core.give_up(error),
                Poll::Pending => {
                    ready!(self.poll_deadline(cx));
                    self.core.time_out();
                }
            }
        }
        // The end does not wait for the transport, which may take more than one poll to close.
        let _ = self.poll_close_transport(cx);
        Poll::Ready(())
    }

    fn poll_finish_step(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        match self.core.state.step() {
            Step::Flush => {
                let sent = self.poll_send(cx);
                if sent.is_pending() && self.core.state.is_violated() {
                    // The peer may not read until it has sent everything, so keep reading.
                    self.drain(cx);
                }
                ready!(sent)?;
                self.core.apply(Input::StepDone);
                Poll::Ready(Ok(()))
            }
            Step::Close => self.poll_close_transport(cx),
            Step::Drain => self.poll_drain(cx).map(Ok),
            Step::Done => Poll::Ready(Ok(())),
        }
    }

    /// Closes the writing half of the transport, unless that is done.
    pub(super) fn poll_close_transport(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        if self.core.state.step() == Step::Close {
            let closed = ready!(self.transport.poll_close(cx));
            self.core.apply(Input::StepDone);
            closed?;
        }
        Poll::Ready(Ok(()))
    }

    /// Discards what arrives until the transport has ended, within the deadline.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.core.state.step() == Step::Drain {
            self.drain(cx);
            if !self.core.state.has_transport_ended() {
                ready!(self.poll_deadline(cx));
            }
            self.core.apply(Input::StepDone);
        }
        Poll::Ready(())
    }

    /// The peer takes nothing, perhaps because no task here reads. So the connection has ended,
    /// except for a reader, who gets what arrived before.
    pub(super) fn give_up_writing(&mut self, cx: &mut Context<'_>, error: &WsErr) {
        self.core.report_give_up(error);
        self.core.apply(Input::GaveUpWriting(error.clone()));
        let _ = self.poll_close_transport(cx);
    }

    pub(super) fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.core.deadline.is_none() {
            return Poll::Pending;
        }
        let progress = self.progress();
        let partial = self.transport.progress().partial_message.unwrap_or(0);
        let sent = self.sent();
        self.core.poll_deadline(cx, progress, partial, sent)
    }
}

impl Core {
    pub(super) fn request_close(&mut self, frame: impl FnOnce() -> CloseFrame) {
        if self.state.is_open() {
            self.apply(Input::CloseRequested(frame()));
        }
    }

    pub(super) fn time_out(&mut self) {
        let error = self.timeout_error();
        self.give_up(error);
    }

    /// Why a connection ends whose deadline is over.
    pub(super) fn timeout_error(&self) -> WsErr {
        let error = self.state.write_error().cloned();
        error.unwrap_or(WsErr::TimedOut(Timeout::Close))
    }

    /// Ends the connection immediately.
    pub(super) fn give_up(&mut self, error: WsErr) {
        self.report_give_up(&error);
        self.apply(Input::GaveUp(error));
    }

    /// Reports the error that ends the connection, unless another does.
    fn report_give_up(&self, error: &WsErr) {
        if self.state.end().is_some() {
            return;
        }
        let end = self.state.conclusion(Some(error));
        match end.map(|end| end.error) {
            // It was reported when it was received.
            Some(Some(WsErr::Aborted(_))) => {}
            Some(_) if self.state.is_violated() => {}
            // Nothing is wrong: both close frames were exchanged.
            Some(None) => return,
            Some(Some(_)) | None => self.emit_error(error),
        }
        self.trace().gave_up(error);
    }

    pub(super) fn restart_deadline(&mut self) {
        if self.state.reads_rest() {
            self.deadline = Some(Deadline::after(Duration::ZERO));
            return;
        }
        match &mut self.deadline {
            Some(deadline) => deadline.restart(),
            None => self.deadline = Some(Deadline::after(self.config.close_timeout)),
        }
    }

    fn poll_deadline(
        &mut self,
        cx: &mut Context<'_>,
        progress: u64,
        partial: u64,
        sent: u64,
    ) -> Poll<()> {
        if sent != std::mem::replace(&mut self.sent_before, sent) {
            // A peer that takes our data slowly is alive.
            self.apply(Input::Sent);
        }
        let grows = partial > std::mem::replace(&mut self.partial_message, partial);
        if grows {
            // A message that arrives slowly still arrives.
            self.apply(Input::Progress);
        }
        let is_wanted = self.state.only_receives() && !self.state.discards();
        let Some(deadline) = &mut self.deadline else {
            return Poll::Pending;
        };
        if is_wanted {
            // Not every transport knows of an incomplete message, and the caller may be late.
            deadline.extend_once_if_missed();
        }
        deadline.poll(cx, self.task, progress)
    }
}
