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
    /// The peer's close frame came.
    PeerClosed(Option<CloseFrame>),
    /// The transport ended or failed, or somebody broke a rule.
    Failed(WsErr),
    /// Nothing helped within the time that there was.
    GaveUp(WsErr),
    /// Everything that there was to do while leaving is done, or cannot be.
    Left,
}

/// A link's phase, and how it ended once that is known.
#[derive(Debug)]
pub(crate) struct Life {
    phase: Phase,
    /// Whether our close frame was handed to the transport.
    said_goodbye: bool,
    outcome: Option<CloseOutcome>,
    /// The error that the reader has yet to see.
    unread: Option<WsErr>,
}

impl Life {
    pub(crate) fn new() -> Self {
        Self {
            phase: Phase::Open,
            said_goodbye: false,
            outcome: None,
            unread: None,
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    pub(crate) fn outcome(&self) -> Option<&CloseOutcome> {
        self.outcome.as_ref()
    }

    /// Whether our own close frame was handed to the transport.
    pub(crate) fn said_goodbye(&self) -> bool {
        self.said_goodbye
    }

    /// Whether the link leaves because a rule was broken: then what still arrives is thrown away.
    pub(crate) fn has_failed(&self) -> bool {
        self.outcome == Some(CloseOutcome::Failed)
    }

    /// The error to report in band: once, and only at the end.
    pub(crate) fn take_error(&mut self) -> Option<WsErr> {
        if self.phase == Phase::Ended {
            self.unread.take()
        } else {
            None
        }
    }

    pub(crate) fn on(&mut self, input: Input) {
        use Phase::{Closing, Ended, Leaving, Open};
        match (self.phase, input) {
            // The close frame of a failing link does not change how it ends.
            (Open | Leaving, Input::CloseSent) => {
                self.said_goodbye = true;
                if self.phase == Open {
                    self.phase = Closing;
                }
            }
            (Open, Input::PeerClosed(frame)) => {
                let frame =
                    frame.unwrap_or_else(|| CloseFrame::from_peer(CloseCode::NO_STATUS, ""));
                let error = (!frame.code().is_orderly()).then(|| WsErr::Aborted(frame.clone()));
                self.decide(Leaving, clean(&frame, ClosedBy::Peer), error);
            }
            (Closing, Input::PeerClosed(frame)) => {
                let frame =
                    frame.unwrap_or_else(|| CloseFrame::from_peer(CloseCode::NO_STATUS, ""));
                self.decide(Leaving, clean(&frame, ClosedBy::Us), None);
            }
            (Open | Closing, Input::Failed(error)) => match error.farewell() {
                Some(_) => self.decide(Leaving, CloseOutcome::Failed, Some(error)),
                None => self.decide(Ended, CloseOutcome::Lost, Some(error)),
            },
            (Open | Closing, Input::GaveUp(error)) => self.give_up(error),
            // A peer that closed but does not take our answer has not been told: that is not clean.
            (Leaving, Input::GaveUp(error)) if !self.has_failed() => self.give_up(error),
            // A peer that closed and went away at once is the usual case, and clean.
            (Leaving, Input::GaveUp(_) | Input::Left) => self.phase = Ended,
            // After the end, nothing changes; while leaving, the first reason stands.
            _ => {}
        }
    }

    fn give_up(&mut self, error: WsErr) {
        let outcome = match error {
            WsErr::TimedOut(_) => CloseOutcome::TimedOut,
            _ => CloseOutcome::Lost,
        };
        self.decide(Phase::Ended, outcome, Some(error));
    }

    fn decide(&mut self, phase: Phase, outcome: CloseOutcome, error: Option<WsErr>) {
        self.phase = phase;
        self.outcome = Some(outcome);
        self.unread = error;
    }
}

fn clean(frame: &CloseFrame, by: ClosedBy) -> CloseOutcome {
    CloseOutcome::Clean {
        code: frame.code(),
        reason: frame.reason().to_owned(),
        by,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Violation;
    use std::io;

    fn open() -> Life {
        Life::new()
    }

    fn closing() -> Life {
        let mut life = open();
        life.on(Input::CloseSent);
        life
    }

    fn after(mut life: Life, inputs: impl IntoIterator<Item = Input>) -> Life {
        inputs.into_iter().for_each(|input| life.on(input));
        life
    }

    fn peer_closed(code: u16) -> Input {
        Input::PeerClosed(Some(CloseFrame::from_peer(code.into(), "why")))
    }

    fn violation() -> Input {
        Input::Failed(WsErr::Protocol(Violation::new("why")))
    }

    fn cut() -> Input {
        Input::Failed(WsErr::UnexpectedEof)
    }

    fn reset() -> Input {
        Input::Failed(io::Error::from(io::ErrorKind::ConnectionReset).into())
    }

    fn timed_out() -> Input {
        Input::GaveUp(WsErr::TimedOut("why"))
    }

    fn clean(code: u16, by: ClosedBy) -> CloseOutcome {
        CloseOutcome::Clean {
            code: code.into(),
            reason: "why".to_owned(),
            by,
        }
    }

    /// Each row: the life so far, what happens, the phase that follows, how it ends, and what the reader
    /// sees.
    #[test]
    #[expect(clippy::too_many_lines, reason = "it is a table")]
    fn transitions() {
        use io::ErrorKind::{
            ConnectionAborted, ConnectionReset, InvalidData, TimedOut, UnexpectedEof,
        };
        let us = ClosedBy::Us;
        let peer = ClosedBy::Peer;
        let rows = [
            (open(), Input::CloseSent, Phase::Closing, None, None),
            (
                open(),
                peer_closed(1000),
                Phase::Leaving,
                Some(clean(1000, peer)),
                None,
            ),
            (
                open(),
                peer_closed(1001),
                Phase::Leaving,
                Some(clean(1001, peer)),
                None,
            ),
            (
                open(),
                peer_closed(4999),
                Phase::Leaving,
                Some(clean(4999, peer)),
                None,
            ),
            (
                open(),
                peer_closed(1011),
                Phase::Leaving,
                Some(clean(1011, peer)),
                Some(ConnectionAborted),
            ),
            (
                closing(),
                peer_closed(1000),
                Phase::Leaving,
                Some(clean(1000, us)),
                None,
            ),
            (
                closing(),
                peer_closed(1011),
                Phase::Leaving,
                Some(clean(1011, us)),
                None,
            ),
            (
                open(),
                cut(),
                Phase::Ended,
                Some(CloseOutcome::Lost),
                Some(UnexpectedEof),
            ),
            (
                closing(),
                cut(),
                Phase::Ended,
                Some(CloseOutcome::Lost),
                Some(UnexpectedEof),
            ),
            (
                open(),
                reset(),
                Phase::Ended,
                Some(CloseOutcome::Lost),
                Some(ConnectionReset),
            ),
            (
                closing(),
                reset(),
                Phase::Ended,
                Some(CloseOutcome::Lost),
                Some(ConnectionReset),
            ),
            (
                open(),
                violation(),
                Phase::Leaving,
                Some(CloseOutcome::Failed),
                Some(InvalidData),
            ),
            (
                closing(),
                violation(),
                Phase::Leaving,
                Some(CloseOutcome::Failed),
                Some(InvalidData),
            ),
            (
                closing(),
                timed_out(),
                Phase::Ended,
                Some(CloseOutcome::TimedOut),
                Some(TimedOut),
            ),
            (
                after(open(), [peer_closed(1000)]),
                timed_out(),
                Phase::Ended,
                Some(CloseOutcome::TimedOut),
                Some(TimedOut),
            ),
            (
                after(open(), [violation()]),
                timed_out(),
                Phase::Ended,
                Some(CloseOutcome::Failed),
                Some(InvalidData),
            ),
            (
                after(open(), [peer_closed(1000)]),
                Input::Left,
                Phase::Ended,
                Some(clean(1000, peer)),
                None,
            ),
            (
                after(open(), [peer_closed(1000)]),
                reset(),
                Phase::Leaving,
                Some(clean(1000, peer)),
                None,
            ),
            (
                after(open(), [violation()]),
                peer_closed(1000),
                Phase::Leaving,
                Some(CloseOutcome::Failed),
                Some(InvalidData),
            ),
            (
                after(open(), [cut()]),
                peer_closed(1000),
                Phase::Ended,
                Some(CloseOutcome::Lost),
                Some(UnexpectedEof),
            ),
        ];
        for (row, (mut life, input, phase, outcome, error)) in rows.into_iter().enumerate() {
            life.on(input);
            assert_eq!(life.phase(), phase, "phase in row {row}");
            assert_eq!(life.outcome(), outcome.as_ref(), "outcome in row {row}");
            assert_eq!(
                life.unread.as_ref().map(WsErr::kind),
                error,
                "error in row {row}"
            );
        }
    }

    #[test]
    fn a_close_frame_without_a_code_reads_as_1005() {
        let life = after(open(), [Input::PeerClosed(None)]);
        let by = ClosedBy::Peer;
        let expected = CloseOutcome::Clean {
            code: CloseCode::NO_STATUS,
            reason: String::new(),
            by,
        };
        assert_eq!(life.outcome(), Some(&expected));
    }

    #[test]
    fn the_error_is_reported_once_and_only_at_the_end() {
        let mut life = after(open(), [violation()]);
        assert!(life.take_error().is_none());
        life.on(Input::Left);
        assert!(life.take_error().is_some());
        assert!(life.take_error().is_none());
    }
}
