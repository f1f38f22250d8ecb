//! What is in arrays, maps and variants.

use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};

use crate::cbor::{error::Error, reader::PayloadReader};

/// What the keys of a map may be.
#[derive(Clone, Copy)]
pub(super) enum Keys {
    Any,
    /// A type that is asked for a field takes an integer for its index.
    Names,
}

/// The elements of an array, or the entries of a map.
pub(super) struct Elements<'r, 'p> {
    pub(super) reader: &'r mut PayloadReader<'p>,
    /// How many have not come; `None` until there is a break.
    left: Option<usize>,
    keys: Keys,
}

impl<'r, 'p> Elements<'r, 'p> {
    #[inline]
    pub(super) fn new(reader: &'r mut PayloadReader<'p>, left: Option<usize>, keys: Keys) -> Self {
        Self { reader, left, keys }
    }

    /// Whether there is one more, which the caller reads then.
    #[inline]
    pub(super) fn next(&mut self) -> Result<bool, Error> {
        match &mut self.left {
            Some(0) => return Ok(false),
            Some(left) => *left -= 1,
            None => {
                if self.reader.take_break()? {
                    self.left = Some(0);
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    #[inline]
    pub(super) fn end(mut self) -> Result<(), Error> {
        if self.next()? {
            Err(Error::LeftOver)
        } else {
            Ok(())
        }
    }
}

impl<'p> SeqAccess<'p> for Elements<'_, 'p> {
    type Error = Error;

    #[inline]
    fn next_element_seed<T>(&mut self, seed: T) -> Result<Option<T::Value>, Error>
    where
        T: DeserializeSeed<'p>,
    {
        if self.next()? {
            seed.deserialize(&mut *self.reader).map(Some)
        } else {
            Ok(None)
        }
    }

    fn size_hint(&self) -> Option<usize> {
        self.left
    }
}

impl<'p> MapAccess<'p> for Elements<'_, 'p> {
    type Error = Error;

    #[inline]
    fn next_key_seed<K>(&mut self, seed: K) -> Result<Option<K::Value>, Error>
    where
        K: DeserializeSeed<'p>,
    {
        if !self.next()? {
            return Ok(None);
        }
        if matches!(self.keys, Keys::Names) && !self.reader.at_name()? {
            return Err(de::Error::custom("the name of a field is no text"));
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }

    #[inline]
    fn next_value_seed<T>(&mut self, seed: T) -> Result<T::Value, Error>
    where
        T: DeserializeSeed<'p>,
    {
        seed.deserialize(&mut *self.reader)
    }

    fn size_hint(&self) -> Option<usize> {
        self.left
    }
}

/// A variant: its name alone, or a map of its name and what it holds.
pub(super) struct Variant<'r, 'p> {
    pub(super) reader: &'r mut PayloadReader<'p>,
    pub(super) has_value: bool,
}

impl<'r, 'p> Variant<'r, 'p> {
    /// What the value is read from.
    fn value(self, expected: &'static str) -> Result<&'r mut PayloadReader<'p>, Error> {
        if self.has_value {
            Ok(self.reader)
        } else {
            Err(de::Error::invalid_type(Unexpected::UnitVariant, &expected))
        }
    }
}

impl<'p> EnumAccess<'p> for Variant<'_, 'p> {
    type Error = Error;
    type Variant = Self;

    #[inline]
    fn variant_seed<T>(self, seed: T) -> Result<(T::Value, Self), Error>
    where
        T: DeserializeSeed<'p>,
    {
        if self.reader.at_name()? {
            Ok((seed.deserialize(&mut *self.reader)?, self))
        } else {
            Err(de::Error::custom("the name of a variant is no text"))
        }
    }
}

impl<'p> VariantAccess<'p> for Variant<'_, 'p> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        if self.has_value {
            <()>::deserialize(self.reader)
        } else {
            Ok(())
        }
    }

    #[inline]
    fn newtype_variant_seed<T>(self, seed: T) -> Result<T::Value, Error>
    where
        T: DeserializeSeed<'p>,
    {
        seed.deserialize(self.value("newtype variant")?)
    }

    #[inline]
    fn tuple_variant<V: Visitor<'p>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        self.value("tuple variant")?.deserialize_tuple(len, visitor)
    }

    #[inline]
    fn struct_variant<V: Visitor<'p>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.value("struct variant")?
            .deserialize_struct("", fields, visitor)
    }
}
