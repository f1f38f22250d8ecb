//! `Lines`: where a line ends, and what the limit counts.

use asynchronous_codec::{BytesMut, Decoder, Encoder};
use proptest::prelude::*;
use ws_framed_codecs::{CodecError, Lines};

use crate::{
    common::{AMPLE, OfLines, Subject},
    properties::{cuts, pieces},
};

fn decode_all(codec: &mut Lines, text: &str) -> Vec<String> {
    let mut buffer = BytesMut::from(text);
    let mut lines = Vec::new();
    while let Some(line) = codec.decode(&mut buffer).unwrap() {
        lines.push(line);
    }
    while let Some(line) = codec.decode_eof(&mut buffer).unwrap() {
        lines.push(line);
    }
    assert!(buffer.is_empty());
    lines
}

fn too_large(result: &Result<Option<String>, CodecError>) -> Option<(usize, usize)> {
    match *result {
        Err(CodecError::FrameTooLarge { len, max }) => Some((len, max)),
        _ => None,
    }
}

/// `Lines` splits a text as `str::lines` does.
#[test]
fn lines_match_the_standard_library() {
    for text in [
        "",
        "\n",
        "\r\n",
        "\n\n",
        "a",
        "a\n",
        "a\r\n",
        "a\n\nb",
        "a\r\r\n",
        "a\rb\n",
        "\r",
        "a\r",
        "\r\r",
        "one\r\ntwo\nthree\n\n\r\nfour",
    ] {
        assert_eq!(
            decode_all(&mut Lines::new(80), text),
            text.lines().collect::<Vec<_>>(),
            "{text:?}"
        );
    }
}

/// `Lines` refuses an item that a decoder would not return unchanged: one with a line feed, or with
/// a carriage return at its end.
#[test]
fn ambiguous_item_is_unencodable() {
    for item in ["\n", "a\nb", "a\n", "a\r", "\r", "a\r\n", "\r\r"] {
        let mut buffer = BytesMut::from("before");
        let error = Lines::new(80)
            .encode(item.to_owned(), &mut buffer)
            .unwrap_err();
        assert!(
            matches!(error, CodecError::Unencodable(_)),
            "{item:?}: {error:?}"
        );
        assert_eq!(buffer, "before");
    }
}

/// A carriage return before the end of an item is part of the item.
#[test]
fn inner_carriage_return_is_text() {
    let mut buffer = BytesMut::new();
    Lines::new(80)
        .encode("\ra\rb".to_owned(), &mut buffer)
        .unwrap();
    assert_eq!(buffer, "\ra\rb\n");
    assert_eq!(
        Lines::new(80).decode(&mut buffer).unwrap().as_deref(),
        Some("\ra\rb")
    );
}

/// A line without a line feed is an item only at the end of the stream.
#[test]
fn last_line_needs_the_end() {
    let (mut codec, mut buffer) = (Lines::new(80), BytesMut::from("last"));
    assert_eq!(codec.decode(&mut buffer).unwrap(), None);
    assert_eq!(
        codec.decode_eof(&mut buffer).unwrap().as_deref(),
        Some("last")
    );
    assert_eq!(codec.decode_eof(&mut buffer).unwrap(), None);

    // The bytes searched for the last line do not count for a later line.
    buffer.extend_from_slice(b"a\nb\n");
    assert_eq!(codec.decode(&mut buffer).unwrap().as_deref(), Some("a"));
}

/// A last line that is not UTF-8 is malformed, and is consumed.
#[test]
fn invalid_last_line_is_skipped() {
    let (mut codec, mut buffer) = (Lines::new(80), BytesMut::from(&b"\xff"[..]));
    assert!(matches!(
        codec.decode_eof(&mut buffer),
        Err(CodecError::Malformed(_))
    ));
    assert!(buffer.is_empty());
}

/// A decoder searches each byte of a line once for its end.
#[test]
fn bytes_are_searched_once() {
    // A line feed in place of a byte that was searched is not found.
    let (mut codec, mut buffer) = (Lines::new(80), BytesMut::from("abc"));
    assert_eq!(codec.decode(&mut buffer).unwrap(), None);
    buffer[1] = b'\n';
    assert_eq!(codec.decode(&mut buffer).unwrap(), None);
    buffer.extend_from_slice(b"d");
    assert_eq!(codec.decode(&mut buffer).unwrap(), None);
    buffer[3] = b'\n';
    buffer.extend_from_slice(b"e\nf");
    assert_eq!(
        codec.decode(&mut buffer).unwrap().as_deref(),
        Some("a\nc\ne")
    );
    assert_eq!(buffer, "f");

    // The next line begins with nothing searched.
    buffer[0] = b'\n';
    assert_eq!(codec.decode(&mut buffer).unwrap().as_deref(), Some(""));
}

/// A decoder does not search again after the limit was exceeded.
#[test]
fn refused_bytes_are_searched_once() {
    let (mut codec, mut buffer) = (Lines::new(2), BytesMut::from("abcd"));
    assert_eq!(too_large(&codec.decode(&mut buffer)), Some((4, 2)));
    buffer[1] = b'\n';
    assert_eq!(too_large(&codec.decode(&mut buffer)), Some((4, 2)));

    let (mut codec, mut buffer) = (Lines::new(2), BytesMut::from("abcd\nef"));
    assert_eq!(too_large(&codec.decode(&mut buffer)), Some((4, 2)));
    buffer[1] = b'\n';
    assert_eq!(too_large(&codec.decode(&mut buffer)), Some((4, 2)));
}

/// Bytes that another codec removed from the buffer do not count as searched.
#[test]
fn removed_bytes_are_not_searched() {
    let (mut codec, mut buffer) = (Lines::new(80), BytesMut::from("0123456789"));
    assert_eq!(codec.decode(&mut buffer).unwrap(), None);
    buffer.truncate(2);
    buffer.extend_from_slice(b"\n");
    // Two bytes are left that were searched; those after them were not.
    let mut shorter = buffer.split_off(1);
    assert_eq!(codec.decode(&mut buffer).unwrap(), None);
    buffer.unsplit(shorter.split());
    assert_eq!(codec.decode(&mut buffer).unwrap().as_deref(), Some("01"));
}

/// The limit counts a line without its line feed and the carriage return before it.
#[test]
fn limit_excludes_the_line_end() {
    for text in ["abc\n", "abc\r\n"] {
        let mut codec = Lines::new(3);
        for piece in [1, text.len()] {
            let mut buffer = BytesMut::new();
            let mut lines = Vec::new();
            for bytes in text.as_bytes().chunks(piece) {
                buffer.extend_from_slice(bytes);
                lines.extend(codec.decode(&mut buffer).unwrap());
            }
            assert_eq!(lines, ["abc"], "{text:?} in pieces of {piece}");
        }
        let mut buffer = BytesMut::from(text);
        assert_eq!(too_large(&Lines::new(2).decode(&mut buffer)), Some((3, 2)));
        assert_eq!(buffer, text);
    }
}

/// A decoder refuses a line without an end as soon as it cannot fit into the limit.
#[test]
fn endless_line_is_refused_early() {
    let cases = [
        ("abc", None),
        // This may become "abc" and its end.
        ("abc\r", None),
        ("abcd", Some((4, 3))),
        ("abc\r\r", Some((4, 3))),
        ("abc\rd", Some((5, 3))),
        ("abcd\r", Some((4, 3))),
    ];
    for (text, refused) in cases {
        let mut buffer = BytesMut::from(text);
        assert_eq!(
            too_large(&Lines::new(3).decode(&mut buffer)),
            refused,
            "{text:?}"
        );
        assert_eq!(buffer, text);
    }
}

/// At the end of the stream, a carriage return counts as text of the last line.
#[test]
fn return_at_the_end_counts() {
    let mut buffer = BytesMut::from("abc\r");
    assert_eq!(
        too_large(&Lines::new(3).decode_eof(&mut buffer)),
        Some((4, 3))
    );
    assert_eq!(buffer, "abc\r");
    assert_eq!(
        Lines::new(4).decode_eof(&mut buffer).unwrap().as_deref(),
        Some("abc\r")
    );
}

/// A limit of zero allows empty lines, and nothing else.
#[test]
fn zero_limit_passes_empty_lines() {
    assert_eq!(decode_all(&mut Lines::new(0), "\n\r\n"), ["", ""]);
    assert_eq!(
        too_large(&Lines::new(0).decode(&mut BytesMut::from("a"))),
        Some((1, 0))
    );
}

proptest! {
    /// `Lines` splits any text as `str::lines` does, in any parts.
    #[test]
    fn any_text_matches_the_standard_library(text in "[a\r\n]{0,20}", cuts in cuts()) {
        let (mut codec, mut buffer, mut lines) = (OfLines::codec(AMPLE), BytesMut::new(), Vec::new());
        for piece in pieces(text.as_bytes(), &cuts) {
            buffer.extend_from_slice(piece);
            while let Some(line) = codec.decode(&mut buffer).unwrap() {
                lines.push(line);
            }
        }
        lines.extend(codec.decode_eof(&mut buffer).unwrap());
        prop_assert_eq!(lines, text.lines().collect::<Vec<_>>());
    }
}
