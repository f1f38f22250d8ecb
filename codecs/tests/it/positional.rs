//! What the formats without names, Bincode and Postcard, cannot carry.
#![cfg(any(feature = "bincode", feature = "postcard"))]

use asynchronous_codec::{BytesMut, Encoder};
use serde::{Deserialize, Serialize};
use ws_framed_codecs::CodecError;

use crate::common::{AMPLE, values::Compact};

crate::for_compact_formats! {
    crate::positional:
    left_out_fields_are_unencodable,
    flattened_types_are_unencodable,
    dynamic_values_are_malformed,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Sparse {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first: Option<u8>,
    second: Option<u8>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Sparse {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first: Option<u8>,
        second: Option<u8>,
    },
}

fn assert_unencodable<F: Compact, T: Serialize + serde::de::DeserializeOwned>(value: T) {
    let mut buffer = BytesMut::from("before");
    let result = F::codec(AMPLE).encode(value, &mut buffer);
    assert!(matches!(result, Err(CodecError::Unencodable(_))));
    assert_eq!(buffer, "before");
}

/// A field that is left out, behind which the receiver would misread the others, is an error of the
/// sender, wherever the struct is in the value.
fn left_out_fields_are_unencodable<F: Compact>() {
    let sparse = |first| Sparse {
        first,
        second: Some(2),
    };
    let frame = F::encode(sparse(Some(1)));
    assert_eq!(F::decode::<Sparse>(&frame[4..]).unwrap(), sparse(Some(1)));
    assert_unencodable::<F, _>(sparse(None));
    assert_unencodable::<F, _>(vec![(1u8, Some(sparse(None)))]);
    let second = Some(2);
    assert_unencodable::<F, _>(Shape::Sparse {
        first: None,
        second,
    });
}

/// A flattened type, whose length serde does not know, is an error of the sender.
fn flattened_types_are_unencodable<F: Compact>() {
    #[derive(Serialize, Deserialize)]
    struct Flat {
        #[serde(flatten)]
        sparse: Sparse,
    }
    let (first, second) = (Some(1), None);
    let sparse = Sparse { first, second };
    assert_unencodable::<F, _>(Flat { sparse });
}

/// A dynamic value is an error of the receiver, as the docs say: no type tells what it is.
fn dynamic_values_are_malformed<F: Compact>() {
    for value in [serde_json::json!(null), serde_json::json!({"a": [1]})] {
        let frame = F::encode(value);
        let result = F::decode::<serde_json::Value>(&frame[4..]);
        assert!(matches!(result, Err(CodecError::Malformed(_))));
    }
}
