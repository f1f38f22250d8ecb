//! Any items, in any parts, and any bytes.

use asynchronous_codec::{Bytes, BytesMut, Decoder};
use proptest::{collection::vec, prelude::*, sample::Index};
use ws_framed_codecs::CodecError;

use crate::common::{Codec, OfBytes, OfLines, OfText, Subject};

/// Bytes in parts, split at these places.
pub(crate) fn pieces<'b>(bytes: &'b [u8], cuts: &[Index]) -> Vec<&'b [u8]> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect()
}

/// Items survive a round trip in these parts.
fn round_trip<T, C>(codec: &C, items: &[T], cuts: &[Index]) -> Result<(), TestCaseError>
where
    T: Clone + PartialEq + std::fmt::Debug,
    C: Codec<T> + Clone,
{
    let (mut encoder, mut decoder) = (codec.clone(), codec.clone());
    let (mut wire, mut buffer, mut received) = (BytesMut::new(), BytesMut::new(), Vec::new());
    for item in items {
        encoder.encode(item.clone(), &mut wire).unwrap();
    }
    for piece in pieces(&wire, cuts) {
        buffer.extend_from_slice(piece);
        while let Some(item) = decoder.decode(&mut buffer).unwrap() {
            received.push(item);
        }
    }
    prop_assert_eq!(&received[..], items);
    prop_assert!(buffer.is_empty());
    Ok(())
}

/// A decoder consumes a frame of the length that `whole` finds, or nothing.
fn consumes_whole_frames<S: Subject>(
    bytes: &[u8],
    cuts: &[Index],
    max: usize,
    whole: fn(&[u8]) -> Option<usize>,
) -> Result<(), TestCaseError> {
    let (mut codec, mut buffer) = (S::codec(max), BytesMut::new());
    for piece in pieces(bytes, cuts) {
        buffer.extend_from_slice(piece);
        loop {
            let before = buffer.clone();
            let result = codec.decode(&mut buffer);
            let taken = before.len() - buffer.len();
            prop_assert_eq!(&buffer[..], &before[taken..]);
            match result {
                Ok(Some(_)) | Err(CodecError::Malformed(_)) => {
                    prop_assert_eq!(Some(taken), whole(&before));
                    prop_assert!(taken <= max + 4);
                }
                Ok(None) => {
                    prop_assert_eq!(taken, 0);
                    prop_assert_eq!(whole(&before), None);
                    break;
                }
                Err(CodecError::FrameTooLarge { len, max: reported }) => {
                    prop_assert_eq!(taken, 0);
                    prop_assert!(reported == max && len > max);
                    return Ok(());
                }
                Err(other) => prop_assert!(false, "{other:?}"),
            }
        }
    }
    Ok(())
}

/// The length of the first frame, if it is whole.
fn first_prefixed(bytes: &[u8]) -> Option<usize> {
    let len = u32::from_be_bytes(*bytes.first_chunk()?) as usize + 4;
    (len <= bytes.len()).then_some(len)
}

fn first_line(bytes: &[u8]) -> Option<usize> {
    bytes
        .iter()
        .position(|&byte| byte == b'\n')
        .map(|end| end + 1)
}

/// Bytes with more small prefixes than chance gives.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let frame = (vec(any::<u8>(), 0..12), 0..3u8).prop_map(|(payload, excess)| {
        let mut frame = vec![0, 0, 0, u8::try_from(payload.len()).unwrap() + excess];
        frame.extend(payload);
        frame
    });
    prop_oneof![
        vec(any::<u8>(), 0..64),
        vec(frame, 0..6).prop_map(|frames| frames.concat()),
        vec(
            prop_oneof![Just(0u8), Just(1), Just(b'\n'), Just(b'\r'), any::<u8>()],
            0..64
        ),
    ]
}

pub(crate) fn cuts() -> impl Strategy<Value = Vec<Index>> {
    vec(any::<Index>(), 0..8)
}

proptest! {
    /// Byte strings survive a round trip in any parts.
    #[test]
    fn byte_strings_survive_any_split(items in vec(vec(any::<u8>(), 0..40), 0..8), cuts in cuts()) {
        let items: Vec<_> = items.into_iter().map(Bytes::from).collect();
        round_trip(&OfBytes::codec(40), &items, &cuts)?;
    }

    /// Lines survive a round trip in any parts.
    #[test]
    fn lines_survive_any_split(items in vec("[^\n]{0,20}", 0..8), cuts in cuts()) {
        let items: Vec<_> = items.iter().map(|line| line.trim_end_matches('\r').to_owned()).collect();
        round_trip(&OfLines::codec(80), &items, &cuts)?;
    }

    /// Texts survive a round trip in any parts.
    #[test]
    fn texts_survive_any_split(items in vec("(?s).{0,20}", 0..8), cuts in cuts()) {
        round_trip(&OfText::codec(80), &items, &cuts)?;
    }

    /// A decoder consumes a whole frame, or nothing, whatever bytes arrive.
    #[test]
    fn decoders_consume_what_they_report(bytes in bytes(), cuts in cuts(), max in 0..80usize) {
        consumes_whole_frames::<OfBytes>(&bytes, &cuts, max, first_prefixed)?;
        consumes_whole_frames::<OfText>(&bytes, &cuts, max, first_prefixed)?;
        consumes_whole_frames::<OfLines>(&bytes, &cuts, max, first_line)?;
        #[cfg(feature = "bincode")]
        consumes_whole_frames::<crate::common::values::OfBincode>(&bytes, &cuts, max, first_prefixed)?;
        #[cfg(feature = "postcard")]
        consumes_whole_frames::<crate::common::values::OfPostcard>(&bytes, &cuts, max, first_prefixed)?;
        #[cfg(feature = "json")]
        consumes_whole_frames::<crate::common::self_describing::OfJson>(&bytes, &cuts, max, first_prefixed)?;
        #[cfg(feature = "cbor")]
        consumes_whole_frames::<crate::common::self_describing::OfCbor>(&bytes, &cuts, max, first_prefixed)?;
    }

}

#[cfg(any(
    feature = "bincode",
    feature = "cbor",
    feature = "json",
    feature = "postcard"
))]
mod values {
    use std::collections::BTreeMap;

    use super::*;
    use crate::common::{AMPLE, values::Value};

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Nothing),
            any::<i64>().prop_map(Value::Number),
            any::<(u8, i32)>().prop_map(|(a, b)| Value::Pair(a, f64::from(b) / 7.0)),
            ".{0,10}".prop_map(Value::Text),
            any::<char>().prop_map(Value::Letter),
            (
                any::<u128>(),
                any::<Option<String>>(),
                vec(any::<(u16, bool)>(), 0..4)
            )
                .prop_map(|(id, name, tags)| Value::Record { id, name, tags }),
            proptest::collection::btree_map(".{0,3}", vec(any::<u32>(), 0..3), 0..4)
                .prop_map(Value::Table),
        ];
        leaf.prop_recursive(6, 24, 4, |inner| {
            prop_oneof![
                inner
                    .clone()
                    .prop_map(|value| Value::Inside(Box::new(value))),
                vec(inner, 0..4).prop_map(Value::Several),
            ]
        })
    }

    /// Collections in collections, down to elements of one byte: as many as a frame can have. Some
    /// have parts that take no bytes.
    type Dense = Vec<(Vec<Vec<bool>>, (), BTreeMap<u8, ((), Vec<u8>)>)>;

    fn dense() -> impl Strategy<Value = Dense> {
        let map =
            proptest::collection::btree_map(any::<u8>(), (Just(()), vec(any::<u8>(), 0..4)), 0..4);
        vec((vec(vec(any::<bool>(), 0..4), 0..4), Just(()), map), 0..6)
    }

    macro_rules! properties_of {
        ($name:ident, $codec:ident) => {
            mod $name {
                use super::*;

                proptest! {
                    /// Values survive a round trip in any parts.
                    #[test]
                    fn values_survive_any_split(items in vec(value(), 0..4), cuts in cuts()) {
                        round_trip(&ws_framed_codecs::$codec::new(AMPLE), &items, &cuts)?;
                    }

                    /// A value with as many elements as its frame has bytes is within the bounds.
                    #[test]
                    fn dense_values_stay_within_bounds(items in vec(dense(), 0..4), cuts in cuts()) {
                        round_trip(&ws_framed_codecs::$codec::new(AMPLE), &items, &cuts)?;
                    }
                }
            }
        };
    }

    #[cfg(feature = "bincode")]
    properties_of!(bincode, Bincode);
    #[cfg(feature = "postcard")]
    properties_of!(postcard, Postcard);
    #[cfg(feature = "json")]
    properties_of!(json, Json);
    #[cfg(feature = "cbor")]
    properties_of!(cbor, Cbor);
}
