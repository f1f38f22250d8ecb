//! Values that fail while they are encoded.

// Each feature uses a part of this.
#![allow(dead_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use asynchronous_codec::{BytesMut, Decoder, Encoder};
use serde::{
    de::DeserializeOwned,
    ser::{Error, Serialize, SerializeTuple, Serializer},
};
use ws_framed_codecs::CodecError;

use crate::common::{AMPLE, values::Format};

crate::for_every_format! {
    crate::encoding:
    failure_leaves_the_buffer_unchanged,
    panic_leaves_the_buffer_unchanged,
}

mod compact {
    crate::for_compact_formats! {
        crate::encoding:
        sequence_without_length_is_unencodable,
        empty_value_makes_empty_frame,
    }
}

/// Writes a text, and then fails or panics.
#[derive(serde::Deserialize)]
enum Failing {
    Refuse,
    Panic,
}

impl Serialize for Failing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(2)?;
        tuple.serialize_element("some text")?;
        match self {
            Self::Refuse => Err(S::Error::custom("refused")),
            Self::Panic => panic!("a part is written"),
        }
    }
}

/// Filters while it serializes, so that it cannot tell its length.
#[derive(serde::Deserialize)]
struct Filtered;

impl Serialize for Filtered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((0..9).filter(|number| number % 2 == 0))
    }
}

fn assert_unencodable<F: Format, T: Serialize + DeserializeOwned>(value: T) {
    let mut buffer = BytesMut::from("before");
    let error = F::codec(AMPLE).encode(value, &mut buffer).unwrap_err();
    assert!(matches!(error, CodecError::Unencodable(_)), "{error:?}");
    assert_eq!(buffer, "before");
}

/// A value whose `Serialize` fails in its middle is `Unencodable`, and leaves the output buffer
/// unchanged.
fn failure_leaves_the_buffer_unchanged<F: Format>() {
    assert_unencodable::<F, _>(Failing::Refuse);
}

/// A compact format refuses a sequence that cannot tell its length, also inside another value.
fn sequence_without_length_is_unencodable<F: Format>() {
    assert_unencodable::<F, _>(Filtered);
    assert_unencodable::<F, _>(("some text".to_owned(), Filtered));
}

/// A value whose `Serialize` panics in its middle leaves the output buffer unchanged.
fn panic_leaves_the_buffer_unchanged<F: Format>() {
    let mut buffer = BytesMut::from("before");
    let encode = || F::codec(AMPLE).encode(Failing::Panic, &mut buffer);
    assert!(catch_unwind(AssertUnwindSafe(encode)).is_err());
    assert_eq!(buffer, "before");
}

/// A value that takes no bytes is encoded as a frame without payload, and decoded from it.
fn empty_value_makes_empty_frame<F: Format>() {
    let mut buffer = BytesMut::new();
    let mut codec = F::codec::<()>(0);
    codec.encode((), &mut buffer).unwrap();
    assert_eq!(&buffer[..], [0; 4]);
    assert_eq!(codec.decode(&mut buffer).unwrap(), Some(()));
    assert!(buffer.is_empty());
}
