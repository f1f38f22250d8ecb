//! What only the self-describing formats, JSON and CBOR, can do.
#![cfg(all(feature = "cbor", feature = "json"))]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ws_framed_codecs::CodecError;

use crate::common::{
    self_describing::{Loose, OfCbor, OfJson},
    values::Format,
};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct List {
    id: u8,
    next: Option<Box<List>>,
}

/// A type that only a self-describing format carries.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Message {
    Join {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        #[serde(flatten)]
        more: BTreeMap<String, Number>,
    },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Number {
    Whole(i64),
    Real(f64),
}

fn for_both(check: impl Fn(fn(Message) -> Message)) {
    check(|message| OfJson::decode(&OfJson::encode(message)[4..]).unwrap());
    check(|message| OfCbor::decode(&OfCbor::encode(message)[4..]).unwrap());
}

/// Types that are tagged, flattened or untagged, and that leave out fields, survive a round trip.
#[test]
fn tagged_and_flattened_types_survive() {
    for_both(|through| {
        let more = BTreeMap::from([
            ("age".to_owned(), Number::Whole(-7)),
            ("height".to_owned(), Number::Real(1.75)),
        ]);
        let message = || Message::Join { name: None, more };
        assert!(
            matches!(through(message()), Message::Join { name: None, more } if more.len() == 2)
        );
    });
}

/// A decoder skips a field that the type does not have.
#[test]
fn unknown_fields_are_skipped() {
    let json = br#" { "id" : 1, "new": [{"a": [[]]}, null, 1e9], "next": null } "#;
    let list = List { id: 1, next: None };
    assert_eq!(OfJson::decode::<List>(json).unwrap(), list);
    let cbor = b"\xa3\x62id\x01\x63new\x83\xc1\x1a\0\0\0\0\xf9\x3c\0\x9f\x41a\xff\x64next\xf6";
    assert_eq!(OfCbor::decode::<List>(cbor).unwrap(), list);
}

/// A decoder takes the fields of a struct in their order, without names, too.
#[test]
fn fields_may_come_in_order() {
    let list = List { id: 1, next: None };
    assert_eq!(OfJson::decode::<List>(b"[1, null]").unwrap(), list);
    assert_eq!(OfCbor::decode::<List>(b"\x82\x01\xf6").unwrap(), list);
    for payload in [&b"\x81\x01"[..], b"\x83\x01\xf6\xf6"] {
        assert!(OfCbor::decode::<List>(payload).is_err());
    }
}

/// A sequence that cannot tell its length survives a round trip.
#[test]
fn sequence_without_length_passes() {
    struct Even;
    impl Serialize for Even {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq((0..9u8).filter(|number| number % 2 == 0))
        }
    }
    impl<'de> Deserialize<'de> for Even {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            assert_eq!(Vec::<u8>::deserialize(deserializer)?, [0, 2, 4, 6, 8]);
            Ok(Self)
        }
    }
    OfJson::decode::<Even>(&OfJson::encode(Even)[4..]).unwrap();
    OfCbor::decode::<Even>(&OfCbor::encode(Even)[4..]).unwrap();
}

/// A decoder of CBOR takes numbers of any width where no digit is lost.
#[test]
fn cbor_numbers_have_any_width() {
    // Python's cbor2 and JavaScript's encoders write the first, and, in canonical form, the others.
    let halves: [&[u8]; 3] = [
        b"\xfb\x3f\xf8\0\0\0\0\0\0",
        b"\xfa\x3f\xc0\0\0",
        b"\xf9\x3e\0",
    ];
    for half in halves {
        assert!((OfCbor::decode::<f64>(half).unwrap() - 1.5).abs() < f64::EPSILON);
        assert!((OfCbor::decode::<f32>(half).unwrap() - 1.5).abs() < f32::EPSILON);
    }
    let whole = OfCbor::decode::<(f64, f32)>(b"\x82\x02\x21").unwrap();
    assert_eq!(whole, (2.0, -2.0));
    assert!(OfCbor::decode::<f64>(b"\xf6").is_err());
    // A fraction would be lost.
    assert!(OfCbor::decode::<u8>(b"\xf9\x3e\0").is_err());
    assert!(
        OfCbor::decode::<f64>(&OfCbor::encode(f64::NAN)[4..])
            .unwrap()
            .is_nan()
    );
}

/// A decoder of CBOR takes a text in pieces (RFC 8949 section 3.2.3).
#[test]
fn cbor_texts_come_in_pieces() {
    let text = OfCbor::decode::<String>(b"\x7f\x61a\x60\x62bc\xff").unwrap();
    assert_eq!(text, "abc");
    let list = OfCbor::decode::<Loose>(b"\x9f\x7f\xff\xff").unwrap();
    assert_eq!(list, Loose::List(vec![Loose::Text(String::new())]));
}

/// A decoder of JSON takes escapes and plain characters.
#[test]
fn json_texts_may_be_escaped() {
    for text in [r#""z\u00fc \ud83d\ude00""#, "\"zü \u{1f600}\""] {
        assert_eq!(
            OfJson::decode::<String>(text.as_bytes()).unwrap(),
            "zü \u{1f600}"
        );
    }
}

/// A float survives a round trip through JSON bit for bit.
#[test]
fn json_floats_keep_their_bits() {
    for float in [0.1 + 0.2, f64::MIN_POSITIVE, f64::MAX, 5e-324, 8.41e21] {
        let bits = |frame: &[u8]| OfJson::decode::<f64>(&frame[4..]).unwrap().to_bits();
        assert_eq!(bits(&OfJson::encode(float)), float.to_bits());
    }
}

/// `Json` refuses a map whose keys are not texts.
#[test]
fn impossible_json_is_unencodable() {
    let map = BTreeMap::from([((1, 2), 3)]);
    let mut buffer = asynchronous_codec::BytesMut::from("before");
    let result = asynchronous_codec::Encoder::encode(&mut OfJson::codec(99), map, &mut buffer);
    assert!(matches!(result, Err(CodecError::Unencodable(_))));
    assert_eq!(buffer, "before");
}
