//! The life of a connection as a pure state machine: no transport, no `Context`, no clock.
//!
//! Each half of a connection has a state of its own. The first [`Cause`] is why the connection
//! ends: `Closed` means that the peer's close frame arrived. Our own close is no cause; it only moves
//! the sending half. [`State::conclusion`] is the one function that derives from them how it ends.
//!
//! ```text
//! sending    Open ──► Closing ──► CloseQueued ──► CloseSent
//!             │          │             │              │
//!             └──────────┴─────► Failed ◄─────────────┘
//!            Open, Closing ──► CloseQueued              if the transport replies to a close frame
//! receiving  Open ──► Draining ──► Ended
//!            Open ──► Ended
//! cause      None ──► Closed | Violation | Transport | TimedOut
//! steps      Flush ──► Close ──► Drain ──► Done      from the cause on; may go on after the end
//! ```
//!
//! Beside them, `Delivery` records what became of the data that was written. What the calls do:
//!
//! - **No cause, sending half `Open`.** A read receives, and sends what is buffered before it waits.
//!   A write buffers, and sends full messages. A flush sends what is buffered; a close also sends
//!   the close frame.
//! - **No cause, `Closing` to `CloseSent`.** A read receives. A write is `BrokenPipe`. A flush or
//!   close sends what is left, and the close frame.
//! - **No cause, `Failed`.** A read receives. A write returns why writing failed, or `BrokenPipe` if
//!   our close frame was queued. A flush or close returns the same, once, if data was lost.
//! - **`Closed`.** A read flushes our close frame; then the end is known. A write is `BrokenPipe`. A
//!   flush is `BrokenPipe`, once, if data was lost. A close flushes our close frame before that.
//! - **`Violation`.** A read sends what is buffered and the close frame, closes the transport, and
//!   discards until the transport ends; then the end is known. A write is `BrokenPipe`. A flush waits
//!   until what was written before is sent, and is `BrokenPipe`, once, if data was lost. A close
//!   waits for the close frame, too.
//! - **The end is known.** A read returns the error, once, and then the end; after `GaveUpWriting`,
//!   what arrived before comes first. A write is `BrokenPipe`. A flush is `BrokenPipe`, once, if
//!   data was lost. A close waits until the writing half of the transport is closed, unless what
//!   arrived is still to be read, and then does the same.
//!
//! `Transport` and `TimedOut` end the connection at once, and so do `Closed` and `Violation` when
//! the sending half has failed: what is left of the steps is closing the transport. After
//! `DiscardRequested` (`close_with`), data that a read receives is discarded.
//!
//! A write, flush or close that must wait while there is no cause also receives control messages,
//! and at most one data message, which it keeps for the reader.

mod conclusion;
mod ending;
mod halves;
mod input;
#[cfg(test)]
mod tests;
mod transition;

pub(super) use self::{
    conclusion::End,
    ending::{Reading, Step},
    input::{Input, Transition},
};
use self::{
    ending::Cause,
    halves::{Delivery, RecvState, SendState},
};
use crate::{close::CloseCode, error::WsErr, message::Message};

/// The state of a connection.
#[derive(Clone, Debug)]
pub(super) struct State {
    send: SendState,
    recv: RecvState,
    cause: Option<Cause>,
    delivery: Delivery,
    step: Step,
    /// The code of our close frame, once the transport has taken it; 1005 if it has none.
    close_code: Option<CloseCode>,
    end: Option<End>,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            send: SendState::Open,
            recv: RecvState::Open,
            cause: None,
            delivery: Delivery::Delivered,
            step: Step::Flush,
            close_code: None,
            end: None,
        }
    }

    /// What a read has to do.
    #[inline]
    pub(super) fn reading(&self) -> Reading {
        match (&self.cause, &self.end) {
            (None, _) => Reading::Receive,
            (Some(_), None) => Reading::Finish,
            (Some(_), Some(_)) if self.recv == RecvState::Open => Reading::Receive,
            (Some(_), Some(_)) => Reading::Ended,
        }
    }

    /// The next step of ending.
    pub(super) fn step(&self) -> Step {
        self.step
    }

    /// How the connection ended, once that is known.
    pub(super) fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// Whether neither side has begun to close, and writing works.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        matches!(self.send, SendState::Open) && self.cause.is_none()
    }

    /// Whether a close frame is pending: the transport has not yet taken it.
    #[inline]
    pub(super) fn is_close_pending(&self) -> bool {
        // What is not with the transport at the end is not sent any more.
        matches!(self.send, SendState::Closing { .. }) && self.end.is_none()
    }

    /// The close frame that is pending: the transport has not yet taken it.
    pub(super) fn pending_close(&self) -> Option<Message> {
        match &self.send {
            SendState::Closing { frame, .. } if self.end.is_none() => {
                Some(Message::Close(frame.clone()))
            }
            _ => None,
        }
    }

    /// Whether our close frame is with the transport.
    pub(super) fn is_close_queued(&self) -> bool {
        match &self.send {
            SendState::CloseQueued { .. } | SendState::CloseSent => true,
            SendState::Failed(failure) => failure.is_close_queued,
            SendState::Open | SendState::Closing { .. } => false,
        }
    }

    /// Whether data that arrives is discarded.
    #[inline]
    pub(super) fn discards(&self) -> bool {
        self.recv != RecvState::Open
    }

    /// Whether the transport has ended.
    pub(super) fn has_transport_ended(&self) -> bool {
        self.recv == RecvState::Ended
    }

    /// Whether nothing more is sent, and what the peer has in flight is still received.
    pub(super) fn only_receives(&self) -> bool {
        self.cause.is_none() && (self.is_close_queued() || self.write_error().is_some())
    }

    /// Why writing failed.
    pub(super) fn write_error(&self) -> Option<&WsErr> {
        match &self.send {
            SendState::Failed(failure) => Some(&failure.error),
            _ => None,
        }
    }

    /// Whether a violation of the peer is why the connection ends.
    pub(super) fn is_violated(&self) -> bool {
        matches!(self.cause, Some(Cause::Violation(..)))
    }

    /// Whether a writer has ended the connection, and a reader still gets what arrived before.
    pub(super) fn reads_rest(&self) -> bool {
        self.end.is_some() && self.recv == RecvState::Open
    }

    /// Whether a flush has something to wait for.
    pub(super) fn can_flush(&self) -> bool {
        let is_wanted = match &self.cause {
            None => true,
            Some(Cause::Violation(..)) => self.end.is_none() && self.is_pending(),
            Some(_) => false,
        };
        is_wanted && self.write_error().is_none()
    }

    /// Whether data that was written is still to be sent.
    #[inline]
    pub(super) fn is_pending(&self) -> bool {
        self.delivery == Delivery::Pending
    }

    /// Whether data was lost, and no writer knows.
    pub(super) fn has_unreported_loss(&self) -> bool {
        self.delivery == Delivery::Lost
    }

    /// Whether anything may be written now.
    ///
    /// # Errors
    /// Why not.
    #[inline]
    pub(super) fn check_writable(&self) -> Result<(), WsErr> {
        if self.is_open() {
            return Ok(());
        }
        Err(self.why_not_writable())
    }

    fn why_not_writable(&self) -> WsErr {
        match &self.send {
            SendState::Failed(failure) if self.cause.is_none() && !failure.is_close_queued => {
                failure.error.clone()
            }
            _ => WsErr::Closed,
        }
    }

    /// Notes that data was buffered, without the cost of [`on`](Self::on).
    #[inline]
    pub(super) fn buffered(&mut self) {
        self.delivery = Delivery::Pending;
    }

    /// Notes a flush while nothing is closing, without the cost of [`on`](Self::on). False if that has
    /// to note it.
    #[inline]
    pub(super) fn flushed_while_open(&mut self, all: bool) -> bool {
        if !self.is_open() {
            return false;
        }
        self.delivered(all);
        true
    }

    /// Everything that the transport took was flushed; `all` if nothing else is buffered.
    #[inline]
    fn delivered(&mut self, all: bool) {
        if all && self.is_pending() {
            self.delivery = Delivery::Delivered;
        }
    }

    /// The error to report to the reader: once, and only at the end.
    pub(super) fn take_error(&mut self) -> Option<WsErr> {
        let end = self.end.as_mut()?;
        if std::mem::replace(&mut end.is_reported, true) {
            return None;
        }
        end.error.clone()
    }
}
