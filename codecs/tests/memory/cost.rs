//! What decoding costs, by an allocator that counts.

// Each feature uses a part of this.
#![allow(dead_code)]

use ws_framed_test_support::alloc::{Cost, measure};

/// The number of runs of [`least_cost`].
pub(crate) const RUNS: usize = 5;

/// The least cost of several runs of `f`. The test harness allocates too, whenever a test starts or
/// ends, and that is not to be measured.
pub(crate) fn least_cost<R>(mut f: impl FnMut() -> R) -> (R, Cost) {
    let mut runs: Vec<_> = (0..RUNS).map(|_| measure(&mut f)).collect();
    let least = |of: fn(&Cost) -> usize| runs.iter().map(|(_, cost)| of(cost)).min().unwrap();
    let (peak, calls, kept) = (least(|c| c.peak), least(|c| c.calls), least(|c| c.kept));
    (runs.swap_remove(0).0, Cost { peak, calls, kept })
}

#[cfg(any(
    feature = "bincode",
    feature = "cbor",
    feature = "json",
    feature = "postcard"
))]
pub(crate) use self::values::*;

#[cfg(any(
    feature = "bincode",
    feature = "cbor",
    feature = "json",
    feature = "postcard"
))]
mod values {
    use std::{collections::BTreeMap, fmt::Debug};

    use asynchronous_codec::{BytesMut, Decoder};
    use serde::{
        Deserialize, Serialize,
        de::{DeserializeOwned, Deserializer, IgnoredAny},
        ser::Serializer,
    };
    use ws_framed_codecs::CodecError;
    use ws_framed_test_support::alloc::Cost;

    use super::{RUNS, least_cost};
    use crate::common::{prefixed, values::Format};

    /// The cost of decoding a payload that is not a `T`.
    pub(crate) fn refused<F: Format, T: Serialize + DeserializeOwned + Debug>(
        payload: &[u8],
    ) -> Cost {
        let frame = BytesMut::from(&prefixed(payload)[..]);
        let mut copies = vec![frame; RUNS];
        let (result, cost) = least_cost(|| {
            let mut buffer = copies.pop().unwrap();
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
}
