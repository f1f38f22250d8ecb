//! What holds for the types themselves: limits, errors, auto traits.

use std::error::Error;
use std::io;

use asynchronous_codec::{Bytes, BytesMut, Decoder, Encoder};
use ws_framed_codecs::{Bincode, CodecError, LengthDelimited, Lines, WireFormat};

fn assert_auto<T: Send + Sync + Unpin + Clone + std::fmt::Debug + 'static>() {}

/// Neither `Send`, nor `Sync`, nor `Unpin`, nor `Clone`, nor `Debug`.
struct Awkward {
    _rc: std::rc::Rc<()>,
    _pinned: std::marker::PhantomPinned,
}

#[test]
fn codecs_are_send_sync_and_unpin_whatever_they_carry() {
    assert_auto::<LengthDelimited>();
    assert_auto::<Lines>();
    assert_auto::<Bincode<Awkward, *mut u8>>();
    #[cfg(feature = "postcard")]
    assert_auto::<ws_framed_codecs::Postcard<Awkward, *mut u8>>();
    #[cfg(feature = "json")]
    assert_auto::<ws_framed_codecs::Json<Awkward, *mut u8>>();
    #[cfg(feature = "cbor")]
    assert_auto::<ws_framed_codecs::Cbor<Awkward, *mut u8>>();
    assert_eq!(size_of::<Awkward>(), size_of::<usize>());
}

#[test]
fn the_limit_is_what_was_given_up_to_what_a_prefix_can_say() {
    let most = u32::MAX as usize;
    for (given, kept) in [
        (0, 0),
        (1, 1),
        (most, most),
        (most.saturating_add(1), most),
        (usize::MAX, most),
    ] {
        assert_eq!(LengthDelimited::new(given).max_frame_len(), kept);
        assert_eq!(Lines::new(given).max_line_len(), kept);
        #[cfg(feature = "bincode")]
        assert_eq!(Bincode::<u8>::new(given).max_frame_len(), kept);
        #[cfg(feature = "postcard")]
        assert_eq!(
            ws_framed_codecs::Postcard::<u8>::new(given).max_frame_len(),
            kept
        );
        #[cfg(feature = "json")]
        assert_eq!(
            ws_framed_codecs::Json::<u8>::new(given).max_frame_len(),
            kept
        );
        #[cfg(feature = "cbor")]
        assert_eq!(
            ws_framed_codecs::Cbor::<u8>::new(given).max_frame_len(),
            kept
        );
    }
}

/// They are on the wire of everybody who agrees on a codec by its name: not to be changed.
#[test]
fn the_names_of_the_formats_are_stable() {
    let limited = |codec: &dyn WireFormat| (codec.name().into_owned(), codec.max_frame_len());
    let expect = |codec: &dyn WireFormat, name: &str| {
        assert_eq!(limited(codec), (name.to_owned(), 9));
    };
    expect(&LengthDelimited::new(9), "length-delimited");
    expect(&Lines::new(9), "lines");
    #[cfg(feature = "bincode")]
    expect(&Bincode::<u8>::new(9), "bincode2");
    #[cfg(feature = "postcard")]
    expect(&ws_framed_codecs::Postcard::<u8>::new(9), "postcard");
    #[cfg(feature = "json")]
    expect(&ws_framed_codecs::Json::<u8>::new(9), "json");
    #[cfg(feature = "cbor")]
    expect(&ws_framed_codecs::Cbor::<u8>::new(9), "cbor");
    #[cfg(feature = "compress")]
    for (inner, outer) in [(9, 9), (9, 13), (100, 9)] {
        let codec = ws_framed_codecs::Compressed::new(Lines::new(inner), outer);
        expect(&codec, "lz4+lines");
    }
}

#[test]
fn length_delimited_shares_the_memory_of_the_buffer() {
    let mut buffer = BytesMut::from(&b"\0\0\0\x03abc"[..]);
    let payload = buffer[4..].as_ptr();
    let item = LengthDelimited::new(3)
        .decode(&mut buffer)
        .unwrap()
        .unwrap();
    assert_eq!((&item[..], item.as_ptr()), (&b"abc"[..], payload));
}

#[test]
fn an_io_error_passes_through_unchanged() {
    let error = CodecError::from(io::Error::new(io::ErrorKind::TimedOut, "slow"));
    assert_eq!(error.to_string(), "slow");
    let error = io::Error::from(error);
    assert_eq!(
        (error.kind(), error.to_string()),
        (io::ErrorKind::TimedOut, "slow".to_owned())
    );
    assert!(!error.get_ref().unwrap().is::<CodecError>());
}

#[test]
fn the_other_errors_can_be_had_again_out_of_an_io_error() {
    let cases = [
        (
            CodecError::FrameTooLarge { len: 2, max: 1 },
            io::ErrorKind::InvalidData,
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
        let error = io::Error::from(error);
        assert_eq!((error.kind(), error.to_string()), (kind, text.clone()));
        assert_eq!(error.downcast::<CodecError>().unwrap().to_string(), text);
    }
}

#[test]
fn errors_name_their_cause() {
    let too_large =
        LengthDelimited::new(1).encode(Bytes::from_static(b"abc"), &mut BytesMut::new());
    assert_eq!(
        too_large.unwrap_err().to_string(),
        "a frame of 3 bytes exceeds the limit of 1 bytes"
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
