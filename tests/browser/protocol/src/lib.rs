//! What the browser tests and their server say to each other: one crate, compiled for both.

use futures::{SinkExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use ws_framed::{Bincode, CloseOutcome, CodecError, WsFramed};

/// The largest frame of every codec in the tests, in bytes.
pub const MAX_FRAME_LEN: usize = 1024 * 1024;

/// What the raw server sends as text, between two binary messages.
pub const TEXT: &str = "héllo";

/// What a server that vanishes has sent before.
pub const LAST_WORDS: &[u8] = b"and then";

/// The subprotocols of the path `/chat`, the most wanted first.
pub const SUBPROTOCOLS: [&str; 2] = ["chat.v2", "chat.v1"];

/// The contract of the path `/contract`.
pub const CONTRACT: &str = "chat.v2.lines.80.message";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request {
    Sum(Vec<i64>),
    /// How the connections to a path ended, once there are as many as this.
    Endings {
        path: String,
        count: usize,
    },
    /// Lets the connection to a path that was paused go on.
    Resume {
        path: String,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    Sum(i64),
    Endings(Vec<Ending>),
    Resumed,
}

/// How a connection ended for the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ending {
    /// Bytes of data that came.
    pub received: u64,
    /// Code and reason, if both sides exchanged close frames.
    pub clean: Option<(u16, String)>,
}

impl Ending {
    #[must_use]
    pub fn new(received: u64, outcome: CloseOutcome) -> Self {
        let clean = match outcome {
            CloseOutcome::Clean { code, reason, .. } => Some((code.into(), reason)),
            _ => None,
        };
        Self { received, clean }
    }
}

/// The two ends of the path `/ask`: the same name in a browser and on the server.
pub type Asker = WsFramed<Reply, Bincode<Reply, Request>>;
pub type Answerer = WsFramed<Request, Bincode<Request, Reply>>;

/// Asks, and waits for the answer.
pub async fn ask(asker: &mut Asker, request: Request) -> Result<Reply, CodecError> {
    asker.send(request).await?;
    let reply = asker.try_next().await?;
    reply.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into())
}

/// Bytes that are where they belong only if none is missing, doubled or moved.
#[must_use]
pub fn pattern(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}
