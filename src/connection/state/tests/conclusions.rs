//! The outcome of a connection, and the error of its reader, after each sequence of inputs.

use super::*;

/// Each sequence of inputs leads to its outcome, and to the error that the reader gets once.
#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn conclusions_match_the_table() {
    use ErrorKind::{ConnectionAborted, ConnectionReset, InvalidData, TimedOut, UnexpectedEof};
    let ended = CloseOutcome::Lost(LossCause::UnexpectedEof);
    let lost = CloseOutcome::Lost(LossCause::Io(ConnectionReset));
    let closed = CloseOutcome::Lost(LossCause::Closed(CloseCode::NORMAL_CLOSURE));
    let rows: Vec<(Vec<Input>, CloseOutcome, Option<ErrorKind>)> = vec![
        // The peer closes first.
        (
            [vec![peer_closed(1000)], replied()].concat(),
            clean(1000, PEER),
            None,
        ),
        (
            [vec![peer_closed(1001)], replied()].concat(),
            clean(1001, PEER),
            None,
        ),
        (
            [vec![peer_closed(4999)], replied()].concat(),
            clean(4999, PEER),
            None,
        ),
        (
            [vec![peer_closed(1011)], replied()].concat(),
            clean(1011, PEER),
            Some(ConnectionAborted),
        ),
        // The peer disconnects at once, and does not wait for our reply.
        (
            [vec![peer_closed(1000)], write_failed()].concat(),
            exchanged(1000, None, PEER),
            None,
        ),
        // The peer stays connected, and does not take our reply.
        (
            [vec![peer_closed(1000), Input::Blocked], write_failed()].concat(),
            closed.clone(),
            Some(ConnectionReset),
        ),
        (
            [
                vec![peer_closed(1000), Input::CloseQueued, Input::Blocked],
                write_failed(),
            ]
            .concat(),
            closed.clone(),
            Some(ConnectionReset),
        ),
        (
            [vec![peer_closed(1000), Input::Blocked], replied()].concat(),
            clean(1000, PEER),
            None,
        ),
        (
            vec![peer_closed(1000), Input::Blocked, timed_out()],
            CloseOutcome::TimedOut,
            Some(TimedOut),
        ),
        (
            vec![peer_closed(1011), Input::Blocked, timed_out()],
            CloseOutcome::TimedOut,
            Some(ConnectionAborted),
        ),
        // We close first.
        (
            [close_sent(), vec![peer_closed(1000), Input::StepDone]].concat(),
            clean(1000, US),
            None,
        ),
        (
            [close_sent(), vec![peer_closed(1011), Input::StepDone]].concat(),
            exchanged(1011, Some(1000), US),
            Some(ConnectionAborted),
        ),
        // A code that the caller takes for a failure, unless it is the reply to ours.
        (
            [vec![failed_with(4401)], replied()].concat(),
            clean(4401, PEER),
            Some(ConnectionAborted),
        ),
        (
            [close_sent(), vec![failed_with(4401), Input::StepDone]].concat(),
            exchanged(4401, Some(1000), US),
            Some(ConnectionAborted),
        ),
        (
            vec![
                Input::CloseRequested(CloseFrame::from_peer(4401.into(), "")),
                Input::CloseQueued,
                Input::Flushed { all: true },
                failed_with(4401),
                Input::StepDone,
            ],
            clean(4401, US),
            None,
        ),
        (
            vec![
                Input::CloseRequested(CloseFrame::from_peer(1011.into(), "")),
                Input::CloseQueued,
                Input::Flushed { all: true },
                peer_closed(1011),
                Input::StepDone,
            ],
            clean(1011, US),
            None,
        ),
        // Our close frame was queued, and never sent.
        (
            [closing(), vec![peer_closed(1000)], write_failed()].concat(),
            closed.clone(),
            Some(ConnectionReset),
        ),
        (
            [closing(), vec![peer_closed(1011)], write_failed()].concat(),
            CloseOutcome::Lost(LossCause::Closed(CloseCode::from(1011))),
            Some(ConnectionAborted),
        ),
        // It was requested, and the peer closed and disconnected before it was queued.
        (
            [
                vec![close_requested(), Input::WriteFailed(reset_error())],
                vec![peer_closed(1000), Input::GaveUp(reset_error())],
            ]
            .concat(),
            exchanged(1000, None, PEER),
            None,
        ),
        // Only a pong after it is unsent.
        (
            [
                close_sent(),
                vec![peer_closed(1011), Input::Blocked],
                write_failed(),
            ]
            .concat(),
            exchanged(1011, Some(1000), US),
            Some(ConnectionAborted),
        ),
        (
            [close_sent(), vec![peer_closed(1000), timed_out()]].concat(),
            clean(1000, US),
            None,
        ),
        (
            [closing(), vec![timed_out()]].concat(),
            CloseOutcome::TimedOut,
            Some(TimedOut),
        ),
        // The transport ends or fails.
        (vec![eof()], ended.clone(), Some(UnexpectedEof)),
        (
            [closing(), vec![eof()]].concat(),
            ended.clone(),
            Some(UnexpectedEof),
        ),
        (vec![reset()], lost.clone(), Some(ConnectionReset)),
        (
            [close_sent(), vec![reset()]].concat(),
            lost.clone(),
            Some(ConnectionReset),
        ),
        (write_failed(), lost.clone(), Some(ConnectionReset)),
        (vec![eof(), peer_closed(1000)], ended, Some(UnexpectedEof)),
        // The peer violates a rule.
        (
            [vec![violation()], vec![Input::StepDone; 3]].concat(),
            CloseOutcome::Failed(CloseCode::PROTOCOL_ERROR),
            Some(InvalidData),
        ),
        (
            [close_sent(), vec![violation()], vec![Input::StepDone; 3]].concat(),
            CloseOutcome::Failed(CloseCode::PROTOCOL_ERROR),
            Some(InvalidData),
        ),
        (
            vec![violation(), timed_out()],
            CloseOutcome::Failed(CloseCode::PROTOCOL_ERROR),
            Some(InvalidData),
        ),
        (
            [vec![violation(), peer_closed(1000)], write_failed()].concat(),
            CloseOutcome::Failed(CloseCode::PROTOCOL_ERROR),
            Some(InvalidData),
        ),
    ];
    for (row, (inputs, outcome, error)) in rows.into_iter().enumerate() {
        let mut state = after(inputs);
        assert_eq!(state.reading(), Reading::Ended, "row {row}");
        assert_eq!(state.end().unwrap().outcome, outcome, "row {row}");
        let reported = state.take_error();
        assert_eq!(reported.as_ref().map(WsErr::kind), error, "row {row}");
        assert!(state.take_error().is_none(), "row {row}");
    }
}

/// An end with unsent data is unclean only if the peer did not take our reply.
#[test]
fn unsent_data_may_end_cleanly() {
    let pending = |inputs: Vec<Input>| {
        let mut state = State::new();
        state.buffered();
        for input in inputs {
            state.on(input);
        }
        state
    };
    let replied = pending([vec![peer_closed(1000)], replied()].concat());
    assert_eq!(replied.end().unwrap().outcome, clean(1000, PEER));
    assert!(replied.has_unreported_loss());
    let failed = pending([vec![peer_closed(1000)], write_failed()].concat());
    assert_eq!(
        failed.end().unwrap().outcome,
        CloseOutcome::Lost(LossCause::Closed(CloseCode::NORMAL_CLOSURE))
    );
    let failed_before = pending(vec![
        Input::WriteFailed(reset_error()),
        peer_closed(1000),
        Input::GaveUp(reset_error()),
    ]);
    assert_eq!(
        failed_before.end().unwrap().outcome,
        CloseOutcome::Lost(LossCause::Closed(CloseCode::NORMAL_CLOSURE))
    );
}
