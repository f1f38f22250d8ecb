//! What every bundled codec promises, whatever the bytes are.

use std::fmt::Debug;

use bytes::BytesMut;
use serde::{Serialize, de::DeserializeOwned};
use support::alloc::measure;
use ws_framed::{
    Bincode, Cbor, CodecError, Compressed, Decoder, Encoder, Json, LengthDelimited, Lines,
    Postcard, Text,
};

use crate::{
    Chunks,
    values::{Chain, Empty, List, Loose, Std, Value},
};

/// The limit that hostile frames are up against.
const MAX: usize = 1024;

/// What was in the output buffer before.
const BEFORE: &[u8] = b"before";

/// A codec whose items are `T`, both ways.
trait Codec<T>:
    for<'a> Encoder<Item<'a> = T, Error = CodecError> + Decoder<Item = T, Error = CodecError>
{
}

impl<T, C> Codec<T> for C where
    C: for<'a> Encoder<Item<'a> = T, Error = CodecError> + Decoder<Item = T, Error = CodecError>
{
}

/// How a codec's frames look on the wire.
#[derive(Clone, Copy)]
struct Wire {
    /// The length of the frame at the front, if all of it is there.
    frame_len: fn(&[u8]) -> Option<usize>,
    /// Bytes of a frame that are not payload.
    overhead: usize,
    /// A value may take more bytes than it was read from, at most so many times as many.
    growth: usize,
}

const PREFIXED: Wire = Wire {
    frame_len: |bytes| {
        let prefix = u32::from_be_bytes(*bytes.first_chunk()?);
        let len = usize::try_from(prefix).ok()?.checked_add(4)?;
        (len <= bytes.len()).then_some(len)
    },
    overhead: 4,
    growth: 1,
};

/// Formats that describe themselves. A number may be written shorter than we write it, `1e15` for
/// one, and a field that is `None` may be left out.
const SELF_DESCRIBING: Wire = Wire {
    growth: 64,
    ..PREFIXED
};

const LINES: Wire = Wire {
    frame_len: |bytes| Some(bytes.iter().position(|byte| *byte == b'\n')? + 1),
    overhead: 1,
    growth: 1,
};

pub fn codec_length_delimited(input: &[u8]) {
    check(input, LengthDelimited::new, PREFIXED);
    check(input, Text::new, PREFIXED);
}

pub fn codec_lines(input: &[u8]) {
    check(input, Lines::new, LINES);
}

pub fn codec_bincode(input: &[u8]) {
    check(input, Bincode::<Value>::new, PREFIXED);
    read::<Bincode<List>, _>(input, Bincode::new);
    read::<Bincode<Chain>, _>(input, Bincode::new);
    read::<Bincode<Std>, _>(input, Bincode::new);
    read::<Bincode<Vec<()>>, _>(input, Bincode::new);
    read::<Bincode<Vec<Vec<Empty>>>, _>(input, Bincode::new);
    read::<Bincode<Vec<[u128; 16]>>, _>(input, Bincode::new);
}

pub fn codec_postcard(input: &[u8]) {
    check(input, Postcard::<Value>::new, PREFIXED);
    read::<Postcard<List>, _>(input, Postcard::new);
    read::<Postcard<Chain>, _>(input, Postcard::new);
    read::<Postcard<Std>, _>(input, Postcard::new);
    read::<Postcard<Vec<()>>, _>(input, Postcard::new);
    read::<Postcard<Vec<Vec<Empty>>>, _>(input, Postcard::new);
    read::<Postcard<Vec<[u128; 16]>>, _>(input, Postcard::new);
}

pub fn codec_json(input: &[u8]) {
    check(input, Json::<Value>::new, SELF_DESCRIBING);
    read::<Json<List>, _>(input, Json::new);
    read::<Json<Chain>, _>(input, Json::new);
    read::<Json<Std>, _>(input, Json::new);
    read::<Json<Vec<()>>, _>(input, Json::new);
    read::<Json<Vec<Vec<Empty>>>, _>(input, Json::new);
    read::<Json<Vec<[u128; 16]>>, _>(input, Json::new);
    read::<Json<Loose>, _>(input, Json::new);
}

pub fn codec_cbor(input: &[u8]) {
    check(input, Cbor::<Value>::new, SELF_DESCRIBING);
    read::<Cbor<List>, _>(input, Cbor::new);
    read::<Cbor<Chain>, _>(input, Cbor::new);
    read::<Cbor<Std>, _>(input, Cbor::new);
    read::<Cbor<Vec<()>>, _>(input, Cbor::new);
    read::<Cbor<Vec<Vec<Empty>>>, _>(input, Cbor::new);
    read::<Cbor<Vec<[u128; 16]>>, _>(input, Cbor::new);
    read::<Cbor<Loose>, _>(input, Cbor::new);
}

/// Around codecs that step over a bad frame, that leave one that is too large, and that look for
/// its end.
pub fn codec_compressed(input: &[u8]) {
    inflate(input, |max| {
        Compressed::new(Postcard::<Value>::new(max), max + 4)
    });
    inflate(input, |max| {
        Compressed::new(LengthDelimited::new(max / 2), max)
    });
    inflate(input, |max| Compressed::new(Lines::new(max / 2), max));
}

/// What is promised where the length on the wire is not that of the payload.
fn inflate<T: Clone + Debug, C: Codec<T>>(input: &[u8], make: impl Fn(usize) -> C) {
    let (mut codec, mut buffer, mut results) = (make(MAX), BytesMut::from(input), Vec::new());
    loop {
        let result = decode(&mut codec, &mut buffer, Some(PREFIXED));
        results.push(outcome(&mut codec, &result));
        match result {
            Ok(Some(item)) => {
                let mut frame = BytesMut::from(BEFORE);
                let written = codec.encode(item, &mut frame);
                let frame = frame.split_off(BEFORE.len());
                assert_eq!(frame.is_empty(), written.is_err(), "all or nothing");
                if written.is_ok() {
                    let mut rest = frame.clone();
                    let again = make(MAX).decode(&mut rest).expect("our own frame");
                    let mut twice = BytesMut::new();
                    let written = make(MAX).encode(again.expect("it is whole"), &mut twice);
                    written.expect("it was written once");
                    assert_eq!((twice, rest.len()), (frame, 0));
                }
            }
            Err(CodecError::Malformed(_)) => {}
            _ => break,
        }
    }
    read_in_pieces(input, &mut make(MAX), &results, &buffer);
    at_the_end(&mut codec, buffer);
}

/// Everything that is promised, of a codec whose items can be written again.
fn check<T: Clone + Debug, C: Codec<T>>(input: &[u8], make: impl Fn(usize) -> C, wire: Wire) {
    let mut codec = make(MAX);
    let mut buffer = BytesMut::from(input);
    let mut results = Vec::new();
    loop {
        let result = decode(&mut codec, &mut buffer, Some(wire));
        results.push(outcome(&mut codec, &result));
        match result {
            Ok(Some(item)) => write_again(&item, &make, wire),
            Err(CodecError::Malformed(_)) => {}
            _ => break,
        }
    }
    read_in_pieces(input, &mut make(MAX), &results, &buffer);
    at_the_end(&mut codec, buffer);
}

/// Decodes once, and checks what that takes from the buffer and what it costs.
fn decode<C>(
    codec: &mut C,
    buffer: &mut BytesMut,
    wire: Option<Wire>,
) -> Result<Option<C::Item>, CodecError>
where
    C: Decoder<Error = CodecError>,
{
    let before = buffer.clone();
    let frame_len = wire.and_then(|wire| (wire.frame_len)(&before));
    let (result, cost) = measure(|| codec.decode(buffer));
    assert!(before.ends_with(buffer), "it may only take from the front");
    let taken = before.len() - buffer.len();
    match &result {
        Ok(Some(_)) | Err(CodecError::Malformed(_)) => {
            assert!(taken > 0, "a frame that is dealt with is gone");
            if wire.is_some() {
                assert_eq!(Some(taken), frame_len, "exactly its frame is gone");
            }
        }
        Ok(None) => assert_eq!((taken, frame_len), (0, None), "a partial frame stays"),
        Err(CodecError::FrameTooLarge { len, max }) => {
            assert!(len > max && taken == 0, "a frame too large stays");
        }
        Err(error) => panic!("not an error of decoding: {error:?}"),
    }
    // A partial frame makes room for the rest of it, at most 64 KiB; an element may be a hundred
    // times larger than it is on the wire, and a map's first takes room for eleven.
    let ceiling = 64 * 1024 + before.len() + 1024 * MAX.min(taken);
    assert!(
        cost.peak <= ceiling,
        "{} bytes for a frame of {taken}",
        cost.peak
    );
    result
}

/// A result in a form that can be compared: an item by its frame, since a NaN is not equal to
/// itself.
fn outcome<T: Clone + Debug, C: Codec<T>>(
    codec: &mut C,
    result: &Result<Option<T>, CodecError>,
) -> String {
    match result {
        Ok(Some(item)) => {
            let mut frame = BytesMut::new();
            match codec.encode(item.clone(), &mut frame) {
                Ok(()) => format!("{frame:?}"),
                Err(_) => format!("{item:?}"),
            }
        }
        Ok(None) => "nothing".to_owned(),
        Err(CodecError::Malformed(_)) => "malformed".to_owned(),
        Err(CodecError::FrameTooLarge { .. }) => "too large".to_owned(),
        Err(error) => panic!("not an error of decoding: {error:?}"),
    }
}

/// What was read can be written, under the same limit if the format allows; reading that gives the
/// same; and when the limit is too small, nothing is written.
fn write_again<T: Clone + Debug, C: Codec<T>>(item: &T, make: &impl Fn(usize) -> C, wire: Wire) {
    let max = MAX * wire.growth;
    let mut written = BytesMut::from(BEFORE);
    match make(max).encode(item.clone(), &mut written) {
        Ok(()) => {}
        Err(CodecError::Unencodable(_)) => {
            assert_eq!(written, BEFORE);
            assert!(
                format!("{item:?}").contains("\\r"),
                "only a line may be refused: {item:?}"
            );
            return;
        }
        Err(error) => panic!("{error}: {item:?}"),
    }
    let frame = written.split_off(BEFORE.len());
    assert_eq!(written, BEFORE);
    assert_eq!(
        (wire.frame_len)(&frame),
        Some(frame.len()),
        "it is one whole frame"
    );

    let mut rest = frame.clone();
    let again = make(max)
        .decode(&mut rest)
        .expect("our own frame can be read");
    assert!(rest.is_empty());
    let mut twice = BytesMut::new();
    make(max)
        .encode(again.expect("it is whole"), &mut twice)
        .expect("it was written once");
    assert_eq!(twice, frame);

    let payload = frame.len() - wire.overhead;
    if let Some(less) = payload.checked_sub(1) {
        match make(less).encode(item.clone(), &mut written) {
            Err(CodecError::ItemTooLarge { len, max }) => assert_eq!((len, max), (payload, less)),
            other => panic!("{payload} bytes passed a limit of {less}: {other:?}"),
        }
        assert_eq!(written, BEFORE, "a failure leaves the buffer as it was");
    }
}

/// The same bytes in other pieces give the same.
fn read_in_pieces<T: Clone + Debug, C: Codec<T>>(
    input: &[u8],
    codec: &mut C,
    expected: &[String],
    left: &BytesMut,
) {
    let (mut buffer, mut results) = (BytesMut::new(), Vec::new());
    let pieces = Chunks::random(input).split(input);
    let count = pieces.len();
    'pieces: for (at, piece) in pieces.into_iter().enumerate() {
        buffer.extend_from_slice(piece);
        loop {
            let result = codec.decode(&mut buffer);
            match &result {
                Ok(None) if at + 1 < count => continue 'pieces,
                Ok(Some(_)) | Err(CodecError::Malformed(_)) => {
                    results.push(outcome(codec, &result));
                }
                // What comes after it does not matter any more.
                Ok(None) | Err(_) => {
                    results.push(outcome(codec, &result));
                    break 'pieces;
                }
            }
        }
    }
    if count > 0 {
        assert_eq!(results, expected);
        assert!(
            left.starts_with(&buffer),
            "a prefix of it, where the limit was hit early"
        );
    }
}

/// A clean end of the stream gives what is left a last chance, and takes a while at most.
fn at_the_end<C: Decoder<Error = CodecError>>(codec: &mut C, mut buffer: BytesMut) {
    for _ in 0..=buffer.len() {
        let before = buffer.len();
        let last = codec.decode_eof(&mut buffer);
        if buffer.len() == before {
            assert!(!matches!(last, Ok(Some(_))), "an item out of nothing");
            return;
        }
    }
    panic!("the end does not come to an end");
}

/// What is promised of types that cannot be written again.
fn read<C, T>(input: &[u8], make: impl Fn(usize) -> C)
where
    T: Serialize + DeserializeOwned + Debug,
    C: Decoder<Item = T, Error = CodecError>,
{
    let (mut codec, mut buffer) = (make(MAX), BytesMut::from(input));
    while let Ok(Some(_)) | Err(CodecError::Malformed(_)) =
        decode(&mut codec, &mut buffer, Some(PREFIXED))
    {}
}
