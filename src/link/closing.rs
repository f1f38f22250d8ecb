//! How a link is closed: by us, by the peer, or because something went wrong.

use std::task::{Context, Poll, ready};

use super::{Link, MESSAGES_PER_POLL, life::Input};
use crate::{
    close::{CloseFrame, CloseOutcome},
    error::WsErr,
    transport::MessageTransport,
};

impl<M: MessageTransport> Link<M> {
    /// Asks for a close, and is ready when everything written and then the close frame are flushed.
    /// Receives nothing. Closing again waits for the first close.
    pub(crate) fn poll_close(
        &mut self,
        task: &mut Context<'_>,
        frame: impl FnOnce() -> CloseFrame,
    ) -> Poll<Result<(), WsErr>> {
        self.take_requests();
        self.ask_to_close(frame);
        self.poll_flush(task)
    }

    /// Closes, throws away what still comes, and waits for the end of the transport: all in
    /// `close_timeout` without progress.
    pub(crate) fn poll_close_with(
        &mut self,
        task: &mut Context<'_>,
        frame: &CloseFrame,
    ) -> Poll<Result<CloseOutcome, WsErr>> {
        self.take_requests();
        self.ask_to_close(|| frame.clone());
        self.discards = true;
        for _ in 0..MESSAGES_PER_POLL {
            if ready!(self.poll_recv(task)).is_none() {
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
            ready!(self.poll_transport_end(&mut Context::from_waker(&waker)));
        }
        self.report_lost()?;
        Poll::Ready(Ok(outcome))
    }

    /// Does what is left to do once it is decided how the link ends.
    pub(super) fn poll_leave(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.poll_leave_steps(cx).is_ready() {
            // An error changes nothing: what it would tell was not to be delivered any more.
            self.life.on(Input::Left);
            self.end(cx);
        } else {
            ready!(self.poll_deadline(cx));
            self.time_out(cx);
        }
        Poll::Ready(())
    }

    fn poll_leave_steps(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        ready!(self.poll_send_steps(cx))?;
        ready!(self.poll_shutdown(cx))?;
        if self.life.has_failed() {
            // Closing a socket with unread bytes in it may reset it, and the peer would never read why.
            ready!(self.poll_transport_end(cx));
        }
        Poll::Ready(Ok(()))
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
    fn poll_transport_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..MESSAGES_PER_POLL {
            if self.is_drained {
                return Poll::Ready(());
            }
            match self.transport.poll_next(cx) {
                Poll::Ready(None | Some(Err(WsErr::Io(_) | WsErr::UnexpectedEof))) => {
                    self.is_drained = true;
                }
                Poll::Ready(Some(_)) => {}
                Poll::Pending => return self.poll_deadline(cx),
            }
        }
        cx.waker().wake_by_ref();
        self.poll_deadline(cx)
    }
}
