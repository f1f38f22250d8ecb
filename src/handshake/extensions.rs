//! The list of extensions in a handshake (RFC 6455 section 9.1).

#[cfg(feature = "deflate")]
pub(super) mod deflate;
#[cfg(feature = "__fuzzing")]
pub(crate) mod fuzzing;
#[cfg(test)]
mod tests;

use std::fmt;

use http::{HeaderMap, header::SEC_WEBSOCKET_EXTENSIONS};

use super::token::is_token_byte;

/// An extension that is offered or selected, with its parameters in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extension {
    pub(super) name: String,
    pub(super) params: Vec<(String, Option<String>)>,
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for (name, value) in &self.params {
            match value {
                Some(value) => write!(f, "; {name}={value}")?,
                None => write!(f, "; {name}")?,
            }
        }
        Ok(())
    }
}

/// A list that does not follow the grammar.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The extensions in all header lines, in order.
///
/// # Errors
/// If one line is malformed, or if all of them are empty: a list has at least one extension.
pub(super) fn parse(headers: &HeaderMap) -> Result<Vec<Extension>, Malformed> {
    let mut found = Vec::new();
    for line in headers.get_all(SEC_WEBSOCKET_EXTENSIONS) {
        parse_line(line.as_bytes(), &mut found)?;
    }
    if found.is_empty() && headers.contains_key(SEC_WEBSOCKET_EXTENSIONS) {
        return Err(Malformed);
    }
    Ok(found)
}

/// Appends the extensions of a line. Empty elements are ignored (RFC 9110 section 5.6.1).
fn parse_line(line: &[u8], found: &mut Vec<Extension>) -> Result<(), Malformed> {
    let mut rest = Rest(line);
    loop {
        rest.skip_whitespace();
        if rest.0.is_empty() {
            return Ok(());
        }
        if rest.take(b',') {
            continue;
        }
        let name = rest.token()?;
        let mut params = Vec::new();
        while rest.take_separator(b';') {
            let param = rest.token()?;
            let has_value = rest.take_separator(b'=');
            let value = has_value.then(|| rest.value()).transpose()?;
            params.push((param, value));
        }
        found.push(Extension { name, params });
        rest.skip_whitespace();
        if !rest.0.is_empty() && !rest.take(b',') {
            return Err(Malformed);
        }
    }
}

/// What has not been parsed of a line.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn skip_whitespace(&mut self) {
        while let [b' ' | b'\t', rest @ ..] = self.0 {
            self.0 = rest;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let rest = self.0.strip_prefix(&[byte]);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// Takes a separator with the whitespace around it, if it is next.
    fn take_separator(&mut self, byte: u8) -> bool {
        self.skip_whitespace();
        let is_next = self.take(byte);
        if is_next {
            self.skip_whitespace();
        }
        is_next
    }

    fn token(&mut self) -> Result<String, Malformed> {
        let is_end = |byte: &u8| !is_token_byte(*byte);
        let end = self.0.iter().position(is_end).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at_checked(end).unwrap_or_default();
        self.0 = rest;
        match std::str::from_utf8(token) {
            Ok(token) if !token.is_empty() => Ok(token.to_owned()),
            _ => Err(Malformed),
        }
    }

    /// A token, or a quoted string that is one without its quotes and escapes.
    fn value(&mut self) -> Result<String, Malformed> {
        if !self.take(b'"') {
            return self.token();
        }
        let mut value = String::new();
        loop {
            let byte = match self.0 {
                [b'"', rest @ ..] if !value.is_empty() => {
                    self.0 = rest;
                    return Ok(value);
                }
                [b'\\', byte, rest @ ..] | [byte, rest @ ..] => {
                    self.0 = rest;
                    *byte
                }
                [] => return Err(Malformed),
            };
            if !is_token_byte(byte) {
                return Err(Malformed);
            }
            value.push(char::from(byte));
        }
    }
}
