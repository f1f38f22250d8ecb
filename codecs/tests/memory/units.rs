//! Elements that take no bytes: a few bytes can claim any number of them.
#![cfg(any(feature = "bincode", feature = "postcard"))]

use std::{cell::Cell, collections::HashMap, fmt::Debug};

use serde::{
    de::{Deserialize, DeserializeOwned, Deserializer},
    ser::{Serialize, Serializer},
};

use crate::{
    common::values::{Compact, Format},
    cost::refused,
};

crate::for_compact_formats! {
    crate::units:
    visits_are_bounded_by_bytes,
    nested_sequences_share_a_budget,
    map_claims_are_checked_first,
    elements_pass_within_the_budget,
}

const CLAIMS: [u64; 8] = [
    33,
    1000,
    1 << 16,
    1 << 31,
    1_000_000_000,
    1 << 40,
    i64::MAX as u64,
    u64::MAX,
];

thread_local! {
    static VISITS: Cell<usize> = const { Cell::new(0) };
}

/// Takes no bytes, and counts how often it is read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Unit;

impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        VISITS.set(VISITS.get() + 1);
        <()>::deserialize(deserializer).map(|()| Self)
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

/// The number of elements that a decoder reads from a payload before it refuses it.
fn visits<F: Format, T: Serialize + DeserializeOwned + Debug>(payload: &[u8]) -> usize {
    VISITS.set(0);
    refused::<F, T>(payload);
    VISITS.get()
}

/// A decoder visits no more elements than the frame has bytes.
fn visits_are_bounded_by_bytes<F: Compact>() {
    for claim in CLAIMS {
        for fill in [0, 20] {
            let payload = [F::len(claim), vec![0; fill]].concat();
            // A format that does not tell the length reads one more before it is counted.
            let visited = visits::<F, Vec<Unit>>(&payload);
            assert!(visited <= payload.len() + 1, "{visited} for {claim}");
        }
    }
}

/// Nested sequences together yield no more elements than the frame has bytes.
fn nested_sequences_share_a_budget<F: Compact>() {
    const LEN: usize = 1 << 16;
    let inner = F::len(20_000);
    let mut payload = F::len(20_000);
    while payload.len() < LEN {
        payload.extend(&inner);
    }
    let visited = visits::<F, Vec<Vec<Unit>>>(&payload);
    assert!(visited <= payload.len() + 1, "{visited}");

    let mut payload = F::len(100);
    while payload.len() < LEN {
        payload.extend(F::len(100));
    }
    let visited = visits::<F, Vec<Vec<Vec<Unit>>>>(&payload);
    assert!(visited <= payload.len() + 1, "{visited}");
}

/// A decoder refuses a map that claims too many entries before it visits the first.
// The map is zero-sized on purpose.
#[allow(clippy::zero_sized_map_values)]
fn map_claims_are_checked_first<F: Compact>() {
    for claim in CLAIMS {
        let payload = [F::len(claim), vec![0; 20]].concat();
        let visited = visits::<F, HashMap<Unit, Unit>>(&payload);
        assert_eq!(visited, 0);
    }
}

/// Elements that take no bytes pass while the frame has a byte for each.
fn elements_pass_within_the_budget<F: Compact>() {
    // One byte for the length of each, one for each of the others.
    let decode = |units: usize, others: usize| {
        let value = (vec![Unit; 0], vec![0u8; others]);
        let mut payload = F::encode(value)[4..].to_vec();
        payload[0] = u8::try_from(units).unwrap();
        F::decode::<(Vec<Unit>, Vec<u8>)>(&payload).is_ok()
    };
    assert!(decode(2, 0));
    assert!(!decode(3, 0));
    assert!(decode(2, 50));
    assert!(!decode(3, 50));

    let value = vec![vec![(); 2]; 2];
    assert!(F::decode::<Vec<Vec<()>>>(&F::encode(value)[4..]).is_err());
    assert!(F::decode::<Vec<()>>(&F::encode(vec![()])[4..]).is_ok());
}
