//! What frames of nesting and of arbitrary bytes cost.

// Each feature uses a part of this.
#![allow(dead_code)]

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    common::{
        nested::{Chain, List, Map, Mixed, Tree},
        values::{Format, Value},
    },
    cost::refused,
};

crate::for_compact_formats! {
    crate::nesting:
    pure_nesting_costs_little,
    arbitrary_bytes_cost_linear_memory,
}

const LEN: usize = 1 << 20;

fn assert_refused<F, T>(payload: &[u8], ceiling: usize)
where
    F: Format,
    T: Serialize + DeserializeOwned + Debug,
{
    let cost = refused::<F, T>(payload);
    assert!(cost.peak <= ceiling, "{cost:?}");
}

/// A decoder refuses a large frame that consists of nesting alone, at little memory.
fn pure_nesting_costs_little<F: Format>() {
    // A `Some`, a variant that holds another, a sequence of one: all are the byte 1.
    let ones = vec![1; LEN];
    assert_refused::<F, List>(&ones, 64 * 1024);
    assert_refused::<F, Chain>(&ones, 64 * 1024);
    assert_refused::<F, Tree>(&ones, 64 * 1024);
    assert_refused::<F, Map>(&ones, 64 * 1024);
    assert_refused::<F, Mixed>(&ones, 64 * 1024);
    assert_refused::<F, Vec<Vec<Option<Chain>>>>(&ones, 64 * 1024);

    // With variants of several fields, and with sequences that claim a hundred each.
    assert_refused::<F, Chain>(&vec![2; LEN], 64 * 1024);
    assert_refused::<F, Chain>(&[3, 0].repeat(LEN / 2), 64 * 1024);
    assert_refused::<F, Tree>(&vec![100; LEN], 1 << 20);
    assert_refused::<F, Map>(&vec![100; LEN], 1 << 20);
    assert_refused::<F, Value>(&vec![7; LEN], 64 * 1024);
    assert_refused::<F, Value>(&vec![8; LEN], 1 << 20);
}

/// A decoder reads or refuses a large frame of arbitrary bytes at memory linear in its length.
fn arbitrary_bytes_cost_linear_memory<F: Format>() {
    // A counter with a large step makes bytes of every value without much order.
    let noise: Vec<u8> = (0..LEN)
        .map(|i| i.wrapping_mul(0x9e37_79b9).to_be_bytes()[4])
        .collect();
    for start in [0, 1, 2, 3, 5, 8, 13] {
        assert_refused::<F, Tree>(&noise[start..], LEN * size_of::<Tree>());
        assert_refused::<F, Map>(&noise[start..], LEN * size_of::<Map>());
        assert_refused::<F, Vec<Value>>(&noise[start..], LEN * size_of::<Value>());
    }
}

#[cfg(all(feature = "cbor", feature = "json"))]
mod self_describing {
    use std::thread;

    use super::*;
    use crate::{
        common::self_describing::{Loose, OfCbor, OfJson},
        cost::{Skip, Tagged, assert_cheap},
    };

    /// A decoder of a self-describing format refuses a large frame of nesting alone at little
    /// memory, on 2 MiB of stack in a debug build.
    #[test]
    fn pure_nesting_in_text_costs_little() {
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
            // serde_json keeps a stack on the heap for skipped values: a byte a level, and twice
            // while it grows.
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

    /// A decoder of a self-describing format reads or refuses arbitrary bytes at memory linear in
    /// their length.
    #[test]
    fn arbitrary_text_costs_linear_memory() {
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
}
