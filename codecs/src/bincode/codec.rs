//! What the feature `bincode` adds to the type.

use asynchronous_codec::{BytesMut, Decoder};
use bincode::{
    config::{Configuration, standard},
    enc::write::Writer,
    error::EncodeError,
    serde::{encode_into_writer, seed_decode_from_slice},
};
use serde::{Serialize, de::DeserializeOwned};

use super::Bincode;
use crate::{
    CodecError, EncodeRef,
    bounded::Budget,
    checked::{Checked, Positional},
    length_prefix::{FrameWriter, decode_with},
    typed::typed_encoder,
};

/// bincode's own limit is a constant in the type, and not needed. The payload is read from a slice,
/// and [`Budget`] makes bincode compare the length of strings and bytes with that slice.
const FORMAT: Configuration = standard();

typed_encoder!(Bincode, "bincode");

impl Writer for FrameWriter<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        FrameWriter::write(self, bytes);
        Ok(())
    }
}

#[cfg_attr(docsrs, doc(cfg(feature = "bincode")))]
impl<In, Out: Serialize> EncodeRef for Bincode<In, Out> {
    type Ref = Out;

    fn encode_ref(&mut self, item: &Out, dst: &mut BytesMut) -> Result<(), CodecError> {
        let mut frame = FrameWriter::new(dst, self.max_frame_len);
        encode_into_writer(Checked::<_, Positional>::new(item), &mut frame, FORMAT)
            .map_err(|error| CodecError::Unencodable(error.into()))?;
        frame.finish()
    }
}

#[cfg_attr(docsrs, doc(cfg(feature = "bincode")))]
impl<In: DeserializeOwned, Out> Decoder for Bincode<In, Out> {
    type Item = In;
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<In>, CodecError> {
        decode_with(src, self.max_frame_len, |payload| {
            let budget = Budget::new(payload.len());
            let (value, used) = seed_decode_from_slice(budget.seed(), payload, FORMAT)
                .map_err(|error| budget.into_error(error))?;
            Ok((value, payload.len().saturating_sub(used)))
        })
    }
}
