//! What `Cbor` writes, and what it reads that other encoders write.
#![cfg(feature = "cbor")]

mod numbers;

use std::{collections::BTreeMap, fmt::Debug, net::IpAddr};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::common::{
    self_describing::{Bytes, OfCbor},
    values::Format,
};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Marker;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Empty,
    Unit(()),
    Circle(u32),
    Corners(Vec<u8>),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Timed<T> {
    t: T,
}

/// Adjacently tagged: while the tag comes first, serde buffers nothing.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum Event {
    Tick { t: u64 },
    Raw(Vec<u8>),
}

fn written<T: Serialize + DeserializeOwned>(value: T) -> Vec<u8> {
    OfCbor::encode(value)[4..].to_vec()
}

/// Fails unless each payload is read as this value.
fn assert_reads<T>(payloads: &[&[u8]], value: &T)
where
    T: Serialize + DeserializeOwned + Debug + PartialEq,
{
    for payload in payloads {
        match OfCbor::decode::<T>(payload) {
            Ok(read) => assert_eq!(&read, value, "{payload:02x?}"),
            Err(error) => panic!("{payload:02x?} is not {value:?}: {error:?}"),
        }
    }
}

/// Fails if one of the payloads is read.
fn assert_refuses<T: Serialize + DeserializeOwned + Debug>(payloads: &[&[u8]]) {
    for payload in payloads {
        let read = OfCbor::decode::<T>(payload);
        assert!(read.is_err(), "{payload:02x?} is {read:?}");
    }
}

/// A unit, wherever it stands, is written as null (RFC 8949 section 3.3).
#[test]
fn units_are_written_as_null() {
    assert_eq!(written(()), b"\xf6");
    assert_eq!(written(Marker), b"\xf6");
    assert_eq!(written(None::<u8>), b"\xf6");
    assert_eq!(written(Value::Null), b"\xf6");
    assert_eq!(written(Ok::<(), String>(())), b"\xa1\x62Ok\xf6");
    assert_eq!(written(vec![(), ()]), b"\x82\xf6\xf6");
    assert_eq!(written(json!({"a": null})), b"\xa1\x61a\xf6");
}

/// Null, undefined and the empty array of earlier versions are read as a unit.
#[test]
fn three_forms_are_a_unit() {
    let forms: [&[u8]; 3] = [b"\xf6", b"\xf7", b"\x80"];
    assert_reads(&forms, &());
    assert_reads(&forms, &Marker);
    for form in forms {
        let in_variant = |name: &[u8]| [&[0xa1], name, form].concat();
        assert_reads(&[&in_variant(b"\x62Ok")], &Ok::<(), String>(()));
        assert_reads(&[&in_variant(b"\x64Unit")], &Shape::Unit(()));
        assert_reads(&[&in_variant(b"\x65Empty")], &Shape::Empty);
    }
    assert_refuses::<()>(&[b"\x00", b"\x81\xf6", b"\xa0", b"\xf4", b"\x60"]);
}

/// Null and undefined are read as `None` and as the null of a dynamic value.
#[test]
fn null_and_undefined_are_none() {
    assert_reads(&[b"\xf6", b"\xf7"], &None::<u8>);
    assert_reads(&[b"\xf6", b"\xf7"], &Value::Null);
    assert_reads(
        &[b"\xa1\x61t\xf7", b"\xbf\x61t\xf6\xff"],
        &Timed { t: None::<u8> },
    );
}

/// A byte string is read where a type asks for a list or an array of bytes.
#[test]
fn byte_strings_are_lists_of_bytes() {
    let strings: [&[u8]; 3] = [
        b"\x43\x01\x02\x03",
        b"\x58\x03\x01\x02\x03",
        b"\x5f\x41\x01\x40\x42\x02\x03\xff",
    ];
    assert_reads(&strings, &vec![1u8, 2, 3]);
    assert_reads(&strings, &[1u8, 2, 3]);
    assert_reads(&strings, &(1u8, 2u8, 3u8));
    assert_reads(&strings, &Bytes(vec![1, 2, 3]));
    for string in strings {
        let entry = [b"\xa1\x61t", string].concat();
        assert_reads(&[&entry], &Timed { t: vec![1u8, 2, 3] });
        assert_reads(
            &[&entry],
            &Timed {
                t: Some([1u8, 2, 3]),
            },
        );
        let corners = [b"\xa1\x67Corners", string].concat();
        assert_reads(&[&corners], &Shape::Corners(vec![1, 2, 3]));
        let raw = [b"\xa2\x64type\x63Raw\x64data", string].concat();
        assert_reads(&[&raw], &Event::Raw(vec![1, 2, 3]));
    }
    assert_refuses::<[u8; 2]>(&strings);
    assert_refuses::<[u8; 4]>(&strings);
}

/// A byte string that is UTF-8 is read where a type asks for a text, as a value or a name.
#[test]
fn utf8_byte_strings_are_texts() {
    let strings: [&[u8]; 2] = [b"\x43\xc3\xb8x", b"\x5f\x42\xc3\xb8\x41x\xff"];
    assert_reads(&strings, &"\u{f8}x".to_owned());
    let named = Timed {
        t: "\u{f8}x".to_owned(),
    };
    assert_reads(&[b"\xa1\x41t\x43\xc3\xb8x"], &named);
    assert_refuses::<String>(&[b"\x41\xff", b"\x42\xc3("]);
}

/// A list of integers is read where a type asks for bytes.
#[test]
fn lists_are_read_as_bytes() {
    let lists: [&[u8]; 2] = [b"\x83\x01\x02\x03", b"\x9f\x01\x02\x03\xff"];
    assert_reads(&lists, &Bytes(vec![1, 2, 3]));
    assert_refuses::<Bytes>(&[b"\x81\x19\x01\0", b"\x81\x20"]);
}

/// Tags that leave the value what it is are skipped (RFC 8949 section 3.4).
#[test]
fn harmless_tags_are_skipped() {
    // An array of bytes, as cbor-x writes an `Uint8Array` (RFC 8746 section 2).
    let typed: [&[u8]; 2] = [b"\xd8\x40\x43\x01\x02\x03", b"\xd8\x44\x43\x01\x02\x03"];
    assert_reads(&typed, &vec![1u8, 2, 3]);
    assert_reads(&typed, &Bytes(vec![1, 2, 3]));
    // The tag that marks CBOR, alone and before another.
    assert_reads(&[b"\xd9\xd9\xf7\x83\x01\x02\x03"], &vec![1u8, 2, 3]);
    assert_reads(&[b"\xd9\xd9\xf7\xd8\x40\x43\x01\x02\x03"], &vec![1u8, 2, 3]);
    // Dates: a text, seconds, seconds with a fraction.
    assert_reads(&[b"\xc0\x6a2026-11-26"], &"2026-11-26".to_owned());
    assert_reads(&[b"\xc1\x1a\x65\x53\xf1\0"], &1_700_000_000u64);
    assert_reads(&[b"\xc1\xfb\x41\xd9\x54\xfc\x40\0\0\0"], &1_700_000_000u64);
    assert_reads(&[b"\xc1\xf9\x3e\0"], &1.5f64);
    assert_reads(&[b"\xc1\x1a\x65\x53\xf1\0"], &json!(1_700_000_000));
    // Within a map, before keys too, and before null, a variant and its value.
    let maps: [&[u8]; 2] = [
        b"\xa1\xd9\xd9\xf7\x61t\xc1\x05",
        b"\xd9\xd9\xf7\xbf\x61t\xc1\x05\xff",
    ];
    assert_reads(&maps, &Timed { t: 5u8 });
    assert_reads(&maps, &BTreeMap::from([("t".to_owned(), 5u8)]));
    assert_reads(&[b"\xc1\xf6"], &None::<u8>);
    assert_reads(&[b"\xd9\xd9\xf7\xf6"], &());
    assert_reads(&[b"\xd9\xd9\xf7\x65Empty"], &Shape::Empty);
    assert_reads(&[b"\xd9\xd9\xf7\xa1\x66Circle\xc1\x07"], &Shape::Circle(7));
}

/// Tags that make another value of what follows are refused, and so is a tag without a value.
#[test]
fn transforming_tags_are_refused() {
    // A decimal fraction, a big float, a rational, references, and numbers of 16 bits.
    let tagged: [&[u8]; 7] = [
        b"\xc4\x82\x21\x19\x6a\xb3",
        b"\xc5\x82\x20\x03",
        b"\xd8\x1e\x82\x01\x03",
        b"\xd8\x19\x05",
        b"\xd8\x1d\x05",
        b"\xd8\x41\x44\0\x01\0\x02",
        b"\xd8\x57\x40",
    ];
    assert_refuses::<Value>(&tagged);
    assert_refuses::<Vec<u16>>(&tagged);
    assert_refuses::<Bytes>(&tagged);
    assert_refuses::<u64>(&tagged);
    assert_refuses::<Value>(&[
        b"\xd9\xd9\xf7",
        b"\xc1",
        b"\xdf",
        b"\xdc\0",
        b"\x81\xc1\xff",
    ]);
    let error = OfCbor::decode::<u64>(b"\xd8\x19\x05").unwrap_err();
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert!(why.contains("25"), "{why}");
}

/// An address, or an id, is a text on the wire, so a peer that sends a text is understood.
#[test]
fn addresses_are_texts() {
    let home = IpAddr::from([127, 0, 0, 1]);
    assert_eq!(written(home), b"\x69127.0.0.1");
    assert_reads(&[b"\xa1\x61t\x69127.0.0.1"], &Timed { t: home });
}

/// Arrays and maps that hold more or less than their type takes are refused, whether their length
/// is definite or not.
#[test]
fn other_lengths_are_refused() {
    assert_reads(&[b"\x82\x01\x02", b"\x9f\x01\x02\xff"], &(1u8, 2u8));
    assert_refuses::<(u8, u8)>(&[
        b"\x81\x01",
        b"\x83\x01\x02\x03",
        b"\x9f\x01\xff",
        b"\x9f\x01\x02\x03\xff",
        b"\x9f\x01\x02",
    ]);
    assert_reads(
        &[b"\xa1\x66Circle\x07", b"\xbf\x66Circle\x07\xff"],
        &Shape::Circle(7),
    );
    assert_refuses::<Shape>(&[
        b"\xa0",
        b"\xa2\x66Circle\x07\x66Circle\x07",
        b"\xbf\xff",
        b"\xbf\x66Circle\x07",
        b"\xbf\x66Circle\x07\x66Circle\x07\xff",
        b"\x66Circle",
        b"\xa1\x65Empty\x07",
        b"\x01",
    ]);
}

/// The fields of a struct have names: an integer is not taken for the index of one.
#[test]
fn fields_are_found_by_name() {
    assert_reads(&[b"\xa1\x61t\x07"], &Timed { t: 7u8 });
    assert_refuses::<Timed<u8>>(&[b"\xa1\0\x07", b"\xa1\xc2\x40\x07"]);
    assert_refuses::<Shape>(&[b"\xa1\x02\x07", b"\0"]);
}
