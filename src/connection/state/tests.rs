//! The table of conclusions, and the rules of writing, reading and replying.

mod conclusions;
#[cfg(feature = "__property-tests")]
mod properties;

use std::io::{self, ErrorKind};

use super::*;
use crate::{
    close::{CloseFrame, CloseOutcome, ClosedBy, LossCause},
    error::{Timeout, Violation},
};

const US: ClosedBy = ClosedBy::Us;
const PEER: ClosedBy = ClosedBy::Peer;

fn after(inputs: impl IntoIterator<Item = Input>) -> State {
    let mut state = State::new();
    for input in inputs {
        state.on(input);
    }
    state
}

/// The code of the close frame that waits for the transport.
fn pending_code(state: &State) -> CloseCode {
    match state.pending_close() {
        Some(Message::Close(Some(frame))) => frame.code(),
        other => panic!("{other:?}"),
    }
}

fn close_requested() -> Input {
    Input::CloseRequested(CloseFrame::normal())
}

/// Our close frame is with the transport.
fn closing() -> Vec<Input> {
    vec![close_requested(), Input::CloseQueued]
}

/// Our close frame is flushed.
fn close_sent() -> Vec<Input> {
    [closing(), vec![flushed()]].concat()
}

fn flushed() -> Input {
    Input::Flushed { all: true }
}

fn peer_closed(code: u16) -> Input {
    let code = CloseCode::from(code);
    Input::PeerClosed {
        is_normal: code.is_normal_closure(),
        frame: Some(CloseFrame::from_peer(code, "why")),
        replies: false,
    }
}

/// The peer closes with a code that the caller takes for a failure.
fn failed_with(code: u16) -> Input {
    Input::PeerClosed {
        frame: Some(CloseFrame::from_peer(code.into(), "why")),
        is_normal: false,
        replies: false,
    }
}

/// A close frame without a code.
fn bare_close() -> Input {
    Input::PeerClosed {
        frame: None,
        is_normal: true,
        replies: false,
    }
}

fn violation() -> Input {
    let frame = CloseFrame::new_unchecked(CloseCode::PROTOCOL_ERROR, "why");
    Input::Violation(WsErr::Protocol(Violation::new("why")), frame)
}

fn eof() -> Input {
    Input::TransportFailed(WsErr::UnexpectedEof)
}

fn reset_error() -> WsErr {
    io::Error::from(ErrorKind::ConnectionReset).into()
}

fn reset() -> Input {
    Input::TransportFailed(reset_error())
}

fn write_failed() -> Vec<Input> {
    vec![
        Input::WriteFailed(reset_error()),
        Input::GaveUp(reset_error()),
    ]
}

fn timed_out() -> Input {
    Input::GaveUp(WsErr::TimedOut(Timeout::Silent))
}

/// A close frame of ours was sent, with the code of the peer's.
fn clean(code: u16, by: ClosedBy) -> CloseOutcome {
    exchanged(code, Some(code), by)
}

fn exchanged(code: u16, our_code: Option<u16>, by: ClosedBy) -> CloseOutcome {
    CloseOutcome::Clean {
        code: code.into(),
        reason: "why".to_owned(),
        our_code: our_code.map(CloseCode::from),
        by,
    }
}

/// The reply to the peer's close frame is flushed.
fn replied() -> Vec<Input> {
    vec![Input::CloseQueued, flushed(), Input::StepDone]
}

/// A writer that times out ends the connection, except for a reader.
#[test]
fn reading_outlasts_the_writer() {
    let ends = [
        peer_closed(1000),
        peer_closed(1011),
        violation(),
        eof(),
        reset(),
        timed_out(),
    ];
    for begin in [vec![], closing(), close_sent()] {
        for end in &ends {
            let gave_up = Input::GaveUpWriting(WsErr::TimedOut(Timeout::Silent));
            let mut state = after([begin.clone(), vec![gave_up]].concat());
            assert_eq!(state.end().unwrap().outcome, CloseOutcome::TimedOut);
            assert_eq!(state.reading(), Reading::Receive);
            assert!(state.reads_rest());
            assert!(matches!(state.check_writable(), Err(WsErr::Closed)));
            state.on(end.clone());
            assert_eq!(state.reading(), Reading::Ended);
            assert_eq!(state.end().unwrap().outcome, CloseOutcome::TimedOut);
            assert_eq!(state.take_error().unwrap().kind(), ErrorKind::TimedOut);
        }
    }
}

/// Data written before a violation is still sent, and a flush waits for it.
#[test]
fn violation_keeps_buffered_data() {
    let mut state = State::new();
    state.buffered();
    state.on(violation());
    assert!(matches!(state.check_writable(), Err(WsErr::Closed)));
    assert!(state.can_flush());
    state.on(flushed());
    assert!(!state.can_flush());
    assert!(!state.has_unreported_loss());
    assert_eq!(pending_code(&state), 1002.into());
}

/// A transport that replies by itself sends its reply in place of our close frame.
#[test]
fn reply_of_transport_replaces_pending_close() {
    let replies = Input::PeerClosed {
        frame: None,
        is_normal: true,
        replies: true,
    };
    for before in [vec![], vec![close_requested()], vec![violation()]] {
        let state = after([before, vec![replies.clone()]].concat());
        assert!(state.pending_close().is_none());
        assert!(state.is_close_queued());
    }
}

/// The reply repeats the code, except for one that may not be sent.
#[test]
fn reply_repeats_sendable_codes() {
    for (code, reply) in [(1000, 1000), (4999, 4999), (1006, 1002), (0, 1002)] {
        let state = after([peer_closed(code)]);
        assert_eq!(u16::from(pending_code(&state)), reply);
    }
    let state = after([bare_close()]);
    assert_eq!(state.pending_close(), Some(Message::Close(None)));
}

/// A close frame without a code reads as 1005.
#[test]
fn missing_code_reads_as_1005() {
    let state = after([vec![bare_close()], replied()].concat());
    let expected = CloseOutcome::Clean {
        code: CloseCode::NO_STATUS_RECEIVED,
        reason: String::new(),
        our_code: Some(CloseCode::NO_STATUS_RECEIVED),
        by: PEER,
    };
    assert_eq!(state.end().unwrap().outcome, expected);
}

/// A failed write is reported to each later write until the connection has a cause to end.
#[test]
fn write_error_is_repeated() {
    let mut state = after([Input::WriteFailed(reset_error())]);
    assert!(matches!(state.check_writable(), Err(WsErr::Io(_))));
    assert_eq!(state.reading(), Reading::Receive);
    state.on(eof());
    assert!(matches!(state.check_writable(), Err(WsErr::Closed)));
}
