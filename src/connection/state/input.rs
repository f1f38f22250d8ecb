//! What happens to a connection, and what follows from it for the caller of the state machine.

use crate::{close::CloseFrame, error::WsErr};

/// What happens to a connection.
#[derive(Clone, Debug)]
pub(in crate::connection) enum Input {
    /// The caller asks for a close.
    CloseRequested(CloseFrame),
    /// The caller gives up what the peer still sends.
    DiscardRequested,
    /// The transport took a message other than a close frame.
    MessageQueued,
    /// The transport took our close frame.
    CloseQueued,
    /// Something that is to be sent has to wait.
    Blocked,
    /// Everything that the transport took was flushed; `all` if nothing else is buffered.
    Flushed { all: bool },
    /// Writing failed.
    WriteFailed(WsErr),
    /// A loss of data was reported to a writer.
    LossReported,
    /// Bytes left while our close frame, or data before it, waits: only the deadline restarts.
    Sent,
    /// Data was received, or a part of a message.
    Progress,
    /// A close frame was received, whose code reports no failure if it `is_normal`. The transport
    /// replies to it by itself if it `replies`.
    PeerClosed {
        frame: Option<CloseFrame>,
        is_normal: bool,
        replies: bool,
    },
    /// The peer violated a rule, and is to get this close frame.
    Violation(WsErr, CloseFrame),
    /// The transport ended or failed.
    TransportFailed(WsErr),
    /// Nothing more arrives from the transport.
    TransportEnded,
    /// A reader gave up: the peer was silent, or a deadline is over.
    GaveUp(WsErr),
    /// A writer gave up. What arrived before is still there for a reader.
    GaveUpWriting(WsErr),
    /// The current step is done.
    StepDone,
}

/// What the caller of [`State::on`](super::State::on) has to do.
#[expect(
    clippy::struct_excessive_bools,
    reason = "any of them go together, and each is a step of the caller"
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::connection) struct Transition {
    /// Restart the deadline of closing.
    pub(in crate::connection) restarts_deadline: bool,
    /// There is a cause now: pings and the pong are dropped, and a writer is woken.
    pub(in crate::connection) is_caused: bool,
    /// It is known now how the connection ended.
    pub(in crate::connection) is_concluded: bool,
    /// A reader has to look again.
    pub(in crate::connection) wakes_reader: bool,
}
