//! Frames that lie, under an allocator that counts.
#![cfg(any(
    feature = "bincode",
    feature = "cbor",
    feature = "json",
    feature = "postcard"
))]

mod common;

use ws_framed_test_support::alloc::CountingAlloc;

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

for_every_format! {
    crate::lies:
    a_value_over_the_limit_is_stored_no_further_and_its_length_is_told,
}

mod compact {
    crate::for_compact_formats! {
        crate::lies:
        a_text_that_lies_about_its_length_allocates_nothing,
        a_sequence_that_lies_about_its_length_allocates_nothing_for_it,
        sequences_that_claim_all_they_can_share_one_budget,
        an_error_says_which_bound_was_exceeded,
    }
}

// Each format uses a part of this.
#[allow(dead_code)]
mod lies {
    use std::collections::{BTreeMap, HashMap};
    use std::error::Error;
    use std::path::PathBuf;

    use asynchronous_codec::{BytesMut, Encoder};
    use serde::de::{Deserialize, Deserializer, Visitor};
    use serde::ser::{Serialize, SerializeSeq, Serializer};
    use ws_framed_codecs::CodecError;
    use ws_framed_test_support::alloc::exclusive;

    use crate::common::cases::assert_too_large;
    use crate::common::least_cost;
    use crate::common::values::{Compact, Format, refused};

    /// What an error and its message may take.
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

    /// Reads what serde calls a byte buffer.
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

    pub(crate) fn a_text_that_lies_about_its_length_allocates_nothing<F: Compact>() {
        let _alone = exclusive();
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
            // These have made room for one element, or for a node of a map.
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

    pub(crate) fn a_sequence_that_lies_about_its_length_allocates_nothing_for_it<F: Compact>() {
        let _alone = exclusive();
        // The payload has 32 bytes and more for the elements, so the smallest claim is refused when
        // they run out.
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

    pub(crate) fn sequences_that_claim_all_they_can_share_one_budget<F: Compact>() {
        const LEN: usize = 1 << 20;
        let _alone = exclusive();
        // Each level claims half of what is left to claim, so that none is refused for the claim
        // alone.
        let mut payload = Vec::new();
        for level in 1..20 {
            payload.extend(F::len((LEN >> level) as u64));
        }
        payload.resize(LEN, 0xff);
        let cost = refused::<F, Tree>(&payload);
        assert!(cost.peak <= LEN * size_of::<Tree>() + SMALL, "{cost:?}");
        assert!(cost.peak <= 20 * (1 << 20), "{cost:?}");

        // The same with siblings, which cannot claim again what those before them have claimed.
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

    pub(crate) fn an_error_says_which_bound_was_exceeded<F: Compact>() {
        let _alone = exclusive();
        let reason = |error: CodecError| error.source().unwrap().to_string();
        let many = F::decode::<Vec<()>>(&F::len(MANY)).unwrap_err();
        assert_eq!(
            reason(many),
            "the value claims more elements than its frame has bytes"
        );
        let deep = F::decode::<Tree>(&[1; 1000]).unwrap_err();
        assert_eq!(reason(deep), "the value is nested deeper than 128 levels");
        let long = F::decode::<u8>(&[1; 10]).unwrap_err();
        assert_eq!(reason(long), "9 bytes are left over behind the value");
    }

    /// A sequence of as many bytes, made on the way.
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

    pub(crate) fn a_value_over_the_limit_is_stored_no_further_and_its_length_is_told<F: Format>() {
        const LEN: usize = 200_000;
        let _alone = exclusive();
        let (result, cost) = least_cost(|| {
            let mut buffer = BytesMut::from("before");
            let result = F::codec::<Zeros>(1000).encode(Zeros(LEN), &mut buffer);
            assert_eq!(buffer, "before");
            result
        });
        let len = F::encode(Zeros(LEN)).len() - 4;
        assert!(len > LEN);
        assert_too_large(result, len, 1000);
        assert!(cost.peak <= 8 * 1024, "{cost:?}");
    }
}
