//! Bytes to messages (RFC 6455 sections 5.4 and 6.2).
//!
//! A payload takes one of these ways, without a copy where that is possible:
//!
//! | message | payload |
//! |---|---|
//! | binary, one frame of at most [`IN_PLACE_LEN`] bytes | unmasked in the input, split off it |
//! | binary, longer or fragmented | joined in a buffer; long parts are read straight into it |
//! | binary, for which the driver has provided a buffer | read straight into that buffer |
//! | text | validated in the input as it arrives, appended to a `String` |
//! | compressed | inflated as it arrives, a step at a time |

use bytes::{Buf, BytesMut};

use super::{
    Role, buffer, close,
    frame::{Header, MAX_HEADER_LEN, OpCode},
    input::{IN_PLACE_LEN, Input},
    partial::{DIRECT_LEN, Frame, Partial},
    rule::Rule,
    utf8::Text,
};
#[cfg(feature = "deflate")]
use super::{
    deflate::{Inflated, Inflater, Inflation},
    frame::RSV1,
};
use crate::{
    error::WsErr,
    message::{ControlPayload, Message},
};

/// A longer part of a frame is not moved to make a read longer than what the frame lacks.
const MOVED_LEN: usize = 4 * 1024;

/// The longest part of a compressed message that can be counted.
const MAX_LEN: usize = isize::MAX.unsigned_abs();

/// Received bytes on their way to messages.
///
/// A driver reads into [`room`](Self::room), then calls [`decode`](Self::decode) until it returns
/// `None`.
#[derive(Debug)]
pub(crate) struct Decoder {
    role: Role,
    /// Reserved bits that extensions claim.
    claimed: u8,
    #[cfg(feature = "deflate")]
    inflater: Option<Box<Inflater>>,
    /// Inflated bytes that the driver has not counted.
    #[cfg(feature = "deflate")]
    inflated: usize,
    max_message_len: usize,
    input: Input,
    frame: Option<Frame>,
    message: Option<Partial>,
    /// Empty, with room for the payload of the next message.
    provided: BytesMut,
    /// The last data frame was read straight into its message.
    follows_direct: bool,
    is_discarding: bool,
}

impl Decoder {
    /// `role` is this end's. `input` is what has already arrived. Messages of more than
    /// `max_message_len` bytes are refused.
    pub(crate) fn new(role: Role, max_message_len: usize, input: BytesMut) -> Self {
        Self {
            role,
            claimed: 0,
            #[cfg(feature = "deflate")]
            inflater: None,
            #[cfg(feature = "deflate")]
            inflated: 0,
            max_message_len,
            input: Input::new(input, max_message_len),
            frame: None,
            message: None,
            provided: BytesMut::new(),
            follows_direct: false,
            is_discarding: false,
        }
    }

    /// Takes compressed messages, too. With context, one may refer to those before it.
    #[cfg(feature = "deflate")]
    pub(crate) fn with_deflate(mut self, takes_over: bool) -> Self {
        self.claimed = RSV1;
        self.inflater = Some(Box::new(Inflater::new(takes_over)));
        self
    }

    /// Whether [`decode`](Self::decode) has more to do without further input: it inflates a bounded
    /// number of bytes at once.
    #[cfg(feature = "deflate")]
    pub(crate) fn is_inflating(&self) -> bool {
        matches!(&self.message, Some(Partial::Compressed(inflation)) if inflation.has_more())
    }

    /// How many bytes have been inflated since the last call.
    #[cfg(feature = "deflate")]
    #[inline]
    pub(crate) fn take_inflated(&mut self) -> usize {
        std::mem::take(&mut self.inflated)
    }

    /// The next whole message, or `None` if more bytes are needed.
    ///
    /// After an error, and after a close frame, all input is discarded.
    #[inline]
    pub(crate) fn decode(&mut self) -> Result<Option<Message>, WsErr> {
        if self.is_discarding {
            self.input.bytes.clear();
            return Ok(None);
        }
        let decoded = self.next();
        if matches!(decoded, Err(_) | Ok(Some(Message::Close(_)))) {
            self.discard();
        }
        decoded
    }

    #[inline]
    fn next(&mut self) -> Result<Option<Message>, WsErr> {
        loop {
            let frame = match self.frame.take() {
                Some(frame) => frame,
                None => match self.take_header()? {
                    Some(frame) => frame,
                    None => return Ok(None),
                },
            };
            let message = match frame.opcode {
                OpCode::Binary
                    if frame.is_final && frame.len <= IN_PLACE_LEN && self.message.is_none() =>
                {
                    self.complete_in_place(frame)
                }
                opcode if opcode.is_control() => self.complete_control(frame)?,
                _ => self.continue_message(frame)?,
            };
            if message.is_some() || self.frame.is_some() {
                return Ok(message);
            }
        }
    }

    /// Takes a header off the input, and checks what depends on the frames before it.
    #[inline]
    fn take_header(&mut self) -> Result<Option<Frame>, WsErr> {
        let Some((header, header_len)) = Header::parse(&self.input.bytes, self.role, self.claimed)?
        else {
            return Ok(None);
        };
        let len = self.check(&header)?;
        self.input.bytes.advance(header_len);
        if self.provided.capacity() > 0 && !header.opcode.is_control() {
            self.use_provided(&header, len);
        }
        Ok(Some(Frame {
            opcode: header.opcode,
            is_final: header.is_final,
            mask: header.mask,
            len,
            start: self.message.as_ref().map_or(0, Partial::len),
            done: 0,
        }))
    }

    /// Begins the message in the buffer that is provided for it, or gives that back.
    fn use_provided(&mut self, header: &Header, len: usize) {
        let provided = std::mem::take(&mut self.provided);
        let is_whole = header.is_final && header.opcode == OpCode::Binary;
        if is_whole && (DIRECT_LEN..=provided.capacity()).contains(&len) {
            self.message = Some(Partial::Binary(provided));
        }
    }

    /// Provides a buffer for the payload of the next message: one that is in use is not replaced. It
    /// is not kept for a message of which nothing has arrived.
    pub(crate) fn provide_buffer(&mut self, buffer: BytesMut) {
        if buffer.is_empty() && !self.input.bytes.is_empty() {
            self.provided = buffer;
        }
    }

    /// Checks the order of fragments and the length of the message. Returns that of the payload.
    #[inline]
    fn check(&self, header: &Header) -> Result<usize, WsErr> {
        let len = usize::try_from(header.len).unwrap_or(usize::MAX);
        if header.opcode.is_control() {
            return Ok(len);
        }
        match (&self.message, header.opcode) {
            (None, OpCode::Continuation) => return Err(Rule::UnexpectedContinuation.into()),
            (Some(_), OpCode::Continuation) | (None, _) => {}
            (Some(_), _) => return Err(Rule::InterruptedMessage.into()),
        }
        let message_len = match &self.message {
            // What it inflates to is counted. Its own length must be within reach.
            Some(message) if message.is_compressed() => len.saturating_sub(MAX_LEN),
            None if header.opcode.is_compressed() => len.saturating_sub(MAX_LEN),
            None => len,
            Some(message) => message.len().saturating_add(len),
        };
        if message_len > self.max_message_len {
            return Err(WsErr::MessageTooLarge {
                len: message_len,
                max: self.max_message_len,
            });
        }
        Ok(len)
    }

    /// A binary message of one frame: unmasked in the input and split off it.
    #[inline]
    fn complete_in_place(&mut self, mut frame: Frame) -> Option<Message> {
        if self.input.bytes.len() >= frame.len {
            let mut payload = self.input.bytes.split_to(frame.len);
            frame.unmask(payload.get_mut(frame.done..).unwrap_or_default());
            self.follows_direct = false;
            return Some(Message::Binary(payload.into()));
        }
        let part = self.input.bytes.get_mut(frame.done..).unwrap_or_default();
        frame.unmask(part);
        self.frame = Some(frame);
        None
    }

    fn complete_control(&mut self, mut frame: Frame) -> Result<Option<Message>, WsErr> {
        if self.input.bytes.len() < frame.len {
            self.frame = Some(frame);
            return Ok(None);
        }
        let payload = self.input.bytes.get_mut(..frame.len).unwrap_or_default();
        frame.unmask(payload);
        let message = match frame.opcode {
            OpCode::Ping => Message::Ping(ControlPayload::try_from(&*payload)?),
            OpCode::Pong => Message::Pong(ControlPayload::try_from(&*payload)?),
            _ => Message::Close(close::parse(payload)?),
        };
        self.input.bytes.advance(frame.len);
        Ok(Some(message))
    }

    /// Appends what has arrived of a frame to its message, and returns the message if that ends it.
    fn continue_message(&mut self, mut frame: Frame) -> Result<Option<Message>, WsErr> {
        let message = self.message.take();
        let mut message = message.unwrap_or_else(|| self.begin_message(frame.opcode));
        #[cfg(feature = "deflate")]
        if let Partial::Compressed(inflation) = message {
            return self.continue_compressed(inflation, frame);
        }
        self.append(&mut message, &mut frame)?;
        if frame.missing() > 0 || !frame.is_final {
            self.message = Some(message);
            self.frame = (frame.missing() > 0).then_some(frame);
            return Ok(None);
        }
        Ok(Some(match message {
            Partial::Binary(buffer) => Message::Binary(buffer.into()),
            Partial::Text(text) => Message::Text(text.finish()?),
            #[cfg(feature = "deflate")]
            Partial::Compressed(_) => return Ok(None),
        }))
    }

    fn begin_message(&mut self, opcode: OpCode) -> Partial {
        #[cfg(feature = "deflate")]
        if let (Some(inflater), true) = (&mut self.inflater, opcode.is_compressed()) {
            let message = match opcode {
                OpCode::CompressedText => Inflated::Text(Text::default()),
                _ => Inflated::Binary(BytesMut::new()),
            };
            return Partial::Compressed(Box::new(inflater.begin(message)));
        }
        match opcode {
            OpCode::Text => Partial::Text(Text::default()),
            _ => Partial::Binary(BytesMut::new()),
        }
    }

    /// Inflates what has arrived of a frame, or a part of it, and returns the message if that ends
    /// it.
    #[cfg(feature = "deflate")]
    fn continue_compressed(
        &mut self,
        mut inflation: Box<Inflation>,
        mut frame: Frame,
    ) -> Result<Option<Message>, WsErr> {
        let unmasked = inflation.unread;
        let arrived = unmasked.saturating_add(frame.missing());
        let arrived = arrived.min(self.input.bytes.len());
        let part = self.input.bytes.get_mut(..arrived).unwrap_or_default();
        frame.unmask(part.get_mut(unmasked..).unwrap_or_default());
        let work = inflation.push(part, self.max_message_len)?;
        self.inflated = self.inflated.saturating_add(work);
        self.input.bytes.advance(arrived - inflation.unread);
        let is_read = frame.missing() == 0 && !inflation.has_more();
        if is_read && frame.is_final {
            let inflater = self.inflater.as_mut();
            return inflater.map(|own| own.end(*inflation)).transpose();
        }
        self.message = Some(Partial::Compressed(inflation));
        self.frame = (!is_read).then_some(frame);
        Ok(None)
    }

    #[inline]
    fn append(&mut self, message: &mut Partial, frame: &mut Frame) -> Result<(), WsErr> {
        if let Partial::Binary(buffer) = message {
            let end = frame.start + frame.len;
            if let Some(behind) = buffer.get(end..) {
                self.input.bytes.extend_from_slice(behind);
                buffer.truncate(end);
            }
            let direct = buffer.get_mut(frame.start + frame.done..);
            frame.unmask(direct.unwrap_or_default());
        }
        let expected = frame.missing();
        let len = self.input.bytes.len().min(expected);
        let part = self.input.bytes.get_mut(..len).unwrap_or_default();
        frame.unmask(part);
        match message {
            Partial::Binary(buffer) => {
                buffer::reserve(buffer, expected, self.max_message_len);
                buffer.extend_from_slice(part);
            }
            Partial::Text(text) => {
                text.reserve(expected, self.max_message_len);
                text.push(part)?;
            }
            #[cfg(feature = "deflate")]
            Partial::Compressed(_) => {}
        }
        self.input.bytes.advance(len);
        Ok(())
    }

    /// The buffer to append received bytes to, and how many it may take: `read_len`, or what a
    /// frame lacks if that is more. Less than `read_len` behind a long frame, because it is likely
    /// that another follows, and what comes with its header is copied.
    pub(crate) fn room(&mut self, read_len: usize) -> (&mut BytesMut, usize) {
        let missing = match (&self.frame, &self.message) {
            (None, _) => 0,
            (Some(frame), Some(Partial::Binary(message))) if frame.is_direct(message) => {
                return self.room_in_message();
            }
            (Some(frame), None) if !frame.opcode.is_control() => frame.len - self.input.bytes.len(),
            // What is behind the frame is read with it.
            (Some(frame), _) => frame.missing().min(DIRECT_LEN) + MAX_HEADER_LEN,
        };
        let read_len = if self.follows_direct {
            read_len.min(DIRECT_LEN / 4)
        } else {
            read_len.min(self.input.streaming_len())
        };
        let spare = self.input.spare();
        if self.input.bytes.len() > MOVED_LEN && (1..=spare).contains(&missing) {
            return (&mut self.input.bytes, spare.min(missing.max(read_len)));
        }
        let room = missing.max(read_len);
        self.input.reserve(room);
        (&mut self.input.bytes, room)
    }

    /// The rest of a long frame goes straight into its message.
    fn room_in_message(&mut self) -> (&mut BytesMut, usize) {
        self.follows_direct = true;
        let missing = self.frame.as_ref().map_or(0, Frame::missing);
        let max = self.max_message_len;
        match &mut self.message {
            Some(Partial::Binary(buffer)) => {
                buffer::reserve(buffer, missing, max);
                // With the next header, where there is room: that saves a read.
                let room =
                    (buffer.capacity() - buffer.len()).min(missing.saturating_add(MAX_HEADER_LEN));
                (buffer, room)
            }
            _ => (&mut self.input.bytes, 0),
        }
    }

    /// Gives a large input and a provided buffer back. For a driver that has to wait for data.
    #[inline]
    pub(crate) fn release(&mut self) {
        if self.provided.capacity() > 0 {
            self.provided = BytesMut::new();
        }
        self.input.release();
    }

    /// How many bytes of payload have arrived of a data message that is not complete, if there is
    /// one.
    pub(crate) fn partial_message(&self) -> Option<u64> {
        let len = match (&self.message, &self.frame) {
            (Some(message), _) => message.len(),
            (None, Some(frame)) if frame.opcode.is_control() => return None,
            (None, Some(_)) => self.input.bytes.len(),
            (None, None) => return None,
        };
        u64::try_from(len).ok()
    }

    #[cfg(test)]
    pub(super) fn input(&self) -> &[u8] {
        &self.input.bytes
    }

    #[cfg(test)]
    pub(super) fn input_capacity(&self) -> usize {
        self.input.capacity()
    }

    /// Drops all input from now on.
    #[cold]
    fn discard(&mut self) {
        self.is_discarding = true;
        self.input.discard();
        self.frame = None;
        self.message = None;
        self.provided = BytesMut::new();
    }

    /// Whether the input is discarded, after an error or a close frame.
    pub(crate) fn is_discarding(&self) -> bool {
        self.is_discarding
    }
}
