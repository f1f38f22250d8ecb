//! The headers that a caller adds to a request or a response.

use std::fmt::{self, Display};

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE},
};

use crate::error::WsErr;

/// Headers, or the first error among them. Builders report it when the head is made.
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

    /// The value is in no error, since it may be a secret.
    fn try_add<K, V>(&mut self, name: K, value: V) -> Result<(), WsErr>
    where
        HeaderName: TryFrom<K, Error: Into<http::Error>>,
        HeaderValue: TryFrom<V, Error: Into<http::Error>>,
    {
        let name = HeaderName::try_from(name).map_err(|error| invalid_header(error.into()))?;
        if is_reserved(&name) {
            return Err(invalid_header(format!("{name} belongs to the handshake")));
        }
        let value = HeaderValue::try_from(value)
            .map_err(|error| invalid_header(format!("{name}: {}", error.into())))?;
        self.map.try_append(name, value).map_err(invalid_header)?;
        Ok(())
    }

    /// Those that a server of another origin may get: what may contain a secret is not among them.
    #[cfg(all(any(feature = "smol", feature = "tokio"), not(target_arch = "wasm32")))]
    pub(crate) fn for_other_origin(&self) -> Self {
        let names = [http::header::ORIGIN, http::header::USER_AGENT];
        let kept = self.map.iter().filter(|(name, _)| names.contains(name));
        Self {
            map: kept
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            error: self.error.clone(),
        }
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

/// Prints the names of headers only: `Authorization`, `Cookie` and `Set-Cookie` have secrets as
/// values.
impl fmt::Debug for AddedHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.map.keys()).finish()
    }
}

/// Whether a header belongs to the handshake, or to the framing of a body.
pub(super) fn is_reserved(name: &HeaderName) -> bool {
    const RESERVED: [HeaderName; 4] = [CONNECTION, UPGRADE, CONTENT_LENGTH, TRANSFER_ENCODING];
    RESERVED.contains(name) || name.as_str().starts_with("sec-websocket-")
}

pub(super) fn invalid_header(error: impl Display) -> WsErr {
    WsErr::InvalidHeader(error.to_string())
}
