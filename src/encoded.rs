//! Items that are encoded once and sent over many connections.

use std::{fmt, marker::PhantomData, sync::Arc};

use asynchronous_codec::Encoder;
#[cfg(not(target_arch = "wasm32"))]
use bytes::Buf;
use bytes::{Bytes, BytesMut};
use ws_framed_codecs::EncodeRef;

use crate::{error::WsErr, handshake::contract::Contract, message::SharedBytes};
#[cfg(not(target_arch = "wasm32"))]
use crate::{
    message::HEADROOM,
    protocol::{EncodedHeader, OpCode},
};

/// Contracts, and an item as each of them encodes it.
type ByContract = Arc<[(Arc<Contract>, SharedBytes)]>;

/// An encoded item, for [`feed_encoded`](crate::WsFramed::feed_encoded) over any number of
/// connections. Clones and connections share its bytes.
///
/// The type parameter `C` is the codec, so that only streams with the same codec accept the item.
/// The limit of the codec that encodes it applies, not those of the connections' codecs. A codec
/// whose frames depend on earlier items cannot be used. For a server with several codecs,
/// [`Contracts::encode`](crate::Contracts::encode) makes one `Encoded` for all.
///
/// # Example
/// A chat room, in which each member has a queue and a task that sends what is in it. The half that
/// receives is in another task.
///
/// ```
/// use futures::SinkExt;
/// use tokio::sync::mpsc::{Receiver, Sender};
/// use ws_framed::{CodecError, Encoded, Lines, WsFramed, WsSender};
///
/// async fn send_all(
///     mut member: WsSender<WsFramed<String, Lines>>,
///     mut queue: Receiver<Encoded<Lines>>,
/// ) -> Result<(), CodecError> {
///     while let Some(said) = queue.recv().await {
///         member.feed_encoded(&said).await?;
///         if queue.is_empty() {
///             member.flush().await?;
///         }
///     }
///     Ok(())
/// }
///
/// fn say(members: &[Sender<Encoded<Lines>>], what: &str) -> Result<(), CodecError> {
///     let said = Encoded::from_ref(&mut Lines::new(80), what)?;
///     for member in members {
///         // A member whose queue is full misses it.
///         let _ = member.try_send(said.clone());
///     }
///     Ok(())
/// }
/// # let _ = send_all;
/// # say(&[], "Hello, all!").unwrap();
/// ```
///
/// The [guide](crate::guide::tasks) has the whole room, which closes the connections of members that
/// are too slow.
pub struct Encoded<C> {
    bytes: SharedBytes,
    /// The bytes for each contract, if it was encoded for several.
    by_contract: Option<ByContract>,
    codec: PhantomData<fn() -> C>,
}

impl<C: Encoder> Encoded<C> {
    /// Encodes an item.
    ///
    /// # Errors
    /// Those of the codec.
    pub fn new(codec: &mut C, item: C::Item<'_>) -> Result<Self, C::Error> {
        Self::encode(|buffer| codec.encode(item, buffer))
    }

    /// Encodes an item by reference.
    ///
    /// # Errors
    /// Those of the codec.
    pub fn from_ref(codec: &mut C, item: &C::Ref) -> Result<Self, C::Error>
    where
        C: EncodeRef,
    {
        Self::encode(|buffer| codec.encode_ref(item, buffer))
    }

    fn encode<E>(put: impl FnOnce(&mut BytesMut) -> Result<(), E>) -> Result<Self, E> {
        Ok(Self {
            bytes: encode(put)?,
            by_contract: None,
            codec: PhantomData,
        })
    }
}

impl<C> Encoded<C> {
    /// An item that is encoded for each of these contracts, the preferred one first.
    pub(crate) fn by_contract(encoded: Vec<(Arc<Contract>, SharedBytes)>) -> Self {
        let preferred = encoded.first().map(|(_, bytes)| bytes.clone());
        Self {
            bytes: preferred.unwrap_or_default(),
            by_contract: Some(encoded.into()),
            codec: PhantomData,
        }
    }

    /// The bytes of the encoded item, as they go over the wire; for several contracts, those of the
    /// preferred one.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes.bytes
    }

    /// The bytes for a stream by this contract, or for one that is not by contract.
    ///
    /// # Errors
    /// [`WsErr::NotEncoded`] if it was not encoded for that.
    pub(crate) fn bytes_for(&self, contract: Option<&Contract>) -> Result<&SharedBytes, WsErr> {
        let (Some(encoded), Some(contract)) = (&self.by_contract, contract) else {
            return match contract {
                None if self.by_contract.is_none() => Ok(&self.bytes),
                None => Err(WsErr::NotEncoded("a stream without a contract".to_owned())),
                Some(contract) => Err(WsErr::NotEncoded(format!("the contract {contract}"))),
            };
        };
        let mut encoded = encoded.iter();
        encoded
            .find(|(other, _)| other.is_encoded_as(contract))
            .map(|(_, bytes)| bytes)
            .ok_or_else(|| WsErr::NotEncoded(format!("the contract {contract}")))
    }
}

/// Encodes an item behind the header of a message of its own, as a server sends it: one write then
/// takes both, without a copy.
pub(crate) fn encode<E>(
    put: impl FnOnce(&mut BytesMut) -> Result<(), E>,
) -> Result<SharedBytes, E> {
    #[cfg(target_arch = "wasm32")]
    {
        let mut buffer = BytesMut::new();
        put(&mut buffer)?;
        Ok(buffer.freeze().into())
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        let mut buffer = BytesMut::zeroed(HEADROOM);
        put(&mut buffer)?;
        let header = EncodedHeader::new(OpCode::Binary, true, buffer.len() - HEADROOM, None);
        let header = header.as_bytes();
        buffer.advance(HEADROOM - header.len());
        if let Some(room) = buffer.get_mut(..header.len()) {
            room.copy_from_slice(header);
        }
        Ok(SharedBytes::with_header(buffer.freeze(), header.len()))
    }
}

impl<C> Clone for Encoded<C> {
    fn clone(&self) -> Self {
        Self {
            bytes: self.bytes.clone(),
            by_contract: self.by_contract.clone(),
            codec: PhantomData,
        }
    }
}

/// Those of [`bytes`](Encoded::bytes).
impl<C> AsRef<[u8]> for Encoded<C> {
    fn as_ref(&self) -> &[u8] {
        self.bytes()
    }
}

impl<C> fmt::Debug for Encoded<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoded")
            .field("len", &self.bytes.len())
            .finish_non_exhaustive()
    }
}
