//! Values that cannot be encoded, found out when a part of them is written.
#![cfg(any(
    feature = "bincode",
    feature = "cbor",
    feature = "json",
    feature = "postcard"
))]

mod common;

for_every_format! {
    crate::failing:
    a_value_that_refuses_half_way_leaves_the_buffer_as_it_was,
    a_value_that_panics_half_way_leaves_the_buffer_as_it_was,
}

mod compact {
    crate::for_compact_formats! {
        crate::failing:
        a_sequence_of_unknown_length_is_unencodable,
        a_value_may_take_no_bytes_at_all,
    }
}

// Each format uses a part of this.
#[allow(dead_code)]
mod failing {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use asynchronous_codec::{BytesMut, Decoder, Encoder};
    use serde::de::DeserializeOwned;
    use serde::ser::{Error, Serialize, SerializeTuple, Serializer};
    use ws_framed_codecs::CodecError;

    use crate::common::AMPLE;
    use crate::common::values::Format;

    /// Writes a text, and then does what it is made for.
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

    /// Filters as it goes, so that it cannot tell its length.
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

    pub(crate) fn a_value_that_refuses_half_way_leaves_the_buffer_as_it_was<F: Format>() {
        assert_unencodable::<F, _>(Failing::Refuse);
    }

    pub(crate) fn a_sequence_of_unknown_length_is_unencodable<F: Format>() {
        assert_unencodable::<F, _>(Filtered);
        assert_unencodable::<F, _>(("some text".to_owned(), Filtered));
    }

    pub(crate) fn a_value_that_panics_half_way_leaves_the_buffer_as_it_was<F: Format>() {
        let mut buffer = BytesMut::from("before");
        let encode = || F::codec(AMPLE).encode(Failing::Panic, &mut buffer);
        assert!(catch_unwind(AssertUnwindSafe(encode)).is_err());
        assert_eq!(buffer, "before");
    }

    pub(crate) fn a_value_may_take_no_bytes_at_all<F: Format>() {
        let mut buffer = BytesMut::new();
        let mut codec = F::codec::<()>(0);
        codec.encode((), &mut buffer).unwrap();
        assert_eq!(&buffer[..], [0; 4]);
        assert_eq!(codec.decode(&mut buffer).unwrap(), Some(()));
        assert!(buffer.is_empty());
    }
}
