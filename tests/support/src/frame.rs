//! WebSocket frames (RFC 6455 section 5.2), valid or not, encoded and decoded in the simplest way:
//! what the library is compared with.

pub const CONTINUATION: u8 = 0;
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// In the place of a length that does not fit: two bytes, or eight, follow.
const LEN_16: u8 = 126;
const LEN_64: u8 = 127;

/// Neither zero nor symmetric, so that a mask that is left out or shifted shows.
const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

/// The role of one end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Server,
    Client,
}

impl Role {
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Server => Self::Client,
            Self::Client => Self::Server,
        }
    }
}

/// Both roles.
pub const ROLES: [Role; 2] = [Role::Server, Role::Client];

/// One WebSocket frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub fin: bool,
    /// The three reserved bits.
    pub rsv: u8,
    pub opcode: u8,
    pub payload: Vec<u8>,
    /// Masked where the sender's role must not mask, or not masked where it must.
    pub wrongly_masked: bool,
    /// The length in the header, if it is not that of the payload.
    pub claimed_len: Option<u64>,
}

impl Frame {
    /// A whole message, or a control frame.
    pub fn new(opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        Self {
            fin: true,
            rsv: 0,
            opcode,
            payload: payload.into(),
            wrongly_masked: false,
            claimed_len: None,
        }
    }

    pub fn binary(payload: impl Into<Vec<u8>>) -> Self {
        Self::new(BINARY, payload)
    }

    pub fn text(payload: impl Into<Vec<u8>>) -> Self {
        Self::new(TEXT, payload)
    }

    pub fn continuation(payload: impl Into<Vec<u8>>) -> Self {
        Self::new(CONTINUATION, payload)
    }

    pub fn ping(payload: impl Into<Vec<u8>>) -> Self {
        Self::new(PING, payload)
    }

    pub fn pong(payload: impl Into<Vec<u8>>) -> Self {
        Self::new(PONG, payload)
    }

    pub fn close(code: u16, reason: &str) -> Self {
        Self::new(CLOSE, [&code.to_be_bytes(), reason.as_bytes()].concat())
    }

    /// A frame with this first byte: FIN, the reserved bits and the opcode.
    pub fn with_first_byte(first: u8, payload: impl Into<Vec<u8>>) -> Self {
        Self {
            fin: first & 0x80 != 0,
            rsv: first >> 4 & 7,
            ..Self::new(first & 0x0f, payload)
        }
    }

    /// A close frame without code or reason.
    pub fn bare_close() -> Self {
        Self::new(CLOSE, [])
    }

    /// More fragments follow.
    #[must_use]
    pub fn unfinished(mut self) -> Self {
        self.fin = false;
        self
    }

    #[must_use]
    pub fn rsv(mut self, bits: u8) -> Self {
        self.rsv = bits;
        self
    }

    #[must_use]
    pub fn wrongly_masked(mut self) -> Self {
        self.wrongly_masked = true;
        self
    }

    #[must_use]
    pub fn claiming(mut self, len: u64) -> Self {
        self.claimed_len = Some(len);
        self
    }

    /// The code and reason of a close frame, 1005 if it has none.
    pub fn close_code(&self) -> (u16, String) {
        assert_eq!(self.opcode, CLOSE, "{self:?} is no close frame");
        match self.payload.as_slice() {
            [] => (1005, String::new()),
            [high, low, reason @ ..] => {
                let reason = String::from_utf8(reason.to_vec()).expect("a reason is UTF-8");
                (u16::from_be_bytes([*high, *low]), reason)
            }
            [_] => panic!("half a close code"),
        }
    }

    /// The bytes of this frame when `sender` sends it.
    pub fn encode_from(&self, sender: Role) -> Vec<u8> {
        let is_masked = (sender == Role::Client) != self.wrongly_masked;
        self.encode(is_masked.then_some(MASK))
    }

    /// The bytes of this frame with this mask, or without one.
    pub fn encode(&self, mask: Option<[u8; 4]>) -> Vec<u8> {
        let mut bytes = vec![u8::from(self.fin) << 7 | self.rsv << 4 | self.opcode];
        let mask_bit = u8::from(mask.is_some()) << 7;
        let len = self.claimed_len.unwrap_or(self.payload.len() as u64);
        match len {
            0..=125 => bytes.push(mask_bit | u8::try_from(len).unwrap()),
            126..=0xffff => {
                bytes.push(mask_bit | LEN_16);
                bytes.extend(u16::try_from(len).unwrap().to_be_bytes());
            }
            _ => {
                bytes.push(mask_bit | LEN_64);
                bytes.extend(len.to_be_bytes());
            }
        }
        bytes.extend(mask.iter().flatten());
        bytes.extend(masked(&self.payload, mask));
        bytes
    }

    /// Takes one frame off the front, and its mask, if all of it is there. What it says is not
    /// checked.
    pub fn decode(bytes: &mut &[u8]) -> Option<(Self, Option<[u8; 4]>)> {
        let mut rest = *bytes;
        let [first, second] = take(&mut rest)?;
        let len = match second & 0x7f {
            LEN_16 => u64::from(u16::from_be_bytes(take(&mut rest)?)),
            LEN_64 => u64::from_be_bytes(take(&mut rest)?),
            len => u64::from(len),
        };
        let mask = match second & 0x80 {
            0 => None,
            _ => Some(take(&mut rest)?),
        };
        let (payload, rest) = rest.split_at_checked(usize::try_from(len).ok()?)?;
        *bytes = rest;
        Some((Self::with_first_byte(first, masked(payload, mask)), mask))
    }

    /// Takes one frame that `sender` sent off the front; `None` if it is not all there. Fails if
    /// the sender may not send it.
    pub fn expect_valid(bytes: &mut Vec<u8>, sender: Role) -> Option<Self> {
        let mut rest = bytes.as_slice();
        let (frame, mask) = Self::decode(&mut rest)?;
        let decoded = bytes.len() - rest.len();
        bytes.drain(..decoded);
        let is_client = sender == Role::Client;
        assert_eq!(mask.is_some(), is_client, "only a client masks");
        assert_eq!(frame.rsv, 0, "no extension was agreed on");
        let is_control = frame.opcode >= CLOSE;
        assert!(
            !is_control || (frame.fin && frame.payload.len() <= 125),
            "not a valid control frame: {frame:?}"
        );
        Some(frame)
    }
}

/// The bytes of these frames when `sender` sends them.
pub fn encode_frames(sender: Role, frames: &[Frame]) -> Vec<u8> {
    let encoded = frames.iter().map(|frame| frame.encode_from(sender));
    encoded.collect::<Vec<_>>().concat()
}

/// The frames of a message in fragments of these bytes.
pub fn fragments(opcode: u8, parts: &[&[u8]]) -> Vec<Frame> {
    let last = parts.len() - 1;
    let frame = |(at, part): (usize, &&[u8])| Frame {
        fin: at == last,
        ..Frame::new(if at == 0 { opcode } else { CONTINUATION }, *part)
    };
    parts.iter().enumerate().map(frame).collect()
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

fn masked(payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let mut masked = payload.to_vec();
    if let Some(mask) = mask {
        // Without iterators, which are slow in a debug build.
        let (bytes, mut at) = (masked.as_mut_slice(), 0);
        while at < bytes.len() {
            bytes[at] ^= mask[at % 4];
            at += 1;
        }
    }
    masked
}
