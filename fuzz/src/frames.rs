//! What WebSocket frames (RFC 6455 section 5.2) carry, by the frame coder of the tests: what the
//! library is compared with.

use support::frame::{BINARY, CLOSE, CONTINUATION, Frame, TEXT};

/// The end of the head of an HTTP request or response.
pub const HEAD_END: &[u8] = b"\r\n\r\n";

/// The data of the whole messages before the first close frame.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    pub(crate) data: Vec<u8>,
    pub(crate) has_close: bool,
}

impl Carried {
    /// Counts messages of the opcodes that are `wanted`.
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
