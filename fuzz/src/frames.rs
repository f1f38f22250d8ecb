//! WebSocket frames (RFC 6455 section 5.2), read and written in the simplest way: what the library is
//! compared with.

/// What ends the head of an HTTP request or answer.
pub const HEAD_END: &[u8] = b"\r\n\r\n";

pub(crate) const CONTINUATION: u8 = 0;
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;

/// In place of a length that does not fit: two bytes, or eight, behind it.
const LEN_FOLLOWS: u8 = 0x7e;
const LONG_LEN_FOLLOWS: u8 = 0x7f;

/// One frame. What it says is not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub is_final: bool,
    pub opcode: u8,
    pub mask: Option<[u8; 4]>,
    /// Without the mask.
    pub payload: Vec<u8>,
}

impl Frame {
    /// Takes a frame off the front, if all of it is there.
    pub fn read(bytes: &mut &[u8]) -> Option<Self> {
        let mut rest = *bytes;
        let [first, second] = take(&mut rest)?;
        let len = match second & 0x7f {
            LEN_FOLLOWS => u64::from(u16::from_be_bytes(take(&mut rest)?)),
            LONG_LEN_FOLLOWS => u64::from_be_bytes(take(&mut rest)?),
            len => u64::from(len),
        };
        let mask = if second & 0x80 == 0 {
            None
        } else {
            Some(take(&mut rest)?)
        };
        let (payload, rest) = rest.split_at_checked(usize::try_from(len).ok()?)?;
        *bytes = rest;
        Some(Self {
            is_final: first & 0x80 != 0,
            opcode: first & 0x0f,
            mask,
            payload: masked(payload, mask),
        })
    }

    /// A whole message of less than 64 KiB.
    #[must_use]
    pub fn message(opcode: u8, payload: &[u8], mask: Option<[u8; 4]>) -> Self {
        Self {
            is_final: true,
            opcode,
            mask,
            payload: payload.to_vec(),
        }
    }

    /// As it is on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let len = u16::try_from(self.payload.len()).expect("less than 64 KiB");
        let mut bytes = vec![self.opcode | u8::from(self.is_final) << 7];
        let mask_bit = u8::from(self.mask.is_some()) << 7;
        if let Ok(len @ ..126) = u8::try_from(len) {
            bytes.push(mask_bit | len);
        } else {
            bytes.push(mask_bit | LEN_FOLLOWS);
            bytes.extend(len.to_be_bytes());
        }
        bytes.extend(self.mask.iter().flatten());
        bytes.extend(masked(&self.payload, self.mask));
        bytes
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

fn masked(payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let mask = mask.unwrap_or_default();
    let pairs = payload.iter().zip(mask.iter().cycle());
    pairs.map(|(byte, mask)| byte ^ mask).collect()
}

/// What the whole messages before the first close frame carry.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    pub(crate) data: Vec<u8>,
    pub(crate) has_close: bool,
}

impl Carried {
    /// Text counts if it is `wanted`.
    pub(crate) fn by(mut bytes: &[u8], wanted: fn(u8) -> bool) -> Self {
        let mut carried = Self::default();
        let (mut kind, mut message) = (CONTINUATION, Vec::new());
        while let Some(frame) = Frame::read(&mut bytes) {
            match frame.opcode {
                CONTINUATION => {}
                TEXT | BINARY => kind = frame.opcode,
                CLOSE => {
                    carried.has_close = true;
                    break;
                }
                _ => continue,
            }
            if wanted(kind) {
                message.extend(frame.payload);
            }
            if frame.is_final {
                carried.data.append(&mut message);
            }
        }
        carried
    }
}
