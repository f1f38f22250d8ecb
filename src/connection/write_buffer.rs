//! Data that is to be sent.

use std::fmt;

use bytes::BytesMut;

use crate::{
    error::{Mismatch, WsErr},
    message::{HEADROOM, Message, Payload, SharedBytes, SharedMessage},
};

/// Length of the prefix of an encoded item.
const PREFIX_LEN: usize = size_of::<u32>();

/// Data that is to be sent: bytes of the byte stream, or encoded items, or one message where each
/// item is one.
#[derive(Default)]
pub(super) struct WriteBuffer {
    buffer: BytesMut,
    /// Unused room at the start of the buffer, in which a transport writes a frame header.
    headroom: usize,
    /// Shared bytes behind those in the buffer. They are sent without a copy, unless something is
    /// appended behind them before that.
    tail: SharedBytes,
    /// The shared bytes make messages of their own.
    is_tail_alone: bool,
    /// A message that is sent unchanged, before all other data here. It waits until the transport
    /// is ready, since a ping may have used the room that `poll_ready` reported.
    message: Option<Outgoing>,
    /// The largest length of the buffer when a message was taken from it, since it was empty.
    peak: usize,
}

/// What a transport takes next.
#[derive(Debug)]
pub(super) enum Outgoing {
    Message(Message),
    Shared(SharedMessage),
}

impl Outgoing {
    /// Length of the data in bytes.
    pub(super) fn data_len(&self) -> usize {
        match self {
            Self::Message(message) => message.data_len(),
            Self::Shared(message) => message.payload().len(),
        }
    }
}

/// Shows how much is buffered, not what: logs get nothing that a caller sends.
impl fmt::Debug for WriteBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteBuffer")
            .field("len", &self.len())
            .field("has_message", &self.message.is_some())
            .finish_non_exhaustive()
    }
}

impl WriteBuffer {
    /// Number of buffered bytes, without a pending whole message.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.buffer.len() - self.headroom + self.tail.len()
    }

    /// Number of bytes that are to be sent, with those of a whole message.
    pub(super) fn unsent_len(&self) -> usize {
        self.message.as_ref().map_or(0, Outgoing::data_len) + self.len()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        !self.has_message(1)
    }

    /// Whether there is a message to send, if `threshold` buffered bytes make one.
    #[inline]
    pub(super) fn has_message(&self, threshold: usize) -> bool {
        self.message.is_some() || self.is_tail_alone || self.len() >= threshold
    }

    /// Capacity of the buffer in bytes.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Makes the buffer ready for more behind what it has, and returns its length.
    #[inline]
    pub(super) fn begin(&mut self) -> usize {
        if !self.tail.is_empty() {
            self.copy_tail();
        }
        self.begin_message();
        self.buffer.len()
    }

    /// Where an encoder appends, after [`begin`](Self::begin).
    #[inline]
    pub(super) fn bytes(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Begins a message with room for a header.
    #[inline]
    fn begin_message(&mut self) {
        if self.buffer.is_empty() {
            self.headroom = HEADROOM;
            self.buffer.extend_from_slice(&[0; HEADROOM]);
        }
    }

    /// Moves the shared bytes into the buffer. They are less than a message, or the caller would
    /// have waited for room.
    #[cold]
    fn copy_tail(&mut self) {
        let tail = std::mem::take(&mut self.tail);
        self.is_tail_alone = false;
        self.begin_message();
        self.buffer.extend_from_slice(&tail.bytes);
    }

    #[inline]
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.begin();
        self.buffer.extend_from_slice(bytes);
    }

    /// Appends shared bytes. Where they fit into one message of `max` bytes together with what is
    /// buffered, they are copied: one more message is more expensive than that. But `is_alone`
    /// makes messages of their own of them.
    pub(super) fn push_bytes(&mut self, bytes: SharedBytes, is_alone: bool, max: usize) {
        let fits = self.len().saturating_add(bytes.len()) <= max;
        if !self.is_empty() && fits && !is_alone {
            return self.extend(&bytes.bytes);
        }
        // Moves an earlier tail into the buffer.
        self.begin();
        self.is_tail_alone = is_alone && !bytes.is_empty();
        self.tail = bytes;
    }

    /// Buffers a whole message. The buffer is empty.
    pub(super) fn push_whole(&mut self, message: Message) {
        self.message = Some(Outgoing::Message(message));
    }

    /// Buffers the payload of an encoded item as a message of its own. The buffer is empty.
    pub(super) fn push_message(
        &mut self,
        mut frame: SharedBytes,
        is_shared: bool,
        is_text: bool,
        max: usize,
    ) -> Result<(), WsErr> {
        let text = check_item(&frame.bytes, is_text, max)?;
        let is_text = text.is_some();
        self.message = Some(match text {
            Some(text) if !is_shared => Outgoing::Message(Message::Text(text.to_owned())),
            _ => {
                frame.advance(PREFIX_LEN);
                if is_shared {
                    Outgoing::Shared(SharedMessage::new(frame, is_text))
                } else {
                    Outgoing::Message(Message::Binary(frame.into()))
                }
            }
        });
        Ok(())
    }

    /// Makes a message of the encoded item that is all there is in the buffer.
    pub(super) fn end_message(&mut self, is_text: bool, max: usize) -> Result<(), WsErr> {
        let headroom = std::mem::take(&mut self.headroom);
        let mut frame = self.take_buffer(max);
        let headroom = headroom.saturating_add(PREFIX_LEN);
        let encoded = frame.get(headroom - PREFIX_LEN..).unwrap_or_default();
        self.message = Some(Outgoing::Message(
            match check_item(encoded, is_text, max)? {
                Some(text) => Message::Text(text.to_owned()),
                None => Message::Binary(Payload::with_headroom(frame.split(), headroom)),
            },
        ));
        Ok(())
    }

    /// Takes the buffer and its headroom, if all that is buffered is one message of at most `max`
    /// bytes in it. [`give_back`](Self::give_back) follows.
    #[inline]
    pub(super) fn take_only_message(&mut self, max: usize) -> Option<(BytesMut, usize)> {
        let is_only = self.message.is_none() && self.tail.is_empty();
        if !is_only || self.buffer.len() - self.headroom > max {
            return None;
        }
        let headroom = std::mem::take(&mut self.headroom);
        Some((std::mem::take(&mut self.buffer), headroom))
    }

    /// The buffer is to be used again.
    #[inline]
    pub(super) fn give_back(&mut self, mut buffer: BytesMut, max: usize) {
        buffer.clear();
        self.buffer = buffer;
        self.release(max);
    }

    /// Takes the next message of at most `max` bytes.
    #[inline]
    pub(super) fn next_message(&mut self, max: usize) -> Outgoing {
        if let Some(message) = self.message.take() {
            return message;
        }
        let headroom = std::mem::take(&mut self.headroom);
        let end = headroom.saturating_add(max);
        let payload = if self.buffer.len() == headroom {
            self.buffer.clear();
            let part = self.tail.split_to(self.tail.len().min(max));
            if self.is_tail_alone {
                self.is_tail_alone = !self.tail.is_empty();
                return Outgoing::Shared(SharedMessage::new(part, false));
            }
            part.into()
        } else if self.buffer.len() > end {
            self.peak = self.peak.max(self.buffer.len());
            Payload::with_headroom(self.buffer.split_to(end), headroom)
        } else {
            Payload::with_headroom(self.take_buffer(max), headroom)
        };
        Outgoing::Message(Message::Binary(payload))
    }

    /// Whether an item of more than two messages of `max` bytes has grown the buffer.
    #[inline]
    pub(super) fn holds_large_item(&self, max: usize) -> bool {
        self.peak > max.saturating_mul(2)
    }

    /// Makes room for another message of `max` bytes, or another large item of the same length,
    /// behind the rest of the last item: in the memory that is there, if nothing else refers to it.
    /// Other memory is taken if everything `is_written`; while the transport waits, more may never
    /// follow.
    pub(super) fn reclaim(&mut self, max: usize, is_written: bool) {
        let is_large = self.holds_large_item(max);
        let needed = if is_large { self.peak } else { max };
        let needed = needed.saturating_add(HEADROOM);
        if self.buffer.try_reclaim(needed) || self.buffer.is_empty() || !is_written {
            return;
        }
        // Not by a factor of two, as it would grow. The rest of an item is less than a message, and
        // the peak has that of an earlier one in it.
        let capacity = needed.saturating_add(max.saturating_mul(if is_large { 2 } else { 1 }));
        let mut buffer = BytesMut::with_capacity(capacity);
        buffer.extend_from_slice(&self.buffer);
        self.buffer = buffer;
    }

    fn take_buffer(&mut self, max: usize) -> BytesMut {
        self.peak = self.peak.max(self.buffer.len());
        let last = self.buffer.split();
        self.release(max);
        last
    }

    /// A buffer that one large item has grown is not kept for the small ones that follow.
    #[inline]
    fn release(&mut self, max: usize) {
        if self.holds_large_item(max) {
            self.buffer = BytesMut::new();
        }
        self.peak = 0;
    }
}

/// Checks the length prefix of an encoded item and the length of its payload. Returns the payload
/// if it is text.
fn check_item(frame: &[u8], is_text: bool, max: usize) -> Result<Option<&str>, WsErr> {
    let Some((prefix, payload)) = frame.split_first_chunk() else {
        return Err(WsErr::NotOneFrame(Mismatch::NoLength));
    };
    if usize::try_from(u32::from_be_bytes(*prefix)) != Ok(payload.len()) {
        return Err(WsErr::NotOneFrame(Mismatch::WrongLength));
    }
    if payload.len() > max {
        let len = payload.len();
        return Err(WsErr::TooLargeToSend { len, max });
    }
    if !is_text {
        return Ok(None);
    }
    let text = std::str::from_utf8(payload).map_err(|_| WsErr::NotOneFrame(Mismatch::NotUtf8))?;
    Ok(Some(text))
}
