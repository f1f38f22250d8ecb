//! What every codec promises.

use std::{borrow::Borrow, slice};

use asynchronous_codec::{BytesMut, Decoder, Encoder};
use ws_framed_codecs::{CodecError, EncodeRef};

use super::{AMPLE, Subject, decoded, encoded};

/// What is in an output buffer before an item is encoded.
const BEFORE: &[u8] = b"written before";

pub(crate) fn every_item_survives_the_round_trip<S: Subject>() {
    for item in S::items() {
        let bytes = encoded::<S>(slice::from_ref(&item));
        assert_eq!(decoded::<S>([bytes]), [item]);
    }
}

pub(crate) fn encoding_appends_to_the_buffer<S: Subject>() {
    for item in S::items() {
        let frame = encoded::<S>(slice::from_ref(&item));
        let mut buffer = BytesMut::from(BEFORE);
        S::codec(AMPLE).encode(item, &mut buffer).unwrap();
        assert_eq!(buffer, [BEFORE, &frame].concat());
    }
}

pub(crate) fn a_reference_is_encoded_like_its_item<S: Subject>()
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
        Err(CodecError::FrameTooLarge { len: 11, max: 10 })
    ));
    assert_eq!(buffer, BEFORE);
}

pub(crate) fn many_frames_in_one_buffer_come_out_in_order<S: Subject>() {
    let bytes = encoded::<S>(&S::items());
    assert_eq!(decoded::<S>([bytes]), S::items());
}

pub(crate) fn frames_may_be_split_at_every_byte<S: Subject>() {
    let bytes = encoded::<S>(&S::items());
    for at in 0..=bytes.len() {
        assert_eq!(
            decoded::<S>([&bytes[..at], &bytes[at..]]),
            S::items(),
            "split at {at}"
        );
    }
}

pub(crate) fn frames_may_arrive_one_byte_at_a_time<S: Subject>() {
    let bytes = encoded::<S>(&S::items());
    assert_eq!(decoded::<S>(bytes.chunks(1)), S::items());
}

pub(crate) fn an_empty_buffer_holds_no_frame<S: Subject>() {
    let (mut codec, mut buffer) = (S::codec(AMPLE), BytesMut::new());
    assert_eq!(codec.decode(&mut buffer).unwrap(), None);
    assert_eq!(codec.decode_eof(&mut buffer).unwrap(), None);
}

pub(crate) fn a_truncated_frame_stays_in_the_buffer_whole<S: Subject>() {
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
            // It is all there for the rest, and for another codec.
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

pub(crate) fn the_end_of_the_stream_makes_no_item_of_a_part_with_a_known_length<S: Subject>() {
    let bytes = encoded::<S>(&[S::item_of(20)]);
    for len in 0..bytes.len() {
        let (mut codec, mut buffer) = (S::codec(AMPLE), BytesMut::from(&bytes[..len]));
        let expected = S::at_the_end(&bytes[..len]);
        assert_eq!(codec.decode_eof(&mut buffer).unwrap(), expected);
        assert_eq!(buffer.len(), if expected.is_some() { 0 } else { len });
    }
}

pub(crate) fn an_item_at_the_limit_passes_both_ways<S: Subject>() {
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

pub(crate) fn an_item_over_the_limit_is_not_encoded_and_the_next_one_is<S: Subject>() {
    for (len, max) in [(3, 2), (101, 100), (200, 127), (200, 0), (2, 0)] {
        let mut codec = S::codec(max);
        let mut buffer = BytesMut::from(BEFORE);
        assert_too_large(codec.encode(S::item_of(len), &mut buffer), len, max);
        assert_eq!(buffer, BEFORE);
        if max > 1 {
            codec.encode(S::item_of(max), &mut buffer).unwrap();
            assert_eq!(buffer.len(), BEFORE.len() + max + S::OVERHEAD);
        }
    }
}

pub(crate) fn a_frame_over_the_limit_consumes_nothing<S: Subject>() {
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

pub(crate) fn a_malformed_frame_is_consumed_and_the_next_one_is_read<S: Subject>() {
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

pub(crate) fn a_malformed_frame_is_not_judged_before_it_is_whole<S: Subject>() {
    for payload in S::malformed() {
        let frame = S::frame(&payload);
        let (mut codec, mut buffer) = (S::codec(AMPLE), BytesMut::new());
        for byte in &frame[..frame.len() - 1] {
            buffer.extend_from_slice(&[*byte]);
            assert_eq!(codec.decode(&mut buffer).unwrap(), None);
        }
    }
}

pub(crate) fn a_clone_has_the_limit_and_none_of_the_state<S: Subject>() {
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
    assert_too_large(clone.encode(S::item_of(51), &mut other), 51, 50);
}

pub(crate) fn assert_too_large<T>(result: Result<T, CodecError>, len: usize, max: usize) {
    match result {
        Err(CodecError::FrameTooLarge { len: l, max: m }) => assert_eq!((l, m), (len, max)),
        Err(other) => panic!("not FrameTooLarge: {other:?}"),
        Ok(_) => panic!("{len} bytes passed a limit of {max}"),
    }
}
