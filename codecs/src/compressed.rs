//! Another codec's frames, compressed.

mod lz4;

use std::{borrow::Cow, mem};

use asynchronous_codec::{BytesMut, Decoder, Encoder};
use bytes::BufMut;

use self::lz4::{Compressor, inflate};
use crate::{
    CodecError, EncodeRef, WireFormat,
    length_prefix::{LengthPrefixed, PREFIX_LEN, clamp_limit, encode_prefix, frame_len},
};

/// The payload is a frame as it is.
const PLAIN: u8 = 0;
/// The payload is the length of a frame, then the frame as an LZ4 block.
const LZ4: u8 = 1;

/// The prefix and the byte behind it that tells the two apart.
const HEAD_LEN: usize = PREFIX_LEN + 1;

/// What is before a block, without the prefix.
const LZ4_HEAD_LEN: usize = 5;

/// Compresses each frame of another codec with LZ4.
///
/// It is for repetitive frames of some hundred bytes and more, such as JSON. Each frame is
/// compressed by itself, so no state is kept between frames.
///
/// **Wire:** the length of the rest as a `u32`, big-endian; then a byte. If it is 0, the frame of
/// the inner codec follows. If it is 1, the length of the inner frame follows as a `u32`,
/// big-endian. Then follows the inner frame as one block in the [LZ4 block
/// format](https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md). A frame that would not
/// become shorter is sent uncompressed. So the overhead is at most 5 bytes.
///
/// **The limit** counts an uncompressed inner frame with its prefix: for the largest payload of a
/// `Postcard::new(max)`, it must be `max + 4`. The limit of the inner codec applies too.
///
/// **Items** and **errors** are those of the inner codec. In addition, on sending:
/// [`CodecError::ItemTooLarge`] for an inner frame over the limit. On receiving:
/// [`CodecError::FrameTooLarge`], as soon as the length has arrived, which removes no bytes;
/// [`CodecError::Malformed`], which removes exactly that frame. A frame is malformed if it cannot
/// be inflated to its length, or does not hold exactly one frame of the inner codec. If the inner
/// codec fails without removing bytes, this codec removes none either. To the inner codec, an inner
/// frame is a whole stream: an incomplete one is decoded by `decode_eof`.
///
/// **Hostile bytes:** a frame of `n` bytes is inflated to at most the limit, and at most 255 `n`
/// bytes, the maximum of the format. Both are checked before memory is allocated, once. Time is
/// linear in both lengths. The cost of the inner codec comes on top.
///
/// **Secrets:** as with any compression, the length of a frame reveals something about its content.
/// Do not put a secret into one frame with data that an attacker may choose.
///
/// ```
/// use asynchronous_codec::{BytesMut, Decoder, Encoder};
/// use ws_framed_codecs::{Compressed, Lines};
///
/// # fn main() -> Result<(), ws_framed_codecs::CodecError> {
/// let mut codec = Compressed::new(Lines::new(1000), 1001);
/// let mut buffer = BytesMut::new();
/// let chorus = "na na na na na na na na, ".repeat(30);
/// codec.encode(chorus.clone(), &mut buffer)?;
/// assert!(buffer.len() < 60);
/// assert_eq!(codec.decode(&mut buffer)?, Some(chorus));
/// # Ok(())
/// # }
/// ```
///
/// The limit has no default:
///
/// ```compile_fail,E0277
/// fn default<T: Default>() -> T { T::default() }
/// default::<ws_framed_codecs::Compressed<ws_framed_codecs::Lines>>();
/// ```
#[derive(Debug, Clone)]
pub struct Compressed<C> {
    codec: C,
    max_frame_len: usize,
    compressor: Compressor,
}

impl<C> Compressed<C> {
    /// Compresses the frames of `codec`, of at most `max_frame_len` bytes each before compression,
    /// in both directions. Above `u32::MAX - 1` it means `u32::MAX - 1`.
    #[must_use]
    pub fn new(codec: C, max_frame_len: usize) -> Self {
        Self {
            codec,
            max_frame_len: max_frame_len.min(clamp_limit(usize::MAX) - 1),
            compressor: Compressor::default(),
        }
    }

    /// The largest frame of the inner codec in bytes, before compression and with its prefix.
    /// [`WireFormat::max_frame_len`] is the limit of the contract, for the smaller of both codecs.
    #[must_use]
    pub fn max_inner_frame_len(&self) -> usize {
        self.max_frame_len
    }

    /// The inner codec.
    pub fn get_ref(&self) -> &C {
        &self.codec
    }

    /// The inner codec, to change its settings.
    pub fn get_mut(&mut self) -> &mut C {
        &mut self.codec
    }

    /// The inner codec again.
    pub fn into_inner(self) -> C {
        self.codec
    }

    fn too_large(&self, len: usize) -> CodecError {
        let max = self.max_frame_len;
        CodecError::FrameTooLarge { len, max }
    }
}

/// Its own frames have a prefix, whatever those of the inner codec have.
impl<C> LengthPrefixed for Compressed<C> {}

/// Of the two limits, the smaller one counts. It says exactly what can be sent where the other one
/// leaves room for it, as the docs of [`Compressed`] ask for.
impl<C: WireFormat> WireFormat for Compressed<C> {
    fn name(&self) -> Cow<'static, str> {
        format!("lz4+{}", self.codec.name()).into()
    }

    fn max_frame_len(&self) -> usize {
        self.max_frame_len.min(self.codec.max_frame_len())
    }
}

/// Restores the buffer on drop unless the frame is complete, also if the inner codec panics.
struct TruncateOnDrop<'d> {
    dst: &'d mut BytesMut,
    start: usize,
}

impl Drop for TruncateOnDrop<'_> {
    fn drop(&mut self) {
        self.dst.truncate(self.start);
    }
}

impl<C> Compressed<C>
where
    C: Encoder<Error: From<CodecError>>,
{
    /// Compresses the frame that `put` appends.
    fn encode_with(
        &mut self,
        dst: &mut BytesMut,
        put: impl FnOnce(&mut C, &mut BytesMut) -> Result<(), C::Error>,
    ) -> Result<(), C::Error> {
        let start = dst.len();
        let mut frame = TruncateOnDrop { dst, start };
        let dst = &mut *frame.dst;
        dst.put_bytes(0, HEAD_LEN);
        put(&mut self.codec, dst)?;

        let inner = dst.get(start + HEAD_LEN..).unwrap_or_default();
        if inner.len() > self.max_frame_len {
            let (len, max) = (inner.len(), self.max_frame_len);
            return Err(CodecError::ItemTooLarge { len, max }.into());
        }
        let mut kind = PLAIN;
        if let Some(block) = self.compressor.compress(inner) {
            let inflated_len = encode_prefix(inner.len(), self.max_frame_len)?;
            dst.truncate(start + HEAD_LEN);
            dst.extend_from_slice(&inflated_len);
            dst.extend_from_slice(block);
            kind = LZ4;
        }
        let [a, b, c, d] = encode_prefix(dst.len() - start - PREFIX_LEN, clamp_limit(usize::MAX))?;
        if let Some(head) = dst.get_mut(start..).and_then(<[u8]>::first_chunk_mut) {
            *head = [a, b, c, d, kind];
        }
        frame.start = frame.dst.len();
        Ok(())
    }
}

impl<C> Encoder for Compressed<C>
where
    C: Encoder<Error: From<CodecError>>,
{
    type Item<'a> = C::Item<'a>;
    type Error = C::Error;

    fn encode(&mut self, item: C::Item<'_>, dst: &mut BytesMut) -> Result<(), C::Error> {
        self.encode_with(dst, |codec, dst| codec.encode(item, dst))
    }
}

impl<C> EncodeRef for Compressed<C>
where
    C: EncodeRef<Error: From<CodecError>>,
{
    type Ref = C::Ref;

    fn encode_ref(&mut self, item: &C::Ref, dst: &mut BytesMut) -> Result<(), C::Error> {
        self.encode_with(dst, |codec, dst| codec.encode_ref(item, dst))
    }
}

/// What is behind the prefix of a frame that is all there.
enum Whole<'s> {
    Plain,
    Lz4 {
        inflated_len: usize,
        block: &'s [u8],
    },
    Bad(&'static str),
}

/// What the frame at the start of `src` is, which has `len` bytes behind its prefix.
fn whole(src: &BytesMut, len: usize) -> Whole<'_> {
    match src.get(PREFIX_LEN..PREFIX_LEN + len) {
        Some([PLAIN, ..]) => Whole::Plain,
        Some([LZ4, a, b, c, d, block @ ..]) => Whole::Lz4 {
            inflated_len: length([*a, *b, *c, *d]),
            block,
        },
        Some([LZ4, ..]) => Whole::Bad("a compressed frame has no length"),
        Some([_, ..]) => Whole::Bad("the frame is neither plain nor compressed with LZ4"),
        Some([]) | None => Whole::Bad("the frame is empty"),
    }
}

fn length(bytes: [u8; 4]) -> usize {
    usize::try_from(u32::from_be_bytes(bytes)).unwrap_or(usize::MAX)
}

impl<C> Compressed<C>
where
    C: Decoder<Error: From<CodecError>>,
{
    /// The length of the frame behind its prefix, once all of it is there.
    fn frame_len(&self, src: &mut BytesMut) -> Result<Option<usize>, CodecError> {
        // No need to wait, or to make room, for all of a frame that will be too large.
        if let Some([a, b, c, d, LZ4, e, f, g, h]) = src.first_chunk() {
            let inflated_len = length([*e, *f, *g, *h]);
            if length([*a, *b, *c, *d]) >= LZ4_HEAD_LEN && inflated_len > self.max_frame_len {
                return Err(self.too_large(inflated_len));
            }
        }
        frame_len(src, self.max_frame_len + 1).map_err(|error| match error {
            CodecError::FrameTooLarge { len, .. } => self.too_large(len - 1),
            other => other,
        })
    }

    /// Reads the one frame that `inner` is.
    fn decode_inner(&mut self, inner: &mut BytesMut) -> Inner<C::Item, C::Error> {
        let before = inner.len();
        let result = match self.codec.decode(inner) {
            Ok(None) => self.codec.decode_eof(inner),
            result => result,
        };
        match result {
            Err(error) if inner.len() == before => Inner::Fatal(error),
            Err(error) => Inner::Read(Err(error)),
            Ok(None) => Inner::Read(Err(malformed("the inner frame is not all there").into())),
            Ok(Some(_)) if !inner.is_empty() => Inner::Read(Err(malformed(
                "bytes are left over behind the inner frame",
            )
            .into())),
            Ok(Some(item)) => Inner::Read(Ok(item)),
        }
    }
}

/// What the inner codec made of its frame.
enum Inner<T, E> {
    Read(Result<T, E>),
    /// It cannot go on, and has taken nothing.
    Fatal(E),
}

fn malformed(why: &'static str) -> CodecError {
    CodecError::Malformed(why.into())
}

impl<C> Decoder for Compressed<C>
where
    C: Decoder<Error: From<CodecError>>,
{
    type Item = C::Item;
    type Error = C::Error;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<C::Item>, C::Error> {
        let Some(len) = self.frame_len(src)? else {
            return Ok(None);
        };
        let inflated = match whole(src, len) {
            Whole::Plain => None,
            Whole::Lz4 {
                inflated_len,
                block,
            } => Some(inflate(block, inflated_len)),
            Whole::Bad(why) => Some(Err(malformed(why))),
        };
        let mut frame = src.split_to(PREFIX_LEN + len);
        let (is_plain, mut inner) = match inflated {
            Some(inflated) => (false, inflated?),
            None => (true, frame.split_off(HEAD_LEN)),
        };
        match self.decode_inner(&mut inner) {
            Inner::Read(result) => result.map(Some),
            Inner::Fatal(error) => {
                // This codec cannot continue either. The bytes stay for another codec.
                if is_plain {
                    frame.unsplit(inner);
                }
                frame.unsplit(mem::take(src));
                *src = frame;
                Err(error)
            }
        }
    }
}
