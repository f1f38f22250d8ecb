//! A scripted peer that speaks in raw WebSocket frames (RFC 6455 section 5.2), right or wrong.

use async_tungstenite::tungstenite::handshake::derive_accept_key;
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

pub const CONTINUATION: u8 = 0;
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// Neither zero nor symmetric, so that a mask that is left out or shifted shows.
const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

/// Which end of a connection somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Server,
    Client,
}

impl Role {
    pub fn other(self) -> Self {
        match self {
            Self::Server => Self::Client,
            Self::Client => Self::Server,
        }
    }
}

/// One WebSocket frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub fin: bool,
    /// The three reserved bits.
    pub rsv: u8,
    pub opcode: u8,
    pub payload: Vec<u8>,
    /// Masked against the rules of the sender's role.
    pub wrongly_masked: bool,
    /// The length in the header, if it lies.
    pub claimed_len: Option<u64>,
}

impl Frame {
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

    /// A close frame without code or reason.
    pub fn bare_close() -> Self {
        Self::new(CLOSE, [])
    }

    /// More fragments follow.
    pub fn unfinished(mut self) -> Self {
        self.fin = false;
        self
    }

    pub fn rsv(mut self, bits: u8) -> Self {
        self.rsv = bits;
        self
    }

    pub fn wrongly_masked(mut self) -> Self {
        self.wrongly_masked = true;
        self
    }

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
    fn encode(&self, sender: Role) -> Vec<u8> {
        let masked = (sender == Role::Client) != self.wrongly_masked;
        let mut bytes = vec![u8::from(self.fin) << 7 | self.rsv << 4 | self.opcode];
        let mask_bit = u8::from(masked) << 7;
        let len = self.claimed_len.unwrap_or(self.payload.len() as u64);
        match len {
            0..=125 => bytes.push(mask_bit | u8::try_from(len).unwrap()),
            126..=0xffff => {
                bytes.push(mask_bit + 126);
                bytes.extend(u16::try_from(len).unwrap().to_be_bytes());
            }
            _ => {
                bytes.push(mask_bit + 127);
                bytes.extend(len.to_be_bytes());
            }
        }
        if masked {
            bytes.extend(MASK);
            bytes.extend(unmask(&self.payload, MASK));
        } else {
            bytes.extend(&self.payload);
        }
        bytes
    }

    /// Takes one frame that `sender` sent off the front; `None` if it is not all there. Fails if the
    /// sender may not send it.
    fn parse(bytes: &mut Vec<u8>, sender: Role) -> Option<Self> {
        let &[first, second, ref rest @ ..] = bytes.as_slice() else {
            return None;
        };
        let (len, rest) = match second & 0x7f {
            126 => rest
                .split_first_chunk()
                .map(|(len, rest)| (u64::from(u16::from_be_bytes(*len)), rest))?,
            127 => rest
                .split_first_chunk()
                .map(|(len, rest)| (u64::from_be_bytes(*len), rest))?,
            short => (u64::from(short), rest),
        };
        let len = usize::try_from(len).unwrap();
        let masked = second & 0x80 != 0;
        assert_eq!(masked, sender == Role::Client, "only a client masks");
        let (mask, rest) = if masked {
            rest.split_first_chunk().map(|(mask, rest)| (*mask, rest))?
        } else {
            ([0; 4], rest)
        };
        let payload = unmask(rest.get(..len)?, mask);
        let read = bytes.len() - rest.len() + len;
        bytes.drain(..read);
        let frame = Self {
            fin: first & 0x80 != 0,
            rsv: first >> 4 & 7,
            ..Self::new(first & 0x0f, payload)
        };
        assert_eq!(frame.rsv, 0, "no extension was agreed on");
        let is_control = frame.opcode >= 8;
        assert!(
            !is_control || (frame.fin && len <= 125),
            "not a valid control frame: {frame:?}"
        );
        Some(frame)
    }
}

fn unmask(payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mask = mask.into_iter().cycle();
    payload
        .iter()
        .zip(mask)
        .map(|(byte, key)| byte ^ key)
        .collect()
}

pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// The scripted peer. It does nothing that the script does not say.
pub struct RawPeer {
    io: Box<dyn Io>,
    role: Role,
    received: Vec<u8>,
}

impl RawPeer {
    /// A peer in this role, over a connection without or after the opening handshake.
    pub fn new(io: impl Io + 'static, role: Role) -> Self {
        Self {
            io: Box::new(io),
            role,
            received: Vec::new(),
        }
    }

    /// The same, with the opening handshake (RFC 6455 section 4) by hand.
    pub async fn shake_hands(io: impl Io + 'static, role: Role) -> Self {
        let mut peer = Self::new(io, role);
        match role {
            Role::Client => {
                let request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
                    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
                peer.send_bytes(request.as_bytes()).await;
                let answer = peer.read_head().await;
                assert!(answer.starts_with("http/1.1 101 "), "{answer}");
                let accept = "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n";
                assert!(answer.contains(accept), "{answer}");
            }
            Role::Server => {
                let request = peer.read_head_as_it_is().await;
                let key = request
                    .lines()
                    .filter_map(|line| line.split_once(':'))
                    .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))
                    .map(|(_, key)| key.trim())
                    .expect("a key");
                let accept = derive_accept_key(key.as_bytes());
                let answer = format!(
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                     Upgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
                );
                peer.send_bytes(answer.as_bytes()).await;
            }
        }
        peer
    }

    async fn read_head(&mut self) -> String {
        self.read_head_as_it_is().await.to_lowercase()
    }

    async fn read_head_as_it_is(&mut self) -> String {
        loop {
            let end = self.received.windows(4).position(|end| end == b"\r\n\r\n");
            if let Some(end) = end {
                let head = self.received.drain(..end + 4).collect();
                return String::from_utf8(head).unwrap();
            }
            assert!(self.receive().await, "the head of a handshake");
        }
    }

    pub async fn send(&mut self, frame: &Frame) {
        self.send_bytes(&frame.encode(self.role)).await;
    }

    /// Sends the first `len` bytes of a frame.
    pub async fn send_part(&mut self, frame: &Frame, len: usize) {
        self.send_bytes(&frame.encode(self.role)[..len]).await;
    }

    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        self.io.write_all(bytes).await.unwrap();
        self.io.flush().await.unwrap();
    }

    /// Sends no more, but goes on reading.
    pub async fn shut(&mut self) {
        self.io.close().await.unwrap();
    }

    /// The next frame; `None` at the end of the connection.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            let frame = Frame::parse(&mut self.received, self.role.other());
            if frame.is_some() {
                return frame;
            }
            if !self.receive().await {
                assert_eq!(self.received, b"", "the connection ended within a frame");
                return None;
            }
        }
    }

    /// Whether there was more. A connection that was reset has ended, too: what a test wants to see
    /// before that, it asks for.
    async fn receive(&mut self) -> bool {
        let mut chunk = vec![0; 4096];
        let read = self.io.read(&mut chunk).await.unwrap_or(0);
        self.received.extend(&chunk[..read]);
        read > 0
    }
}
