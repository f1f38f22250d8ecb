//! `Compressed`: blocks, and the codec inside.
#![cfg(feature = "compress")]

use asynchronous_codec::{Bytes, BytesMut, Decoder, Encoder};
use proptest::prelude::*;
use ws_framed_codecs::{CodecError, Compressed, EncodeRef, LengthDelimited, Lines};

use crate::common::{
    AMPLE,
    compressed::{Raw, lz4, noise, zeros},
    prefixed,
};

/// A block in the LZ4 format, made by hand, inflates to its contents.
#[test]
fn handmade_block_inflates() {
    let mut buffer = BytesMut::from(&prefixed(&lz4(1000, &zeros(1000)))[..]);
    let item = Compressed::new(Raw, 1000)
        .decode(&mut buffer)
        .unwrap()
        .unwrap();
    assert_eq!(item, vec![0; 1000]);
}

/// A frame is compressed only where that makes it shorter.
#[test]
fn frames_never_grow() {
    let mut codec = Compressed::new(LengthDelimited::new(AMPLE), AMPLE);
    for (item, most) in [
        (vec![b'a'; 100_000], 500),
        (b"{\"key\":\"value\"},".repeat(20), 60),
        (noise(100_000), 100_009),
        (vec![], 9),
    ] {
        let mut buffer = BytesMut::new();
        codec.encode(item.clone().into(), &mut buffer).unwrap();
        assert!(buffer.len() <= most, "{} for {}", buffer.len(), item.len());
        assert_eq!(codec.decode(&mut buffer).unwrap().unwrap(), item);
    }
}

/// A reference is encoded like the item, compressed or not.
#[test]
fn references_encode_like_items() {
    let mut codec = Compressed::new(LengthDelimited::new(AMPLE), AMPLE);
    for item in [vec![b'a'; 1000], noise(1000), vec![]] {
        let (mut owned, mut borrowed) = (BytesMut::new(), BytesMut::new());
        codec.encode(item.clone().into(), &mut owned).unwrap();
        codec.encode_ref(&item[..], &mut borrowed).unwrap();
        assert_eq!(owned, borrowed);
    }
}

/// `Compressed` keeps its limit, up to what a prefix can hold, and the codec inside keeps its own.
#[test]
fn limits_are_kept() {
    let most = u32::MAX as usize - 1;
    for (given, kept) in [(0, 0), (7, 7), (most, most), (usize::MAX, most)] {
        assert_eq!(Compressed::new(Raw, given).max_inner_frame_len(), kept);
    }
    let codec = Compressed::new(Lines::new(9), 10);
    assert_eq!(
        codec.get_ref().max_line_len(),
        codec.into_inner().max_line_len()
    );
}

/// A frame without an inflated length is malformed, although bytes of the next frame follow it.
#[test]
fn short_frame_borrows_no_length() {
    let mut codec = Compressed::new(Raw, 100);
    let mut buffer = BytesMut::from(&b"\0\0\0\x01\x01\0\0\0\x02\0x"[..]);
    let error = codec.decode(&mut buffer).unwrap_err();
    assert!(matches!(error, CodecError::Malformed(_)), "{error:?}");
    assert_eq!(codec.decode(&mut buffer).unwrap().unwrap(), "x");
}

/// Frames of lines, plain and compressed.
fn lines_in(inner: &[u8]) -> [Vec<u8>; 2] {
    let mut frame = BytesMut::new();
    let item = Bytes::copy_from_slice(inner);
    Compressed::new(Raw, AMPLE)
        .encode(item, &mut frame)
        .unwrap();
    assert_eq!(frame[4], 1, "it is compressed");
    [prefixed(&[b"\0", inner].concat()), frame.to_vec()]
}

/// A frame whose contents are not exactly one inner frame is malformed, and the next one is
/// decoded.
#[test]
fn inner_mismatch_skips_the_frame() {
    let text = "x".repeat(60);
    let mut codec = Compressed::new(Lines::new(80), 200);
    for inner in [format!("{text}\n{text}\n"), format!("{text}\n{text}")] {
        for mut wire in lines_in(inner.as_bytes()) {
            wire.extend_from_slice(b"\0\0\0\x04\0ok\n");
            let mut buffer = BytesMut::from(&wire[..]);
            let error = codec.decode(&mut buffer).unwrap_err();
            assert!(matches!(error, CodecError::Malformed(_)), "{error:?}");
            assert_eq!(codec.decode(&mut buffer).unwrap().unwrap(), "ok");
        }
    }
    // A line without an end is the last line of its frame.
    for mut wire in lines_in(text.as_bytes()) {
        wire.extend_from_slice(b"\0\0\0\x04\0ok\n");
        let mut buffer = BytesMut::from(&wire[..]);
        assert_eq!(codec.decode(&mut buffer).unwrap().unwrap(), text);
        assert_eq!(codec.decode(&mut buffer).unwrap().unwrap(), "ok");
    }
    let mut codec = Compressed::new(LengthDelimited::new(80), 200);
    let mut buffer = BytesMut::from(&b"\0\0\0\x07\0\0\0\0\x03ab\0\0\0\x06\0\0\0\0\x01c"[..]);
    assert!(matches!(
        codec.decode(&mut buffer),
        Err(CodecError::Malformed(_))
    ));
    assert_eq!(codec.decode(&mut buffer).unwrap().unwrap(), "c");
}

/// A frame whose contents exceed the inner limit stays in the buffer.
#[test]
fn inner_limit_consumes_nothing() {
    let long = format!("{}\n", "x".repeat(100));
    let mut codec = Compressed::new(Lines::new(80), 200);
    for wire in lines_in(long.as_bytes()) {
        let wire = [&wire[..], b"more"].concat();
        let mut buffer = BytesMut::from(&wire[..]);
        for _ in 0..3 {
            match codec.decode(&mut buffer) {
                Err(CodecError::FrameTooLarge { len: 100, max: 80 }) => {}
                other => panic!("{other:?}"),
            }
            assert_eq!(buffer, wire);
        }
        let line = Compressed::new(Lines::new(100), 200).decode(&mut buffer);
        assert_eq!(line.unwrap().unwrap(), long.trim_end());
        assert_eq!(buffer, "more");
    }
}

/// An inner encoder that fails or panics leaves the output buffer unchanged.
#[test]
fn inner_failure_leaves_buffer_unchanged() {
    struct Panics;
    impl Encoder for Panics {
        type Item<'a> = ();
        type Error = CodecError;
        fn encode(&mut self, (): (), dst: &mut BytesMut) -> Result<(), CodecError> {
            dst.extend_from_slice(b"a part");
            panic!("a part is written")
        }
    }
    let mut buffer = BytesMut::from("before");
    let result = Compressed::new(Lines::new(80), 200).encode("a\nb".to_owned(), &mut buffer);
    assert!(matches!(result, Err(CodecError::Unencodable(_))));
    assert_eq!(buffer, "before");
    let mut codec = Compressed::new(Panics, 200);
    let encode = std::panic::AssertUnwindSafe(|| codec.encode((), &mut buffer));
    assert!(std::panic::catch_unwind(encode).is_err());
    assert_eq!(buffer, "before");
}

proptest! {
    /// Items survive a round trip in parts of any length.
    #[test]
    fn items_survive_any_split(
        parts in proptest::collection::vec((any::<u8>(), 1..300usize), 1..20),
        pieces in 1..50usize,
    ) {
        let items: Vec<Vec<u8>> = parts
            .chunks(3)
            .map(|parts| parts.iter().flat_map(|&(byte, len)| vec![byte; len]).collect())
            .collect();
        let (mut encoder, mut wire) = (Compressed::new(LengthDelimited::new(AMPLE), AMPLE), BytesMut::new());
        for item in &items {
            encoder.encode(item.clone().into(), &mut wire).unwrap();
        }
        let (mut decoder, mut buffer, mut got) = (encoder.clone(), BytesMut::new(), Vec::new());
        for piece in wire.chunks(pieces) {
            buffer.extend_from_slice(piece);
            while let Some(item) = decoder.decode(&mut buffer).unwrap() {
                got.push(item.to_vec());
            }
        }
        prop_assert_eq!(got, items);
        prop_assert!(buffer.is_empty());
    }

    /// A decoder consumes a frame with any block whole, as an item or as malformed, unless it is
    /// over the limit.
    #[test]
    fn any_block_is_consumed_whole(claim in 0..5000usize, block in proptest::collection::vec(any::<u8>(), 0..200)) {
        let frame = prefixed(&lz4(claim, &block));
        let mut buffer = BytesMut::from(&[&frame[..], b"more"].concat()[..]);
        match Compressed::new(Raw, 4000).decode(&mut buffer) {
            Ok(Some(item)) => prop_assert_eq!(item.len(), claim),
            Err(CodecError::Malformed(_)) => {}
            Err(CodecError::FrameTooLarge { len, max: 4000 }) => {
                prop_assert!(len == claim && len > 4000);
                prop_assert_eq!(buffer.len(), frame.len() + 4);
                return Ok(());
            }
            other => prop_assert!(false, "{other:?}"),
        }
        prop_assert_eq!(&buffer[..], b"more");
    }
}
