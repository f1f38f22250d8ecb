//! What frames cost whose prefix claims more than arrives.

use asynchronous_codec::{BytesMut, Decoder};
use ws_framed_test_support::alloc::measure;

use crate::common::{Subject, assert_too_large};

crate::for_codec! {
    length_delimited, crate::common::OfBytes, crate::prefixes:
    claimed_length_reserves_little,
    buffer_grows_with_arriving_bytes,
}

crate::for_codec! {
    text, crate::common::OfText, crate::prefixes:
    claimed_length_reserves_little,
    buffer_grows_with_arriving_bytes,
}

crate::for_every_format! {
    crate::prefixes:
    claimed_length_reserves_little,
    buffer_grows_with_arriving_bytes,
}

/// A prefix that claims more than has arrived reserves at most 64 KiB. Over the limit, it allocates
/// nothing.
fn claimed_length_reserves_little<S: Subject>() {
    for claim in [100, 1 << 20, 1 << 30, u32::MAX] {
        let prefix = claim.to_be_bytes();
        let (result, cost) = measure(|| {
            let mut buffer = BytesMut::from(&prefix[..]);
            S::codec(usize::MAX).decode(&mut buffer)
        });
        assert_eq!(result.unwrap(), None);
        assert!(cost.peak <= 65 * 1024, "{cost:?}");

        let mut buffer = BytesMut::from(&prefix[..]);
        let (result, cost) = measure(|| S::codec(99).decode(&mut buffer));
        assert_too_large(result, claim as usize, 99);
        assert_eq!(cost.calls, 0);
    }
}

/// The buffer grows with the bytes that arrive, not with the claim of the prefix.
fn buffer_grows_with_arriving_bytes<S: Subject>() {
    const ARRIVED: usize = 1 << 20;
    let ((), cost) = measure(|| {
        let mut codec = S::codec(usize::MAX);
        let mut buffer = BytesMut::from(&u32::MAX.to_be_bytes()[..]);
        for _ in 0..ARRIVED / 1024 {
            buffer.extend_from_slice(&[0; 1024]);
            assert_eq!(codec.decode(&mut buffer).unwrap(), None);
        }
    });
    // The buffer grows by a factor of four, and the old one is alive while it is copied.
    assert!(cost.peak <= 5 * ARRIVED + 64 * 1024, "{cost:?}");
    assert!(cost.calls < 20, "{cost:?}");
}
