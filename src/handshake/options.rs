//! The subprotocols, contracts and extensions of a handshake.

use super::{contract::Contract, token::is_token};
#[cfg(all(feature = "deflate", not(target_arch = "wasm32")))]
use crate::config::Deflate;
use crate::error::WsErr;

/// What a caller adds to handshakes, in either role.
#[derive(Clone, Debug, Default)]
pub(crate) struct HandshakeOptions {
    subprotocols: Vec<String>,
    /// The subprotocols that are contracts.
    pub(super) contracts: Vec<Contract>,
    /// What is offered, or accepted.
    #[cfg(all(feature = "deflate", not(target_arch = "wasm32")))]
    pub(crate) compression: Option<Deflate>,
}

impl HandshakeOptions {
    /// Adds a subprotocol with a lower preference than the previous ones. A duplicate is ignored,
    /// since none may be offered twice (RFC 6455 section 4.1).
    pub(crate) fn add_subprotocol(&mut self, name: impl Into<String>) {
        let name = name.into();
        if !self.subprotocols.contains(&name) {
            self.subprotocols.push(name);
        }
    }

    /// Adds a contract, which is a subprotocol, too.
    pub(crate) fn add_contract(&mut self, contract: Contract) {
        if !self.contracts.contains(&contract) {
            self.add_subprotocol(contract.to_string());
            self.contracts.push(contract);
        }
    }

    /// Offered by a client, supported by a server, the preferred one first.
    pub(crate) fn subprotocols(&self) -> &[String] {
        &self.subprotocols
    }

    /// The contract with this subprotocol.
    pub(crate) fn contract(&self, subprotocol: &str) -> Option<&Contract> {
        let mut contracts = self.contracts.iter();
        contracts.find(|contract| contract.to_string() == subprotocol)
    }

    /// Checks the subprotocols, which are tokens (RFC 6455 section 4.1).
    ///
    /// # Errors
    /// [`WsErr::InvalidHeader`].
    pub(crate) fn validate(&self) -> Result<(), WsErr> {
        match self.subprotocols.iter().find(|name| !is_token(name)) {
            Some(name) => Err(WsErr::InvalidHeader(format!("subprotocol {name:?}"))),
            None => Ok(()),
        }
    }
}
