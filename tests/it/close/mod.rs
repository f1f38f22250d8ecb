//! How a connection ends: by our close, by that of the peer, and by an abnormal closure.

mod abnormal;
mod after_violation;
mod close_with;
mod disconnect;
mod late_reads;
mod lenient_eof;
mod local;
mod peer;
mod reply;
mod write_errors;

use std::io;

use futures::executor::block_on;
use support::{FailAtEnd, PIPE_CAPACITY, ROLES, RawPeer, from_raw_socket, pipe, timeout};
use ws_framed::{CloseCode, CloseOutcome, ClosedBy, Config, WsStream};

/// The outcome of a clean close with the same code by both sides.
fn clean(code: u16, reason: &str, by: ClosedBy) -> CloseOutcome {
    clean_with(code, reason, Some(code), by)
}

/// The outcome of a clean close.
fn clean_with(code: u16, reason: &str, our_code: Option<u16>, by: ClosedBy) -> CloseOutcome {
    CloseOutcome::Clean {
        code: code.into(),
        reason: reason.to_owned(),
        our_code: our_code.map(CloseCode::from),
        by,
    }
}

/// I/O errors of an underlying stream that are no end of file.
const IO_ERRORS: [io::ErrorKind; 5] = [
    io::ErrorKind::ConnectionReset,
    io::ErrorKind::ConnectionAborted,
    io::ErrorKind::TimedOut,
    io::ErrorKind::PermissionDenied,
    io::ErrorKind::Other,
];

/// Runs a test in both roles over a stream that fails in this way in place of its end.
fn on_failing_stream(kind: io::ErrorKind, config: &Config, test: impl AsyncFn(WsStream, RawPeer)) {
    for role in ROLES {
        println!("{kind:?} as {role:?}");
        block_on(timeout(async {
            let (io, theirs) = pipe(PIPE_CAPACITY);
            let ours = from_raw_socket(FailAtEnd { io, kind }, role, config.clone()).await;
            test(ours, RawPeer::new(theirs, role.other())).await;
        }));
    }
}
