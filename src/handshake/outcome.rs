//! The result of a handshake.

use super::{contract::Contract, options::HandshakeOptions};
#[cfg(feature = "deflate")]
use crate::config::Compression;
use crate::{
    error::{Timeout, WsErr},
    trace::Trace,
};

/// What both ends agreed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Agreement {
    pub(crate) subprotocol: Option<String>,
    /// The contract that the subprotocol stands for.
    pub(crate) contract: Option<Contract>,
    /// How messages are compressed.
    #[cfg(feature = "deflate")]
    pub(crate) compression: Option<Compression>,
}

impl Agreement {
    pub(crate) fn new(subprotocol: Option<String>, options: &HandshakeOptions) -> Self {
        let contract = subprotocol
            .as_deref()
            .and_then(|name| options.contract(name));
        Self {
            contract: contract.cloned(),
            subprotocol,
            #[cfg(feature = "deflate")]
            compression: None,
        }
    }
}

/// The error of a handshake that is known to fail while it still reads from the peer. If the time
/// limit ends that, the error stands.
pub(crate) type KnownError = Option<WsErr>;

/// The result of a handshake, which is `None` if the time limit was reached. An error is logged.
pub(crate) fn finish<T>(
    result: Option<Result<T, WsErr>>,
    known: KnownError,
    trace: &Trace,
) -> Result<T, WsErr> {
    let timed_out = || known.unwrap_or(WsErr::TimedOut(Timeout::Handshake));
    result
        .unwrap_or_else(|| Err(timed_out()))
        .inspect_err(|error| trace.not_opened(error))
}
