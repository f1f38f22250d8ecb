//! Tokens (RFC 9110 section 5.6.2).

/// Whether `text` is a token.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// Whether `byte` may be in a token.
pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_not_in_tokens() {
        let separators = "\"(),/:;<=>?@[\\]{} \t";
        for byte in 0..=u8::MAX {
            let text = char::from(byte).to_string();
            let expected =
                byte.is_ascii() && !byte.is_ascii_control() && !separators.contains(&text);
            assert_eq!(is_token(&text), expected, "{byte}");
        }
        assert!(!is_token(""));
        assert!(!is_token("a b"));
    }
}
