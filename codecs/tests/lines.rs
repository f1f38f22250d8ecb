//! What is special about `Lines`.

use asynchronous_codec::{BytesMut, Decoder, Encoder};
use ws_framed_codecs::{CodecError, Lines};

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

#[test]
fn lines_are_what_the_standard_library_says_they_are() {
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

#[test]
fn an_item_that_would_not_arrive_as_it_was_sent_is_refused() {
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

#[test]
fn a_carriage_return_that_does_not_end_the_item_is_text() {
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

#[test]
fn the_last_line_needs_the_end_of_the_stream() {
    let (mut codec, mut buffer) = (Lines::new(80), BytesMut::from("last"));
    assert_eq!(codec.decode(&mut buffer).unwrap(), None);
    assert_eq!(
        codec.decode_eof(&mut buffer).unwrap().as_deref(),
        Some("last")
    );
    assert_eq!(codec.decode_eof(&mut buffer).unwrap(), None);

    // What was looked at for the last line does not count for a line that comes after it.
    buffer.extend_from_slice(b"a\nb\n");
    assert_eq!(codec.decode(&mut buffer).unwrap().as_deref(), Some("a"));
}

#[test]
fn a_last_line_that_is_not_utf8_is_malformed_and_gone() {
    let (mut codec, mut buffer) = (Lines::new(80), BytesMut::from(&b"\xff"[..]));
    assert!(matches!(
        codec.decode_eof(&mut buffer),
        Err(CodecError::Malformed(_))
    ));
    assert!(buffer.is_empty());
}

#[test]
fn no_byte_is_searched_twice() {
    // A byte that has been searched is not looked at again: make it a line feed behind the codec's
    // back.
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

    // The line that comes after starts with nothing searched.
    buffer[0] = b'\n';
    assert_eq!(codec.decode(&mut buffer).unwrap().as_deref(), Some(""));
}

#[test]
fn no_byte_is_searched_twice_after_the_limit_was_exceeded() {
    let (mut codec, mut buffer) = (Lines::new(2), BytesMut::from("abcd"));
    assert_eq!(too_large(&codec.decode(&mut buffer)), Some((4, 2)));
    buffer[1] = b'\n';
    assert_eq!(too_large(&codec.decode(&mut buffer)), Some((4, 2)));

    let (mut codec, mut buffer) = (Lines::new(2), BytesMut::from("abcd\nef"));
    assert_eq!(too_large(&codec.decode(&mut buffer)), Some((4, 2)));
    buffer[1] = b'\n';
    assert_eq!(too_large(&codec.decode(&mut buffer)), Some((4, 2)));
}

#[test]
fn bytes_that_another_codec_has_taken_are_no_longer_counted_as_searched() {
    let (mut codec, mut buffer) = (Lines::new(80), BytesMut::from("0123456789"));
    assert_eq!(codec.decode(&mut buffer).unwrap(), None);
    buffer.truncate(2);
    buffer.extend_from_slice(b"\n");
    // Two bytes are left that were searched; what is behind them is not.
    let mut shorter = buffer.split_off(1);
    assert_eq!(codec.decode(&mut buffer).unwrap(), None);
    buffer.unsplit(shorter.split());
    assert_eq!(codec.decode(&mut buffer).unwrap().as_deref(), Some("01"));
}

#[test]
fn the_limit_does_not_count_the_end_of_the_line() {
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

#[test]
fn a_line_without_end_is_refused_as_soon_as_it_is_certain() {
    let cases = [
        ("abc", None),
        // This may become "abc" with its end.
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

#[test]
fn a_return_at_the_end_of_the_stream_counts_as_text() {
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

#[test]
fn a_limit_of_zero_lets_empty_lines_pass() {
    assert_eq!(decode_all(&mut Lines::new(0), "\n\r\n"), ["", ""]);
    assert_eq!(
        too_large(&Lines::new(0).decode(&mut BytesMut::from("a"))),
        Some((1, 0))
    );
}
