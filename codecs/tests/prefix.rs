//! Prefixes that claim more than arrives, under an allocator that counts.

mod common;

use ws_framed_test_support::alloc::CountingAlloc;

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

for_codec! {
    length_delimited, crate::common::OfBytes, crate::lies:
    a_prefix_that_lies_makes_little_room,
    a_prefix_that_lies_grows_only_with_what_arrives,
}

for_every_format! {
    crate::lies:
    a_prefix_that_lies_makes_little_room,
    a_prefix_that_lies_grows_only_with_what_arrives,
}

mod lies {
    use asynchronous_codec::{BytesMut, Decoder};
    use ws_framed_test_support::alloc::exclusive;

    use crate::common::cases::assert_too_large;
    use crate::common::{Subject, least_cost};

    pub(crate) fn a_prefix_that_lies_makes_little_room<S: Subject>() {
        let _alone = exclusive();
        for claim in [100, 1 << 20, 1 << 30, u32::MAX] {
            let prefix = claim.to_be_bytes();
            let (result, cost) = least_cost(|| {
                let mut buffer = BytesMut::from(&prefix[..]);
                S::codec(usize::MAX).decode(&mut buffer)
            });
            assert_eq!(result.unwrap(), None);
            assert!(cost.peak <= 65 * 1024, "{cost:?}");

            let mut buffer = BytesMut::from(&prefix[..]);
            let (result, cost) = least_cost(|| S::codec(99).decode(&mut buffer));
            assert_too_large(result, claim as usize, 99);
            assert_eq!(cost.calls, 0);
        }
    }

    pub(crate) fn a_prefix_that_lies_grows_only_with_what_arrives<S: Subject>() {
        const ARRIVED: usize = 1 << 20;
        let _alone = exclusive();
        let ((), cost) = least_cost(|| {
            let mut codec = S::codec(usize::MAX);
            let mut buffer = BytesMut::from(&u32::MAX.to_be_bytes()[..]);
            for _ in 0..ARRIVED / 1024 {
                buffer.extend_from_slice(&[0; 1024]);
                assert_eq!(codec.decode(&mut buffer).unwrap(), None);
            }
        });
        // Doubling, and old and new at the same time.
        assert!(cost.peak <= 4 * ARRIVED, "{cost:?}");
        assert!(cost.calls < 20, "{cost:?}");
    }
}
