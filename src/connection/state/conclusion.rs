//! How a connection ends: one pure function of its state.

use super::{State, ending::Cause, halves::SendState};
use crate::{
    close::{CloseOutcome, LossCause},
    error::WsErr,
};

/// How the connection ended.
#[derive(Clone, Debug)]
pub(in crate::connection) struct End {
    pub(in crate::connection) outcome: CloseOutcome,
    /// The error that a reader gets, once.
    pub(in crate::connection) error: Option<WsErr>,
    pub(super) is_reported: bool,
}

impl State {
    /// How the connection ends, if it ends now: because all steps that matter are done, or because
    /// of `stop`. `None` while there is no cause.
    ///
    /// | cause | our close frame | outcome | error of the reader |
    /// |---|---|---|---|
    /// | `Closed` | sent, or failed harmlessly, or nothing has stopped it (`Flush` is done) | `Clean` | `Aborted`, if the peer's code reports a failure and is not the reply to ours |
    /// | `Closed` | else | `TimedOut` or `Lost`, by the error that stopped it, with the peer's code | `Aborted`, if the peer's code reports a failure, else that error |
    /// | `Violation` | any | `Failed` with its code | the violation |
    /// | `Transport` | any | `Lost` | the error |
    /// | `TimedOut` | any | `TimedOut` | the error |
    pub(in crate::connection) fn conclusion(&self, stop: Option<&WsErr>) -> Option<End> {
        let (outcome, error) = match self.cause.as_ref()? {
            Cause::Closed {
                frame,
                by,
                is_normal,
            } => {
                let aborted = (!is_normal).then(|| WsErr::Aborted(frame.clone()));
                let (is_sent, is_exchanged) = match &self.send {
                    SendState::CloseSent => (true, true),
                    SendState::Failed(failure) => (failure.is_close_sent, failure.is_harmless),
                    SendState::Open | SendState::Closing { .. } | SendState::CloseQueued { .. } => {
                        (false, false)
                    }
                };
                match stop.or(self.write_error()).filter(|_| !is_exchanged) {
                    None => {
                        let outcome = CloseOutcome::Clean {
                            code: frame.code(),
                            reason: frame.reason().to_owned(),
                            our_code: self.close_code.filter(|_| is_sent),
                            by: *by,
                        };
                        (outcome, aborted)
                    }
                    Some(error) => {
                        let outcome = match outcome_of(error) {
                            CloseOutcome::Lost(_) => {
                                CloseOutcome::Lost(LossCause::Closed(frame.code()))
                            }
                            outcome => outcome,
                        };
                        (outcome, Some(aborted.unwrap_or_else(|| error.clone())))
                    }
                }
            }
            Cause::Violation(error, code) => (CloseOutcome::Failed(*code), Some(error.clone())),
            Cause::Transport(error) => (outcome_of(error), Some(error.clone())),
            Cause::TimedOut(error) => (CloseOutcome::TimedOut, Some(error.clone())),
        };
        Some(End {
            outcome,
            error,
            is_reported: false,
        })
    }
}

fn outcome_of(error: &WsErr) -> CloseOutcome {
    match error {
        WsErr::TimedOut(_) => CloseOutcome::TimedOut,
        WsErr::UnexpectedEof => CloseOutcome::Lost(LossCause::UnexpectedEof),
        error => CloseOutcome::Lost(LossCause::Io(error.kind())),
    }
}
