//! What a stream of WebSocket frames carries: what the library is compared with.

use ws_framed_test_support::frame::{BINARY, CLOSE, CONTINUATION, Frame, TEXT};

/// What ends the head of an HTTP request or answer.
pub const HEAD_END: &[u8] = b"\r\n\r\n";

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
        while let Some((frame, _)) = Frame::decode(&mut bytes) {
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
            if frame.fin {
                carried.data.append(&mut message);
            }
        }
        carried
    }
}
