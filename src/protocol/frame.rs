//! Frame headers (RFC 6455 section 5.2).

use super::{Role, rule::Rule};

/// Length of the longest header in bytes: two bytes, eight of length, four of masking key.
pub(crate) const MAX_HEADER_LEN: usize = 14;

/// Payload length of the longest control frame (RFC 6455 section 5.5).
pub(super) const MAX_CONTROL_LEN: usize = 125;

/// Length field values that announce a longer field behind them.
const LEN_16: u8 = 126;
const LEN_64: u8 = 127;

const FIN: u8 = 0x80;
const RSV: u8 = 0x70;
/// Claimed by permessage-deflate.
pub(super) const RSV1: u8 = 0x40;
const MASK: u8 = 0x80;
/// Set in the opcodes of control frames.
const CONTROL: u8 = 0x08;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum OpCode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
    /// The first frame of a compressed message: with RSV1 (RFC 7692 section 6).
    CompressedText = 0x41,
    CompressedBinary = 0x42,
}

impl OpCode {
    #[inline]
    pub(super) const fn is_control(self) -> bool {
        self as u8 & CONTROL != 0
    }

    /// Whether it begins a compressed message.
    #[inline]
    pub(super) const fn is_compressed(self) -> bool {
        self as u8 & RSV1 != 0
    }

    #[inline]
    const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            0x41 => Self::CompressedText,
            0x42 => Self::CompressedBinary,
            _ => return None,
        })
    }
}

/// The header of a received frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) opcode: OpCode,
    pub(crate) is_final: bool,
    pub(crate) mask: Option<[u8; 4]>,
    /// Length of the payload.
    pub(crate) len: u64,
}

impl Header {
    /// The header at the start of `input` and its length, or `None` if it is not complete.
    ///
    /// `role` is the receiver's. `claimed` holds the reserved bits of the first byte that
    /// extensions claim: [`RSV1`] with permessage-deflate. A rule about the first two bytes is
    /// checked as soon as these are there, and a later rule only after the earlier ones: how the
    /// input is split makes no difference.
    #[inline]
    pub(crate) fn parse(
        input: &[u8],
        role: Role,
        claimed: u8,
    ) -> Result<Option<(Self, usize)>, Rule> {
        let [first, second, rest @ ..] = input else {
            return Ok(None);
        };
        let opcode = check(*first, *second, role, claimed)?;
        let (len, rest, len_len) = match second & !MASK {
            len @ ..LEN_16 => (u64::from(len), rest, 0),
            field => match parse_long(field, rest)? {
                Some(long) => long,
                None => return Ok(None),
            },
        };
        let (mask, header_len) = match role {
            Role::Client => (None, 2 + len_len),
            Role::Server => match rest.first_chunk() {
                Some(key) => (Some(*key), 6 + len_len),
                None => return Ok(None),
            },
        };
        let header = Self {
            opcode,
            is_final: first & FIN != 0,
            mask,
            len,
        };
        Ok(Some((header, header_len)))
    }
}

/// Checks the two bytes that every header has.
#[inline]
fn check(first: u8, second: u8, role: Role, claimed: u8) -> Result<OpCode, Rule> {
    if first & RSV & !claimed != 0 {
        return Err(Rule::ReservedBits);
    }
    let Some(opcode) = OpCode::from_bits(first & (0x0f | claimed)) else {
        return Err(match OpCode::from_bits(first & 0x0f) {
            // A bit that is claimed for the first frames of messages only.
            Some(_) => Rule::ReservedBits,
            None => Rule::ReservedOpCode,
        });
    };
    if opcode.is_control() {
        if first & FIN == 0 {
            return Err(Rule::FragmentedControl);
        }
        if second & !MASK >= LEN_16 {
            return Err(Rule::LongControl);
        }
    }
    match (role, second & MASK != 0) {
        (Role::Server, false) => Err(Rule::Unmasked),
        (Role::Client, true) => Err(Rule::Masked),
        _ => Ok(opcode),
    }
}

/// A length, what follows it, and how many bytes it takes.
type LongLen<'a> = (u64, &'a [u8], usize);

/// The length behind a length field of 126 or 127, what follows it, and how long it is.
fn parse_long(field: u8, rest: &[u8]) -> Result<Option<LongLen<'_>>, Rule> {
    if field == LEN_64 {
        let Some((bytes, rest)) = rest.split_first_chunk() else {
            return Ok(None);
        };
        return match u64::from_be_bytes(*bytes) {
            len if len >> 63 != 0 => Err(Rule::LongLength),
            ..=0xffff => Err(Rule::PaddedLength),
            len => Ok(Some((len, rest, 8))),
        };
    }
    let Some((bytes, rest)) = rest.split_first_chunk() else {
        return Ok(None);
    };
    match u16::from_be_bytes(*bytes) {
        len if len < u16::from(LEN_16) => Err(Rule::PaddedLength),
        len => Ok(Some((u64::from(len), rest, 2))),
    }
}

/// The header of a frame to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EncodedHeader {
    bytes: [u8; MAX_HEADER_LEN],
    len: usize,
}

impl EncodedHeader {
    /// Length of the header of a frame with a payload of `len` bytes.
    #[inline]
    pub(crate) const fn len_for(len: usize, is_masked: bool) -> usize {
        let mask_len = if is_masked { 4 } else { 0 };
        mask_len
            + match len {
                ..=0x7d => 2,
                0x7e..=0xffff => 4,
                _ => 10,
            }
    }

    /// The header of a frame with a payload of `len` bytes.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "each arm bounds the length"
    )]
    pub(crate) fn new(opcode: OpCode, is_final: bool, len: usize, mask: Option<[u8; 4]>) -> Self {
        let first = opcode as u8 | if is_final { FIN } else { 0 };
        let mask_bit = if mask.is_some() { MASK } else { 0 };
        let [b0, b1] = (len as u16).to_be_bytes();
        let [m0, m1, m2, m3] = mask.unwrap_or_default();
        let mut bytes = [0; MAX_HEADER_LEN];
        match len {
            ..=0x7d => bytes[..6].copy_from_slice(&[first, mask_bit | len as u8, m0, m1, m2, m3]),
            0x7e..=0xffff => {
                let short = [first, mask_bit | LEN_16, b0, b1, m0, m1, m2, m3];
                bytes[..8].copy_from_slice(&short);
            }
            _ => {
                bytes[0] = first;
                bytes[1] = mask_bit | LEN_64;
                bytes[2..10].copy_from_slice(&(len as u64).to_be_bytes());
                bytes[10..].copy_from_slice(&[m0, m1, m2, m3]);
            }
        }
        let len = Self::len_for(len, mask.is_some());
        Self { bytes, len }
    }

    /// The bytes of the header.
    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}
