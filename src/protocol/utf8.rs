//! Text that arrives in pieces (RFC 6455 section 8.1).

use std::str;

use super::{buffer, rule::Rule};

/// The text of a message so far. Invalid UTF-8 is found with the first byte that makes it invalid,
/// whatever the pieces.
#[derive(Debug, Default)]
pub(super) struct Text {
    valid: String,
    /// The bytes of a character that is not complete.
    partial: [u8; 4],
    partial_len: usize,
}

impl Text {
    /// Length of what has been added, in bytes.
    pub(super) fn len(&self) -> usize {
        self.valid.len() + self.partial_len
    }

    /// Makes room for `expected` more bytes, of a message of at most `max`.
    pub(super) fn reserve(&mut self, expected: usize, max: usize) {
        let len = self.valid.len();
        let capacity = buffer::grown(len, self.valid.capacity(), self.partial_len + expected, max);
        if let Some(capacity) = capacity {
            self.valid.reserve_exact(capacity - len);
        }
    }

    /// Adds a piece.
    #[inline]
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), Rule> {
        let piece = match self.partial_len {
            0 => piece,
            _ => self.complete_character(piece)?,
        };
        match str::from_utf8(piece) {
            Ok(text) => self.valid.push_str(text),
            Err(error) => self.push_valid_part(piece, error)?,
        }
        Ok(())
    }

    /// The whole text.
    #[inline]
    pub(super) fn finish(self) -> Result<String, Rule> {
        match self.partial_len {
            0 => Ok(self.valid),
            _ => Err(Rule::Utf8),
        }
    }

    /// Takes the bytes that complete the partial character off the piece, as far as they are there.
    fn complete_character<'a>(&mut self, mut piece: &'a [u8]) -> Result<&'a [u8], Rule> {
        while let Some((byte, rest)) = piece.split_first() {
            let Some(next) = self.partial.get_mut(self.partial_len) else {
                return Err(Rule::Utf8);
            };
            *next = *byte;
            self.partial_len += 1;
            piece = rest;
            let partial = self.partial.get(..self.partial_len).unwrap_or_default();
            match str::from_utf8(partial) {
                Ok(character) => {
                    self.valid.push_str(character);
                    self.partial_len = 0;
                    break;
                }
                Err(error) if error.error_len().is_some() => return Err(Rule::Utf8),
                Err(_) => {}
            }
        }
        Ok(piece)
    }

    /// Adds a piece that ends within a character.
    #[cold]
    fn push_valid_part(&mut self, piece: &[u8], error: str::Utf8Error) -> Result<(), Rule> {
        if error.error_len().is_some() {
            return Err(Rule::Utf8);
        }
        let (valid, partial) = piece
            .split_at_checked(error.valid_up_to())
            .unwrap_or_default();
        if let Ok(valid) = str::from_utf8(valid) {
            self.valid.push_str(valid);
        }
        for (slot, byte) in self.partial.iter_mut().zip(partial) {
            *slot = *byte;
        }
        self.partial_len = partial.len();
        Ok(())
    }
}
