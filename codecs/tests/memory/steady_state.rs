//! What codecs allocate once their buffers have grown.

use asynchronous_codec::{Bytes, BytesMut};
use bytes::Buf;
use ws_framed_codecs::{LengthDelimited, Lines, Text};
use ws_framed_test_support::alloc::measure;

use crate::common::{AMPLE, Codec};

/// The number of allocations that encoding a thousand items takes, and decoding them from one
/// buffer.
fn calls_for_a_thousand<T: Clone>(mut codec: impl Codec<T>, item: &T) -> (usize, usize) {
    let mut buffer = BytesMut::with_capacity(1 << 17);
    let mut encode = || {
        buffer.clear();
        for _ in 0..1000 {
            codec.encode(item.clone(), &mut buffer).unwrap();
        }
    };
    // The buffers of the codec grow once.
    encode();
    let ((), encoding) = measure(encode);
    let frames = buffer.clone();
    let mut buffer = BytesMut::with_capacity(1 << 17);
    let mut decode = || {
        buffer.clear();
        buffer.extend_from_slice(&frames);
        for _ in 0..1000 {
            codec.decode(&mut buffer).unwrap().unwrap();
        }
        assert!(!buffer.has_remaining());
    };
    // The buffer becomes shareable once.
    decode();
    let ((), decoding) = measure(decode);
    (encoding.calls, decoding.calls)
}

/// `LengthDelimited` allocates nothing.
#[test]
fn length_delimited_allocates_nothing() {
    let item = Bytes::from_static(b"sixteen bytes ..");
    let codec = LengthDelimited::new(AMPLE);
    assert_eq!(calls_for_a_thousand(codec, &item), (0, 0));
}

/// `Lines` and `Text` allocate only the `String` of each item.
#[test]
fn texts_allocate_their_items_only() {
    let item = "sixteen bytes ..".to_owned();
    // One for the clone that is encoded, one for the `String` that is decoded.
    assert_eq!(calls_for_a_thousand(Lines::new(AMPLE), &item), (1000, 1000));
    assert_eq!(calls_for_a_thousand(Text::new(AMPLE), &item), (1000, 1000));
}

/// `Compressed` allocates nothing to encode, once its buffers have grown.
#[cfg(feature = "compress")]
#[test]
fn compressed_encoding_allocates_nothing() {
    use asynchronous_codec::Encoder;

    let mut codec = ws_framed_codecs::Compressed::new(LengthDelimited::new(AMPLE), AMPLE);
    let item = Bytes::from(vec![7; 10_000]);
    let mut buffer = BytesMut::with_capacity(1 << 20);
    codec.encode(item.clone(), &mut buffer).unwrap();
    let ((), cost) = measure(|| {
        buffer.clear();
        for _ in 0..100 {
            codec.encode(item.clone(), &mut buffer).unwrap();
        }
    });
    assert_eq!(cost.calls, 0);
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

    #[allow(dead_code)] // Not with JSON alone.
    #[derive(Clone, serde::Serialize, serde::Deserialize)]
    struct Plain {
        position: (f64, f64),
        state: Option<[u16; 4]>,
        large: u128,
    }

    #[allow(dead_code)] // Not with JSON alone.
    const PLAIN: Plain = Plain {
        position: (0.5, -1.5),
        state: Some([1, 2, 3, 4000]),
        large: u128::MAX,
    };

    /// `Bincode` allocates nothing for a value that owns nothing on the heap.
    #[cfg(feature = "bincode")]
    #[test]
    fn bincode_allocates_nothing() {
        let codec = ws_framed_codecs::Bincode::<Plain>::new(AMPLE);
        assert_eq!(calls_for_a_thousand(codec, &PLAIN), (0, 0));
    }

    /// `Postcard` allocates nothing for a value that owns nothing on the heap.
    #[cfg(feature = "postcard")]
    #[test]
    fn postcard_allocates_nothing() {
        let codec = ws_framed_codecs::Postcard::<Plain>::new(AMPLE);
        assert_eq!(calls_for_a_thousand(codec, &PLAIN), (0, 0));
    }

    /// `Json` allocates nothing for a value that owns nothing on the heap.
    #[cfg(feature = "json")]
    #[test]
    fn json_allocates_nothing() {
        // Without a fraction, whose digits serde_json collects on the heap.
        let codec = ws_framed_codecs::Json::<(i64, Option<[u16; 4]>)>::new(AMPLE);
        let item = (i64::MIN, Some([1, 2, 3, 4000]));
        assert_eq!(calls_for_a_thousand(codec, &item), (0, 0));
    }

    /// `Cbor` allocates nothing for a value that owns nothing on the heap.
    #[cfg(feature = "cbor")]
    #[test]
    fn cbor_allocates_nothing() {
        let codec = ws_framed_codecs::Cbor::<Plain>::new(AMPLE);
        assert_eq!(calls_for_a_thousand(codec, &PLAIN), (0, 0));
    }

    /// A large frame that fits into the grown buffer allocates nothing: the bytes that have arrived
    /// are moved to its start.
    #[cfg(feature = "bincode")]
    #[test]
    fn large_frame_reuses_its_buffer() {
        let mut codec = ws_framed_codecs::Bincode::<String>::new(AMPLE);
        let mut frame = BytesMut::new();
        codec.encode("x".repeat(1 << 20), &mut frame).unwrap();
        let (room, cost) = measure(|| {
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

    /// `Bincode` allocates a `String` once, at its length.
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
