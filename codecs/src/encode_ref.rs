//! Encoding by reference.

use asynchronous_codec::{BytesMut, Encoder};

/// An [`Encoder`] that also encodes a reference, so that the caller need not give up or clone a
/// value.
///
/// All codecs of this crate implement it. In a codec of your own, move the body of `encode` to
/// [`encode_ref`](Self::encode_ref):
///
/// ```
/// use asynchronous_codec::{BytesMut, Encoder};
/// use ws_framed_codecs::{CodecError, EncodeRef};
///
/// /// Numbers of two bytes.
/// struct Numbers;
///
/// impl Encoder for Numbers {
///     type Item<'a> = u16;
///     type Error = CodecError;
///
///     fn encode(&mut self, item: u16, dst: &mut BytesMut) -> Result<(), CodecError> {
///         self.encode_ref(&item, dst)
///     }
/// }
///
/// impl EncodeRef for Numbers {
///     type Ref = u16;
///
///     fn encode_ref(&mut self, item: &u16, dst: &mut BytesMut) -> Result<(), CodecError> {
///         dst.extend_from_slice(&item.to_be_bytes());
///         Ok(())
///     }
/// }
/// ```
pub trait EncodeRef: Encoder {
    /// The type behind the reference: the item, or what it borrows as, like `str` for a `String`.
    type Ref: ?Sized;

    /// Appends the same bytes as [`encode`](Encoder::encode) does for the item.
    ///
    /// # Errors
    /// Those of `encode`. The buffer is then unchanged.
    fn encode_ref(&mut self, item: &Self::Ref, dst: &mut BytesMut) -> Result<(), Self::Error>;
}
