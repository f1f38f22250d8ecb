//! Closing as a value: `close_with` and `close_within`.

use std::{
    future::poll_fn,
    task::{Context, Poll},
    time::Duration,
};

use futures::FutureExt;

use super::WsStream;
use crate::{
    close::{CloseFrame, CloseOutcome},
    connection::Mode,
    error::WsErr,
    time::{Task, Timer},
    transport::MessageTransport,
};

impl<M: MessageTransport> WsStream<M> {
    /// Closes the connection, and returns how it ended.
    ///
    /// Flushes written data, sends the close frame, and discards data that still arrives. Then
    /// waits for the peer's close frame and the end of the transport. No step waits longer than
    /// [`close_timeout`](crate::Config::close_timeout) for the peer, and discarded data does not extend
    /// that. To receive what a peer still sends, `close` and read to the end.
    ///
    /// If the connection is closing already, the first close frame stands. If it has ended, its
    /// outcome is returned.
    ///
    /// # Errors
    /// [`WsErr::InvalidCloseCode`] if `frame` came from a peer and may not be sent.
    /// [`WsErr::Closed`], once, if written data was not sent before the connection ended. An
    /// abnormal closure is not an error but a [`CloseOutcome`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves the connection closing. A read, or another `close_with`,
    /// continues the close.
    pub async fn close_with(&mut self, frame: CloseFrame) -> Result<CloseOutcome, WsErr> {
        self.close_in(Mode::Packed, frame, None).await
    }

    /// Closes the connection like [`close_with`](Self::close_with), in at most `limit` altogether.
    ///
    /// If the close takes longer, the connection is abandoned. The outcome is then
    /// [`CloseOutcome::TimedOut`], unless another one was determined before.
    ///
    /// ```
    /// use std::time::Duration;
    /// use ws_framed::{CloseCode, CloseFrame, WsErr, WsStream};
    ///
    /// async fn shut_down(mut stream: WsStream) -> Result<(), WsErr> {
    ///     let frame = CloseFrame::new(CloseCode::GOING_AWAY, "the server restarts")?;
    ///     let outcome = stream.close_within(frame, Duration::from_secs(5)).await?;
    ///     println!("{outcome}");
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// Those of [`close_with`](Self::close_with).
    ///
    /// # Cancel safety
    /// Like [`close_with`](Self::close_with): a dropped future leaves the connection closing,
    /// without the limit.
    pub async fn close_within(
        &mut self,
        frame: CloseFrame,
        limit: Duration,
    ) -> Result<CloseOutcome, WsErr> {
        self.close_in(Mode::Packed, frame, Some(limit)).await
    }

    pub(crate) async fn close_in(
        &mut self,
        mode: Mode,
        frame: CloseFrame,
        limit: Option<Duration>,
    ) -> Result<CloseOutcome, WsErr> {
        let mut limit = limit.map(Timer::after);
        poll_fn(|cx| self.poll_close_with(Task::Reader, cx, &frame, mode, limit.as_mut())).await
    }

    /// Closes the connection from the reading or the writing task. A reader still gets its error. A
    /// close that is pending when `limit` elapses is abandoned.
    pub(crate) fn poll_close_with(
        &mut self,
        polled_by: Task,
        cx: &mut Context<'_>,
        frame: &CloseFrame,
        mode: Mode,
        limit: Option<&mut Timer>,
    ) -> Poll<Result<CloseOutcome, WsErr>> {
        if !frame.code().is_sendable() {
            return Poll::Ready(Err(WsErr::InvalidCloseCode(frame.code())));
        }
        self.unread.clear();
        let closed = self.connection.poll_close_with(polled_by, cx, frame, mode);
        if closed.is_pending() && limit.is_some_and(|limit| limit.poll_unpin(cx).is_ready()) {
            return Poll::Ready(self.connection.abandon());
        }
        closed
    }
}
