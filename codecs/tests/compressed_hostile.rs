//! Compressed frames that lie about what they inflate to, under an allocator that counts.
#![cfg(feature = "compress")]

mod common;

use asynchronous_codec::{Bytes, BytesMut, Decoder, Encoder};
use common::compressed::{Raw, lz4, zeros};
use common::{AMPLE, least_cost, prefixed};
use ws_framed_codecs::{CodecError, Compressed, LengthDelimited};
use ws_framed_test_support::alloc::{CountingAlloc, exclusive};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

fn refused(
    codec: &mut impl Decoder<Item = Bytes, Error = CodecError>,
    frame: &[u8],
) -> (CodecError, usize, usize) {
    let (result, cost) = least_cost(|| {
        let mut buffer = BytesMut::from(frame);
        let error = codec.decode(&mut buffer).unwrap_err();
        (error, buffer.len())
    });
    // The copy of the frame is part of the cost.
    (result.0, result.1, cost.peak - frame.len())
}

#[test]
fn a_bomb_over_the_limit_costs_nothing() {
    const MAX: usize = 1 << 16;
    let _alone = exclusive();
    let mut codec = Compressed::new(Raw, MAX);
    for claim in [MAX + 1, 1 << 24, 1 << 31, u32::MAX as usize] {
        let frame = prefixed(&lz4(claim, &zeros(1 << 22)));
        // All of it, and as soon as it is known.
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

#[test]
fn a_bomb_that_lies_about_its_length_costs_no_more_than_it_says() {
    let _alone = exclusive();
    let mut codec = Compressed::new(Raw, AMPLE);
    // A block of four megabytes says that it has fewer bytes, or more.
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

#[test]
fn once_grown_sending_allocates_nothing() {
    let _alone = exclusive();
    let mut codec = Compressed::new(LengthDelimited::new(AMPLE), AMPLE);
    let item = Bytes::from(vec![7; 10_000]);
    let mut buffer = BytesMut::with_capacity(1 << 20);
    codec.encode(item.clone(), &mut buffer).unwrap();
    let ((), cost) = least_cost(|| {
        buffer.clear();
        for _ in 0..100 {
            codec.encode(item.clone(), &mut buffer).unwrap();
        }
    });
    assert_eq!(cost.calls, 0);
}
