//! The life of a connection as a pure state machine: no transport, no `Context`, no clock.
//!
//! Each half of a connection has a state of its own. The first [`Cause`] is why the connection ends;
//! [`State::conclusion`] is the one function that derives from them how it ends.
//!
//! ```text
//! sending    Open ──► Closing ──► CloseQueued ──► CloseSent
//!             │          │             │              │
//!             └──────────┴─────► Failed ◄─────────────┘
//! receiving  Open ──► Draining ──► Ended
//! cause      None ──► Closed | Violation | Transport | TimedOut
//! steps      Flush ──► Close ──► Drain ──► Done                 begin with the cause
//! ```
//!
//! What each task does, by cause and end:
//!
//! | cause | end | a read | a write | a flush | a close |
//! |---|---|---|---|---|---|
//! | none | no | receives | buffers | sends | sends, then the close frame |
//! | `Closed` | no | flushes our close frame, which ends it | `BrokenPipe` | `BrokenPipe` once if data was lost | flushes our close frame |
//! | `Violation` | no | sends what is buffered and the close frame, closes the transport, discards until its end, which ends it | `BrokenPipe` | waits until what was written before has been sent | the same, and the close frame |
//! | any | yes | while the receiving half is `Open`: what arrived before; then the error, once; then the end | `BrokenPipe` | `BrokenPipe` once if data was lost | waits until the transport is closed |
//!
//! A write, flush or close that must wait while there is no cause also receives control messages, and
//! at most one data message, which it keeps for the reader.

mod conclusion;
mod input;
mod parts;
#[cfg(all(test, feature = "__property-tests"))]
mod tests;

use self::parts::{Cause, Delivery, Failure, RecvState, SendState};
pub(super) use self::{
    conclusion::End,
    input::{Input, Transition},
    parts::{Reading, Step},
};
use crate::{
    close::{CloseCode, CloseFrame, ClosedBy},
    error::WsErr,
    message::Message,
};

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

    /// Whether a close frame waits for the transport.
    #[inline]
    pub(super) fn is_close_pending(&self) -> bool {
        // What is not with the transport at the end is not sent any more.
        matches!(self.send, SendState::Closing { .. }) && self.end.is_none()
    }

    /// The close frame that waits for the transport.
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
        matches!(self.cause, Some(Cause::Violation(_)))
    }

    /// Whether a writer has ended the connection, and a reader still gets what arrived before.
    pub(super) fn reads_rest(&self) -> bool {
        self.end.is_some() && self.recv == RecvState::Open
    }

    /// Whether a flush has something to wait for.
    pub(super) fn can_flush(&self) -> bool {
        let is_wanted = match &self.cause {
            None => true,
            Some(Cause::Violation(_)) => self.end.is_none() && self.is_pending(),
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

    /// The error to report to the reader: once, and only at the end.
    pub(super) fn take_error(&mut self) -> Option<WsErr> {
        let end = self.end.as_mut()?;
        if std::mem::replace(&mut end.is_reported, true) {
            return None;
        }
        end.error.clone()
    }

    pub(super) fn on(&mut self, input: Input) -> Transition {
        let was_caused = self.cause.is_some();
        let was_concluded = self.end.is_some();
        let mut restarts_deadline = false;
        let mut wakes_reader = false;
        match input {
            Input::CloseRequested(frame) => {
                if self.is_open() {
                    self.send = SendState::Closing {
                        frame: Some(frame),
                        blocked: false,
                    };
                    restarts_deadline = true;
                    // A reader has to watch the deadline from now on.
                    wakes_reader = true;
                }
            }
            Input::DiscardRequested => self.drain(),
            Input::MessageQueued => restarts_deadline = self.is_close_pending(),
            Input::CloseQueued => {
                if let SendState::Closing { frame, blocked } = &self.send {
                    self.close_code = Some(code_of(frame.as_ref()));
                    self.send = SendState::CloseQueued { blocked: *blocked };
                    restarts_deadline = true;
                }
            }
            Input::Blocked => self.block(),
            Input::Flushed { all } => {
                if matches!(self.send, SendState::CloseQueued { .. }) {
                    self.send = SendState::CloseSent;
                }
                if all && self.is_pending() {
                    self.delivery = Delivery::Delivered;
                }
            }
            Input::WriteFailed(error) => {
                if self.write_error().is_none() {
                    self.fail_writing(error);
                    // A reader has this long to find the end of the transport.
                    restarts_deadline = true;
                    wakes_reader = true;
                }
            }
            Input::LossReported => {
                if self.delivery == Delivery::Lost {
                    self.delivery = Delivery::LossReported;
                }
            }
            Input::Sent => {
                let is_queued = matches!(self.send, SendState::CloseQueued { .. });
                restarts_deadline = self.is_close_pending() || is_queued && self.end.is_none();
            }
            // A caller who reads slowly still gets what the peer had in flight.
            Input::Progress => restarts_deadline = self.only_receives() && !self.discards(),
            Input::PeerClosed {
                frame,
                is_normal,
                replies,
            } => self.on_peer_closed(frame, is_normal, replies),
            Input::Violation(error, frame) => {
                if self.cause.is_none() {
                    self.cause = Some(Cause::Violation(error));
                    self.send_close(Some(frame), false);
                }
                self.drain();
            }
            Input::TransportFailed(error) => {
                self.cause.get_or_insert(Cause::Transport(error));
                self.drain();
                self.conclude(None);
            }
            Input::TransportEnded => self.recv = RecvState::Ended,
            Input::GaveUp(error) => {
                self.cause.get_or_insert_with(|| Cause::of(&error));
                self.drain();
                self.conclude(Some(&error));
            }
            Input::GaveUpWriting(error) => {
                self.cause.get_or_insert_with(|| Cause::of(&error));
                if self.write_error().is_none() {
                    self.fail_writing(error.clone());
                }
                self.conclude(Some(&error));
                restarts_deadline = true;
                wakes_reader = true;
            }
            Input::StepDone => self.on_step_done(),
        }
        let is_caused = self.cause.is_some() && !was_caused;
        let is_concluded = self.end.is_some() && !was_concluded;
        Transition {
            restarts_deadline: restarts_deadline || is_caused || is_concluded,
            is_caused,
            is_concluded,
            wakes_reader: wakes_reader || is_concluded,
        }
    }

    fn drain(&mut self) {
        if self.recv == RecvState::Open {
            self.recv = RecvState::Draining;
        }
    }

    fn block(&mut self) {
        // Before the connection begins to end, a wait is nothing unusual.
        if self.cause.is_none() {
            return;
        }
        if let SendState::Closing { blocked, .. } | SendState::CloseQueued { blocked } =
            &mut self.send
        {
            *blocked = true;
        }
    }

    fn fail_writing(&mut self, error: WsErr) {
        let is_close_blocked = match &self.send {
            // Both sides have to close (RFC 6455 section 7.1.4). A peer that closes first and then
            // disconnects at once is not waiting for our close frame, unless that was in flight.
            SendState::CloseQueued { blocked } => *blocked || self.cause.is_none(),
            SendState::Closing { blocked, .. } => *blocked,
            SendState::Open | SendState::CloseSent | SendState::Failed(_) => false,
        };
        self.send = SendState::Failed(Failure {
            error,
            is_close_queued: self.is_close_queued(),
            is_close_sent: matches!(self.send, SendState::CloseSent),
            is_harmless: !is_close_blocked && !self.is_pending(),
        });
        self.lose_pending();
    }

    fn lose_pending(&mut self) {
        if self.is_pending() {
            self.delivery = Delivery::Lost;
        }
    }

    fn on_peer_closed(&mut self, frame: Option<CloseFrame>, is_normal: bool, replies: bool) {
        let reply = frame.clone().map(reply_to);
        match &self.cause {
            None => {
                // A peer that replies to our close frame repeats its code (RFC 6455 section 5.5.1).
                let is_normal = is_normal || self.close_code == Some(code_of(frame.as_ref()));
                let by = if self.is_close_queued() {
                    ClosedBy::Us
                } else {
                    ClosedBy::Peer
                };
                // What is still to be sent was not answered by the peer's close frame.
                let blocked = self.is_pending();
                self.lose_pending();
                match &mut self.send {
                    SendState::CloseQueued { blocked } => *blocked = true,
                    _ if replies => self.reply_queued(reply.as_ref(), blocked),
                    _ => self.send_close(reply, blocked),
                }
                let frame = frame.unwrap_or_else(no_status);
                self.cause = Some(Cause::Closed {
                    frame,
                    by,
                    is_normal,
                });
            }
            // The reply of the transport takes the place of our close frame, and nothing follows it.
            Some(Cause::Violation(_)) if replies => {
                self.reply_queued(reply.as_ref(), true);
                self.lose_pending();
            }
            Some(_) => {}
        }
        self.drain();
    }

    /// Sends a close frame, in place of one that is still to be sent.
    fn send_close(&mut self, frame: Option<CloseFrame>, blocked: bool) {
        if matches!(self.send, SendState::Open | SendState::Closing { .. }) {
            self.send = SendState::Closing { frame, blocked };
        }
    }

    /// The transport sends its reply to the peer's close frame in place of ours.
    fn reply_queued(&mut self, reply: Option<&CloseFrame>, blocked: bool) {
        if matches!(self.send, SendState::Open | SendState::Closing { .. }) {
            self.close_code = Some(code_of(reply));
            self.send = SendState::CloseQueued { blocked };
        }
    }

    fn on_step_done(&mut self) {
        self.step = match self.step {
            Step::Flush => Step::Close,
            Step::Close => Step::Drain,
            Step::Drain | Step::Done => Step::Done,
        };
        let last = match &self.cause {
            // Both sides know how it ended: the rest is for callers who wait for it.
            Some(Cause::Closed { .. }) => Step::Flush,
            Some(Cause::Violation(_)) => Step::Drain,
            _ => return,
        };
        if self.step > last {
            self.conclude(None);
        }
    }

    fn conclude(&mut self, stop: Option<&WsErr>) {
        if self.end.is_none() {
            self.end = self.conclusion(stop);
            self.lose_pending();
            self.step = self.step.max(Step::Close);
        }
    }
}

fn no_status() -> CloseFrame {
    CloseFrame::from_peer(CloseCode::NO_STATUS_RECEIVED, "")
}

fn code_of(frame: Option<&CloseFrame>) -> CloseCode {
    frame.map_or(CloseCode::NO_STATUS_RECEIVED, CloseFrame::code)
}

/// The reply to a close frame repeats it (RFC 6455 section 5.5.1), unless its code may not be sent.
fn reply_to(frame: CloseFrame) -> CloseFrame {
    if frame.code().is_sendable() {
        frame
    } else {
        CloseFrame::new_unchecked(CloseCode::PROTOCOL_ERROR, "the close code may not be sent")
    }
}
