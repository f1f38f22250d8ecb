//! A payload, and the data items in it.
//!
//! The core of cbor4ii is maintained, and has no `unsafe` and no required dependency. It borrows
//! texts and bytes from the payload, and accepts a reader and a writer of the caller. The serde
//! implementations of cbor4ii, ciborium and minicbor differ from `Cbor` in units, tags, widths of
//! integers, or the human-readable flag. None of them can be configured. ciborium copies texts
//! through a buffer of fixed size; minicbor has a licence that is rare on lists of allowed ones.

use std::borrow::Cow;

use cbor4ii::core::{
    dec::{self, Decode, IgnoredAny, Read, Reference, if_major},
    major, marker, types,
};
use half::f16;

use super::error::{Error, Incomplete};

/// How deep the values may be nested that a type skips: cbor4ii recurses on these.
const MAX_SKIPPED_NESTING: usize = 128;

/// A bignum, and one below zero (RFC 8949 section 3.4.3).
const BIGNUM: u64 = 2;
const NEGATIVE_BIGNUM: u64 = 3;

/// A payload that is all there.
///
/// When more is requested than is left, `cbor4ii`'s own reader returns the rest. Its caller then
/// allocates the claimed length, up to 16 KiB, before it detects the end.
#[derive(Debug)]
pub(super) struct PayloadReader<'p> {
    payload: &'p [u8],
    steps: usize,
}

/// A data item, or its beginning if others are in it.
pub(super) enum Item<'p> {
    /// Null or undefined.
    Null,
    Bool(bool),
    Unsigned(u64),
    Negative(i64),
    LongUnsigned(u128),
    LongNegative(i128),
    Short(f32),
    Double(f64),
    Bytes(Cow<'p, [u8]>),
    Text(Cow<'p, str>),
    /// With its length, if that is definite.
    Array(Option<usize>),
    Map(Option<usize>),
}

impl<'p> PayloadReader<'p> {
    pub(super) fn new(payload: &'p [u8]) -> Self {
        Self {
            payload,
            steps: MAX_SKIPPED_NESTING,
        }
    }

    /// How many bytes have not been read.
    pub(super) fn left(&self) -> usize {
        self.payload.len()
    }

    /// The first byte of the next value. Tags before it are skipped, but for that of a bignum.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<u8, Error> {
        loop {
            let first = *self.payload.first().ok_or(dec::Error::Read(Incomplete))?;
            if if_major(first) != major::TAG {
                return Ok(first);
            }
            let before = self.payload;
            match types::Tag::tag(self)? {
                BIGNUM | NEGATIVE_BIGNUM => {
                    self.payload = before;
                    return Ok(first);
                }
                tag if transforms(tag) => return Err(Error::Tag(tag)),
                _ => {}
            }
        }
    }

    /// Whether the next value is text or bytes: what a name can be.
    #[inline]
    pub(super) fn at_name(&mut self) -> Result<bool, Error> {
        Ok(matches!(
            if_major(self.peek()?),
            major::STRING | major::BYTES
        ))
    }

    /// Whether null or undefined is next, which is then taken.
    #[inline]
    pub(super) fn take_null(&mut self) -> Result<bool, Error> {
        let null = matches!(self.peek()?, marker::NULL | marker::UNDEFINED);
        if null {
            self.advance(1);
        }
        Ok(null)
    }

    /// Whether an array of definite length without elements is next, which is then taken.
    pub(super) fn take_empty_array(&mut self) -> Result<bool, Error> {
        let empty = self.peek()? == major::ARRAY << 5;
        if empty {
            self.advance(1);
        }
        Ok(empty)
    }

    /// Whether the break of an indefinite length is next, which is then taken.
    #[inline]
    pub(super) fn take_break(&mut self) -> Result<bool, Error> {
        Ok(dec::is_break(self)?)
    }

    /// The text that is next, if it is one of less than 24 bytes.
    #[inline]
    pub(super) fn short_text(&mut self) -> Result<Option<&'p str>, Error> {
        const TEXT: u8 = major::STRING << 5;
        match self.payload.first() {
            Some(TEXT..0x78) => Ok(Some(<&str>::decode(self)?)),
            _ => Ok(None),
        }
    }

    pub(super) fn skip(&mut self) -> Result<(), Error> {
        IgnoredAny::decode(self)?;
        Ok(())
    }

    #[inline]
    pub(super) fn item(&mut self) -> Result<Item<'p>, Error> {
        let first = self.peek()?;
        Ok(match if_major(first) {
            major::UNSIGNED => Item::Unsigned(u64::decode(self)?),
            major::NEGATIVE => negative(<types::Negative<u64>>::decode(self)?.0.into())?,
            major::BYTES => Item::Bytes(self.bytes()?),
            major::STRING => Item::Text(<Cow<'_, str>>::decode(self)?),
            major::ARRAY => Item::Array(types::Array::len(self)?),
            major::MAP => Item::Map(types::Map::len(self)?),
            major::TAG => self.bignum()?,
            _ => self.simple(first)?,
        })
    }

    #[inline]
    fn bytes(&mut self) -> Result<Cow<'p, [u8]>, Error> {
        Ok(<types::Bytes<Cow<'_, [u8]>>>::decode(self)?.0)
    }

    fn bignum(&mut self) -> Result<Item<'p>, Error> {
        let tag = types::Tag::tag(self)?;
        let bytes = self.bytes()?;
        let first = bytes.iter().position(|byte| *byte != 0);
        let digits = first.and_then(|at| bytes.get(at..)).unwrap_or_default();
        if digits.len() > size_of::<u128>() {
            return Err(Error::LongInteger);
        }
        let magnitude = digits
            .iter()
            .fold(0, |value, byte| value << 8 | u128::from(*byte));
        if tag == NEGATIVE_BIGNUM {
            negative(magnitude)
        } else {
            Ok(u64::try_from(magnitude).map_or(Item::LongUnsigned(magnitude), Item::Unsigned))
        }
    }

    #[inline]
    fn simple(&mut self, first: u8) -> Result<Item<'p>, Error> {
        let item = match first {
            marker::FALSE => Item::Bool(false),
            marker::TRUE => Item::Bool(true),
            marker::NULL | marker::UNDEFINED => Item::Null,
            marker::F16 => {
                let types::F16(bits) = types::F16::decode(self)?;
                return Ok(Item::Short(f16::from_bits(bits).into()));
            }
            marker::F32 => return Ok(Item::Short(f32::decode(self)?)),
            marker::F64 => return Ok(Item::Double(f64::decode(self)?)),
            _ => return Err(Error::Unsupported(first)),
        };
        self.advance(1);
        Ok(item)
    }
}

/// The integer -1 - `magnitude`.
fn negative<'p>(magnitude: u128) -> Result<Item<'p>, Error> {
    let value = !i128::try_from(magnitude).map_err(|_| Error::LongInteger)?;
    Ok(i64::try_from(value).map_or(Item::LongNegative(value), Item::Negative))
}

/// Whether a tag changes the meaning of its value. Such tags mark decimal fractions, big floats
/// (RFC 8949 section 3.4.4), rational numbers, references, and arrays of numbers (RFC 8746 section
/// 2). Of the latter, 64 and 68 are arrays of bytes.
fn transforms(tag: u64) -> bool {
    matches!(tag, 4 | 5 | 25 | 29 | 30 | 65..=67 | 69..=87)
}

impl<'p> Read<'p> for PayloadReader<'p> {
    type Error = Incomplete;

    #[inline]
    fn fill<'short>(&'short mut self, want: usize) -> Result<Reference<'p, 'short>, Incomplete> {
        match self.payload.get(..want) {
            Some(wanted) => Ok(Reference::Long(wanted)),
            None => Err(Incomplete),
        }
    }

    #[inline]
    fn advance(&mut self, n: usize) {
        self.payload = self.payload.get(n..).unwrap_or_default();
    }

    #[inline]
    fn step_in(&mut self) -> bool {
        match self.steps.checked_sub(1) {
            Some(steps) => {
                self.steps = steps;
                true
            }
            None => false,
        }
    }

    #[inline]
    fn step_out(&mut self) {
        self.steps += 1;
    }
}
