//! What a deserializer gives to a type: values, and what further values are read from.

use std::fmt;

use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::{Bounded, Bounds};

pub(super) struct BoundedVisitor<'b, V> {
    pub(super) inner: V,
    pub(super) bounds: Bounds<'b>,
    pub(super) expects: Expects,
}

/// What the type asked for.
#[derive(Clone, Copy)]
pub(super) enum Expects {
    Anything,
    Integer,
    /// A sequence of a length that it knows.
    FixedLen,
}

/// The integer that a floating-point number is, if it is one and nearer to zero than `limit`, which
/// is at most 2^127.
// Of a number without a fraction and in the range, the conversion loses nothing.
#[allow(clippy::cast_possible_truncation, clippy::float_cmp)]
fn whole(value: f64, limit: f64) -> Option<i128> {
    (value.abs() < limit && value.trunc() == value).then_some(value as i128)
}

/// Values with nothing inside.
macro_rules! forward {
    ($($method:ident($type:ty),)+) => { $(
        #[inline]
        fn $method<E: de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )+ };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for BoundedVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(formatter)
    }

    forward! {
        visit_bool(bool),
        visit_i8(i8),
        visit_i16(i16),
        visit_i32(i32),
        visit_i64(i64),
        visit_i128(i128),
        visit_u8(u8),
        visit_u16(u16),
        visit_u32(u32),
        visit_u64(u64),
        visit_u128(u128),
        visit_char(char),
        visit_str(&str),
        visit_borrowed_str(&'de str),
        visit_string(String),
        visit_bytes(&[u8]),
        visit_borrowed_bytes(&'de [u8]),
        visit_byte_buf(Vec<u8>),
    }

    #[inline]
    fn visit_f32<E: de::Error>(self, value: f32) -> Result<V::Value, E> {
        match self.expects {
            Expects::Integer => self.visit_f64(value.into()),
            _ => self.inner.visit_f32(value),
        }
    }

    #[inline]
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<V::Value, E> {
        let integer = match self.expects {
            Expects::Integer => whole(value, self.bounds.budget.whole_floats),
            _ => None,
        };
        let Some(integer) = integer else {
            return self.inner.visit_f64(value);
        };
        if let Ok(integer) = u64::try_from(integer) {
            self.inner.visit_u64(integer)
        } else if let Ok(integer) = i64::try_from(integer) {
            self.inner.visit_i64(integer)
        } else {
            self.inner.visit_i128(integer)
        }
    }

    #[inline]
    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    #[inline]
    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.inner
            .visit_some(self.bounds.deeper()?.wrap(deserializer))
    }

    fn visit_newtype_struct<D>(self, deserializer: D) -> Result<V::Value, D::Error>
    where
        D: Deserializer<'de>,
    {
        self.inner
            .visit_newtype_struct(self.bounds.deeper()?.wrap(deserializer))
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let bounds = self.bounds.deeper()?;
        // What the type asked for is free, and is never used up.
        let free = match self.expects {
            Expects::FixedLen => usize::MAX,
            _ => 0,
        };
        self.inner
            .visit_seq(Elements::new(access.size_hint(), free, access, bounds)?)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let bounds = self.bounds.deeper()?;
        self.inner
            .visit_map(Elements::new(access.size_hint(), 0, access, bounds)?)
    }

    #[inline]
    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(self.bounds.wrap(access))
    }
}

/// The elements of a sequence, or the entries of a map.
struct Elements<'b, A> {
    access: A,
    bounds: Bounds<'b>,
    /// How many elements are paid for and have not come.
    paid: usize,
}

impl<'b, A> Elements<'b, A> {
    /// Pays for the elements that are announced, less those that are free.
    fn new<E: de::Error>(
        announced: Option<usize>,
        free: usize,
        access: A,
        bounds: Bounds<'b>,
    ) -> Result<Self, E> {
        let paid = announced.unwrap_or(0);
        bounds.charge_elements(paid.saturating_sub(free))?;
        Ok(Self {
            access,
            bounds,
            paid: paid.max(free),
        })
    }

    /// Accounts for an element that has come.
    #[inline]
    fn count<E: de::Error>(&mut self) -> Result<(), E> {
        match self.paid.checked_sub(1) {
            Some(paid) => {
                self.paid = paid;
                Ok(())
            }
            None => self.bounds.charge_elements(1),
        }
    }

    /// A format may think of a hint only later: never more than can be paid for.
    fn at_most(&self, hint: Option<usize>) -> Option<usize> {
        let payable = self.paid.saturating_add(self.bounds.budget.elements.get());
        hint.map(|hint| hint.min(payable))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<'_, A> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<T>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error>
    where
        T: DeserializeSeed<'de>,
    {
        let element = self.access.next_element_seed(self.bounds.wrap(seed))?;
        if element.is_some() {
            self.count()?;
        }
        Ok(element)
    }

    fn size_hint(&self) -> Option<usize> {
        self.at_most(self.access.size_hint())
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Elements<'_, A> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<K>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error>
    where
        K: DeserializeSeed<'de>,
    {
        let key = self.access.next_key_seed(self.bounds.wrap(seed))?;
        if key.is_some() {
            self.count()?;
        }
        Ok(key)
    }

    #[inline]
    fn next_value_seed<T>(&mut self, seed: T) -> Result<T::Value, A::Error>
    where
        T: DeserializeSeed<'de>,
    {
        self.access.next_value_seed(self.bounds.wrap(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.at_most(self.access.size_hint())
    }
}

/// An enum is one level, whatever the shape of its variant: the fields of a tuple or struct variant
/// come as a sequence, which opens that level, so it is not opened before.
impl<'de, 'b, A: EnumAccess<'de>> EnumAccess<'de> for Bounded<'b, A> {
    type Error = A::Error;
    type Variant = Bounded<'b, A::Variant>;

    #[inline]
    fn variant_seed<T>(self, seed: T) -> Result<(T::Value, Self::Variant), A::Error>
    where
        T: DeserializeSeed<'de>,
    {
        let (name, variant) = self.inner.variant_seed(self.bounds.deeper()?.wrap(seed))?;
        Ok((name, self.bounds.wrap(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    #[inline]
    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    #[inline]
    fn newtype_variant_seed<T>(self, seed: T) -> Result<T::Value, A::Error>
    where
        T: DeserializeSeed<'de>,
    {
        self.inner
            .newtype_variant_seed(self.bounds.deeper()?.wrap(seed))
    }

    #[inline]
    fn tuple_variant<T: Visitor<'de>>(self, len: usize, visitor: T) -> Result<T::Value, A::Error> {
        self.inner
            .tuple_variant(len, self.bounds.fixed_visitor(visitor))
    }

    #[inline]
    fn struct_variant<T: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: T,
    ) -> Result<T::Value, A::Error> {
        self.inner
            .struct_variant(fields, self.bounds.fixed_visitor(visitor))
    }
}
