//! The states of the two halves, and what a [`State`](super::State) knows besides them.

use crate::{
    close::{CloseFrame, ClosedBy},
    error::WsErr,
};

/// The sending half.
#[derive(Clone, Debug)]
pub(super) enum SendState {
    Open,
    /// A close frame is to be sent behind what is buffered: ours, or the reply to the peer's.
    Closing {
        frame: Option<CloseFrame>,
        /// It has had to wait since the connection began to end, or data before it had.
        blocked: bool,
    },
    /// The transport has taken our close frame.
    CloseQueued {
        blocked: bool,
    },
    /// Our close frame is flushed.
    CloseSent,
    /// Writing failed, or was given up.
    Failed(Failure),
}

/// Why nothing is sent any more.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) error: WsErr,
    /// Our close frame was with the transport.
    pub(super) is_close_queued: bool,
    /// Our close frame was flushed.
    pub(super) is_close_sent: bool,
    /// Nothing was waiting to be sent but a close frame that the peer did not wait for.
    pub(super) is_harmless: bool,
}

/// The receiving half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecvState {
    Open,
    /// Data is discarded.
    Draining,
    /// The transport has ended.
    Ended,
}

/// Why the connection ends. The first one stands.
#[derive(Clone, Debug)]
pub(super) enum Cause {
    /// The peer's close frame was received.
    Closed {
        frame: CloseFrame,
        by: ClosedBy,
        is_normal: bool,
    },
    /// The peer violated the protocol or a limit, and gets a close frame that says so.
    Violation(WsErr),
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

/// What became of the data that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// All of it was handed to the underlying stream.
    Delivered,
    /// Some of it is buffered, here or in the transport.
    Pending,
    /// Some of it will not be sent.
    Lost,
    /// Some of it will not be sent, and a writer has received the error.
    LossReported,
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
