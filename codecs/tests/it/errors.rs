//! Errors: their text, their source, and their way through `io::Error`.

use std::{error::Error, io};

use asynchronous_codec::{Bytes, BytesMut, Decoder, Encoder};
use ws_framed_codecs::{CodecError, LengthDelimited, Lines};

/// An I/O error becomes a `CodecError` and an I/O error again unchanged.
#[test]
fn io_error_passes_unchanged() {
    let error = CodecError::from(io::Error::new(io::ErrorKind::TimedOut, "slow"));
    assert_eq!(error.to_string(), "slow");
    let error = io::Error::from(error);
    assert_eq!(
        (error.kind(), error.to_string()),
        (io::ErrorKind::TimedOut, "slow".to_owned())
    );
    assert!(!error.get_ref().unwrap().is::<CodecError>());
}

/// Any other `CodecError` downcasts out of the I/O error that it became, which has its kind and
/// text.
#[test]
fn other_errors_downcast_from_io() {
    let cases = [
        (
            CodecError::FrameTooLarge { len: 2, max: 1 },
            io::ErrorKind::InvalidData,
        ),
        (
            CodecError::ItemTooLarge { len: 2, max: 1 },
            io::ErrorKind::InvalidInput,
        ),
        (
            CodecError::Malformed("bad".into()),
            io::ErrorKind::InvalidData,
        ),
        (
            CodecError::Unencodable("odd".into()),
            io::ErrorKind::InvalidInput,
        ),
    ];
    for (error, kind) in cases {
        let text = error.to_string();
        let ends_connection = matches!(error, CodecError::FrameTooLarge { .. });
        assert_eq!(error.ends_connection(), ends_connection, "{error}");
        let error = io::Error::from(error);
        assert_eq!((error.kind(), error.to_string()), (kind, text.clone()));
        let again = CodecError::from(error);
        assert_eq!(again.to_string(), text);
        assert_eq!(again.ends_connection(), ends_connection, "{again}");
    }
    let lost = CodecError::from(io::Error::from(io::ErrorKind::ConnectionReset));
    assert!(matches!(lost, CodecError::Io(_)) && lost.ends_connection());
}

/// An error names the lengths or the cause, which is its source.
#[test]
fn errors_name_their_cause() {
    let too_large =
        LengthDelimited::new(1).encode(Bytes::from_static(b"abc"), &mut BytesMut::new());
    assert_eq!(
        too_large.unwrap_err().to_string(),
        "an item of 3 bytes exceeds the limit of 1 bytes"
    );

    let malformed = Lines::new(9)
        .decode(&mut BytesMut::from(&b"\xff\n"[..]))
        .unwrap_err();
    assert!(malformed.source().unwrap().is::<std::str::Utf8Error>());

    let unencodable = Lines::new(9)
        .encode("a\n".to_owned(), &mut BytesMut::new())
        .unwrap_err();
    assert_eq!(
        unencodable.source().unwrap().to_string(),
        "a line cannot hold a line feed"
    );
}

#[cfg(any(feature = "bincode", feature = "postcard"))]
mod compact {
    use super::*;
    use crate::common::{nested::Tree, values::Compact};

    crate::for_compact_formats! {
        crate::errors::compact:
        errors_name_the_exceeded_bound,
    }

    /// An error of a compact format names the bound that was exceeded.
    fn errors_name_the_exceeded_bound<F: Compact>() {
        let reason = |error: CodecError| error.source().unwrap().to_string();
        let many = F::decode::<Vec<()>>(&F::len(1_000_000_000)).unwrap_err();
        assert_eq!(
            reason(many),
            "the value claims more elements than its frame has bytes"
        );
        let deep = F::decode::<Tree>(&[1; 1000]).unwrap_err();
        assert_eq!(reason(deep), "the value is nested deeper than 128 levels");
        let long = F::decode::<u8>(&[1; 10]).unwrap_err();
        assert_eq!(reason(long), "9 bytes are left over behind the value");
    }
}

#[cfg(all(feature = "cbor", feature = "json"))]
mod self_describing {
    use super::*;
    use crate::common::{
        nested::Tree,
        self_describing::{Loose, OfCbor, OfJson, head},
        values::Format,
    };

    /// An error of a self-describing format names the bound that was exceeded.
    #[test]
    fn self_describing_errors_name_bounds() {
        let reason = |error: CodecError| error.source().unwrap().to_string();
        let deep = "the value is nested deeper than 128 levels";
        assert_eq!(
            reason(OfJson::decode::<Tree>(&[b'['; 1000]).unwrap_err()),
            deep
        );
        assert_eq!(
            reason(OfCbor::decode::<Tree>(&[0x81; 1000]).unwrap_err()),
            deep
        );
        assert_eq!(
            reason(OfCbor::decode::<Loose>(&[0x81; 1000]).unwrap_err()),
            deep
        );
        let many = OfCbor::decode::<Vec<()>>(&head(4, 1_000_000_000)).unwrap_err();
        assert_eq!(
            reason(many),
            "the value claims more elements than its frame has bytes"
        );
        let long = OfCbor::decode::<u8>(&[1; 10]).unwrap_err();
        assert_eq!(reason(long), "9 bytes are left over behind the value");
        let long = OfJson::decode::<u8>(b"1 1").unwrap_err();
        assert_eq!(reason(long), "trailing characters at line 1 column 3");
    }
}
