//! Without the feature `bincode`: nothing works, and the compiler says why.

use asynchronous_codec::{BytesMut, Decoder, Encoder};

use super::Bincode;
use crate::{CodecError, EncodeRef};

/// Implemented by nothing, so that whoever needs it reads this message.
///
/// It is asked of `In` and not of the codec, since that way rustc shows the message also where
/// something asks for an `Encoder` or a `Decoder`.
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
