//! The states of the two halves, and what became of the data that was written.

use crate::{close::CloseFrame, error::WsErr};

/// The sending half.
#[derive(Clone, Debug)]
pub(super) enum SendState {
    Open,
    /// A close frame is to be sent behind what is buffered: ours, or the reply to the peer's.
    Closing {
        frame: Option<CloseFrame>,
        /// Since the connection began to end, the transport made it wait; or data was pending when
        /// the peer closed.
        blocked: bool,
    },
    /// The transport has taken our close frame, or one of its own in place of ours.
    CloseQueued {
        /// The same; or the peer's close frame arrived after ours was queued.
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

/// What became of the data that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// All of it was handed to the underlying stream.
    Delivered,
    /// Some of it is buffered or unflushed.
    Pending,
    /// Some of it will not be sent.
    Lost,
    /// Some of it will not be sent, and a writer has received the error.
    LossReported,
}
