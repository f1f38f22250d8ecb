//! The table of transitions.

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

fn lost() -> Input {
    Input::GaveUp(io::Error::from(io::ErrorKind::ConnectionReset).into())
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
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, InvalidData, TimedOut, UnexpectedEof};
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
            lost(),
            Phase::Ended,
            Some(clean(1000, peer)),
            None,
        ),
        (
            after(open(), [peer_closed(1000), Input::AnswerWaits]),
            lost(),
            Phase::Ended,
            Some(CloseOutcome::Lost),
            Some(ConnectionReset),
        ),
        (
            after(closing(), [peer_closed(1000), Input::AnswerWaits]),
            lost(),
            Phase::Ended,
            Some(CloseOutcome::Lost),
            Some(ConnectionReset),
        ),
        (
            after(
                closing(),
                [Input::Flushed, peer_closed(1011), Input::AnswerWaits],
            ),
            lost(),
            Phase::Ended,
            Some(clean(1011, us)),
            None,
        ),
        (
            after(closing(), [peer_closed(1011), Input::AnswerWaits]),
            lost(),
            Phase::Ended,
            Some(CloseOutcome::Lost),
            Some(ConnectionAborted),
        ),
        (
            after(open(), [peer_closed(1000), Input::AnswerWaits]),
            Input::Left,
            Phase::Ended,
            Some(clean(1000, peer)),
            None,
        ),
        (
            after(open(), [peer_closed(1000), Input::AnswerWaits]),
            timed_out(),
            Phase::Ended,
            Some(CloseOutcome::TimedOut),
            Some(TimedOut),
        ),
        (
            after(open(), [peer_closed(1011), Input::AnswerWaits]),
            timed_out(),
            Phase::Ended,
            Some(CloseOutcome::TimedOut),
            Some(ConnectionAborted),
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
        assert_eq!(life.error().map(WsErr::kind), error, "error in row {row}");
    }
}

#[test]
fn when_a_writer_has_given_up_reading_goes_on_and_nothing_changes_how_it_ends() {
    let gave_up = || Input::GaveUpWriting(WsErr::TimedOut("why"));
    let ends = [
        || vec![peer_closed(1000), Input::Left],
        || vec![peer_closed(1011), timed_out()],
        || vec![violation(), Input::Left],
        || vec![cut()],
        || vec![reset()],
        || vec![timed_out()],
    ];
    for life in [open, closing] {
        for end in ends {
            let phase = life().phase();
            let mut life = after(life(), [gave_up()]);
            assert_eq!(life.phase(), phase);
            assert_eq!(life.outcome(), Some(&CloseOutcome::TimedOut));
            assert!(
                life.take_error().is_none(),
                "what came before is read first"
            );
            let mut life = after(life, end());
            assert_eq!(life.phase(), Phase::Ended);
            assert_eq!(life.outcome(), Some(&CloseOutcome::TimedOut));
            let error = life.take_error().unwrap();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        }
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
