//! JSON and CBOR under test, and values for them.

use std::fmt;

use serde::{
    Deserialize, Serialize,
    de::{self, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor},
};

use super::values::{Format, Value};

/// Values that a self-describing format distinguishes without a name, so that they can have any
/// length; and a [`Value`] under a name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Loose {
    Text(String),
    List(Vec<Loose>),
    Value(Value),
}

impl Loose {
    fn items() -> Vec<Self> {
        let list = vec![Self::Text("\u{0}\"\\\n".to_owned()), Self::List(vec![])];
        let values = Value::examples().into_iter().map(Self::Value);
        values
            .chain([Self::Text(String::new()), Self::List(list)])
            .collect()
    }
}

impl Serialize for Loose {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(list) => serializer.collect_seq(list),
            Self::Value(value) => serializer.collect_map([("value", value)]),
        }
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Loose;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a list or a value")
            }
            fn visit_str<E>(self, text: &str) -> Result<Loose, E> {
                Ok(Loose::Text(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Loose, A::Error> {
                let mut list = Vec::new();
                while let Some(element) = access.next_element()? {
                    list.push(element);
                }
                Ok(Loose::List(list))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Loose, A::Error> {
                let entry = access.next_entry::<String, Value>()?;
                match (entry, access.next_key::<de::IgnoredAny>()?) {
                    (Some((_, value)), None) => Ok(Loose::Value(value)),
                    _ => Err(de::Error::custom("not one entry")),
                }
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(feature = "json")]
pub(crate) struct OfJson;

#[cfg(feature = "json")]
impl Format for OfJson {
    type Item = Loose;

    fn items() -> Vec<Loose> {
        Loose::items()
    }
    fn item_of(len: usize) -> Loose {
        Loose::Text("x".repeat(len - 2))
    }
    fn malformed() -> Vec<Vec<u8>> {
        // Nothing; an unknown variant; a truncated text; texts that are not UTF-8 or half a
        // surrogate; another type; a number too large; truncated lists and maps; a value and more
        // after it.
        let payloads: [&[u8]; 13] = [
            b"",
            b" ",
            b"{\"value\":\"No\"}",
            b"\"abc",
            b"\"\xff\xff\"",
            b"\"\\ud800\"",
            b"true",
            b"{\"value\":{\"Number\":9223372036854775808}}",
            b"[\"a\",",
            b"[\"a\",]",
            b"{\"value\":\"Nothing\"",
            b"[][]",
            b"\"\"\0",
        ];
        payloads.map(<[u8]>::to_vec).to_vec()
    }

    type Codec<T: Serialize + DeserializeOwned> = ws_framed_codecs::Json<T>;

    fn codec<T: Serialize + DeserializeOwned>(max: usize) -> Self::Codec<T> {
        ws_framed_codecs::Json::new(max)
    }
}

#[cfg(feature = "cbor")]
pub(crate) struct OfCbor;

#[cfg(feature = "cbor")]
impl Format for OfCbor {
    type Item = Loose;

    fn items() -> Vec<Loose> {
        Loose::items()
    }
    fn item_of(len: usize) -> Loose {
        match len {
            ..=24 => Loose::Text("x".repeat(len - 1)),
            // No text has this length: from 24 on, its length takes one more byte.
            25 => Loose::List(vec![Loose::Text("x".repeat(23))]),
            _ => Loose::Text("x".repeat(len - 2)),
        }
    }
    fn malformed() -> Vec<Vec<u8>> {
        // Nothing; an unknown variant; a truncated text, in one piece or several; one that is not
        // UTF-8; another type; a number too large; truncated lists and maps; a break without a
        // beginning; a reserved head; a value and more after it.
        let payloads: [&[u8]; 14] = [
            b"",
            b"\xa1\x65value\x62No",
            b"\x65abc",
            b"\x7f\x61a",
            b"\x7f\x61a\x41b\xff",
            b"\x62\xff\xff",
            b"\xf5",
            b"\xa1\x65value\xa1\x66Number\x1b\x80\0\0\0\0\0\0\0",
            b"\x82\x61a",
            b"\x9f\x61a",
            b"\xa1\x65value",
            b"\xff",
            b"\x1c",
            b"\x80\x80",
        ];
        payloads.map(<[u8]>::to_vec).to_vec()
    }

    type Codec<T: Serialize + DeserializeOwned> = ws_framed_codecs::Cbor<T>;

    fn codec<T: Serialize + DeserializeOwned>(max: usize) -> Self::Codec<T> {
        ws_framed_codecs::Cbor::new(max)
    }
}

#[cfg(feature = "cbor")]
/// A head of CBOR with an argument of eight bytes.
pub(crate) fn head(major: u8, claim: u64) -> Vec<u8> {
    [&[(major << 5) | 0x1b], &claim.to_be_bytes()[..]].concat()
}

/// A byte string of serde's data model, which takes a sequence too, as types of that kind do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Bytes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Bytes, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = access.next_element()? {
                    bytes.push(byte);
                }
                Ok(Bytes(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Any)
    }
}
