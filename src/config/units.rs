//! Values in a configuration file: durations and lengths with units, and values that can be off.

use std::{fmt, marker::PhantomData, time::Duration};

use bytesize::ByteSize;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Unexpected, value::MapAccessDeserializer},
};

use super::Keepalive;

/// What a file writes for `None`: not every format has a null, and a missing value is the default.
const OFF: &str = "off";

/// A value that is written with a unit, or is a table of such values.
pub(super) trait Unit: Sized {
    fn expecting(f: &mut fmt::Formatter<'_>) -> fmt::Result;

    fn from_text(text: &str) -> Option<Self>;

    /// From a number without a unit, if it has a meaning.
    fn from_number(_: u64) -> Option<Self> {
        None
    }

    fn from_map<'de, A: de::MapAccess<'de>>(_: A) -> Result<Self, A::Error> {
        Err(de::Error::invalid_type(
            Unexpected::Map,
            &Values::<Self>(PhantomData),
        ))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

impl Unit for Duration {
    fn expecting(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as \"1m 30s\" or \"250ms\"")
    }

    fn from_text(text: &str) -> Option<Self> {
        humantime::parse_duration(text).ok()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(*self))
    }
}

impl Unit for usize {
    fn expecting(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a length such as 65536 or \"64 KiB\"")
    }

    fn from_text(text: &str) -> Option<Self> {
        Self::from_number(text.parse::<ByteSize>().ok()?.as_u64())
    }

    fn from_number(number: u64) -> Option<Self> {
        number.try_into().ok()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }
}

impl Unit for Keepalive {
    fn expecting(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table with interval and timeout")
    }

    fn from_text(_: &str) -> Option<Self> {
        None
    }

    fn from_map<'de, A: de::MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        Self::deserialize(MapAccessDeserializer::new(map))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }
}

#[cfg(feature = "deflate")]
impl Unit for super::Deflate {
    fn expecting(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table with the settings of permessage-deflate")
    }

    fn from_text(_: &str) -> Option<Self> {
        None
    }

    fn from_map<'de, A: de::MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        Self::deserialize(MapAccessDeserializer::new(map))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }
}

impl<U: Unit> Unit for Option<U> {
    fn expecting(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        U::expecting(f)?;
        write!(f, ", or {OFF:?}")
    }

    fn from_text(text: &str) -> Option<Self> {
        if text == OFF {
            return Some(None);
        }
        U::from_text(text).map(Some)
    }

    fn from_number(number: u64) -> Option<Self> {
        U::from_number(number).map(Some)
    }

    fn from_map<'de, A: de::MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        U::from_map(map).map(Some)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(value) => value.write(serializer),
            None => serializer.serialize_str(OFF),
        }
    }
}

struct Values<U>(PhantomData<U>);

impl<'de, U: Unit> de::Visitor<'de> for Values<U> {
    type Value = U;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        U::expecting(f)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<U, E> {
        let value = U::from_number(number);
        value.ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    // Some formats have signed numbers only.
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<U, E> {
        let value = u64::try_from(number).ok().and_then(U::from_number);
        value.ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<U, E> {
        let value = U::from_text(text);
        value.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<U, A::Error> {
        U::from_map(map)
    }
}

pub(super) fn serialize<U: Unit, S: Serializer>(value: &U, to: S) -> Result<S::Ok, S::Error> {
    value.write(to)
}

pub(super) fn deserialize<'de, U: Unit, D: Deserializer<'de>>(from: D) -> Result<U, D::Error> {
    from.deserialize_any(Values(PhantomData))
}
