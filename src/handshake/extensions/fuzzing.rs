//! Any header, for the fuzzer.

#![allow(
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a broken promise is a panic"
)]

use http::{HeaderMap, HeaderValue, header::SEC_WEBSOCKET_EXTENSIONS};

use super::{Extension, deflate, parse};
use crate::config::Deflate;

/// Parses the lines of a header, in both roles.
///
/// # Panics
/// What was parsed parses differently when it is written again, or the answer to an offer is no
/// answer.
pub fn check(input: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n') {
        let Ok(line) = HeaderValue::from_bytes(line) else {
            return;
        };
        headers.append(SEC_WEBSOCKET_EXTENSIONS, line);
    }
    let alone = Deflate::default();
    let small = alone.send_window_bits(9).recv_window_bits(10);
    let settings = [alone, alone.send_context(true).recv_context(true), small];
    let Ok(extensions) = parse(&headers) else {
        return;
    };
    assert!(!extensions.is_empty());
    let written: Vec<_> = extensions.iter().map(ToString::to_string).collect();
    assert_eq!(parse_text(&written.join(",")), extensions);
    for deflate in &settings {
        for extension in &extensions {
            let _ = deflate::agree(extension, deflate);
        }
        if let Some((text, agreed)) = deflate::answer(&extensions, deflate) {
            assert_eq!(parse_text(&text).len(), 1, "{text}");
            assert!((9..=15).contains(&agreed.send_window_bits));
        }
    }
}

fn parse_text(text: &str) -> Vec<Extension> {
    let mut headers = HeaderMap::new();
    if let Ok(line) = HeaderValue::from_str(text) {
        headers.append(SEC_WEBSOCKET_EXTENSIONS, line);
    }
    parse(&headers).unwrap_or_default()
}
