//! Frames that are compressed.
#![cfg(feature = "compress")]

mod common;

use asynchronous_codec::{Bytes, BytesMut, Decoder, Encoder};
use common::compressed::{Raw, lz4, noise, zeros};
use common::{AMPLE, prefixed};
use proptest::prelude::*;
use ws_framed_codecs::{CodecError, Compressed, LengthDelimited, Lines};

for_codec! {
    compressed, crate::common::compressed::OfCompressed, crate::common::cases:
    every_item_survives_the_round_trip,
    encoding_appends_to_the_buffer,
    many_frames_in_one_buffer_come_out_in_order,
    frames_may_be_split_at_every_byte,
    frames_may_arrive_one_byte_at_a_time,
    an_empty_buffer_holds_no_frame,
    a_truncated_frame_stays_in_the_buffer_whole,
    the_end_of_the_stream_makes_no_item_of_a_part_with_a_known_length,
    an_item_at_the_limit_passes_both_ways,
    an_item_over_the_limit_is_not_encoded_and_the_next_one_is,
    a_frame_over_the_limit_consumes_nothing,
    a_malformed_frame_is_consumed_and_the_next_one_is_read,
    a_malformed_frame_is_not_judged_before_it_is_whole,
    a_clone_has_the_limit_and_none_of_the_state,
}

#[test]
fn a_block_made_by_hand_inflates() {
    let mut buffer = BytesMut::from(&prefixed(&lz4(1000, &zeros(1000)))[..]);
    let item = Compressed::new(Raw, 1000)
        .decode(&mut buffer)
        .unwrap()
        .unwrap();
    assert_eq!(item, vec![0; 1000]);
}

#[test]
fn a_frame_is_compressed_when_that_makes_it_shorter_and_only_then() {
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

#[test]
fn the_limits_are_what_was_given() {
    let most = u32::MAX as usize - 1;
    for (given, kept) in [(0, 0), (7, 7), (most, most), (usize::MAX, most)] {
        assert_eq!(Compressed::new(Raw, given).max_frame_len(), kept);
    }
    let codec = Compressed::new(Lines::new(9), 10);
    assert_eq!(
        codec.get_ref().max_line_len(),
        codec.into_inner().max_line_len()
    );
}

#[test]
fn a_length_behind_a_short_frame_is_not_taken_for_its_own() {
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

#[test]
fn an_inner_frame_that_is_not_exactly_one_is_stepped_over() {
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
    // A line without an end is the last one of a stream; the next frame is a stream of its own.
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

#[test]
fn an_error_that_takes_nothing_from_the_inner_frame_takes_nothing_at_all() {
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

#[test]
fn an_inner_failure_or_panic_leaves_the_buffer_as_it_was() {
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
    #[test]
    fn items_survive_any_cut(
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

    #[test]
    fn any_block_is_taken_whole_or_refused(claim in 0..5000usize, block in proptest::collection::vec(any::<u8>(), 0..200)) {
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
