//! Why a connection ends, the steps of ending, and what they mean to a read.

use crate::{
    close::{CloseCode, CloseFrame, ClosedBy},
    error::WsErr,
};

/// Why the connection ends. The first one stands.
#[derive(Clone, Debug)]
pub(super) enum Cause {
    /// The peer's close frame was received.
    Closed {
        frame: CloseFrame,
        by: ClosedBy,
        is_normal: bool,
    },
    /// The peer violated the protocol or a limit, and gets a close frame with this code.
    Violation(WsErr, CloseCode),
    /// The transport ended or failed.
    Transport(WsErr),
    /// The peer did not respond, or took nothing, in time.
    TimedOut(WsErr),
}

impl Cause {
    /// The cause of a connection that was given up.
    pub(super) fn of(error: &WsErr) -> Self {
        match error {
            WsErr::TimedOut(_) => Self::TimedOut(error.clone()),
            _ => Self::Transport(error.clone()),
        }
    }
}

/// The next step of ending, once there is a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::connection) enum Step {
    /// Send and flush what is still to be sent.
    Flush,
    /// Close the writing half of the transport.
    Close,
    /// Discard what arrives until the transport ends, so that no reset destroys our close frame.
    Drain,
    Done,
}

/// What a read has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::connection) enum Reading {
    /// Receive messages.
    Receive,
    /// Carry out the next [`Step`].
    Finish,
    /// Report the end.
    Ended,
}
