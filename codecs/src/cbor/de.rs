//! serde's `Deserializer` over a payload.
//!
//! The payload says what comes, so most hints of a type change nothing. Those that do: a list may
//! be a byte string, a unit may be an empty array, and fields and variants have names. What a
//! number without a fraction is, `Bounded` decides, for every format alike.

mod access;

use std::borrow::Cow;

use serde::{
    de::{self, Deserializer, Unexpected, Visitor, value::SeqDeserializer},
    forward_to_deserialize_any,
};

use self::access::{Elements, Keys, Variant};
use super::{
    error::Error,
    reader::{Item, PayloadReader},
};

impl<'p> PayloadReader<'p> {
    /// Hands an item to a visitor, and sees that it takes all of it.
    #[inline]
    fn visit<V: Visitor<'p>>(
        &mut self,
        item: Item<'p>,
        keys: Keys,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match item {
            Item::Null => visitor.visit_unit(),
            Item::Bool(value) => visitor.visit_bool(value),
            Item::Unsigned(value) => visitor.visit_u64(value),
            Item::Negative(value) => visitor.visit_i64(value),
            Item::LongUnsigned(value) => visitor.visit_u128(value),
            Item::LongNegative(value) => visitor.visit_i128(value),
            Item::Short(value) => visitor.visit_f32(value),
            Item::Double(value) => visitor.visit_f64(value),
            Item::Bytes(Cow::Borrowed(value)) => visitor.visit_borrowed_bytes(value),
            Item::Bytes(Cow::Owned(value)) => visitor.visit_byte_buf(value),
            Item::Text(Cow::Borrowed(value)) => visitor.visit_borrowed_str(value),
            Item::Text(Cow::Owned(value)) => visitor.visit_string(value),
            Item::Array(left) => {
                let mut elements = Elements::new(self, left, keys);
                let value = visitor.visit_seq(&mut elements)?;
                elements.end()?;
                Ok(value)
            }
            Item::Map(left) => {
                let mut entries = Elements::new(self, left, keys);
                let value = visitor.visit_map(&mut entries)?;
                entries.end()?;
                Ok(value)
            }
        }
    }
}

impl<'p> Deserializer<'p> for &mut PayloadReader<'p> {
    type Error = Error;

    #[inline]
    fn deserialize_any<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, Error> {
        let item = self.item()?;
        self.visit(item, Keys::Any, visitor)
    }

    /// Texts are most of what is read. All names are.
    #[inline]
    fn deserialize_str<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.short_text()? {
            Some(text) => visitor.visit_borrowed_str(text),
            None => self.deserialize_any(visitor),
        }
    }

    #[inline]
    fn deserialize_identifier<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.take_null()? {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_unit<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.take_empty_array()? {
            visitor.visit_unit()
        } else {
            self.deserialize_any(visitor)
        }
    }

    fn deserialize_unit_struct<V: Visitor<'p>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'p>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.item()? {
            Item::Bytes(bytes) => {
                let mut elements = SeqDeserializer::<_, Error>::new(bytes.iter().copied());
                let value = visitor.visit_seq(&mut elements)?;
                elements.end()?;
                Ok(value)
            }
            item => self.visit(item, Keys::Any, visitor),
        }
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'p>>(self, _len: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'p>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'p>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let item = self.item()?;
        self.visit(item, Keys::Names, visitor)
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'p>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.at_name()? {
            return visitor.visit_enum(Variant {
                reader: self,
                has_value: false,
            });
        }
        match self.item()? {
            Item::Map(left) => {
                let mut entries = Elements::new(self, left, Keys::Names);
                if !entries.next()? {
                    let map = Unexpected::Other("empty map");
                    return Err(de::Error::invalid_type(map, &visitor));
                }
                let value = visitor.visit_enum(Variant {
                    reader: &mut *entries.reader,
                    has_value: true,
                })?;
                entries.end()?;
                Ok(value)
            }
            item => self.visit(item, Keys::Any, visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, Error> {
        self.skip()?;
        visitor.visit_unit()
    }

    /// It is, since what serde buffers for tagged, untagged and flattened types is, whatever the
    /// format: addresses and ids are read from that as texts.
    fn is_human_readable(&self) -> bool {
        true
    }

    forward_to_deserialize_any! {
        <V: Visitor<'p>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char string bytes byte_buf map
    }
}
