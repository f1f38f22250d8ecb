//! The life of a link as pure transitions: no socket, no context, no clock.
//!
//! ```text
//!            our close sent          peer's close
//!   ┌──────┐ ────────────► ┌─────────┐ ─────────► ┌─────────┐ left  ┌───────┐
//!   │ Open │               │ Closing │            │ Leaving │ ────► │ Ended │
//!   └──────┘ ────────────────────────────────────►└─────────┘       └───────┘
//!       │     peer's close, or somebody broke a rule      timed out     ▲
//!       └───────────────────────────────────────────────────────────────┘
//!                  the transport ended, failed, or timed out
//! ```
//!
//! In `Leaving` it is decided how the link ends, and what is left is to tell the peer.

#[cfg(test)]
mod tests;

use crate::{
    close::{CloseCode, CloseFrame, CloseOutcome, ClosedBy},
    error::WsErr,
};

/// Where a link is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Messages go both ways.
    Open,
    /// Our close frame is with the transport, the peer's has not come. Reading goes on.
    Closing,
    /// How it ends is decided; close frames still have to be flushed.
    Leaving,
    /// Nothing comes any more.
    Ended,
}

/// What happens to a link.
#[derive(Debug)]
pub(crate) enum Input {
    /// The transport took our close frame.
    CloseSent,
    /// Everything that the transport took has left.
    Flushed,
    /// The peer's close frame came.
    PeerClosed(Option<CloseFrame>),
    /// Our close frame, be it the answer to the peer's, has to wait, or data before it, or that was lost.
    AnswerWaits,
    /// The transport ended or failed, or somebody broke a rule.
    Failed(WsErr),
    /// Nothing helped within the time that there was.
    GaveUp(WsErr),
    /// The same for what is to be sent. What came before may still be read.
    GaveUpWriting(WsErr),
    /// Everything that there was to do while leaving is done.
    Left,
}

/// Where our close frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goodbye {
    /// Not with the transport, which answers the peer's by itself.
    Unsaid,
    /// With the transport.
    Said,
    /// On its way to the peer.
    Out,
}

/// A link's phase, and how it ended once that is known.
#[derive(Debug)]
pub(crate) struct Life {
    phase: Phase,
    goodbye: Goodbye,
    answer_waits: bool,
    outcome: Option<CloseOutcome>,
    error: Option<WsErr>,
    /// The reader has seen the error.
    is_reported: bool,
}

impl Life {
    pub(crate) fn new() -> Self {
        Self {
            phase: Phase::Open,
            goodbye: Goodbye::Unsaid,
            answer_waits: false,
            outcome: None,
            error: None,
            is_reported: false,
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    pub(crate) fn outcome(&self) -> Option<&CloseOutcome> {
        self.outcome.as_ref()
    }

    /// What went wrong.
    pub(crate) fn error(&self) -> Option<&WsErr> {
        self.error.as_ref()
    }

    pub(crate) fn goodbye(&self) -> Goodbye {
        self.goodbye
    }

    /// Whether our own close frame was handed to the transport.
    pub(crate) fn said_goodbye(&self) -> bool {
        self.goodbye != Goodbye::Unsaid
    }

    /// Whether the link leaves because a rule was broken: then what still arrives is thrown away.
    pub(crate) fn has_failed(&self) -> bool {
        self.outcome == Some(CloseOutcome::Failed)
    }

    /// Whether nothing changes any more how the link ends.
    pub(crate) fn is_settled(&self) -> bool {
        match self.outcome {
            // A peer that went away at once is the usual case. One that was there and was not told is not: both sides
            // have to close (RFC 6455 section 7.1.4).
            Some(CloseOutcome::Clean { .. }) => !self.answer_waits,
            Some(_) => true,
            None => false,
        }
    }

    /// The error to report in band: once, and only at the end.
    pub(crate) fn take_error(&mut self) -> Option<WsErr> {
        if self.phase != Phase::Ended || std::mem::replace(&mut self.is_reported, true) {
            return None;
        }
        self.error.clone()
    }

    pub(crate) fn on(&mut self, input: Input) {
        use Phase::{Closing, Ended, Leaving, Open};
        match (self.phase, input) {
            // The close frame of a failing link does not change how it ends.
            (Open | Leaving, Input::CloseSent) => {
                self.goodbye = Goodbye::Said;
                if self.phase == Open {
                    self.phase = Closing;
                }
            }
            (Closing, Input::Flushed) => self.goodbye = Goodbye::Out,
            (Open, Input::PeerClosed(frame)) => {
                let frame = frame.unwrap_or_else(no_status);
                self.decide(Leaving, clean(&frame, ClosedBy::Peer), aborted(&frame));
            }
            (Closing, Input::PeerClosed(frame)) => {
                let frame = frame.unwrap_or_else(no_status);
                self.decide(Leaving, clean(&frame, ClosedBy::Us), None);
            }
            (Open | Closing, Input::Failed(error)) => match error.farewell() {
                Some(_) => self.decide(Leaving, CloseOutcome::Failed, Some(error)),
                None => self.decide(Ended, CloseOutcome::Lost, Some(error)),
            },
            (phase @ (Open | Closing), Input::GaveUpWriting(error)) => {
                self.decide(phase, outcome_of(&error), Some(error));
            }
            (Open | Closing | Leaving, Input::AnswerWaits) => {
                // Only pongs can be behind it.
                self.answer_waits = self.goodbye != Goodbye::Out;
            }
            (Open | Closing | Leaving, Input::GaveUp(error)) => {
                let outcome = outcome_of(&error);
                // What the peer closed for says more than that it does not take our close frame.
                let error = self.abort_of_peer().unwrap_or(error);
                self.decide(Ended, outcome, Some(error));
            }
            (Leaving, Input::Left) => self.phase = Ended,
            // After the end, nothing changes; while leaving, the first reason stands.
            _ => {}
        }
    }

    /// What is wrong with the code that the peer closed with, while its close may still turn out not to be one.
    pub(crate) fn abort_of_peer(&self) -> Option<WsErr> {
        match &self.outcome {
            Some(CloseOutcome::Clean { code, reason, .. }) => {
                aborted(&CloseFrame::from_peer(*code, reason))
            }
            _ => None,
        }
    }

    fn decide(&mut self, phase: Phase, outcome: CloseOutcome, error: Option<WsErr>) {
        // A writer that gave up has decided before, and handles have been told.
        if !self.is_settled() {
            self.outcome = Some(outcome);
            self.error = error;
        }
        self.phase = phase;
    }
}

/// How a link ends that is given up.
fn outcome_of(error: &WsErr) -> CloseOutcome {
    match error {
        WsErr::TimedOut(_) => CloseOutcome::TimedOut,
        _ => CloseOutcome::Lost,
    }
}

fn clean(frame: &CloseFrame, by: ClosedBy) -> CloseOutcome {
    CloseOutcome::Clean {
        code: frame.code(),
        reason: frame.reason().to_owned(),
        by,
    }
}

fn aborted(frame: &CloseFrame) -> Option<WsErr> {
    (!frame.code().is_orderly()).then(|| WsErr::Aborted(frame.clone()))
}

fn no_status() -> CloseFrame {
    CloseFrame::from_peer(CloseCode::NO_STATUS, "")
}
