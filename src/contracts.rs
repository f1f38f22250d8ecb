//! The contracts of a protocol, each with its codec, and the item stream by contract.

mod any_codec;

use std::{error::Error, fmt, iter::FusedIterator, slice, sync::Arc};

use ws_framed_codecs::{CodecError, LengthPrefixed, WireFormat};

use self::any_codec::Template;
pub use self::any_codec::{AnyCodec, ContractCodec};
use crate::{
    connection::Mode,
    encoded::{self, Encoded},
    error::WsErr,
    framed::WsFramed,
    handshake::contract::Contract,
    stream::WsStream,
    transport::MessageTransport,
};

/// The contracts that a program supports on one protocol, each with its codec: what
/// [`Acceptor::contracts`](crate::Acceptor::contracts) and
/// [`Connector::contracts`](crate::Connector::contracts) offer, and
/// [`WsStream::framed_by`] gives the stream for.
///
/// Each contract is made from its codec, so they match. All codecs have the same items: `In` is
/// received, `Out` is sent. The stream has the same type for all contracts:
/// `WsFramed<In, AnyCodec<In, Out>>`.
///
#[cfg_attr(
    all(feature = "json", feature = "postcard", feature = "tokio"),
    doc = "```"
)]
#[cfg_attr(
    not(all(feature = "json", feature = "postcard", feature = "tokio")),
    doc = "```text"
)]
/// use futures::{SinkExt, TryStreamExt};
/// use ws_framed::{Acceptor, AnyCodec, Contracts, Json, Postcard, WsErr, WsFramed};
///
/// /// Chat lines.
/// type Member = WsFramed<String, AnyCodec<String>>;
///
/// /// Packed for clients with this library, a message for each item for pages.
/// fn codecs() -> Result<Contracts<String>, WsErr> {
///     Contracts::new("chat", 2)
///         .framed(Postcard::new(16 * 1024))?
///         .per_message(Json::new(16 * 1024))
/// }
///
/// async fn member(socket: tokio::net::TcpStream) -> Result<Member, WsErr> {
///     let codecs = codecs()?;
///     let acceptor = Acceptor::new().contracts(&codecs);
///     acceptor.accept(socket).await?.framed_by(&codecs)
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let tokens: Vec<String> = codecs()?.iter().map(ToString::to_string).collect();
/// assert_eq!(tokens, ["chat.v2.postcard.16384", "chat.v2.json.16384.message"]);
///
/// // For all members, or for none.
/// let said = codecs()?.encode(&"Hello, all!".to_owned())?;
/// assert!(codecs()?.encode(&"x".repeat(17_000)).is_err());
/// # let _ = said;
/// # Ok(())
/// # }
/// ```
pub struct Contracts<In, Out = In> {
    name: String,
    version: u32,
    entries: Vec<Entry<In, Out>>,
}

struct Entry<In, Out> {
    contract: Arc<Contract>,
    mode: Mode,
    codec: Template<In, Out>,
}

impl<In, Out> Contracts<In, Out> {
    /// An empty set of contracts for this version of a protocol. See [`Contract::new`] for the
    /// name.
    pub fn new(name: impl Into<String>, version: u32) -> Self {
        Self {
            name: name.into(),
            version,
            entries: Vec::new(),
        }
    }

    /// Adds a contract on packed items of `codec`, as [`WsStream::framed`] gives. It is less
    /// preferred than the previous ones.
    ///
    /// # Errors
    /// [`WsErr::InvalidConfig`], see [`Contract::new`].
    pub fn framed<C>(self, codec: C) -> Result<Self, WsErr>
    where
        C: ContractCodec<In, Out> + WireFormat,
    {
        let contract = Contract::new(self.name.as_str(), self.version, &codec)?;
        Ok(self.with(contract, Mode::Packed, codec))
    }

    /// Adds a contract on items of `codec` that are a WebSocket message each, as
    /// [`WsStream::per_message`] gives. It is less preferred than the previous ones.
    ///
    /// # Errors
    /// [`WsErr::InvalidConfig`], see [`Contract::new`].
    pub fn per_message<C>(self, codec: C) -> Result<Self, WsErr>
    where
        C: ContractCodec<In, Out> + WireFormat + LengthPrefixed,
    {
        let contract = Contract::new(self.name.as_str(), self.version, &codec)?.per_message();
        let is_text = codec.is_text();
        Ok(self.with(contract, Mode::PerMessage { is_text }, codec))
    }

    fn with<C: ContractCodec<In, Out>>(mut self, contract: Contract, mode: Mode, codec: C) -> Self {
        self.entries.push(Entry {
            contract: Arc::new(contract),
            mode,
            codec: Template::new(codec),
        });
        self
    }

    /// The contracts, the preferred one first.
    #[must_use]
    pub fn iter(&self) -> ContractsIter<'_, In, Out> {
        ContractsIter(self.entries.iter())
    }

    /// Encodes an item once for each codec, to be sent with
    /// [`feed_encoded`](WsFramed::feed_encoded) over any number of connections, of all contracts.
    ///
    /// If one codec fails, the call fails, so no client misses an item that others receive. JSON is
    /// longer than Postcard, for example, so an item may exceed the limit of one codec only. A
    /// server can report the error to the sender of the item. An [`EncodeError`] does not convert
    /// into a [`CodecError`], so a `?` does not end the sender's connection by accident.
    ///
    /// Where each item is a message, it also has to fit into the
    /// [`max_send_message_len`](crate::Config::max_send_message_len) of each connection, which is
    /// checked when it is fed.
    ///
    /// # Errors
    /// The contracts that the item does not fit, and why.
    pub fn encode(&self, item: &Out) -> Result<Encoded<AnyCodec<In, Out>>, EncodeError> {
        let mut encoded: Vec<(Arc<Contract>, _)> = Vec::with_capacity(self.entries.len());
        let mut errors = Vec::new();
        for entry in &self.entries {
            let contract = &entry.contract;
            let same = encoded
                .iter()
                .find(|(other, _)| other.is_encoded_as(contract));
            if let Some((_, bytes)) = same.cloned() {
                encoded.push((Arc::clone(contract), bytes));
                continue;
            }
            match encoded::encode(|buffer| entry.codec.encode_once(item, buffer)) {
                Ok(bytes) => encoded.push((Arc::clone(contract), bytes)),
                Err(error) => errors.push((Arc::clone(contract), error)),
            }
        }
        if errors.is_empty() {
            Ok(Encoded::by_contract(encoded))
        } else {
            Err(EncodeError { errors })
        }
    }
}

impl<M: MessageTransport> WsStream<M> {
    /// Converts this stream into the item stream that the handshake agreed on, with the codec of
    /// its contract, packed or with a message for each item.
    ///
    /// # Errors
    /// [`WsErr::NoCodec`] if the connection has no contract, or one that is not in `contracts`.
    /// This is a mistake of the caller: the [`Acceptor`](crate::Acceptor) or
    /// [`Connector`](crate::Connector) was given others. The stream is dropped: to keep it, compare
    /// its [`contract`](Self::contract) first.
    pub fn framed_by<In, Out>(
        self,
        contracts: &Contracts<In, Out>,
    ) -> Result<WsFramed<In, AnyCodec<In, Out>, M>, WsErr> {
        let agreed = self.contract();
        let mut entries = contracts.entries.iter();
        match entries.find(|entry| Some(&*entry.contract) == agreed) {
            Some(entry) => {
                let codec = entry.codec.instantiate();
                let contract = Arc::clone(&entry.contract);
                Ok(WsFramed::by_contract(self, codec, entry.mode, contract))
            }
            None => Err(WsErr::NoCodec(match agreed {
                Some(contract) => format!("the contract {contract}"),
                None => "a connection without a contract".to_owned(),
            })),
        }
    }
}

impl<'a, In, Out> IntoIterator for &'a Contracts<In, Out> {
    type Item = &'a Contract;
    type IntoIter = ContractsIter<'a, In, Out>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The contracts of a [`Contracts`], the preferred one first: see [`Contracts::iter`].
pub struct ContractsIter<'a, In, Out>(slice::Iter<'a, Entry<In, Out>>);

impl<'a, In, Out> Iterator for ContractsIter<'a, In, Out> {
    type Item = &'a Contract;

    fn next(&mut self) -> Option<&'a Contract> {
        self.0.next().map(|entry| &*entry.contract)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<In, Out> DoubleEndedIterator for ContractsIter<'_, In, Out> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|entry| &*entry.contract)
    }
}

impl<In, Out> ExactSizeIterator for ContractsIter<'_, In, Out> {}

impl<In, Out> FusedIterator for ContractsIter<'_, In, Out> {}

impl<In, Out> Clone for ContractsIter<'_, In, Out> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<In, Out> fmt::Debug for ContractsIter<'_, In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tokens = self.clone().map(ToString::to_string);
        f.debug_list().entries(tokens).finish()
    }
}

impl<In, Out> Clone for Contracts<In, Out> {
    fn clone(&self) -> Self {
        let entries = self.entries.iter().map(|entry| Entry {
            contract: Arc::clone(&entry.contract),
            mode: entry.mode,
            codec: entry.codec.clone(),
        });
        Self {
            name: self.name.clone(),
            version: self.version,
            entries: entries.collect(),
        }
    }
}

impl<In, Out> fmt::Debug for Contracts<In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().fmt(f)
    }
}

/// Why an item does not fit each of the [`Contracts`] of a program.
#[derive(Debug)]
pub struct EncodeError {
    errors: Vec<(Arc<Contract>, CodecError)>,
}

impl EncodeError {
    /// The contracts that the item does not fit, with the error of the codec: at least one.
    pub fn errors(&self) -> impl Iterator<Item = (&Contract, &CodecError)> {
        self.errors
            .iter()
            .map(|(contract, error)| (&**contract, error))
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the item does not fit ")?;
        for (number, (contract, error)) in self.errors.iter().enumerate() {
            let separator = if number > 0 { "; " } else { "" };
            write!(f, "{separator}{contract}: {error}")?;
        }
        Ok(())
    }
}

impl Error for EncodeError {}
