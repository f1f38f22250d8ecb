//! Once its buffers have grown, a codec allocates nothing of its own.

mod common;

use asynchronous_codec::{Bytes, BytesMut};
use bytes::Buf;
use common::{AMPLE, Codec, least_cost};
use ws_framed_codecs::{LengthDelimited, Lines};
use ws_framed_test_support::alloc::{CountingAlloc, exclusive};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

/// How often memory is asked for to send a thousand items and to read them from one buffer.
fn calls_for_a_thousand<T: Clone>(mut codec: impl Codec<T>, item: &T) -> (usize, usize) {
    let _alone = exclusive();
    let mut buffer = BytesMut::with_capacity(1 << 17);
    let ((), encoding) = least_cost(|| {
        buffer.clear();
        for _ in 0..1000 {
            codec.encode(item.clone(), &mut buffer).unwrap();
        }
    });
    let frames = buffer.clone();
    let mut buffer = BytesMut::with_capacity(1 << 17);
    let ((), decoding) = least_cost(|| {
        buffer.clear();
        buffer.extend_from_slice(&frames);
        for _ in 0..1000 {
            codec.decode(&mut buffer).unwrap().unwrap();
        }
        assert!(!buffer.has_remaining());
    });
    (encoding.calls, decoding.calls)
}

#[test]
fn length_delimited_allocates_nothing() {
    let item = Bytes::from_static(b"sixteen bytes ..");
    let (encoding, decoding) = calls_for_a_thousand(LengthDelimited::new(AMPLE), &item);
    assert_eq!(encoding, 0);
    // The buffer makes itself shareable once.
    assert!(decoding <= 1, "{decoding}");
}

#[test]
fn lines_allocate_their_items_only() {
    let item = "sixteen bytes ..".to_owned();
    // One for the clone that is sent, one for the `String` that is received.
    assert_eq!(calls_for_a_thousand(Lines::new(AMPLE), &item), (1000, 1000));
}

#[cfg(any(
    feature = "bincode",
    feature = "cbor",
    feature = "json",
    feature = "postcard"
))]
mod values {
    #[cfg(feature = "bincode")]
    use asynchronous_codec::{Decoder, Encoder};

    use super::*;

    // Not for JSON.
    #[allow(dead_code)]
    #[derive(Clone, serde::Serialize, serde::Deserialize)]
    struct Plain {
        position: (f64, f64),
        state: Option<[u16; 4]>,
        large: u128,
    }

    #[allow(dead_code)]
    const PLAIN: Plain = Plain {
        position: (0.5, -1.5),
        state: Some([1, 2, 3, 4000]),
        large: u128::MAX,
    };

    #[cfg(feature = "bincode")]
    #[test]
    fn bincode_allocates_nothing() {
        let codec = ws_framed_codecs::Bincode::<Plain>::new(AMPLE);
        assert_eq!(calls_for_a_thousand(codec, &PLAIN), (0, 0));
    }

    #[cfg(feature = "postcard")]
    #[test]
    fn postcard_allocates_nothing() {
        let codec = ws_framed_codecs::Postcard::<Plain>::new(AMPLE);
        assert_eq!(calls_for_a_thousand(codec, &PLAIN), (0, 0));
    }

    #[cfg(feature = "json")]
    #[test]
    fn json_allocates_nothing() {
        // Without a fraction: serde_json gathers the digits of one on the heap.
        let codec = ws_framed_codecs::Json::<(i64, Option<[u16; 4]>)>::new(AMPLE);
        let item = (i64::MIN, Some([1, 2, 3, 4000]));
        assert_eq!(calls_for_a_thousand(codec, &item), (0, 0));
    }

    #[cfg(feature = "cbor")]
    #[test]
    fn cbor_allocates_nothing() {
        let codec = ws_framed_codecs::Cbor::<Plain>::new(AMPLE);
        assert_eq!(calls_for_a_thousand(codec, &PLAIN), (0, 0));
    }

    /// When all of a frame fits into what earlier ones have grown, there is room for it as soon as its length is
    /// known: nothing is allocated, and what has come of it is moved while that is little.
    #[cfg(feature = "bincode")]
    #[test]
    fn a_large_frame_uses_the_room_of_earlier_ones() {
        let _alone = exclusive();
        let mut codec = ws_framed_codecs::Bincode::<String>::new(AMPLE);
        let mut frame = BytesMut::new();
        codec.encode("x".repeat(1 << 20), &mut frame).unwrap();
        let (room, cost) = least_cost(|| {
            let mut buffer = BytesMut::with_capacity(frame.len() * 3 / 2);
            buffer.extend_from_slice(&frame);
            buffer.extend_from_slice(&frame[..100]);
            assert!(codec.decode(&mut buffer).unwrap().is_some());
            assert!(codec.decode(&mut buffer).unwrap().is_none());
            assert_eq!(buffer, frame[..100]);
            buffer.capacity()
        });
        assert!(room >= frame.len());
        // The buffer and the text.
        assert_eq!(cost.calls, 2);
    }

    #[cfg(feature = "bincode")]
    #[test]
    fn bincode_allocates_a_text_once() {
        let codec = ws_framed_codecs::Bincode::<String>::new(AMPLE);
        assert_eq!(
            calls_for_a_thousand(codec, &"some text".to_owned()),
            (1000, 1000)
        );
    }
}
