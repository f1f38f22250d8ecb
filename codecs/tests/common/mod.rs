//! The codecs under test, and what the tests need of each.

// Each binary, and each feature, uses a part of this.
#![allow(dead_code, missing_debug_implementations)]

use std::fmt::Debug;

use asynchronous_codec::{Bytes, BytesMut, Decoder, Encoder};
use ws_framed_codecs::{CodecError, LengthDelimited, Lines, Text};

#[cfg(feature = "compress")]
pub(crate) mod compressed;
#[cfg(any(
    feature = "bincode",
    feature = "cbor",
    feature = "json",
    feature = "postcard"
))]
pub(crate) mod nested;
#[cfg(any(feature = "cbor", feature = "json"))]
pub(crate) mod self_describing;
#[cfg(any(
    feature = "bincode",
    feature = "cbor",
    feature = "json",
    feature = "postcard"
))]
pub(crate) mod values;

/// A limit above the length of every item here.
pub(crate) const AMPLE: usize = 1 << 24;

pub(crate) trait Codec<T>:
    for<'a> Encoder<Item<'a> = T, Error = CodecError> + Decoder<Item = T, Error = CodecError>
{
}

impl<T, C> Codec<T> for C where
    C: for<'a> Encoder<Item<'a> = T, Error = CodecError> + Decoder<Item = T, Error = CodecError>
{
}

pub(crate) trait Subject {
    type Item: Clone + PartialEq + Debug;
    type Codec: Codec<Self::Item> + Clone;

    /// Bytes of a frame that are not payload.
    const OVERHEAD: usize;
    fn codec(max: usize) -> Self::Codec;
    fn items() -> Vec<Self::Item>;
    /// An item with a payload of `len` bytes, for any `len` from 2 to 200.
    fn item_of(len: usize) -> Self::Item;
    /// A frame with this payload.
    fn frame(payload: &[u8]) -> Vec<u8>;
    /// Payloads that are not a value.
    fn malformed() -> Vec<Vec<u8>>;
    /// The item that the end of the stream makes of a truncated frame.
    fn at_the_end(_part: &[u8]) -> Option<Self::Item> {
        None
    }
}

pub(crate) fn prefixed(payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap();
    [&len.to_be_bytes(), payload].concat()
}

/// The frames of all items, one after the other.
pub(crate) fn encoded<S: Subject>(items: &[S::Item]) -> BytesMut {
    let (mut codec, mut bytes) = (S::codec(AMPLE), BytesMut::new());
    for item in items {
        codec.encode(item.clone(), &mut bytes).unwrap();
    }
    bytes
}

/// The items that a codec decodes from parts that arrive one after another.
pub(crate) fn decoded<S: Subject>(pieces: impl IntoIterator<Item: AsRef<[u8]>>) -> Vec<S::Item> {
    let (mut codec, mut buffer, mut items) = (S::codec(AMPLE), BytesMut::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece.as_ref());
        while let Some(item) = codec.decode(&mut buffer).unwrap() {
            items.push(item);
        }
    }
    assert!(buffer.is_empty(), "left over: {buffer:?}");
    items
}

/// Fails unless the result of encoding is `ItemTooLarge` with these lengths.
pub(crate) fn assert_item_too_large(result: Result<(), CodecError>, len: usize, max: usize) {
    match result {
        Err(CodecError::ItemTooLarge { len: l, max: m }) => assert_eq!((l, m), (len, max)),
        other => panic!("not ItemTooLarge: {other:?}"),
    }
}

/// Fails unless the result of decoding is `FrameTooLarge` with these lengths.
pub(crate) fn assert_too_large<T>(result: Result<T, CodecError>, len: usize, max: usize) {
    match result {
        Err(CodecError::FrameTooLarge { len: l, max: m }) => assert_eq!((l, m), (len, max)),
        Err(other) => panic!("not FrameTooLarge: {other:?}"),
        Ok(_) => panic!("{len} bytes passed a limit of {max}"),
    }
}

pub(crate) struct OfBytes;

impl Subject for OfBytes {
    type Item = Bytes;
    type Codec = LengthDelimited;
    const OVERHEAD: usize = 4;

    fn codec(max: usize) -> LengthDelimited {
        LengthDelimited::new(max)
    }
    fn items() -> Vec<Bytes> {
        let long = Bytes::from(vec![7; 300]);
        vec![
            Bytes::new(),
            Bytes::from_static(b"\0\0\0\x02"),
            Bytes::from_static(b"\n"),
            long,
        ]
    }
    fn item_of(len: usize) -> Bytes {
        vec![1; len].into()
    }
    fn frame(payload: &[u8]) -> Vec<u8> {
        prefixed(payload)
    }
    fn malformed() -> Vec<Vec<u8>> {
        Vec::new()
    }
}

pub(crate) struct OfLines;

impl Subject for OfLines {
    type Item = String;
    type Codec = Lines;
    const OVERHEAD: usize = 1;

    fn codec(max: usize) -> Lines {
        Lines::new(max)
    }
    fn items() -> Vec<String> {
        ["", "a", "\r.", "zwölf Boxkämpfer", &"long ".repeat(60)]
            .map(str::to_owned)
            .to_vec()
    }
    fn item_of(len: usize) -> String {
        "x".repeat(len)
    }
    fn frame(payload: &[u8]) -> Vec<u8> {
        [payload, b"\n"].concat()
    }
    fn malformed() -> Vec<Vec<u8>> {
        [&b"\xff"[..], b"good then \xc3(", b"\xe2\x82", b"\xff\r"]
            .map(<[u8]>::to_vec)
            .to_vec()
    }
    fn at_the_end(part: &[u8]) -> Option<String> {
        if part.is_empty() {
            None
        } else {
            Some(String::from_utf8_lossy(part).into_owned())
        }
    }
}

pub(crate) struct OfText;

impl Subject for OfText {
    type Item = String;
    type Codec = Text;
    const OVERHEAD: usize = 4;

    fn codec(max: usize) -> Text {
        Text::new(max)
    }
    fn items() -> Vec<String> {
        [
            "",
            "a\n\r\n",
            "\r",
            "\0\0\0\u{2}",
            "zwölf Boxkämpfer",
            &"long ".repeat(60),
        ]
        .map(str::to_owned)
        .to_vec()
    }
    fn item_of(len: usize) -> String {
        "x".repeat(len)
    }
    fn frame(payload: &[u8]) -> Vec<u8> {
        prefixed(payload)
    }
    fn malformed() -> Vec<Vec<u8>> {
        [
            &b"\xff"[..],
            b"good then \xc3(",
            b"\xe2\x82",
            b"\xed\xa0\x80",
        ]
        .map(<[u8]>::to_vec)
        .to_vec()
    }
}

/// Makes a test of every function named, for one codec.
#[macro_export]
macro_rules! for_codec {
    ($name:ident, $subject:ty, $module:path: $($case:ident),+ $(,)?) => {
        mod $name { $(
            #[test]
            fn $case() {
                use $module as module;
                module::$case::<$subject>();
            }
        )+ }
    };
}

/// The same for all codecs.
#[macro_export]
macro_rules! for_every_codec {
    ($($cases:tt)+) => {
        $crate::for_codec!(length_delimited, $crate::common::OfBytes, $($cases)+);
        $crate::for_codec!(lines, $crate::common::OfLines, $($cases)+);
        $crate::for_codec!(text, $crate::common::OfText, $($cases)+);
        $crate::for_every_format!($($cases)+);
    };
}

/// The same for the serde codecs.
#[macro_export]
macro_rules! for_every_format {
    ($($cases:tt)+) => {
        #[cfg(feature = "bincode")]
        $crate::for_codec!(bincode, $crate::common::values::OfBincode, $($cases)+);
        #[cfg(feature = "postcard")]
        $crate::for_codec!(postcard, $crate::common::values::OfPostcard, $($cases)+);
        #[cfg(feature = "json")]
        $crate::for_codec!(json, $crate::common::self_describing::OfJson, $($cases)+);
        #[cfg(feature = "cbor")]
        $crate::for_codec!(cbor, $crate::common::self_describing::OfCbor, $($cases)+);
    };
}

/// The same for the serde codecs in which the types determine what a payload means, so that one
/// payload suits both.
#[macro_export]
macro_rules! for_compact_formats {
    ($($cases:tt)+) => {
        #[cfg(feature = "bincode")]
        $crate::for_codec!(bincode, $crate::common::values::OfBincode, $($cases)+);
        #[cfg(feature = "postcard")]
        $crate::for_codec!(postcard, $crate::common::values::OfPostcard, $($cases)+);
    };
}
