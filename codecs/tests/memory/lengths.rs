//! What values cost whose length is wrong, or over the limit.

// Each feature uses a part of this.
#![allow(dead_code)]

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
};

use asynchronous_codec::{BytesMut, Encoder};
use serde::{
    de::{Deserialize, Deserializer, Visitor},
    ser::{Serialize, SerializeSeq, Serializer},
};
use ws_framed_test_support::alloc::measure;

use crate::{
    common::{
        assert_item_too_large,
        values::{Compact, Format},
    },
    cost::refused,
};

crate::for_every_format! {
    crate::lengths:
    value_over_the_limit_costs_little,
}

mod compact {
    crate::for_compact_formats! {
        crate::lengths:
        claimed_text_length_allocates_nothing,
        claimed_sequence_length_allocates_nothing,
        nested_claims_share_a_budget,
    }
}

/// The most bytes that an error and its message take.
const SMALL: usize = 1024;
const MANY: u64 = 1_000_000_000;
const CLAIMS: [u64; 8] = [
    33,
    1000,
    1 << 16,
    1 << 31,
    MANY,
    1 << 40,
    i64::MAX as u64,
    u64::MAX,
];

/// A byte buffer of serde's data model.
#[derive(Debug)]
struct ByteBuf(u8);

impl<'de> Deserialize<'de> for ByteBuf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = ByteBuf;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, _: &[u8]) -> Result<ByteBuf, E> {
                Ok(ByteBuf(0))
            }
        }
        deserializer.deserialize_byte_buf(Any)
    }
}

impl Serialize for ByteBuf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&[self.0])
    }
}

/// A text that claims more bytes than the frame has allocates nothing for them.
fn claimed_text_length_allocates_nothing<F: Compact>() {
    for claim in CLAIMS {
        let text = [
            F::len(claim),
            b"thirty-two bytes at the very most"[..32].to_vec(),
        ]
        .concat();
        let one = [F::len(1), text.clone()].concat();
        let in_a_tuple = [b"\x05".to_vec(), text.clone()].concat();
        for cost in [
            refused::<F, String>(&text),
            refused::<F, Box<str>>(&text),
            refused::<F, PathBuf>(&text),
            refused::<F, ByteBuf>(&text),
            refused::<F, (u8, String)>(&in_a_tuple),
            refused::<F, Option<String>>(&one),
        ] {
            assert!(cost.peak <= SMALL, "{claim}: {cost:?}");
        }
        // Here there is room for one element, or for a node of a map.
        for cost in [
            refused::<F, Vec<String>>(&one),
            refused::<F, Vec<Vec<String>>>(&[F::len(1), one.clone()].concat()),
            refused::<F, BTreeMap<String, u8>>(&one),
            refused::<F, BTreeMap<u8, ByteBuf>>(&[F::len(1), in_a_tuple.clone()].concat()),
        ] {
            assert!(cost.peak <= 2 * SMALL, "{claim}: {cost:?}");
        }
    }
}

/// A sequence or map that claims more elements than the frame has bytes allocates nothing for them.
fn claimed_sequence_length_allocates_nothing<F: Compact>() {
    // The smallest claim is refused when the bytes run out.
    for claim in CLAIMS {
        let seq = [F::len(claim), vec![1; 20]].concat();
        let nested = [vec![1, 1], seq.clone()].concat();
        let costs = [
            refused::<F, Vec<u8>>(&seq),
            refused::<F, Vec<u64>>(&seq),
            refused::<F, Vec<[u64; 32]>>(&seq),
            refused::<F, Vec<Vec<Vec<[u64; 32]>>>>(&nested),
            refused::<F, (u8, Option<Vec<[u64; 32]>>)>(&nested),
            refused::<F, BTreeMap<u8, [u64; 32]>>(&seq),
            refused::<F, HashMap<u8, [u64; 32]>>(&seq),
        ];
        for cost in costs {
            assert!(cost.peak <= 2 * SMALL, "{claim}: {cost:?}");
        }
    }
}

/// A tree with as many branches as it claims.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Tree(Vec<Tree>);

/// Sequences in a frame, nested or side by side, cannot claim more elements together than the frame
/// has bytes.
fn nested_claims_share_a_budget<F: Compact>() {
    const LEN: usize = 1 << 20;
    // Each level claims half of the rest, so that none is refused for its claim alone.
    let mut payload = Vec::new();
    for level in 1..20 {
        payload.extend(F::len((LEN >> level) as u64));
    }
    payload.resize(LEN, 0xff);
    let cost = refused::<F, Tree>(&payload);
    assert!(cost.peak <= LEN * size_of::<Tree>() + SMALL, "{cost:?}");
    assert!(cost.peak <= 20 * (1 << 20), "{cost:?}");

    // Siblings share one budget, too.
    let quarter = F::len(LEN as u64 / 4);
    let mut payload = F::len(LEN as u64 / 8);
    for _ in 0..8 {
        payload.extend(&quarter);
        payload.extend(vec![0; LEN / 4]);
    }
    payload.truncate(LEN);
    let cost = refused::<F, Vec<Vec<Tree>>>(&payload);
    assert!(cost.peak <= 4 * LEN * size_of::<Tree>(), "{cost:?}");
}

/// A sequence of so many zeros, made while it is serialized.
#[derive(serde::Deserialize)]
struct Zeros(usize);

impl Serialize for Zeros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.0))?;
        for _ in 0..self.0 {
            seq.serialize_element(&0u8)?;
        }
        seq.end()
    }
}

/// An encoder stores no more of a value than the limit, and reports the length of the whole.
fn value_over_the_limit_costs_little<F: Format>() {
    const LEN: usize = 200_000;
    let (result, cost) = measure(|| {
        let mut buffer = BytesMut::from("before");
        let result = F::codec::<Zeros>(1000).encode(Zeros(LEN), &mut buffer);
        assert_eq!(buffer, "before");
        result
    });
    let len = F::encode(Zeros(LEN)).len() - 4;
    assert!(len > LEN);
    assert_item_too_large(result, len, 1000);
    assert!(cost.peak <= 8 * 1024, "{cost:?}");
}

#[cfg(all(feature = "cbor", feature = "json"))]
mod self_describing {
    use super::*;
    use crate::{
        common::self_describing::{Loose, OfCbor, OfJson, head},
        cost::{Skip, Tagged, assert_cheap},
    };

    const LEN: usize = 1 << 20;

    /// The most bytes that an error, its message and a node of a map take.
    const SMALL: usize = 2048;

    const CLAIMS: [u64; 7] = [
        33,
        1000,
        1 << 16,
        1 << 31,
        1 << 40,
        i64::MAX as u64,
        u64::MAX,
    ];

    /// A head of CBOR that claims more than the frame has allocates nothing for it.
    #[test]
    fn claimed_cbor_length_allocates_nothing() {
        for claim in CLAIMS {
            for (major, fill) in [(2, b'.'), (3, b'.'), (4, 1), (5, 1)] {
                let claimed = [head(major, claim), vec![fill; 20]].concat();
                let in_a_list = [&[0x81], &claimed[..]].concat();
                let in_pieces = [&[(major << 5) | 0x1f], &claimed[..]].concat();
                // For a piece of a text, cbor4ii makes that much room before it reads the bytes.
                for (payload, most) in [
                    (claimed, SMALL),
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

    /// A number of JSON with a million digits costs memory linear in its length.
    #[test]
    fn long_json_numbers_cost_linear_memory() {
        let digits = "9".repeat(LEN);
        assert_cheap::<OfJson, u128>(digits.as_bytes(), 4 * LEN);
        assert_cheap::<OfJson, f64>(digits.as_bytes(), 4 * LEN);
        let small = format!("0.{digits}e-9");
        assert!(OfJson::decode::<f64>(small.as_bytes()).is_ok());
        assert_cheap::<OfJson, f64>(format!("1e{digits}").as_bytes(), 4 * LEN);
    }
}
