//! The serde codecs under test, and values for them.

use std::{collections::BTreeMap, fmt::Debug};

use asynchronous_codec::{BytesMut, Decoder, Encoder};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use ws_framed_codecs::CodecError;

use super::{AMPLE, Codec, Subject, prefixed};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Value {
    Nothing,
    Number(i64),
    Pair(u8, f64),
    Text(String),
    Letter(char),
    Record {
        id: u128,
        name: Option<String>,
        tags: Vec<(u16, bool)>,
    },
    Table(BTreeMap<String, Vec<u32>>),
    Inside(Box<Value>),
    Several(Vec<Value>),
}

impl Value {
    pub(crate) fn examples() -> Vec<Self> {
        let record = Self::Record {
            id: u128::MAX,
            name: Some("n".to_owned()),
            tags: vec![(0, true), (u16::MAX, false)],
        };
        let table = BTreeMap::from([
            (String::new(), vec![]),
            ("primes".to_owned(), vec![2, 3, 5, 70_001]),
        ]);
        vec![
            Self::Nothing,
            Self::Number(i64::MIN),
            Self::Pair(255, -0.5),
            Self::Text("zwölf Boxkämpfer".to_owned()),
            Self::Letter('\u{10ffff}'),
            record.clone(),
            Self::Table(table.clone()),
            Self::Inside(Box::new(Self::Inside(Box::new(Self::Text(
                "long ".repeat(60),
            ))))),
            Self::Several(vec![
                record,
                Self::Nothing,
                Self::Table(table),
                Self::Several(vec![]),
            ]),
        ]
    }

    /// Both compact formats take one byte for the variant and one for a length below 128.
    pub(crate) fn of(len: usize) -> Self {
        match len {
            130.. => Self::Several(vec![Self::of(len - 2 - 100), Self::of(100)]),
            _ => Self::Text("x".repeat(len - 2)),
        }
    }
}

fn malformed() -> Vec<Vec<u8>> {
    // Nothing; an unknown variant; a truncated text; one that is not UTF-8; a truncated number; a
    // value and more bytes after it.
    let payloads: [&[u8]; 7] = [
        b"",
        b"\x09",
        b"\x03\x05abc",
        b"\x03\x02\xff\xff",
        b"\x01\xfb",
        b"\x00\x00",
        b"\x03\x01ab",
    ];
    payloads.map(<[u8]>::to_vec).to_vec()
}

/// The serde codecs, for any type.
pub(crate) trait Format {
    type Item: Serialize + DeserializeOwned + Clone + PartialEq + Debug;
    fn items() -> Vec<Self::Item>;
    fn item_of(len: usize) -> Self::Item;
    fn malformed() -> Vec<Vec<u8>>;

    type Codec<T: Serialize + DeserializeOwned>: Codec<T> + Clone;
    fn codec<T: Serialize + DeserializeOwned>(max: usize) -> Self::Codec<T>;

    fn encode<T: Serialize + DeserializeOwned>(value: T) -> BytesMut {
        let mut frame = BytesMut::new();
        Self::codec(AMPLE).encode(value, &mut frame).unwrap();
        frame
    }

    /// Decodes a frame of this payload and checks that it is consumed.
    fn decode<T: Serialize + DeserializeOwned>(payload: &[u8]) -> Result<T, CodecError> {
        let mut buffer = BytesMut::from(&prefixed(payload)[..]);
        let mut codec = Self::codec::<T>(AMPLE);
        let value = codec
            .decode(&mut buffer)
            .map(|value| value.expect("a whole frame"));
        assert!(buffer.is_empty());
        value
    }
}

impl<F: Format> Subject for F {
    type Item = F::Item;
    type Codec = F::Codec<F::Item>;
    const OVERHEAD: usize = 4;

    fn codec(max: usize) -> F::Codec<F::Item> {
        <F as Format>::codec(max)
    }
    fn items() -> Vec<F::Item> {
        <F as Format>::items()
    }
    fn item_of(len: usize) -> F::Item {
        <F as Format>::item_of(len)
    }
    fn frame(payload: &[u8]) -> Vec<u8> {
        prefixed(payload)
    }
    fn malformed() -> Vec<Vec<u8>> {
        <F as Format>::malformed()
    }
}

/// The formats in which the types determine what a payload means.
pub(crate) trait Compact: Format {
    /// The encoding of a length.
    fn len(len: u64) -> Vec<u8>;
}

/// The items of both compact formats.
#[cfg(any(feature = "bincode", feature = "postcard"))]
macro_rules! compact_items {
    () => {
        type Item = Value;

        fn items() -> Vec<Value> {
            Value::examples()
        }
        fn item_of(len: usize) -> Value {
            Value::of(len)
        }
        fn malformed() -> Vec<Vec<u8>> {
            malformed()
        }
    };
}

#[cfg(feature = "bincode")]
pub(crate) struct OfBincode;

#[cfg(feature = "bincode")]
impl Format for OfBincode {
    compact_items!();

    type Codec<T: Serialize + DeserializeOwned> = ws_framed_codecs::Bincode<T>;

    fn codec<T: Serialize + DeserializeOwned>(max: usize) -> Self::Codec<T> {
        ws_framed_codecs::Bincode::new(max)
    }
}

#[cfg(feature = "bincode")]
impl Compact for OfBincode {
    fn len(len: u64) -> Vec<u8> {
        match len {
            0..=250 => vec![u8::try_from(len).unwrap()],
            _ => [&[253], &len.to_le_bytes()[..]].concat(),
        }
    }
}

#[cfg(feature = "postcard")]
pub(crate) struct OfPostcard;

#[cfg(feature = "postcard")]
impl Format for OfPostcard {
    compact_items!();

    type Codec<T: Serialize + DeserializeOwned> = ws_framed_codecs::Postcard<T>;

    fn codec<T: Serialize + DeserializeOwned>(max: usize) -> Self::Codec<T> {
        ws_framed_codecs::Postcard::new(max)
    }
}

#[cfg(feature = "postcard")]
impl Compact for OfPostcard {
    fn len(mut len: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        while len > 0x7f {
            bytes.push(u8::try_from(len & 0x7f).unwrap() | 0x80);
            len >>= 7;
        }
        bytes.push(u8::try_from(len).unwrap());
        bytes
    }
}
