//! How deep values may be nested, on the stack that a thread has by default, in a debug build.

// Each feature uses a part of this.
#![allow(dead_code)]

use std::{collections::BTreeMap, error::Error, fmt::Debug, thread};

use serde::{Serialize, de::DeserializeOwned};
use ws_framed_codecs::CodecError;

use crate::common::{
    nested::{Chain, List, Map, Mixed, Tree},
    values::Format,
};

crate::for_every_format! {
    crate::nesting:
    lists_pass_to_the_limit,
    variants_pass_to_the_limit,
    trees_pass_to_the_limit,
    maps_pass_to_the_limit,
    mixed_types_pass_to_the_limit,
    wide_values_are_not_deep,
}

/// `T::default()` inside `times` others.
fn nest<T: Default>(times: usize, around: impl Fn(T) -> T) -> T {
    (0..times).fold(T::default(), |inner, _| around(inner))
}

/// A value inside `deepest` others survives the round trip, and one more level is refused.
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

/// A list of boxed nodes passes down to the last level of nesting that is allowed, and no further.
fn lists_pass_to_the_limit<F: Format>() {
    // The struct and its `Some` are a level each; the last struct has none.
    assert_deepest::<F, List>(63, |inner| List {
        id: 7,
        next: Some(Box::new(inner)),
    });
}

/// Nested variants of an enum pass down to the last level, and no further.
fn variants_pass_to_the_limit<F: Format>() {
    // An enum is one level, whatever its variant holds.
    assert_deepest::<F, Chain>(127, |inner| Chain::New(Box::new(inner)));
    assert_deepest::<F, Chain>(127, |inner| Chain::Tuple(1, Box::new(inner)));
    let around = |next| Chain::Struct {
        name: "n".to_owned(),
        next: Box::new(next),
    };
    assert_deepest::<F, Chain>(127, around);
}

/// Nested sequences pass down to the last level, and no further.
fn trees_pass_to_the_limit<F: Format>() {
    // The newtype and its sequence are a level each, also where the sequence is empty.
    assert_deepest::<F, Tree>(63, |inner| Tree(vec![inner]));
    assert_deepest::<F, Tree>(63, |inner| {
        Tree(vec![Tree::default(), inner, Tree::default()])
    });
}

/// Nested maps pass down to the last level, and no further.
fn maps_pass_to_the_limit<F: Format>() {
    assert_deepest::<F, Map>(63, |inner| Map {
        entries: BTreeMap::from([(1, inner)]),
    });
}

/// Newtypes, options and tuples each count as a level of nesting.
fn mixed_types_pass_to_the_limit<F: Format>() {
    // Three levels each, and one for the newtype around the `None`.
    assert_deepest::<F, Mixed>(42, |inner| Mixed(Some((1, Box::new(inner)))));
}

/// A value of many elements side by side is not nested deeply.
fn wide_values_are_not_deep<F: Format>() {
    let wide = Tree(
        (0..10_000)
            .map(|_| Tree(vec![Tree::default(), Tree::default()]))
            .collect(),
    );
    let frame = F::encode(wide);
    assert_eq!(F::decode::<Tree>(&frame[4..]).unwrap().0.len(), 10_000);
}

/// The deepest value is encoded and decoded on 2 MiB of stack in a debug build.
#[test]
fn deepest_value_fits_the_stack() {
    fn deepest<F: Format>() {
        variants_pass_to_the_limit::<F>();
        mixed_types_pass_to_the_limit::<F>();
        trees_pass_to_the_limit::<F>();
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
