//! The headers that a server adds to a response.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::headers::{invalid_header, is_reserved};
use crate::error::WsErr;

/// Headers, or the first error among them. Builders report it when the response is made.
#[derive(Clone, Default)]
pub(crate) struct AddedHeaders {
    map: HeaderMap,
    error: Option<WsErr>,
}

impl AddedHeaders {
    /// Adds a header. One that is there already stays.
    pub(crate) fn add<K, V>(&mut self, name: K, value: V)
    where
        HeaderName: TryFrom<K, Error: Into<http::Error>>,
        HeaderValue: TryFrom<V, Error: Into<http::Error>>,
    {
        if let Err(error) = self.try_add(name, value) {
            self.error.get_or_insert(error);
        }
    }

    fn try_add<K, V>(&mut self, name: K, value: V) -> Result<(), WsErr>
    where
        HeaderName: TryFrom<K, Error: Into<http::Error>>,
        HeaderValue: TryFrom<V, Error: Into<http::Error>>,
    {
        let name = HeaderName::try_from(name).map_err(|error| invalid_header(error.into()))?;
        let value = HeaderValue::try_from(value).map_err(|error| invalid_header(error.into()))?;
        if is_reserved(&name) {
            return Err(invalid_header(format!("{name} belongs to the handshake")));
        }
        self.map.try_append(name, value).map_err(invalid_header)?;
        Ok(())
    }

    /// The headers.
    ///
    /// # Errors
    /// [`WsErr::InvalidHeader`] if one is not valid, or belongs to the handshake.
    pub(crate) fn get(&self) -> Result<&HeaderMap, WsErr> {
        match &self.error {
            Some(error) => Err(WsErr::clone(error)),
            None => Ok(&self.map),
        }
    }
}

/// Prints the names of headers only: `Set-Cookie` has secrets as values.
impl fmt::Debug for AddedHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.map.keys()).finish()
    }
}
