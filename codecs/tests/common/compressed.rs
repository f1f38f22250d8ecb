//! `Compressed` under test, around a codec that adds nothing.

use asynchronous_codec::{Bytes, BytesMut, Decoder, Encoder};
use ws_framed_codecs::{CodecError, Compressed};

use super::{AMPLE, Subject, prefixed};

/// A frame is all of the buffer. That is possible inside `Compressed`, which delimits it.
#[derive(Debug, Clone)]
pub(crate) struct Raw;

impl Encoder for Raw {
    type Item<'a> = Bytes;
    type Error = CodecError;
    fn encode(&mut self, item: Bytes, dst: &mut BytesMut) -> Result<(), CodecError> {
        dst.extend_from_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = CodecError;
    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Bytes>, CodecError> {
        Ok((!src.is_empty()).then(|| src.split().freeze()))
    }
}

/// Bytes that cannot be compressed.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let states = std::iter::successors(Some(7_u64), |state| {
        let next = state.wrapping_mul(6_364_136_223_846_793_005);
        Some(next.wrapping_add(1_442_695_040_888_963_407))
    });
    states
        .map(|state| state.to_be_bytes()[0])
        .take(len)
        .collect()
}

/// The payload of a compressed frame.
pub(crate) fn lz4(inflated_len: usize, block: &[u8]) -> Vec<u8> {
    let inflated_len = u32::try_from(inflated_len).unwrap();
    [&[1], &inflated_len.to_be_bytes()[..], block].concat()
}

/// A block of so many zeros: one literal, then the longest match there is, then five literals.
pub(crate) fn zeros(len: usize) -> Vec<u8> {
    let mut block = vec![0x1f, 0, 1, 0];
    let matched = len - 1 - 5 - 19;
    block.extend(vec![0xff; matched / 255]);
    block.push(u8::try_from(matched % 255).unwrap());
    block.extend([0x50, 0, 0, 0, 0, 0]);
    block
}

pub(crate) struct OfCompressed;

impl Subject for OfCompressed {
    type Item = Bytes;
    type Codec = Compressed<Raw>;
    const OVERHEAD: usize = 5;

    fn codec(max: usize) -> Compressed<Raw> {
        Compressed::new(Raw, max)
    }
    fn items() -> Vec<Bytes> {
        let items = [
            vec![0],
            noise(40),
            vec![7; 31],
            vec![7; 40],
            vec![1; 2000],
            noise(300),
        ];
        items.map(Bytes::from).to_vec()
    }
    fn item_of(len: usize) -> Bytes {
        noise(len).into()
    }
    fn frame(payload: &[u8]) -> Vec<u8> {
        prefixed(payload)
    }
    fn malformed() -> Vec<Vec<u8>> {
        // Nothing; another kind; an empty frame; truncated heads; a block that is empty, holds
        // less, holds more, cannot hold it, is truncated, or points before its start.
        vec![
            vec![],
            vec![2, 1, 2, 3],
            vec![0],
            vec![1],
            vec![1, 0xff, 0xff, 0xff],
            lz4(0, b""),
            lz4(0, b"\0"),
            lz4(10, b""),
            lz4(101, &zeros(100)),
            lz4(99, &zeros(100)),
            lz4(AMPLE, &zeros(100)),
            lz4(100, &zeros(100)[..5]),
            lz4(100, b"\x1f\0\x02\0\xff\x50\0\0\0\0\0"),
            lz4(100, b"\x1f\0\0\0\xff\x50\0\0\0\0\0"),
            lz4(100, &noise(60)),
        ]
    }
}
