//! A serde `Deserializer` that wraps another and limits the cost of untrusted payloads.
//!
//! A limit on the length of a frame does not limit the cost of decoding. A few bytes can claim a
//! billion elements of a type that takes no bytes, and one byte for each level can overflow the
//! stack. So each serde reader is wrapped, from the payload to the last element. Two counts are
//! kept:
//!
//! - **Levels of nesting.** All nesting passes through the five methods of a visitor that provide a
//!   nested reader: `visit_some`, `visit_newtype_struct`, `visit_seq`, `visit_map`, `visit_enum`.
//!   They are counted there. In formats that describe themselves, the requested type
//!   (`deserialize_*`) is only a hint.
//! - **Elements** of sequences and maps, against one budget for the whole payload: its length. An
//!   element that takes any bytes has one that is not part of an element inside it, so honest
//!   values of such types fit. A sequence with a known length is charged in full before memory
//!   is allocated for it; others are charged for each element. Tuples and structs are read as
//!   sequences too, but are not charged: their length is in the type, not in the payload.
//!
//! Each wrapper is `#[inline]`. Without it, decoding bincode is several times slower; with it, the
//! wrapper costs almost nothing.

mod visitor;

use std::{cell::Cell, error::Error, marker::PhantomData};

use serde::de::{self, DeserializeSeed, Deserializer, Visitor};

use self::visitor::{BoundedVisitor, Expects};

/// The same as `serde_json`'s. In a debug build a level of a small type takes up to some 4 KiB of
/// stack: this leaves room on the 2 MiB that threads get.
const MAX_NESTING: usize = 128;

/// Why a payload is not read to its end.
#[derive(Debug, Clone, Copy, thiserror::Error)]
enum LimitExceeded {
    #[error("the value is nested deeper than {MAX_NESTING} levels")]
    TooDeep,
    #[error("the value claims more elements than its frame has bytes")]
    TooManyElements,
}

/// What one payload may still cost.
#[derive(Debug)]
pub(crate) struct Budget {
    elements: Cell<usize>,
    exceeded: Cell<Option<LimitExceeded>>,
    /// Where an integer is asked for, a floating-point number below it without a fraction is one.
    whole_floats: f64,
}

impl Budget {
    pub(crate) fn new(payload_len: usize) -> Self {
        Self {
            elements: Cell::new(payload_len),
            exceeded: Cell::new(None),
            whole_floats: 0.0,
        }
    }

    /// For a format in which an integer may be written as a floating-point number, which then is
    /// exact below `limit`, of at most 2^127.
    #[cfg(any(feature = "cbor", feature = "json"))]
    pub(crate) fn with_whole_floats(self, limit: f64) -> Self {
        Self {
            whole_floats: limit,
            ..self
        }
    }

    /// What a `T` is to be read with.
    pub(crate) fn seed<T>(&self) -> Bounded<'_, PhantomData<T>> {
        Bounds {
            levels: MAX_NESTING,
            budget: self,
        }
        .wrap(PhantomData)
    }

    /// The reason for an error: ours if we are the reason, since not every format keeps a message.
    pub(crate) fn into_error<E>(self, error: E) -> Box<dyn Error + Send + Sync>
    where
        E: Error + Send + Sync + 'static,
    {
        self.exceeded.get().map_or_else(|| error.into(), Into::into)
    }

    fn exceed<E: de::Error>(&self, exceeded: LimitExceeded) -> E {
        self.exceeded.set(Some(exceeded));
        E::custom(exceeded)
    }
}

/// What holds at one place in the value.
#[derive(Debug, Clone, Copy)]
struct Bounds<'b> {
    /// How many levels may be opened inside.
    levels: usize,
    budget: &'b Budget,
}

impl<'b> Bounds<'b> {
    /// What holds one level further in.
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        match self.levels.checked_sub(1) {
            Some(levels) => Ok(Self { levels, ..self }),
            None => Err(self.budget.exceed(LimitExceeded::TooDeep)),
        }
    }

    /// Charges elements to the budget.
    fn charge_elements<E: de::Error>(self, elements: usize) -> Result<(), E> {
        match self.budget.elements.get().checked_sub(elements) {
            Some(left) => {
                self.budget.elements.set(left);
                Ok(())
            }
            None => Err(self.budget.exceed(LimitExceeded::TooManyElements)),
        }
    }

    fn wrap<T>(self, inner: T) -> Bounded<'b, T> {
        Bounded {
            inner,
            bounds: self,
        }
    }

    /// For a visitor to which the payload says how many elements follow.
    fn visitor<V>(self, inner: V) -> BoundedVisitor<'b, V> {
        BoundedVisitor {
            inner,
            bounds: self,
            expects: Expects::Anything,
        }
    }

    /// For a visitor that asks for an integer.
    fn integer_visitor<V>(self, inner: V) -> BoundedVisitor<'b, V> {
        BoundedVisitor {
            inner,
            bounds: self,
            expects: Expects::Integer,
        }
    }

    /// For a visitor that knows from its type how many elements follow.
    fn fixed_visitor<V>(self, inner: V) -> BoundedVisitor<'b, V> {
        BoundedVisitor {
            inner,
            bounds: self,
            expects: Expects::FixedLen,
        }
    }
}

/// Something of serde's, and the bounds for what is read through it.
#[derive(Debug)]
pub(crate) struct Bounded<'b, T> {
    inner: T,
    bounds: Bounds<'b>,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Bounded<'_, S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(self.bounds.wrap(deserializer))
    }
}

/// Methods that take a visitor, after arguments that are passed on.
macro_rules! forward {
    ($wrap:ident: $($method:ident$(($($arg:ident: $type:ty),+))? => $to:ident,)+) => { $(
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($($arg: $type,)+)? visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$to($($($arg,)+)? self.bounds.$wrap(visitor))
        }
    )+ };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Bounded<'_, D> {
    type Error = D::Error;

    forward! {
        visitor:
        deserialize_any => deserialize_any,
        deserialize_bool => deserialize_bool,
        deserialize_f32 => deserialize_f32,
        deserialize_f64 => deserialize_f64,
        deserialize_char => deserialize_char,
        deserialize_str => deserialize_str,
        // Not the method of the same name. For an owned string, bincode allocates and zeroes what
        // the payload claims before it looks whether it is there: ten bytes abort the process. A
        // borrowed one is sliced from the payload, with a length check. Visitors of owned strings
        // take borrowed ones: serde demands it. (A format that can only copy strings out may need
        // the methods of the same names.)
        deserialize_string => deserialize_str,
        deserialize_bytes => deserialize_bytes,
        deserialize_byte_buf => deserialize_bytes,
        deserialize_option => deserialize_option,
        deserialize_unit => deserialize_unit,
        deserialize_unit_struct(name: &'static str) => deserialize_unit_struct,
        deserialize_newtype_struct(name: &'static str) => deserialize_newtype_struct,
        deserialize_seq => deserialize_seq,
        deserialize_map => deserialize_map,
        deserialize_enum(name: &'static str, variants: &'static [&'static str]) => deserialize_enum,
        deserialize_identifier => deserialize_identifier,
        deserialize_ignored_any => deserialize_ignored_any,
    }

    forward! {
        integer_visitor:
        deserialize_i8 => deserialize_i8,
        deserialize_i16 => deserialize_i16,
        deserialize_i32 => deserialize_i32,
        deserialize_i64 => deserialize_i64,
        deserialize_i128 => deserialize_i128,
        deserialize_u8 => deserialize_u8,
        deserialize_u16 => deserialize_u16,
        deserialize_u32 => deserialize_u32,
        deserialize_u64 => deserialize_u64,
        deserialize_u128 => deserialize_u128,
    }

    forward! {
        fixed_visitor:
        deserialize_tuple(len: usize) => deserialize_tuple,
        deserialize_tuple_struct(name: &'static str, len: usize) => deserialize_tuple_struct,
        deserialize_struct(name: &'static str, fields: &'static [&'static str]) => deserialize_struct,
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}
