//! Arrays and maps, element by element.

use cbor4ii::core::{enc::Encode, types};
use serde::ser::{self, Serialize};

use super::Serializer;
use crate::{cbor::error::Error, length_prefix::FrameWriter};

/// An array or a map that is being written.
pub(in crate::cbor) struct Collection<'w, 'd> {
    writer: &'w mut FrameWriter<'d>,
    /// The length that was announced.
    len: Option<usize>,
    written: usize,
}

impl<'w, 'd> Collection<'w, 'd> {
    #[inline]
    pub(super) fn new(writer: &'w mut FrameWriter<'d>, len: Option<usize>) -> Self {
        Self {
            writer,
            len,
            written: 0,
        }
    }

    #[inline]
    fn put<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(Serializer(self.writer))
    }

    #[inline]
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.written += 1;
        self.put(value)
    }

    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        name.encode(self.writer)?;
        self.element(value)
    }

    #[inline]
    fn finish(self) -> Result<(), Error> {
        match self.len {
            // Elements behind it would become a part of it, or what should be in it missing.
            Some(len) if len != self.written => Err(Error::OtherLength(self.written)),
            Some(_) => Ok(()),
            None => Ok(types::Array::end(self.writer)?),
        }
    }
}

/// Collections whose parts are values.
macro_rules! of_elements {
    ($($trait:ident::$method:ident),+) => { $(
        impl ser::$trait for Collection<'_, '_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.element(value)
            }

            #[inline]
            fn end(self) -> Result<(), Error> {
                self.finish()
            }
        }
    )+ };
}

of_elements! {
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
}

/// Collections whose parts have names.
macro_rules! of_fields {
    ($($trait:ident),+) => { $(
        impl ser::$trait for Collection<'_, '_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn serialize_field<T>(&mut self, name: &'static str, value: &T) -> Result<(), Error>
            where
                T: Serialize + ?Sized,
            {
                self.field(name, value)
            }

            #[inline]
            fn end(self) -> Result<(), Error> {
                self.finish()
            }
        }
    )+ };
}

of_fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Collection<'_, '_> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.put(key)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.element(value)
    }

    #[inline]
    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}
