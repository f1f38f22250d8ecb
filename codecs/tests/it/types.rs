//! The types themselves: auto traits, limits, names.

use asynchronous_codec::{BytesMut, Decoder};
use ws_framed_codecs::{Bincode, LengthDelimited, LengthPrefixed, Lines, Text, WireFormat};

fn assert_auto<T: Send + Sync + Unpin + Clone + std::fmt::Debug + 'static>() {}

/// Neither `Send`, nor `Sync`, nor `Unpin`, nor `Clone`, nor `Debug`.
struct Awkward {
    _rc: std::rc::Rc<()>,
    _pinned: std::marker::PhantomPinned,
}

/// Codecs are `Send`, `Sync`, `Unpin`, `Clone` and `Debug`, whatever their items are.
#[test]
fn codecs_have_all_auto_traits() {
    assert_auto::<LengthDelimited>();
    assert_auto::<Lines>();
    assert_auto::<Text>();
    assert_auto::<Bincode<Awkward, *mut u8>>();
    #[cfg(feature = "postcard")]
    assert_auto::<ws_framed_codecs::Postcard<Awkward, *mut u8>>();
    #[cfg(feature = "json")]
    assert_auto::<ws_framed_codecs::Json<Awkward, *mut u8>>();
    #[cfg(feature = "cbor")]
    assert_auto::<ws_framed_codecs::Cbor<Awkward, *mut u8>>();
    assert_eq!(size_of::<Awkward>(), size_of::<usize>());
}

/// A codec keeps the limit that it was given, up to the largest length that a prefix can hold.
#[test]
fn limit_is_capped_by_the_prefix() {
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
        assert_eq!(Text::new(given).max_frame_len(), kept);
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

/// The names of the wire formats do not change: peers that agree on a codec by name send them.
#[test]
fn names_of_formats_are_stable() {
    let limited = |codec: &dyn WireFormat| (codec.name().into_owned(), codec.max_frame_len());
    let expect = |codec: &dyn WireFormat, name: &str| {
        assert_eq!(limited(codec), (name.to_owned(), 9));
    };
    expect(&LengthDelimited::new(9), "length-delimited");
    expect(&Lines::new(9), "lines");
    expect(&Text::new(9), "text");
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

/// `LengthDelimited` returns items that share the memory of the input buffer.
#[test]
fn length_delimited_shares_its_buffer() {
    let mut buffer = BytesMut::from(&b"\0\0\0\x03abc"[..]);
    let payload = buffer[4..].as_ptr();
    let item = LengthDelimited::new(3)
        .decode(&mut buffer)
        .unwrap()
        .unwrap();
    assert_eq!((&item[..], item.as_ptr()), (&b"abc"[..], payload));
}

/// The payloads of `Text` and `Json` are text, those of the others are bytes.
#[test]
fn two_codecs_are_of_text() {
    assert!(Text::new(9).is_text());
    assert!(!LengthDelimited::new(9).is_text());
    #[cfg(feature = "json")]
    assert!(ws_framed_codecs::Json::<u8>::new(9).is_text());
    #[cfg(feature = "cbor")]
    assert!(!ws_framed_codecs::Cbor::<u8>::new(9).is_text());
}
