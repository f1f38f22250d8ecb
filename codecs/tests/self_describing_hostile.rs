//! Frames of JSON and CBOR that lie in their ways, under an allocator that counts.
#![cfg(all(feature = "cbor", feature = "json"))]

mod common;

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fmt::Debug;
use std::thread;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use ws_framed_codecs::CodecError;
use ws_framed_test_support::alloc::{CountingAlloc, exclusive};

use common::self_describing::{Loose, OfCbor, OfJson};
use common::values::{Format, Value, refused};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

const LEN: usize = 1 << 20;

/// What an error and its message may take, and a node of a map.
const SMALL: usize = 2048;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct List {
    id: u8,
    next: Option<Box<List>>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Tree(Vec<Tree>);

/// Read into a buffer of serde's first, whatever it is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Tagged {
    Rest {
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    },
}

/// Takes any value and keeps nothing.
#[derive(Debug)]
struct Skip;

impl Serialize for Skip {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for Skip {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|IgnoredAny| Self)
    }
}

fn assert_cheap<F: Format, T: Serialize + DeserializeOwned + Debug>(payload: &[u8], most: usize) {
    let cost = refused::<F, T>(payload);
    assert!(
        cost.peak <= most,
        "{cost:?} for {:?}",
        &payload[..payload.len().min(32)]
    );
}

/// A head of CBOR with an argument of eight bytes.
fn head(major: u8, claim: u64) -> Vec<u8> {
    [&[(major << 5) | 0x1b], &claim.to_be_bytes()[..]].concat()
}

const CLAIMS: [u64; 7] = [
    33,
    1000,
    1 << 16,
    1 << 31,
    1 << 40,
    i64::MAX as u64,
    u64::MAX,
];

#[test]
fn a_length_of_cbor_that_lies_allocates_nothing_for_it() {
    let _alone = exclusive();
    for claim in CLAIMS {
        for (major, fill) in [(2, b'.'), (3, b'.'), (4, 1), (5, 1)] {
            let lie = [head(major, claim), vec![fill; 20]].concat();
            let in_a_list = [&[0x81], &lie[..]].concat();
            let in_pieces = [&[(major << 5) | 0x1f], &lie[..]].concat();
            // For a piece of a text, cbor4ii makes room before it asks for the bytes, but not more.
            for (payload, most) in [
                (lie, SMALL),
                (in_a_list, SMALL),
                (in_pieces, SMALL + 16 * 1024),
            ] {
                assert_cheap::<OfCbor, String>(&payload, most);
                assert_cheap::<OfCbor, Vec<u8>>(&payload, most);
                assert_cheap::<OfCbor, Vec<[u64; 32]>>(&payload, most);
                assert_cheap::<OfCbor, Vec<Vec<[u64; 32]>>>(&payload, most);
                assert_cheap::<OfCbor, BTreeMap<u8, [u64; 8]>>(&payload, most);
                assert_cheap::<OfCbor, HashMap<u8, [u64; 32]>>(&payload, most);
                assert_cheap::<OfCbor, Loose>(&payload, most);
                assert_cheap::<OfCbor, Tagged>(&payload, most);
                assert_cheap::<OfCbor, Skip>(&payload, most);
            }
        }
    }
}

#[test]
fn an_error_says_which_bound_was_exceeded() {
    let reason = |error: CodecError| error.source().unwrap().to_string();
    let deep = "the value is nested deeper than 128 levels";
    assert_eq!(
        reason(OfJson::decode::<Tree>(&[b'['; 1000]).unwrap_err()),
        deep
    );
    assert_eq!(
        reason(OfCbor::decode::<Tree>(&[0x81; 1000]).unwrap_err()),
        deep
    );
    assert_eq!(
        reason(OfCbor::decode::<Loose>(&[0x81; 1000]).unwrap_err()),
        deep
    );
    let many = OfCbor::decode::<Vec<()>>(&head(4, 1_000_000_000)).unwrap_err();
    assert_eq!(
        reason(many),
        "the value claims more elements than its frame has bytes"
    );
    let long = OfCbor::decode::<u8>(&[1; 10]).unwrap_err();
    assert_eq!(reason(long), "9 bytes are left over behind the value");
    let long = OfJson::decode::<u8>(b"1 1").unwrap_err();
    assert_eq!(reason(long), "trailing characters at line 1 column 3");
}

/// On the 2 MiB that a thread gets, in a debug build.
#[test]
fn a_large_frame_of_nothing_but_nesting_is_refused_at_little_cost() {
    fn check<F: Format>(openings: &[&[u8]], most: usize) {
        for opening in openings {
            let payload = opening.repeat(LEN / opening.len());
            assert_cheap::<F, Tree>(&payload, most);
            assert_cheap::<F, List>(&payload, most);
            assert_cheap::<F, Value>(&payload, most);
            assert_cheap::<F, Loose>(&payload, most);
            assert_cheap::<F, Tagged>(&payload, most);
            assert_cheap::<F, Skip>(&payload, most);
        }
    }
    let run = || {
        let _alone = exclusive();
        // What a type skips has a stack on the heap in serde_json: a byte a level, and old and new at
        // once while it grows.
        let json: [&[u8]; 6] = [
            b"[",
            b"{\"\":",
            b"{\"next\":",
            b"{\"Inside\":",
            b"{\"type\":",
            b"{\"Several\":[",
        ];
        check::<OfJson>(&json, 3 * LEN);
        let cbor: [&[u8]; 11] = [
            b"\x81",
            b"\x9f",
            b"\xa1\x60",
            b"\xbf\x60",
            b"\xa1\x64next",
            b"\xa1\x66Inside",
            b"\xa1\x64type",
            b"\xc1",
            b"\xc2",
            b"\x7f",
            b"\xa1\x67Several\x81",
        ];
        check::<OfCbor>(&cbor, 64 * 1024);
    };
    let thread = thread::Builder::new().stack_size(2 << 20).spawn(run);
    thread.unwrap().join().unwrap();
}

#[test]
fn a_large_frame_of_whatever_bytes_is_read_at_linear_cost() {
    let _alone = exclusive();
    let noise = |of: &[u8]| -> Vec<u8> {
        (0..LEN / 4)
            .map(|i: usize| {
                of[usize::from(i.wrapping_mul(0x9e37_79b9).to_be_bytes()[4]) % of.len()]
            })
            .collect()
    };
    let all: Vec<_> = (0..=255).collect();
    for payload in [noise(b"[]{},:\"a\\u1 "), noise(b"[],"), noise(&all)] {
        let payload = [b"[", &payload[..]].concat();
        assert_cheap::<OfJson, Tree>(&payload, LEN * size_of::<Tree>());
        assert_cheap::<OfJson, Loose>(&payload, LEN * size_of::<Loose>());
        assert_cheap::<OfJson, Vec<Value>>(&payload, LEN * size_of::<Value>());
    }
    for payload in [
        noise(&all),
        noise(b"\x80\x81\x9f\xff"),
        noise(b"\x60\xa1\xbf\xff\x82"),
    ] {
        let payload = [b"\x9f", &payload[..]].concat();
        assert_cheap::<OfCbor, Tree>(&payload, LEN * size_of::<Tree>());
        assert_cheap::<OfCbor, Loose>(&payload, LEN * size_of::<Loose>());
        assert_cheap::<OfCbor, Vec<Value>>(&payload, LEN * size_of::<Value>());
    }
}

#[test]
fn numbers_of_json_with_a_million_digits_cost_no_more_than_their_bytes() {
    let _alone = exclusive();
    let digits = "9".repeat(LEN);
    assert_cheap::<OfJson, u128>(digits.as_bytes(), 4 * LEN);
    assert_cheap::<OfJson, f64>(digits.as_bytes(), 4 * LEN);
    let small = format!("0.{digits}e-9");
    assert!(OfJson::decode::<f64>(small.as_bytes()).is_ok());
    assert_cheap::<OfJson, f64>(format!("1e{digits}").as_bytes(), 4 * LEN);
}
