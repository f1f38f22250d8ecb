//! The codec without the feature `bincode`: a compiler message that names the feature.

use asynchronous_codec::{BytesMut, Decoder, Encoder};

use super::Bincode;
use crate::{CodecError, EncodeRef};

/// A trait without implementations, so that rustc shows the message.
///
/// The bound is on `In` and not on the codec: rustc then also shows the message where an `Encoder`
/// or a `Decoder` is required.
///
/// ```compile_fail,E0277
/// ws_framed_codecs::Bincode::<u8>::new(10);
/// ```
#[diagnostic::on_unimplemented(
    message = "the codec `Bincode` needs the feature `bincode`",
    label = "the feature `bincode` is not enabled",
    note = "enable the feature `bincode` of the crate that you have `Bincode` from, or use another codec"
)]
pub trait FeatureBincode {}

impl<In, Out> Bincode<In, Out> {
    #[doc(hidden)]
    #[must_use]
    pub fn new(max_frame_len: usize) -> Self
    where
        In: FeatureBincode,
    {
        Self {
            max_frame_len,
            types: std::marker::PhantomData,
        }
    }
}

fn disabled() -> CodecError {
    CodecError::Unencodable("the feature `bincode` is not enabled".into())
}

impl<In, Out> Encoder for Bincode<In, Out>
where
    In: FeatureBincode,
{
    type Item<'a> = Out;
    type Error = CodecError;

    fn encode(&mut self, _: Out, _: &mut BytesMut) -> Result<(), CodecError> {
        Err(disabled())
    }
}

impl<In, Out> EncodeRef for Bincode<In, Out>
where
    In: FeatureBincode,
{
    type Ref = Out;

    fn encode_ref(&mut self, _: &Out, _: &mut BytesMut) -> Result<(), CodecError> {
        Err(disabled())
    }
}

impl<In, Out> Decoder for Bincode<In, Out>
where
    In: FeatureBincode,
{
    type Item = In;
    type Error = CodecError;

    fn decode(&mut self, _: &mut BytesMut) -> Result<Option<In>, CodecError> {
        Err(disabled())
    }
}
