//! A serde `Serializer` around another, which refuses what the same format would not read back.
//!
//! serde asks a format to write things that it has no form for, and the formats write something
//! else. The sender is to know, and at once. This is for what shows while a value is written.

use std::{fmt, marker::PhantomData};

use serde::ser::{self, Error, Serialize, Serializer};

/// What is refused. Known to the compiler, so that what a format does not refuse costs nothing.
pub(crate) trait Rules {
    /// Numbers that are infinite or not a number.
    const NOT_FINITE: bool;
    /// Fields that are left out.
    const LEFT_OUT: bool;
}

/// JSON has no form for infinite numbers, and `serde_json` writes null.
#[cfg(feature = "json")]
pub(crate) enum OfJson {}

#[cfg(feature = "json")]
impl Rules for OfJson {
    const NOT_FINITE: bool = true;
    const LEFT_OUT: bool = false;
}

/// Where fields have no names, those that follow take the place of one that is left out.
#[cfg(any(feature = "bincode", feature = "postcard"))]
pub(crate) enum Positional {}

#[cfg(any(feature = "bincode", feature = "postcard"))]
impl Rules for Positional {
    const NOT_FINITE: bool = false;
    const LEFT_OUT: bool = true;
}

/// A value or a part of serde's, and the rules for what is written of it.
pub(crate) struct Checked<T, R> {
    inner: T,
    rules: PhantomData<R>,
}

impl<T, R: Rules> Checked<T, R> {
    #[inline]
    pub(crate) fn new(inner: T) -> Self {
        Self {
            inner,
            rules: PhantomData,
        }
    }

    /// Refuses a number if the format has no form for it.
    #[inline]
    fn number<E: Error>(is_finite: bool) -> Result<(), E> {
        if R::NOT_FINITE && !is_finite {
            return Err(E::custom("the number is not finite"));
        }
        Ok(())
    }

    /// Refuses to leave out a field if the format cannot.
    #[inline]
    fn skipped<E: Error>(name: &'static str) -> Result<(), E> {
        if R::LEFT_OUT {
            return Err(E::custom(format_args!("field `{name}` is left out")));
        }
        Ok(())
    }
}

impl<T: Serialize + ?Sized, R: Rules> Serialize for Checked<&T, R> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.inner.serialize(Checked::<_, R>::new(serializer))
    }
}

/// Methods that write a value with nothing inside.
macro_rules! leaves {
    ($($method:ident($($arg:ident: $type:ty),*),)+) => { $(
        #[inline]
        fn $method(self, $($arg: $type),*) -> Result<S::Ok, S::Error> {
            self.inner.$method($($arg),*)
        }
    )+ };
}

/// Methods that begin a collection.
macro_rules! collections {
    ($($method:ident($($arg:ident: $type:ty),*) -> $collection:ident,)+) => { $(
        #[inline]
        fn $method(self, $($arg: $type),*) -> Result<Checked<S::$collection, R>, S::Error> {
            self.inner.$method($($arg),*).map(Checked::new)
        }
    )+ };
}

impl<S: Serializer, R: Rules> Serializer for Checked<S, R> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Checked<S::SerializeSeq, R>;
    type SerializeTuple = Checked<S::SerializeTuple, R>;
    type SerializeTupleStruct = Checked<S::SerializeTupleStruct, R>;
    type SerializeTupleVariant = Checked<S::SerializeTupleVariant, R>;
    type SerializeMap = Checked<S::SerializeMap, R>;
    type SerializeStruct = Checked<S::SerializeStruct, R>;
    type SerializeStructVariant = Checked<S::SerializeStructVariant, R>;

    leaves! {
        serialize_bool(value: bool),
        serialize_i8(value: i8),
        serialize_i16(value: i16),
        serialize_i32(value: i32),
        serialize_i64(value: i64),
        serialize_i128(value: i128),
        serialize_u8(value: u8),
        serialize_u16(value: u16),
        serialize_u32(value: u32),
        serialize_u64(value: u64),
        serialize_u128(value: u128),
        serialize_char(value: char),
        serialize_str(value: &str),
        serialize_bytes(value: &[u8]),
        serialize_none(),
        serialize_unit(),
        serialize_unit_struct(name: &'static str),
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str),
    }

    collections! {
        serialize_seq(len: Option<usize>) -> SerializeSeq,
        serialize_tuple(len: usize) -> SerializeTuple,
        serialize_tuple_struct(name: &'static str, len: usize) -> SerializeTupleStruct,
        serialize_tuple_variant(
            name: &'static str, index: u32, variant: &'static str, len: usize
        ) -> SerializeTupleVariant,
        serialize_map(len: Option<usize>) -> SerializeMap,
        serialize_struct(name: &'static str, len: usize) -> SerializeStruct,
        serialize_struct_variant(
            name: &'static str, index: u32, variant: &'static str, len: usize
        ) -> SerializeStructVariant,
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        Self::number(value.is_finite())?;
        self.inner.serialize_f32(value)
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        Self::number(value.is_finite())?;
        self.inner.serialize_f64(value)
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let value = Checked::<_, R>::new(value);
        self.inner.serialize_some(&value)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let value = Checked::<_, R>::new(value);
        self.inner.serialize_newtype_struct(name, &value)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let value = Checked::<_, R>::new(value);
        self.inner
            .serialize_newtype_variant(name, index, variant, &value)
    }

    #[inline]
    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// Collections whose parts are values.
macro_rules! of_values {
    ($($trait:ident: $($method:ident),+;)+) => { $(
        impl<C: ser::$trait, R: Rules> ser::$trait for Checked<C, R> {
            type Ok = C::Ok;
            type Error = C::Error;

            $(
                #[inline]
                fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
                    let value = Checked::<_, R>::new(value);
                    self.inner.$method(&value)
                }
            )+

            #[inline]
            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        }
    )+ };
}

of_values! {
    SerializeSeq: serialize_element;
    SerializeTuple: serialize_element;
    SerializeTupleStruct: serialize_field;
    SerializeTupleVariant: serialize_field;
    SerializeMap: serialize_key, serialize_value;
}

/// Collections whose parts have names.
macro_rules! of_fields {
    ($($trait:ident),+) => { $(
        impl<C: ser::$trait, R: Rules> ser::$trait for Checked<C, R> {
            type Ok = C::Ok;
            type Error = C::Error;

            #[inline]
            fn serialize_field<T>(&mut self, name: &'static str, value: &T) -> Result<(), C::Error>
            where
                T: Serialize + ?Sized,
            {
                let value = Checked::<_, R>::new(value);
                self.inner.serialize_field(name, &value)
            }

            #[inline]
            fn skip_field(&mut self, name: &'static str) -> Result<(), C::Error> {
                Self::skipped(name)?;
                self.inner.skip_field(name)
            }

            #[inline]
            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        }
    )+ };
}

of_fields!(SerializeStruct, SerializeStructVariant);
