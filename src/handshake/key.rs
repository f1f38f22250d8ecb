//! The key of a handshake, and the value that proves that a server has read it (RFC 6455 section
//! 4.2.2).

use data_encoding::BASE64;
use sha1::{Digest, Sha1};

use crate::error::WsErr;

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A new key: 16 random bytes in base64.
///
/// # Errors
/// [`WsErr::Io`] if the operating system has no random bytes.
pub(super) fn generate_key() -> Result<String, WsErr> {
    let mut key = [0; 16];
    getrandom::fill(&mut key).map_err(std::io::Error::other)?;
    Ok(BASE64.encode(&key))
}

/// Whether a key has the form of 16 bytes in base64. The unused bits of its last digit do not
/// matter, since a server need not decode a key (RFC 6455 section 4.2.2).
pub(super) fn is_key(key: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    key.len() == 24
        && key
            .strip_suffix(b"==")
            .is_some_and(|digits| digits.iter().all(is_digit))
}

/// The value of `Sec-WebSocket-Accept` for this key.
pub(super) fn accept_value(key: &[u8]) -> String {
    BASE64.encode(&Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6455 section 1.3.
    #[test]
    fn example_of_the_rfc() {
        let accept = accept_value(b"dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn generated_keys_are_valid_and_differ() {
        let keys = [(); 2].map(|()| generate_key().unwrap());
        assert!(keys.iter().all(|key| is_key(key.as_bytes())));
        assert_ne!(keys[0], keys[1]);
    }

    #[test]
    fn form_of_a_key() {
        for (key, expected) in [
            ("dGhlIHNhbXBsZSBub25jZQ==", true),
            ("AQIDBAUGBwgJCgsMDQ4PEC==", true),
            ("0123456789012345678901==", true),
            ("", false),
            ("==", false),
            ("dGhlIHNhbXBsZSBub25jZQ=", false),
            ("dGhlIHNhbXBsZSBub25jZQ===", false),
            ("dGhlIHNhbXBsZSBub25jZWE=", false),
            ("dGhlIHNhbXBsZSBub25jZQ= ", false),
            ("dGhlIHNhbXBsZSBub25j-Q==", false),
        ] {
            assert_eq!(is_key(key.as_bytes()), expected, "{key}");
        }
    }
}
