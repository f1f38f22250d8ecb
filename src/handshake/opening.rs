//! What opening a connection takes on either side.

use crate::{
    config::{Config, Extras},
    error::WsErr,
    handshake::contract::Contract,
    stream::WsStream,
    time::within,
    trace::Trace,
    transport::{MaybeSend, MessageTransport},
};

/// A transport that a handshake has opened, and the subprotocol that was agreed on.
pub(crate) type Opened<M> = (M, Option<String>);

/// Why a handshake has failed, while it still hears the other side out. Running out of time then changes
/// nothing about it.
pub(crate) type Verdict = Option<WsErr>;

/// What whoever opens connections was told about them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Opening {
    pub(crate) config: Config,
    pub(crate) extras: Extras,
}

impl Opening {
    /// Adds a header.
    pub(crate) fn header(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.extras.headers.push((name.into(), value.into()));
    }

    /// Adds a subprotocol, less wanted than those before. One that is there already stays where it is: none may be
    /// offered twice (RFC 6455 section 4.1), and browsers and servers refuse that.
    pub(crate) fn subprotocol(&mut self, name: impl Into<String>) {
        let name = name.into();
        if !self.extras.subprotocols.contains(&name) {
            self.extras.subprotocols.push(name);
        }
    }

    /// Adds a contract, less wanted than what was added before.
    pub(crate) fn contract(&mut self, contract: Contract) {
        if !self.extras.contracts.contains(&contract) {
            self.subprotocol(contract.to_string());
            self.extras.contracts.push(contract);
        }
    }

    /// The result of a handshake, or nothing if it takes too long.
    pub(crate) async fn in_time<T>(&self, handshake: impl Future<Output = T>) -> Option<T> {
        within(self.config.handshake_timeout, handshake).await
    }

    /// What opening has come to, after a handshake that may have run out of time.
    pub(crate) fn conclude(
        opened: Option<Result<WsStream, WsErr>>,
        verdict: Verdict,
        trace: &Trace,
    ) -> Result<WsStream, WsErr> {
        let late = || verdict.unwrap_or(WsErr::TimedOut("the handshake took too long"));
        opened
            .unwrap_or_else(|| Err(late()))
            .inspect_err(|error| trace.not_opened(error))
    }

    /// The stream over what a handshake has opened.
    pub(crate) fn stream<M: MessageTransport + MaybeSend + 'static>(
        &self,
        (transport, subprotocol): Opened<M>,
        trace: &Trace,
    ) -> Result<WsStream, WsErr> {
        let stream = WsStream::traced(transport, self.config.clone(), trace.clone())?;
        trace.opened();
        let contract = subprotocol.as_deref().and_then(|name| {
            let mut contracts = self.extras.contracts.iter();
            contracts.find(|contract| contract.to_string() == name)
        });
        let contract = contract.cloned();
        Ok(stream.boxed().with_subprotocol(subprotocol, contract))
    }
}
