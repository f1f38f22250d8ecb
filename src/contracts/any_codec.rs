//! One type for all codecs of a protocol.

use std::{borrow::Borrow, fmt, sync::Arc};

use asynchronous_codec::{Decoder, Encoder};
use bytes::BytesMut;
use ws_framed_codecs::{CodecError, EncodeRef};

/// The codec of a [contract](crate::Contracts), whichever it is, in a box: what
/// [`WsStream::framed_by`](crate::WsStream::framed_by) gives to the item stream. It costs one
/// virtual call for each item.
///
/// `In` is received, `Out` is sent, by value or by reference.
pub struct AnyCodec<In, Out = In>(Box<dyn Erased<In, Out>>);

/// What a codec needs to be one of several in [`Contracts`](crate::Contracts):
/// - items `In` and `Out` by value
/// - [`EncodeRef`] for what an `Out` lends out
/// - errors that convert into [`CodecError`]
/// - `Clone`, because each connection has a codec of its own
///
/// All codecs of this library fit, and so does any codec that has these traits.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a codec of `Contracts<{In}, {Out}>`",
    note = "it has to decode `{In}`, encode `{Out}` by value and by reference (`EncodeRef`), and be `Clone + Send + Sync + 'static`"
)]
pub trait ContractCodec<In, Out>: Erased<In, Out> + Clone + 'static {}

impl<C, In, Out> ContractCodec<In, Out> for C where C: Erased<In, Out> + Clone + 'static {}

/// A codec behind a pointer.
pub trait Erased<In, Out>: Send + Sync {
    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<In>, CodecError>;
    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<In>, CodecError>;
    fn encode(&mut self, item: &Out, dst: &mut BytesMut) -> Result<(), CodecError>;
    /// Encodes with a codec that has encoded nothing before.
    fn encode_once(&self, item: &Out, dst: &mut BytesMut) -> Result<(), CodecError>;
    fn boxed(&self) -> Box<dyn Erased<In, Out>>;
}

impl<C, In, Out> Erased<In, Out> for C
where
    C: Decoder<Item = In> + for<'a> Encoder<Item<'a> = Out> + EncodeRef,
    <C as Decoder>::Error: Into<CodecError>,
    <C as Encoder>::Error: Into<CodecError>,
    C: Clone + Send + Sync + 'static,
    Out: Borrow<C::Ref>,
{
    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<In>, CodecError> {
        Decoder::decode(self, src).map_err(Into::into)
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<In>, CodecError> {
        Decoder::decode_eof(self, src).map_err(Into::into)
    }

    fn encode(&mut self, item: &Out, dst: &mut BytesMut) -> Result<(), CodecError> {
        self.encode_ref(item.borrow(), dst).map_err(Into::into)
    }

    fn encode_once(&self, item: &Out, dst: &mut BytesMut) -> Result<(), CodecError> {
        Erased::encode(&mut self.clone(), item, dst)
    }

    fn boxed(&self) -> Box<dyn Erased<In, Out>> {
        Box::new(self.clone())
    }
}

/// A codec that is copied for each connection.
pub(super) struct Template<In, Out>(Arc<dyn Erased<In, Out>>);

impl<In, Out> Template<In, Out> {
    pub(super) fn new(codec: impl ContractCodec<In, Out>) -> Self {
        Self(Arc::new(codec))
    }

    pub(super) fn instantiate(&self) -> AnyCodec<In, Out> {
        AnyCodec(self.0.boxed())
    }

    pub(super) fn encode_once(&self, item: &Out, dst: &mut BytesMut) -> Result<(), CodecError> {
        self.0.encode_once(item, dst)
    }
}

impl<In, Out> Clone for Template<In, Out> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<In, Out> Decoder for AnyCodec<In, Out> {
    type Item = In;
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<In>, CodecError> {
        self.0.decode(src)
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<In>, CodecError> {
        self.0.decode_eof(src)
    }
}

impl<In, Out> Encoder for AnyCodec<In, Out> {
    type Item<'a> = Out;
    type Error = CodecError;

    fn encode(&mut self, item: Out, dst: &mut BytesMut) -> Result<(), CodecError> {
        self.0.encode(&item, dst)
    }
}

impl<In, Out> EncodeRef for AnyCodec<In, Out> {
    type Ref = Out;

    fn encode_ref(&mut self, item: &Out, dst: &mut BytesMut) -> Result<(), CodecError> {
        self.0.encode(item, dst)
    }
}

/// With the state of the codec, as far as its own `Clone` keeps it.
impl<In, Out> Clone for AnyCodec<In, Out> {
    fn clone(&self) -> Self {
        Self(self.0.boxed())
    }
}

impl<In, Out> fmt::Debug for AnyCodec<In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyCodec").finish_non_exhaustive()
    }
}
