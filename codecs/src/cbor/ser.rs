//! serde's `Serializer` into a payload.

mod collection;

use std::{
    convert::Infallible,
    fmt::{self, Write as _},
};

use cbor4ii::core::{
    enc::{Encode, Write},
    types,
};
use serde::ser::{self, Serialize};

use self::collection::Collection;
use super::error::Error;
use crate::length_prefix::FrameWriter;

impl Write for FrameWriter<'_> {
    type Error = Infallible;

    #[inline]
    fn push(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.write(bytes);
        Ok(())
    }
}

/// Writes one value behind the others.
pub(super) struct Serializer<'w, 'd>(pub(super) &'w mut FrameWriter<'d>);

impl<'w, 'd> Serializer<'w, 'd> {
    #[inline]
    fn put(self, value: impl Encode) -> Result<(), Error> {
        Ok(value.encode(self.0)?)
    }

    /// Begins a map of one entry, whose key is the name of a variant.
    #[inline]
    fn variant(&mut self, name: &str) -> Result<(), Error> {
        types::Map::bounded(1, self.0)?;
        Ok(name.encode(self.0)?)
    }

    #[inline]
    fn array(self, len: Option<usize>) -> Result<Collection<'w, 'd>, Error> {
        match len {
            Some(len) => types::Array::bounded(len, self.0)?,
            None => types::Array::unbounded(self.0)?,
        }
        Ok(Collection::new(self.0, len))
    }

    #[inline]
    fn map(self, len: Option<usize>) -> Result<Collection<'w, 'd>, Error> {
        match len {
            Some(len) => types::Map::bounded(len, self.0)?,
            None => types::Map::unbounded(self.0)?,
        }
        Ok(Collection::new(self.0, len))
    }
}

/// Values that cbor4ii encodes as they are.
macro_rules! put {
    ($($method:ident($type:ty),)+) => { $(
        #[inline]
        fn $method(self, value: $type) -> Result<(), Error> {
            self.put(value)
        }
    )+ };
}

impl<'w, 'd> ser::Serializer for Serializer<'w, 'd> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Collection<'w, 'd>;
    type SerializeTuple = Collection<'w, 'd>;
    type SerializeTupleStruct = Collection<'w, 'd>;
    type SerializeTupleVariant = Collection<'w, 'd>;
    type SerializeMap = Collection<'w, 'd>;
    type SerializeStruct = Collection<'w, 'd>;
    type SerializeStructVariant = Collection<'w, 'd>;

    put! {
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_i128(i128),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_u128(u128),
        serialize_f32(f32),
        serialize_f64(f64),
        serialize_str(&str),
    }

    #[inline]
    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        self.put(types::Bytes(value))
    }

    #[inline]
    fn serialize_none(self) -> Result<(), Error> {
        self.put(types::Null)
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), Error> {
        self.put(types::Null)
    }

    #[inline]
    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        self.put(types::Null)
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.put(variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.variant(variant)?;
        value.serialize(self)
    }

    #[inline]
    fn serialize_seq(self, len: Option<usize>) -> Result<Collection<'w, 'd>, Error> {
        self.array(len)
    }

    #[inline]
    fn serialize_tuple(self, len: usize) -> Result<Collection<'w, 'd>, Error> {
        self.array(Some(len))
    }

    #[inline]
    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        len: usize,
    ) -> Result<Collection<'w, 'd>, Error> {
        self.array(Some(len))
    }

    #[inline]
    fn serialize_tuple_variant(
        mut self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Collection<'w, 'd>, Error> {
        self.variant(variant)?;
        self.array(Some(len))
    }

    #[inline]
    fn serialize_map(self, len: Option<usize>) -> Result<Collection<'w, 'd>, Error> {
        self.map(len)
    }

    #[inline]
    fn serialize_struct(
        self,
        _name: &'static str,
        len: usize,
    ) -> Result<Collection<'w, 'd>, Error> {
        self.map(Some(len))
    }

    #[inline]
    fn serialize_struct_variant(
        mut self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Collection<'w, 'd>, Error> {
        self.variant(variant)?;
        self.map(Some(len))
    }

    /// Formats twice instead of into memory of its own: the length comes before the text.
    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        let mut counted = Counter(0);
        write!(counted, "{value}")?;
        types::UncheckedStr::bounded(counted.0, self.0)?;
        let mut written = Text {
            writer: self.0,
            len: 0,
        };
        write!(written, "{value}")?;
        if written.len == counted.0 {
            Ok(())
        } else {
            Err(ser::Error::custom("a text is not the same twice"))
        }
    }

    /// It is: see the deserializer.
    fn is_human_readable(&self) -> bool {
        true
    }
}

struct Counter(usize);

impl fmt::Write for Counter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

struct Text<'w, 'd> {
    writer: &'w mut FrameWriter<'d>,
    len: usize,
}

impl fmt::Write for Text<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.len += text.len();
        self.writer.write(text.as_bytes());
        Ok(())
    }
}
