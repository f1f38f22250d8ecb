//! Values within values: how deep they may be, and what a frame that is deeper costs.
//!
//! These run on the 2 MiB of stack that a thread gets, in a debug build.
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
    crate::nested:
    lists_pass_to_the_last_level_and_no_further,
    chains_of_variants_pass_to_the_last_level_and_no_further,
    trees_pass_to_the_last_level_and_no_further,
    maps_pass_to_the_last_level_and_no_further,
    newtypes_options_and_tuples_count_as_levels,
    breadth_is_not_depth,
}

mod compact {
    crate::for_compact_formats! {
        crate::nested:
        a_large_frame_of_nothing_but_nesting_is_refused_at_little_cost,
        a_large_frame_of_whatever_bytes_is_read_at_linear_cost,
    }
}

// Each format uses a part of this.
#[allow(dead_code)]
mod nested {
    use std::collections::BTreeMap;
    use std::error::Error;
    use std::fmt::Debug;
    use std::thread;

    use serde::{Deserialize, Serialize, de::DeserializeOwned};
    use ws_framed_codecs::CodecError;
    use ws_framed_test_support::alloc::exclusive;

    use crate::common::values::{Format, Value, refused};

    #[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
    struct List {
        id: u8,
        next: Option<Box<List>>,
    }

    #[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
    enum Chain {
        #[default]
        End,
        New(Box<Chain>),
        Tuple(u8, Box<Chain>),
        Struct {
            name: String,
            next: Box<Chain>,
        },
    }

    #[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
    struct Tree(Vec<Tree>);

    #[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
    struct Map {
        entries: BTreeMap<u8, Map>,
    }

    #[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
    struct Mixed(Option<(u8, Box<Mixed>)>);

    /// A value of `T::default()` inside so many others.
    fn nest<T: Default>(times: usize, around: impl Fn(T) -> T) -> T {
        (0..times).fold(T::default(), |inner, _| around(inner))
    }

    /// So many levels inside others come back as they were, one more does not.
    fn assert_deepest<F, T>(deepest: usize, around: impl Fn(T) -> T)
    where
        F: Format,
        T: Serialize + DeserializeOwned + Default + PartialEq + Debug,
    {
        let frame = F::encode(nest(deepest, &around));
        assert_eq!(F::decode::<T>(&frame[4..]).unwrap(), nest(deepest, &around));

        let frame = F::encode(nest(deepest + 1, &around));
        let error = F::decode::<T>(&frame[4..]).unwrap_err();
        assert!(matches!(error, CodecError::Malformed(_)));
        assert_eq!(
            error.source().unwrap().to_string(),
            "the value is nested deeper than 128 levels"
        );
    }

    pub(crate) fn lists_pass_to_the_last_level_and_no_further<F: Format>() {
        // The struct and its `Some` are a level each; the last struct has none.
        assert_deepest::<F, List>(63, |inner| List {
            id: 7,
            next: Some(Box::new(inner)),
        });
    }

    pub(crate) fn chains_of_variants_pass_to_the_last_level_and_no_further<F: Format>() {
        // An enum is one level, whatever its variant holds.
        assert_deepest::<F, Chain>(127, |inner| Chain::New(Box::new(inner)));
        assert_deepest::<F, Chain>(127, |inner| Chain::Tuple(1, Box::new(inner)));
        let around = |next| Chain::Struct {
            name: "n".to_owned(),
            next: Box::new(next),
        };
        assert_deepest::<F, Chain>(127, around);
    }

    pub(crate) fn trees_pass_to_the_last_level_and_no_further<F: Format>() {
        // The newtype and its sequence are a level each, also where the sequence is empty.
        assert_deepest::<F, Tree>(63, |inner| Tree(vec![inner]));
        assert_deepest::<F, Tree>(63, |inner| {
            Tree(vec![Tree::default(), inner, Tree::default()])
        });
    }

    pub(crate) fn maps_pass_to_the_last_level_and_no_further<F: Format>() {
        assert_deepest::<F, Map>(63, |inner| Map {
            entries: BTreeMap::from([(1, inner)]),
        });
    }

    pub(crate) fn newtypes_options_and_tuples_count_as_levels<F: Format>() {
        // Three levels each, and one for the newtype around the `None`.
        assert_deepest::<F, Mixed>(42, |inner| Mixed(Some((1, Box::new(inner)))));
    }

    pub(crate) fn breadth_is_not_depth<F: Format>() {
        let wide = Tree(
            (0..10_000)
                .map(|_| Tree(vec![Tree::default(), Tree::default()]))
                .collect(),
        );
        let frame = F::encode(wide);
        assert_eq!(F::decode::<Tree>(&frame[4..]).unwrap().0.len(), 10_000);
    }

    const LEN: usize = 1 << 20;

    fn assert_refused<F, T>(payload: &[u8], ceiling: usize)
    where
        F: Format,
        T: Serialize + DeserializeOwned + Debug,
    {
        let _alone = exclusive();
        let cost = refused::<F, T>(payload);
        assert!(cost.peak <= ceiling, "{cost:?}");
    }

    pub(crate) fn a_large_frame_of_nothing_but_nesting_is_refused_at_little_cost<F: Format>() {
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

    pub(crate) fn a_large_frame_of_whatever_bytes_is_read_at_linear_cost<F: Format>() {
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

    /// `thread` is what the other tests run on anyway; said here so that it does not depend on the
    /// environment.
    #[test]
    fn two_mib_of_stack_are_enough_for_the_deepest_value() {
        fn deepest<F: Format>() {
            chains_of_variants_pass_to_the_last_level_and_no_further::<F>();
            newtypes_options_and_tuples_count_as_levels::<F>();
            trees_pass_to_the_last_level_and_no_further::<F>();
        }
        let run = |f: fn()| {
            thread::Builder::new()
                .stack_size(2 << 20)
                .spawn(f)
                .unwrap()
                .join()
                .unwrap();
        };
        #[cfg(feature = "bincode")]
        run(deepest::<crate::common::values::OfBincode>);
        #[cfg(feature = "postcard")]
        run(deepest::<crate::common::values::OfPostcard>);
        #[cfg(feature = "json")]
        run(deepest::<crate::common::self_describing::OfJson>);
        #[cfg(feature = "cbor")]
        run(deepest::<crate::common::self_describing::OfCbor>);
    }
}
