//! The payload of a close frame (RFC 6455 sections 5.5.1 and 7.4).

use super::{frame::MAX_CONTROL_LEN, rule::Rule};
use crate::{
    close::{CloseCode, CloseFrame},
    error::WsErr,
};

/// Parses a received payload.
///
/// Any code is passed on: the connection replies with 1002 to one that a close frame may not carry,
/// and reports it (RFC 6455 section 7.4).
pub(super) fn parse(payload: &[u8]) -> Result<Option<CloseFrame>, Rule> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return match payload {
            [] => Ok(None),
            _ => Err(Rule::ShortClosePayload),
        };
    };
    let code = CloseCode::new(u16::from_be_bytes(*code));
    let reason = std::str::from_utf8(reason).map_err(|_| Rule::Utf8)?;
    Ok(Some(CloseFrame::from_peer(code, reason)))
}

/// The payload of a close frame to send, and its length.
///
/// # Errors
/// [`WsErr::InvalidCloseCode`] for a code that may not be sent.
pub(super) fn encode(frame: Option<&CloseFrame>) -> Result<([u8; MAX_CONTROL_LEN], usize), WsErr> {
    let mut payload = [0; MAX_CONTROL_LEN];
    let Some(frame) = frame else {
        return Ok((payload, 0));
    };
    if !frame.code().is_sendable() {
        return Err(WsErr::InvalidCloseCode(frame.code()));
    }
    let code = u16::from(frame.code()).to_be_bytes();
    // A `CloseFrame` bounds its reason, so nothing is left over.
    let bytes = code.iter().chain(frame.reason().as_bytes());
    let mut len = 0;
    for (slot, byte) in payload.iter_mut().zip(bytes) {
        *slot = *byte;
        len += 1;
    }
    Ok((payload, len))
}
