//! What compressed frames cost that inflate to much.
#![cfg(feature = "compress")]

use asynchronous_codec::{Bytes, BytesMut, Decoder};
use ws_framed_codecs::{CodecError, Compressed};
use ws_framed_test_support::alloc::measure;

use crate::common::{
    AMPLE,
    compressed::{Raw, lz4, zeros},
    prefixed,
};

fn refused(
    codec: &mut impl Decoder<Item = Bytes, Error = CodecError>,
    frame: &[u8],
) -> (CodecError, usize, usize) {
    let mut buffer = BytesMut::from(frame);
    let (result, cost) = measure(|| codec.decode(&mut buffer));
    (result.unwrap_err(), buffer.len(), cost.peak)
}

/// A frame that claims to inflate beyond the limit is refused before anything is allocated.
#[test]
fn bomb_over_the_limit_is_free() {
    const MAX: usize = 1 << 16;
    let mut codec = Compressed::new(Raw, MAX);
    for claim in [MAX + 1, 1 << 24, 1 << 31, u32::MAX as usize] {
        let frame = prefixed(&lz4(claim, &zeros(1 << 22)));
        // All of the frame, and its head alone.
        for frame in [&frame[..], &frame[..9]] {
            let (error, left, cost) = refused(&mut codec, frame);
            assert!(
                matches!(error, CodecError::FrameTooLarge { len, max: MAX } if len == claim),
                "{error:?}"
            );
            assert_eq!(left, frame.len());
            assert!(cost <= 1024, "{cost}");
        }
    }
}

/// A frame that claims a wrong inflated length costs no more memory than it claims.
#[test]
fn false_claim_bounds_the_cost() {
    let mut codec = Compressed::new(Raw, AMPLE);
    // A block that inflates to 4 MiB claims fewer bytes, or one more.
    for claim in [0, 100, 1 << 16, (1 << 22) - 1, (1 << 22) + 1] {
        let (error, left, cost) = refused(&mut codec, &prefixed(&lz4(claim, &zeros(1 << 22))));
        assert!(matches!(error, CodecError::Malformed(_)), "{error:?}");
        assert_eq!(left, 0);
        assert!(cost <= claim + 1024, "{cost} for {claim}");
    }
    // Ten bytes cannot hold sixteen megabytes.
    let (error, left, cost) = refused(&mut codec, &prefixed(&lz4(AMPLE, &[0; 10])));
    assert!(matches!(error, CodecError::Malformed(_)), "{error:?}");
    assert_eq!(left, 0);
    assert!(cost <= 1024, "{cost}");
}
