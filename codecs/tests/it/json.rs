//! The numbers of `Json`.
#![cfg(feature = "json")]

use std::collections::BTreeMap;

use asynchronous_codec::{BytesMut, Encoder};
use serde::{Serialize, de::DeserializeOwned};
use ws_framed_codecs::CodecError;

use crate::common::{self_describing::OfJson, values::Format};

/// `Json` refuses to send a number that it would write as null.
#[test]
fn infinite_numbers_are_unencodable() {
    #[derive(Serialize)]
    enum Numbers {
        List(Vec<f64>),
        Field { number: Option<f32> },
        Pair(u8, f64),
    }
    fn refused<T: Serialize>(value: T) {
        let mut buffer = BytesMut::from("before");
        let mut codec = ws_framed_codecs::Json::<(), T>::new(1000);
        let result = codec.encode(value, &mut buffer);
        assert!(matches!(result, Err(CodecError::Unencodable(_))));
        assert_eq!(buffer, "before");
    }
    refused(f64::NAN);
    refused(f32::INFINITY);
    refused(Numbers::List(vec![1.0, f64::NEG_INFINITY]));
    refused(Numbers::Field {
        number: Some(f32::NAN),
    });
    refused(Numbers::Pair(1, f64::NAN));
    refused(BTreeMap::from([("a", f64::NAN)]));
}

/// `Json` reads a number without a fraction as an integer, while no digit is lost.
#[test]
fn whole_floats_are_read_as_integers() {
    fn read<T: Serialize + DeserializeOwned>(text: &str) -> Option<T> {
        OfJson::decode(text.as_bytes()).ok()
    }
    assert_eq!(read("1700000000000.0"), Some(1_700_000_000_000u64));
    assert_eq!(read("[1e3, -2.0, 2.50e1]"), Some(vec![1000i16, -2, 25]));
    assert_eq!(read("9007199254740991.0"), Some((1u64 << 53) - 1));
    assert_eq!(read("-0.0"), Some(0i8));
    // A fraction, one beyond what a floating-point number holds exactly, and one out of range.
    assert_eq!(read::<u64>("1.5"), None);
    assert_eq!(read::<u64>("9007199254740993.0"), None);
    assert_eq!(read::<u64>("1e300"), None);
    assert_eq!(read::<u8>("-1.0"), None);
    assert_eq!(read::<u8>("256.0"), None);
    assert_eq!(read("2.0"), Some(2.0f64));
    assert_eq!(read(r#"{"7": 1.0}"#), Some(BTreeMap::from([(7u8, 1u8)])));
}
