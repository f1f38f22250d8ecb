//! Encoding what is only lent.

use asynchronous_codec::{BytesMut, Encoder};

/// An [`Encoder`] that can do with a reference, so that whoever sends a value need not give it up, nor clone it.
///
/// All codecs of this crate are. To make one of your own fit, do in
/// [`encode_ref`](Self::encode_ref) what `encode` does:
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
    /// What a reference refers to: the item, or what it lends out, as a `String` does a `str`.
    type Ref: ?Sized;

    /// Appends what [`encode`](Encoder::encode) would have appended for the item.
    ///
    /// # Errors
    /// Those of `encode`. The buffer is then as it was.
    fn encode_ref(&mut self, item: &Self::Ref, dst: &mut BytesMut) -> Result<(), Self::Error>;
}
