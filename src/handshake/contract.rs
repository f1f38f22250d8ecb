//! [`Contract`]: what both ends agree on in the handshake.

use std::{fmt, str::FromStr};

use ws_framed_codecs::WireFormat;

use super::token::is_token;
use crate::error::{Setting, WsErr};

/// The maximum length of the name of a protocol or a codec, in bytes, so that error texts stay
/// short.
const MAX_NAME_LEN: usize = 128;

/// What both ends of a connection have in common: a protocol and its version, a codec, and its
/// limit.
///
/// A client offers contracts ([`Connector::contract`](crate::Connector::contract)). A server
/// selects one that it supports ([`Acceptor::contract`](crate::Acceptor::contract)), and
/// [`WsStream::contract`](crate::WsStream::contract) returns it. If the ends have none in common,
/// the handshake fails on both with the same [`WsErr::Rejected`], which says what differs.
///
/// The limits have to be equal. So an item that the sender's codec accepts is not too large for the
/// receiver, and an item over the limit is rejected before any part of it is sent. Both ends
/// have the same codec, each with its own direction: `Json<Request, Response>` and `Json<Response,
/// Request>`. The types are not a part of the contract; increase the version when they change.
///
/// # On the wire
/// A contract is a subprotocol (RFC 6455 section 1.9): protocol, version, codec and limit,
/// separated by dots, and `.message` if [each item is a message](Self::per_message). Any client can
/// offer one, such as a page: `new WebSocket(url, "chat.v2.json.65536.message")`.
/// [`Display`](fmt::Display) and [`FromStr`] use the same form:
///
/// ```
/// use ws_framed::{Contract, Lines, WsErr};
///
/// # fn main() -> Result<(), WsErr> {
/// let contract = Contract::new("chat", 2, &Lines::new(65536))?;
/// assert_eq!(contract.to_string(), "chat.v2.lines.65536");
/// assert_eq!(contract, "chat.v2.lines.65536".parse()?);
/// # Ok(())
/// # }
/// ```
///
/// # One server, several codecs
/// [`Contracts`](crate::Contracts) pairs each contract with its codec, and gives the item stream
/// for the one that was agreed on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Contract {
    name: String,
    version: u32,
    codec: String,
    max_frame_len: usize,
    is_per_message: bool,
}

impl Contract {
    /// A contract on a protocol, encoded by `codec`. The name and the limit of the codec are parts
    /// of it.
    ///
    /// # Errors
    /// [`WsErr::InvalidConfig`] with [`Setting::Contract`] for a name that cannot be sent. It
    /// consists of at most 128 letters, digits, dots and any of ``!#$%&'*+-^_`|~``. The name of a
    /// codec has no dots.
    pub fn new(
        name: impl Into<String>,
        version: u32,
        codec: &(impl WireFormat + ?Sized),
    ) -> Result<Self, WsErr> {
        let contract = Self {
            name: name.into(),
            version,
            codec: codec.name().into_owned(),
            max_frame_len: codec.max_frame_len(),
            is_per_message: false,
        };
        if contract.is_valid() {
            Ok(contract)
        } else {
            Err(WsErr::InvalidConfig(Setting::Contract))
        }
    }

    /// Makes each item a WebSocket message of its own, for streams that use
    /// [`WsStream::per_message`](crate::WsStream::per_message). Otherwise, items are packed into
    /// messages.
    #[must_use]
    pub fn per_message(mut self) -> Self {
        self.is_per_message = true;
        self
    }

    /// The name of the protocol.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version of the protocol.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The name of the codec, see [`WireFormat::name`].
    #[must_use]
    pub fn codec(&self) -> &str {
        &self.codec
    }

    /// The largest payload of a frame in bytes, see [`WireFormat::max_frame_len`].
    #[must_use]
    pub fn max_frame_len(&self) -> usize {
        self.max_frame_len
    }

    /// Whether each item is a WebSocket message of its own.
    #[must_use]
    pub fn is_per_message(&self) -> bool {
        self.is_per_message
    }

    /// Whether both encode an item in the same bytes, with the same limit.
    pub(crate) fn is_encoded_as(&self, other: &Self) -> bool {
        self.max_frame_len == other.max_frame_len && self.codec == other.codec
    }

    fn is_valid(&self) -> bool {
        let is_name = |name: &str| is_token(name) && name.len() <= MAX_NAME_LEN;
        is_name(&self.name) && is_name(&self.codec) && !self.codec.contains('.')
    }

    /// Parses from the right, because the name may contain dots.
    fn parse(token: &str) -> Option<Self> {
        let whole = token.strip_suffix(".message");
        let mut parts = whole.unwrap_or(token).rsplitn(4, '.');
        let max_frame_len = parse_canonical(parts.next()?)?;
        let codec = parts.next()?.to_owned();
        let version = parse_canonical(parts.next()?.strip_prefix('v')?)?;
        let contract = Self {
            name: parts.next()?.to_owned(),
            version,
            codec,
            max_frame_len,
            is_per_message: whole.is_some(),
        };
        contract.is_valid().then_some(contract)
    }
}

/// Parses a number that is written in its shortest form, so that each contract has one token.
fn parse_canonical<N: FromStr + ToString>(text: &str) -> Option<N> {
    let number: N = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// The subprotocol that stands for the contract, such as `chat.v2.json.65536`.
impl fmt::Display for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            version,
            codec,
            max_frame_len,
            is_per_message,
        } = self;
        let framing = if *is_per_message { ".message" } else { "" };
        write!(f, "{name}.v{version}.{codec}.{max_frame_len}{framing}")
    }
}

/// From the subprotocol.
impl FromStr for Contract {
    type Err = WsErr;

    /// # Errors
    /// [`WsErr::InvalidConfig`] with [`Setting::Contract`] for a text that is no contract.
    fn from_str(token: &str) -> Result<Self, WsErr> {
        Self::parse(token).ok_or(WsErr::InvalidConfig(Setting::Contract))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Mine(&'static str);

    impl WireFormat for Mine {
        fn name(&self) -> std::borrow::Cow<'static, str> {
            self.0.into()
        }

        fn max_frame_len(&self) -> usize {
            9
        }
    }

    /// A name is valid if a header can carry it and the parser finds it again.
    #[test]
    fn valid_names_round_trip() {
        let longest = "n".repeat(MAX_NAME_LEN);
        let too_long = "n".repeat(MAX_NAME_LEN + 1);
        for (name, codec, is_fine) in [
            ("chat", "json", true),
            ("example.org-chat", "lz4+json", true),
            (".v1.json.5.message", "message", true),
            (&longest, "v1", true),
            (&too_long, "json", false),
            ("", "json", false),
            ("two words", "json", false),
            ("a,b", "json", false),
            ("a/b", "json", false),
            ("a\r\nb", "json", false),
            ("é", "json", false),
            ("chat", "", false),
            ("chat", "dotted.json", false),
            ("chat", "two words", false),
        ] {
            match Contract::new(name, 2, &Mine(codec)) {
                Ok(contract) => {
                    assert!(is_fine, "{contract}");
                    for contract in [contract.clone(), contract.per_message()] {
                        let token = contract.to_string();
                        assert_eq!(token.parse::<Contract>().unwrap(), contract, "{token}");
                    }
                }
                Err(WsErr::InvalidConfig(Setting::Contract)) => assert!(!is_fine, "{name} {codec}"),
                Err(other) => panic!("{other:?}"),
            }
        }
    }

    /// Tokens that are not in the form of a contract are rejected.
    #[test]
    fn other_tokens_are_no_contract() {
        assert!("chat.v2.json.9".parse::<Contract>().is_ok());
        for token in [
            "",
            ".",
            "....",
            "chat",
            "chat.v2",
            "chat.v2.json",
            "v2.json.9",
            ".v2.json.9",
            "chat.2.json.9",
            "chat.V2.json.9",
            "chat.v.json.9",
            "chat.v02.json.9",
            "chat.v+2.json.9",
            "chat.v-2.json.9",
            "chat.v4294967296.json.9",
            "chat.v2..9",
            "chat.v2.json.",
            "chat.v2.json.09",
            "chat.v2.json.+9",
            "chat.v2.json.9k",
            "chat.v2.json.99999999999999999999",
            "chat.v2.json.9.Message",
            "chat.v2.json.9.message.message",
            "chat.v2.json.9 ",
            "ch at.v2.json.9",
            "chat.v2.js on.9",
            "chat.v2.json.９",
        ] {
            let parsed = token.parse::<Contract>();
            assert!(
                matches!(parsed, Err(WsErr::InvalidConfig(Setting::Contract))),
                "{token:?}"
            );
        }
    }

    /// All parts of a contract are parsed from its token.
    #[test]
    fn token_holds_all_parts() {
        let contract: Contract = "org.example.v1.v7.lz4+json.0.message".parse().unwrap();
        assert_eq!(contract.name(), "org.example.v1");
        assert_eq!(contract.version(), 7);
        assert_eq!(contract.codec(), "lz4+json");
        assert_eq!(contract.max_frame_len(), 0);
        assert!(contract.is_per_message());
    }
}
