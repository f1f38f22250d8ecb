//! The rules of framing, which hold for every codec.

use std::{borrow::Borrow, slice};

use asynchronous_codec::{BytesMut, Decoder, Encoder};
use ws_framed_codecs::{CodecError, EncodeRef};

use crate::common::{AMPLE, Subject, assert_item_too_large, assert_too_large, decoded, encoded};

crate::for_every_codec! {
    crate::framing:
    items_survive_round_trips,
    encoding_appends_to_the_buffer,
    references_encode_like_items,
    frames_are_decoded_in_order,
    frames_may_be_split_anywhere,
    frames_may_arrive_byte_by_byte,
    empty_buffer_yields_no_item,
    truncated_frame_stays_in_buffer,
    end_of_stream_completes_no_frame,
    item_at_the_limit_passes,
    item_over_the_limit_is_refused,
    frame_over_the_limit_stays,
    clone_has_no_decoding_state,
}

// Without `references_encode_like_items`: `Raw` encodes no references.
#[cfg(feature = "compress")]
crate::for_codec! {
    compressed, crate::common::compressed::OfCompressed, crate::framing:
    items_survive_round_trips,
    encoding_appends_to_the_buffer,
    frames_are_decoded_in_order,
    frames_may_be_split_anywhere,
    frames_may_arrive_byte_by_byte,
    empty_buffer_yields_no_item,
    truncated_frame_stays_in_buffer,
    end_of_stream_completes_no_frame,
    item_at_the_limit_passes,
    item_over_the_limit_is_refused,
    frame_over_the_limit_stays,
    clone_has_no_decoding_state,
    malformed_frame_is_skipped,
    malformed_part_is_no_error,
}

/// Every payload is one of `LengthDelimited`.
mod malformed {
    crate::for_codec! {
        lines, crate::common::OfLines, crate::framing:
        malformed_frame_is_skipped,
        malformed_part_is_no_error,
    }

    crate::for_codec! {
        text, crate::common::OfText, crate::framing:
        malformed_frame_is_skipped,
        malformed_part_is_no_error,
    }

    crate::for_every_format! {
        crate::framing:
        malformed_frame_is_skipped,
        malformed_part_is_no_error,
    }
}

/// The contents of an output buffer before an item is encoded.
const BEFORE: &[u8] = b"written before";

/// A decoder returns each item equal to the one that was encoded.
fn items_survive_round_trips<S: Subject>() {
    for item in S::items() {
        let bytes = encoded::<S>(slice::from_ref(&item));
        assert_eq!(decoded::<S>([bytes]), [item]);
    }
}

/// An encoder appends a frame to the output buffer and keeps the bytes before it.
fn encoding_appends_to_the_buffer<S: Subject>() {
    for item in S::items() {
        let frame = encoded::<S>(slice::from_ref(&item));
        let mut buffer = BytesMut::from(BEFORE);
        S::codec(AMPLE).encode(item, &mut buffer).unwrap();
        assert_eq!(buffer, [BEFORE, &frame].concat());
    }
}

/// `encode_ref` writes the bytes that `encode` writes, and holds the same limit.
fn references_encode_like_items<S: Subject>()
where
    S::Codec: EncodeRef<Error = CodecError>,
    S::Item: Borrow<<S::Codec as EncodeRef>::Ref>,
{
    for item in S::items() {
        let mut buffer = BytesMut::new();
        let mut codec = S::codec(AMPLE);
        codec.encode_ref(item.borrow(), &mut buffer).unwrap();
        assert_eq!(buffer, encoded::<S>(&[item]));
    }
    let mut buffer = BytesMut::from(BEFORE);
    let (mut codec, item) = (S::codec(10), S::item_of(11));
    let refused = codec.encode_ref(item.borrow(), &mut buffer);
    assert!(matches!(
        refused,
        Err(CodecError::ItemTooLarge { len: 11, max: 10 })
    ));
    assert_eq!(buffer, BEFORE);
}

/// A buffer of several frames yields their items in order.
fn frames_are_decoded_in_order<S: Subject>() {
    let bytes = encoded::<S>(&S::items());
    assert_eq!(decoded::<S>([bytes]), S::items());
}

/// A decoder returns the same items when the frames arrive in two parts, split at any byte.
fn frames_may_be_split_anywhere<S: Subject>() {
    let bytes = encoded::<S>(&S::items());
    for at in 0..=bytes.len() {
        assert_eq!(
            decoded::<S>([&bytes[..at], &bytes[at..]]),
            S::items(),
            "split at {at}"
        );
    }
}

/// A decoder returns the same items when the frames arrive one byte at a time.
fn frames_may_arrive_byte_by_byte<S: Subject>() {
    let bytes = encoded::<S>(&S::items());
    assert_eq!(decoded::<S>(bytes.chunks(1)), S::items());
}

/// An empty buffer yields no item, neither within the stream nor at its end.
fn empty_buffer_yields_no_item<S: Subject>() {
    let (mut codec, mut buffer) = (S::codec(AMPLE), BytesMut::new());
    assert_eq!(codec.decode(&mut buffer).unwrap(), None);
    assert_eq!(codec.decode_eof(&mut buffer).unwrap(), None);
}

/// A decoder leaves a truncated frame in the buffer, so that the same or another codec can decode
/// it once the rest has arrived.
fn truncated_frame_stays_in_buffer<S: Subject>() {
    for item in S::items() {
        let bytes = encoded::<S>(slice::from_ref(&item));
        for len in 0..bytes.len() {
            let (mut codec, mut buffer) = (S::codec(AMPLE), BytesMut::from(&bytes[..len]));
            for _ in 0..3 {
                assert_eq!(
                    codec.decode(&mut buffer).unwrap(),
                    None,
                    "{len} bytes of {bytes:?}"
                );
                assert_eq!(buffer, bytes[..len]);
            }
            // Both this codec and another one decode it.
            buffer.extend_from_slice(&bytes[len..]);
            assert_eq!(
                codec.decode(&mut buffer.clone()).unwrap().as_ref(),
                Some(&item)
            );
            assert_eq!(
                S::codec(AMPLE).decode(&mut buffer).unwrap().as_ref(),
                Some(&item)
            );
        }
    }
}

/// At the end of the stream, a truncated frame of known length yields no item and stays in the
/// buffer.
fn end_of_stream_completes_no_frame<S: Subject>() {
    let bytes = encoded::<S>(&[S::item_of(20)]);
    for len in 0..bytes.len() {
        let (mut codec, mut buffer) = (S::codec(AMPLE), BytesMut::from(&bytes[..len]));
        let expected = S::at_the_end(&bytes[..len]);
        assert_eq!(codec.decode_eof(&mut buffer).unwrap(), expected);
        assert_eq!(buffer.len(), if expected.is_some() { 0 } else { len });
    }
}

/// An item whose payload has the length of the limit is encoded and decoded.
fn item_at_the_limit_passes<S: Subject>() {
    for len in [2, 3, 100, 127, 130, 200] {
        let mut codec = S::codec(len);
        let mut buffer = BytesMut::new();
        codec.encode(S::item_of(len), &mut buffer).unwrap();
        assert_eq!(buffer.len(), len + S::OVERHEAD);
        for byte in 0..buffer.len() {
            assert_eq!(
                codec.decode(&mut BytesMut::from(&buffer[..byte])).unwrap(),
                None
            );
        }
        assert_eq!(codec.decode(&mut buffer).unwrap(), Some(S::item_of(len)));
    }
}

/// An encoder refuses an item over the limit, leaves the buffer unchanged, and encodes the next
/// one.
fn item_over_the_limit_is_refused<S: Subject>() {
    for (len, max) in [(3, 2), (101, 100), (200, 127), (200, 0), (2, 0)] {
        let mut codec = S::codec(max);
        let mut buffer = BytesMut::from(BEFORE);
        assert_item_too_large(codec.encode(S::item_of(len), &mut buffer), len, max);
        assert_eq!(buffer, BEFORE);
        if max > 1 {
            codec.encode(S::item_of(max), &mut buffer).unwrap();
            assert_eq!(buffer.len(), BEFORE.len() + max + S::OVERHEAD);
        }
    }
}

/// A decoder refuses a frame over the limit and leaves it in the buffer, where a codec with a
/// higher limit decodes it.
fn frame_over_the_limit_stays<S: Subject>() {
    for (len, max) in [(3, 2), (101, 100), (200, 127), (200, 0), (2, 0)] {
        let bytes = encoded::<S>(&[S::item_of(len), S::item_of(2)]);
        let (mut codec, mut buffer) = (S::codec(max), bytes.clone());
        for _ in 0..3 {
            assert_too_large(codec.decode(&mut buffer), len, max);
            assert_eq!(buffer, bytes);
        }
        assert_too_large(codec.decode_eof(&mut buffer), len, max);
        assert_eq!(buffer, bytes);
        // A codec with a higher limit can take over.
        assert_eq!(
            S::codec(len).decode(&mut buffer).unwrap(),
            Some(S::item_of(len))
        );
    }
}

/// A decoder consumes exactly the malformed frame, and decodes the next one.
fn malformed_frame_is_skipped<S: Subject>() {
    for payload in S::malformed() {
        let mut buffer = BytesMut::from(&S::frame(&payload)[..]);
        let next = encoded::<S>(&[S::item_of(5)]);
        buffer.extend_from_slice(&next);

        let mut codec = S::codec(AMPLE);
        let error = codec.decode(&mut buffer).unwrap_err();
        assert!(
            matches!(error, CodecError::Malformed(_)),
            "{payload:?}: {error:?}"
        );
        assert_eq!(buffer, next, "{payload:?}");
        assert_eq!(codec.decode(&mut buffer).unwrap(), Some(S::item_of(5)));
    }
}

/// A decoder reports a malformed frame only when all of it has arrived.
fn malformed_part_is_no_error<S: Subject>() {
    for payload in S::malformed() {
        let frame = S::frame(&payload);
        let (mut codec, mut buffer) = (S::codec(AMPLE), BytesMut::new());
        for byte in &frame[..frame.len() - 1] {
            buffer.extend_from_slice(&[*byte]);
            assert_eq!(codec.decode(&mut buffer).unwrap(), None);
        }
    }
}

/// A clone has the limit of its codec, and nothing of a frame that is being decoded.
fn clone_has_no_decoding_state<S: Subject>() {
    let bytes = encoded::<S>(&[S::item_of(50)]);
    let mut codec = S::codec(50);
    assert_eq!(
        codec.decode(&mut BytesMut::from(&bytes[..30])).unwrap(),
        None
    );
    let mut clone = codec.clone();
    let mut other = encoded::<S>(&[S::item_of(2), S::item_of(50)]);
    assert_eq!(clone.decode(&mut other).unwrap(), Some(S::item_of(2)));
    assert_eq!(clone.decode(&mut other).unwrap(), Some(S::item_of(50)));
    assert_item_too_large(clone.encode(S::item_of(51), &mut other), 51, 50);
}
