//! Any text and any bytes, in pieces.

use proptest::prelude::*;

use super::push_all;
use crate::protocol::rule::Rule;

proptest! {
    /// Text is unchanged, wherever it is split in three.
    #[test]
    fn valid_in_pieces(text: String, a: prop::sample::Index, b: prop::sample::Index) {
        let bytes = text.as_bytes();
        let (a, b) = (a.index(bytes.len() + 1), b.index(bytes.len() + 1));
        let (a, b) = (a.min(b), a.max(b));
        prop_assert_eq!(push_all([&bytes[..a], &bytes[a..b], &bytes[b..]]), Ok(text));
    }

    /// Any bytes, byte for byte, are what the standard library says of them.
    #[test]
    fn like_standard_library(bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0x80..=0xbf_u8, 0xe0..=0xf4_u8], 0..8)) {
        let expected = String::from_utf8(bytes.clone()).map_err(|_| Rule::Utf8);
        prop_assert_eq!(push_all(bytes.chunks(1)), expected.clone());
        prop_assert_eq!(push_all([&*bytes]), expected);
    }
}
