//! Text in pieces.

#[cfg(feature = "__property-tests")]
mod properties;

use crate::protocol::{rule::Rule, utf8::Text};

fn push_all<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<String, Rule> {
    let mut text = Text::default();
    for piece in pieces {
        text.push(piece)?;
    }
    text.finish()
}

/// Invalid text is refused with the first byte that no text can begin with, byte for byte.
#[test]
fn fails_with_first_invalid_byte() {
    let invalid: [&[u8]; 12] = [
        &[0x80],
        &[0xc0],
        &[0xc1],
        &[0xf5],
        &[0xff],
        b"\xe0\x9f",
        b"\xed\xa0",
        b"\xf0\x8f",
        b"\xf4\x90",
        b"\xc3\x41",
        b"\xe2\x82\x41",
        "κόσμε\u{7f}"
            .as_bytes()
            .strip_suffix(b"\x7f")
            .map_or(&[][..], |_| {
                b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0"
            }),
    ];
    for bytes in invalid {
        let mut text = Text::default();
        let (last, before) = bytes.split_last().unwrap();
        for byte in before {
            assert_eq!(text.push(&[*byte]), Ok(()), "{bytes:x?}");
        }
        assert_eq!(text.push(&[*last]), Err(Rule::Utf8), "{bytes:x?}");
        assert_eq!(push_all([bytes]), Err(Rule::Utf8), "{bytes:x?}");
    }
}

/// A text that ends within a character is refused at its end only.
#[test]
fn incomplete_end() {
    for bytes in [&b"\xc3"[..], b"a\xe2\x82", b"\xf0\x9f\x98"] {
        let mut text = Text::default();
        assert_eq!(text.push(bytes), Ok(()));
        assert_eq!(text.len(), bytes.len());
        assert_eq!(text.finish(), Err(Rule::Utf8));
    }
}
