//! Values that come back equal, or that the sender is refused.
#![cfg(all(feature = "cbor", feature = "json"))]

use std::{
    collections::BTreeMap,
    fmt::Debug,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use asynchronous_codec::{BytesMut, Encoder};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::{Value, json};
use ws_framed_codecs::CodecError;

use crate::common::{
    self_describing::{Bytes, OfCbor, OfJson},
    values::Format,
};

/// An id as those of other crates: a text where a format is for people, bytes elsewhere.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Id(u64);

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(&format_args!("{:016x}", self.0))
        } else {
            serializer.serialize_bytes(&self.0.to_be_bytes())
        }
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            u64::from_str_radix(&text, 16)
                .map(Self)
                .map_err(D::Error::custom)
        } else {
            let bytes = Bytes::deserialize(deserializer)?;
            let bytes = bytes
                .0
                .try_into()
                .map_err(|_| D::Error::custom("not 8 bytes"))?;
            Ok(Self(u64::from_be_bytes(bytes)))
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Peer {
    addr: IpAddr,
    socket: SocketAddr,
    id: Id,
    since: Duration,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Tagged {
    Peer(Peer),
    Data {
        bytes: Bytes,
        nothing: (),
        maybe: Option<u8>,
        real: f64,
    },
    Empty,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum Adjacent {
    Peer(Peer),
    Large(i128),
    Keyed(BTreeMap<u32, u8>),
    Unit(()),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Whole(i64),
    Real(f64),
    Peer(Peer),
    Addr(SocketAddr),
    Null(()),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Flat {
    #[serde(flatten)]
    peer: Peer,
    #[serde(flatten)]
    more: BTreeMap<String, Value>,
}

fn peer() -> Peer {
    Peer {
        addr: [127, 0, 0, 1].into(),
        socket: (Ipv6Addr::LOCALHOST, 80).into(),
        id: Id(u64::MAX),
        since: Duration::new(3, 7),
    }
}

/// Fails unless the value comes back.
fn survives_in<F: Format, T>(value: &T)
where
    T: Serialize + DeserializeOwned + Clone + PartialEq + Debug,
{
    let frame = F::encode(value.clone());
    match F::decode::<T>(&frame[4..]) {
        Ok(read) => assert_eq!(&read, value),
        Err(error) => panic!("{value:?}: {error:?}"),
    }
}

fn survives<T>(value: &T)
where
    T: Serialize + DeserializeOwned + Clone + PartialEq + Debug,
{
    survives_in::<OfJson, T>(value);
    survives_in::<OfCbor, T>(value);
}

/// Addresses, ids and times survive in each of serde's representations of enums, and flattened.
#[test]
fn addresses_survive_tags_and_flattening() {
    survives(&peer());
    survives(&Tagged::Peer(peer()));
    survives(&Adjacent::Peer(peer()));
    survives(&Untagged::Peer(peer()));
    survives(&Untagged::Addr(peer().socket));
    let more = BTreeMap::from([
        ("null".to_owned(), Value::Null),
        ("x".to_owned(), json!([0.5])),
    ]);
    survives(&Flat { peer: peer(), more });
}

/// Null and units survive in each representation of enums, in lists and in maps.
#[test]
fn units_survive_everywhere() {
    survives(&());
    survives(&vec![(), ()]);
    survives(&Ok::<(), String>(()));
    survives(&Adjacent::Unit(()));
    survives(&Untagged::Null(()));
    survives(&Tagged::Empty);
    survives(&BTreeMap::from([(1u8, Some(((), 2u8)))]));
    let bytes = Bytes(vec![0, 255]);
    for (maybe, real) in [(None, 2.0), (Some(3), -0.5)] {
        survives(&Tagged::Data {
            bytes: bytes.clone(),
            nothing: (),
            maybe,
            real,
        });
    }
}

/// A dynamic value comes back equal, nulls and whole floating-point numbers included.
#[test]
fn dynamic_values_survive() {
    survives(&Value::Null);
    survives(&json!({"a": null, "b": [null, [], {}, ""], "c": {"d": null}}));
    survives(&json!([
        0,
        -1,
        u64::MAX,
        i64::MIN,
        2.0,
        -0.5,
        1e300,
        1_700_000_000_000.0,
        true
    ]));
    survives(&Untagged::Whole(2));
    survives(&Untagged::Real(2.0));
}

/// Null survives in compressed frames.
#[cfg(feature = "compress")]
#[test]
fn null_survives_compression() {
    use asynchronous_codec::Decoder;
    use ws_framed_codecs::{Cbor, Compressed};

    let mut codec = Compressed::new(Cbor::<Value>::new(4096), 4100);
    let value = json!({ "a": vec![Value::Null; 100] });
    let mut buffer = BytesMut::new();
    codec.encode(value.clone(), &mut buffer).unwrap();
    assert_eq!(codec.decode(&mut buffer).unwrap(), Some(value));
}

/// Integers of 128 bits and keys that are integers survive beside a tag that comes first.
#[test]
fn adjacent_tags_carry_all_integers() {
    survives(&Adjacent::Large(i128::MIN));
    survives(&Adjacent::Large(7));
    survives(&Adjacent::Keyed(BTreeMap::from([(7, 1)])));
}

/// A flattened map with integer keys survives in CBOR, where they are integers.
#[test]
fn cbor_keeps_flattened_integer_keys() {
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Keyed {
        name: String,
        #[serde(flatten)]
        more: BTreeMap<i64, u8>,
    }
    let more = BTreeMap::from([(0, 1), (-7, 2)]);
    survives_in::<OfCbor, _>(&Keyed {
        name: "n".to_owned(),
        more,
    });
}

/// What the docs of the codecs say that serde cannot read back is not read as something else.
#[test]
fn documented_limits_are_errors() {
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    enum Limits {
        Large { n: i128 },
        Keyed { map: BTreeMap<u32, u8> },
        List { list: Vec<u8> },
        Count { n: u64 },
    }
    let lost = |value: Limits| {
        let json = OfJson::encode(value.clone());
        assert!(matches!(
            OfJson::decode::<Limits>(&json[4..]),
            Err(CodecError::Malformed(_))
        ));
        OfCbor::decode::<Limits>(&OfCbor::encode(value)[4..])
    };
    assert!(lost(Limits::Large { n: i128::MAX }).is_err());
    assert!(lost(Limits::Large { n: 7 }).is_err());
    let map = BTreeMap::from([(7, 1)]);
    lost(Limits::Keyed { map }).unwrap();
    // A byte string, and a whole floating-point number, behind a tag within the map.
    let bytes = b"\xa2\x64type\x64List\x64list\x42\x01\x02";
    assert!(OfCbor::decode::<Limits>(bytes).is_err());
    let count = b"\xa2\x64type\x65Count\x61n\xf9\x3c\0";
    assert!(OfCbor::decode::<Limits>(count).is_err());
    assert!(OfJson::decode::<Limits>(br#"{"type":"Count","n":1.0}"#).is_err());
}

/// `Cbor` refuses a collection of another length than it announces, in which the receiver would
/// find what stands behind it.
#[test]
fn wrong_lengths_are_unencodable() {
    use serde::ser::{SerializeMap, SerializeSeq};

    struct Lying(usize);
    impl Serialize for Lying {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            if self.0 % 2 == 0 {
                let mut seq = serializer.serialize_seq(Some(self.0))?;
                seq.serialize_element(&1u8)?;
                seq.end()
            } else {
                let mut map = serializer.serialize_map(Some(self.0))?;
                map.serialize_entry("a", &1u8)?;
                map.end()
            }
        }
    }
    for (announced, is_true) in [(0, false), (1, true), (2, false), (3, false)] {
        let mut buffer = BytesMut::new();
        let mut codec = ws_framed_codecs::Cbor::<(), Lying>::new(1000);
        let result = codec.encode(Lying(announced), &mut buffer);
        assert_eq!(result.is_ok(), is_true, "{announced}");
        assert_eq!(buffer.is_empty(), !is_true);
    }
}
