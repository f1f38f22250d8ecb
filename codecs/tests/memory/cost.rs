//! What decoding values costs, by an allocator that counts.

// Each feature uses a part of this.
#![allow(dead_code)]

use std::{collections::BTreeMap, fmt::Debug};

use asynchronous_codec::{BytesMut, Decoder};
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, Deserializer, IgnoredAny},
    ser::Serializer,
};
use ws_framed_codecs::CodecError;
use ws_framed_test_support::alloc::{Cost, measure};

use crate::common::{prefixed, values::Format};

/// The cost of decoding a payload that is not a `T`.
pub(crate) fn refused<F: Format, T: Serialize + DeserializeOwned + Debug>(payload: &[u8]) -> Cost {
    let mut buffer = BytesMut::from(&prefixed(payload)[..]);
    let (result, cost) = measure(|| {
        let result = F::codec::<T>(usize::MAX).decode(&mut buffer);
        assert!(buffer.is_empty());
        result
    });
    match result {
        Err(CodecError::Malformed(_)) => cost,
        other => panic!("{:?} for {:?}", other, &payload[..payload.len().min(32)]),
    }
}

/// Fails if a payload is accepted as a `T`, or refused at more than `most` bytes of memory.
pub(crate) fn assert_cheap<F: Format, T: Serialize + DeserializeOwned + Debug>(
    payload: &[u8],
    most: usize,
) {
    let cost = refused::<F, T>(payload);
    assert!(
        cost.peak <= most,
        "{cost:?} for {:?}",
        &payload[..payload.len().min(32)]
    );
}

/// serde reads it into a buffer of its own first, whatever it is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
pub(crate) enum Tagged {
    Rest {
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    },
}

/// Skips any value.
#[derive(Debug)]
pub(crate) struct Skip;

impl Serialize for Skip {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for Skip {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|IgnoredAny| Self)
    }
}
