//! Masking and its keys.

use std::collections::HashSet;

use crate::protocol::mask::{apply, random_key};

/// Every length up to several steps of the inner loop, every offset.
#[test]
fn matches_rfc_formula() {
    let key = [0x11, 0x22, 0x44, 0x88];
    for len in 0..300 {
        for offset in 0..9 {
            let data: Vec<u8> = (0..len).map(|at| (at * 7 % 256) as u8).collect();
            let octets = data.iter().enumerate();
            let expected: Vec<u8> = octets
                .map(|(at, byte)| byte ^ key[(at + offset) % 4])
                .collect();
            let mut masked = data.clone();
            apply(&mut masked, key, offset);
            assert_eq!(masked, expected, "{len} {offset}");
        }
    }
}

/// Keys differ across the batches of a thread, and between threads.
#[test]
fn keys_differ() {
    let keys = || (0..1000).map(|_| random_key().unwrap()).collect::<Vec<_>>();
    let other = std::thread::spawn(keys).join().unwrap();
    let all: HashSet<[u8; 4]> = keys().into_iter().chain(other).collect();
    // Of 2000 random keys, 2 are equal with a probability of 0.0005.
    assert!(all.len() > 1995, "{}", all.len());
}
