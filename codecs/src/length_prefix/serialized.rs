//! Frames whose payload a serializer writes and reads piece by piece.

use std::error::Error;

use asynchronous_codec::BytesMut;
use bytes::{Buf, BufMut};

use super::{PREFIX_LEN, encode_prefix, frame_len};
use crate::CodecError;

/// A writer for one frame, which a serializer writes directly into the output buffer.
///
/// Unless [`finish`](Self::finish) succeeds, the buffer is restored on drop, also if a `Serialize`
/// implementation panics.
#[derive(Debug)]
pub(crate) struct FrameWriter<'d> {
    dst: &'d mut BytesMut,
    /// Where the bytes begin that are not a frame yet.
    start: usize,
    /// The length of the payload, stored or not.
    len: usize,
    max: usize,
}

impl<'d> FrameWriter<'d> {
    #[inline]
    pub(crate) fn new(dst: &'d mut BytesMut, max: usize) -> Self {
        let start = dst.len();
        dst.put_bytes(0, PREFIX_LEN);
        Self {
            dst,
            start,
            len: 0,
            max,
        }
    }

    /// Adds to the payload. It never fails: above the limit it stores no more but goes on counting,
    /// so that the error can tell the true length.
    #[inline]
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.len = self.len.saturating_add(bytes.len());
        if self.len <= self.max {
            self.dst.extend_from_slice(bytes);
        }
    }

    /// Completes the frame.
    #[inline]
    pub(crate) fn finish(mut self) -> Result<(), CodecError> {
        let prefix = encode_prefix(self.len, self.max)?;
        if let Some(place) = self
            .dst
            .get_mut(self.start..)
            .and_then(<[u8]>::first_chunk_mut)
        {
            *place = prefix;
        }
        self.start = self.dst.len();
        Ok(())
    }
}

impl Drop for FrameWriter<'_> {
    #[inline]
    fn drop(&mut self) {
        self.dst.truncate(self.start);
    }
}

/// The payload of a frame goes on after its value.
#[derive(Debug, thiserror::Error)]
#[error("{0} bytes are left over behind the value")]
struct LeftOver(usize);

/// Reads one frame, and takes it from the buffer.
///
/// `read` makes a value from the payload and tells how many bytes it has left over.
#[inline]
pub(crate) fn decode_with<T>(
    src: &mut BytesMut,
    max: usize,
    read: impl FnOnce(&[u8]) -> Result<(T, usize), Box<dyn Error + Send + Sync>>,
) -> Result<Option<T>, CodecError> {
    let Some(len) = frame_len(src, max)? else {
        return Ok(None);
    };
    let end = PREFIX_LEN + len;
    let value = match read(src.get(PREFIX_LEN..end).unwrap_or_default()) {
        Ok((value, 0)) => Ok(Some(value)),
        Ok((_, left)) => Err(CodecError::Malformed(LeftOver(left).into())),
        Err(error) => Err(CodecError::Malformed(error)),
    };
    if end == src.len() {
        // Cheaper, and all of the allocation can be used again.
        src.clear();
    } else {
        src.advance(end);
    }
    value
}
