//! What each [`Input`] changes.

use super::{
    Input, State, Step, Transition,
    ending::Cause,
    halves::{Delivery, Failure, RecvState, SendState},
};
use crate::{
    close::{CloseCode, CloseFrame, ClosedBy},
    error::WsErr,
};

impl State {
    /// Applies an input. Only this changes how the connection ends.
    pub(in crate::connection) fn on(&mut self, input: Input) -> Transition {
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
                self.delivered(all);
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
                    self.cause = Some(Cause::Violation(error, frame.code()));
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
            // The reply of the transport takes the place of our close frame, and nothing follows
            // it.
            Some(Cause::Violation(..)) if replies => {
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
            Some(Cause::Violation(..)) => Step::Drain,
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
