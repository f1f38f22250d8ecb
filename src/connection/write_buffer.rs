//! Data that is to be sent.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};

use crate::{
    error::WsErr,
    message::{Message, Payload},
};

/// Data that is to be sent: bytes of the byte stream, or encoded items, or one message where each item is
/// one.
#[derive(Default)]
pub(super) struct WriteBuffer {
    buffer: BytesMut,
    /// Shared bytes behind those in the buffer. They are sent without a copy, unless something is
    /// appended behind them before that.
    tail: Bytes,
    /// A message that is sent as it is, before everything else here. It waits until the transport is
    /// ready, which a ping may have changed since the caller was told so.
    message: Option<Message>,
    /// The largest length of the buffer since it was empty.
    peak: usize,
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
        self.buffer.len() + self.tail.len()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        !self.has_message(1)
    }

    /// Whether there is a message to send, if `threshold` buffered bytes make one.
    #[inline]
    pub(super) fn has_message(&self, threshold: usize) -> bool {
        self.message.is_some() || self.len() >= threshold
    }

    /// Capacity of the buffer in bytes.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Appends with `put`. If that fails, the buffer is unchanged.
    #[inline]
    pub(super) fn append<E>(
        &mut self,
        put: impl FnOnce(&mut BytesMut) -> Result<(), E>,
    ) -> Result<(), E> {
        if !self.tail.is_empty() {
            // Less than a message, or the caller would have waited for room.
            let tail = std::mem::take(&mut self.tail);
            self.buffer.extend_from_slice(&tail);
        }
        let before = self.buffer.len();
        let result = put(&mut self.buffer);
        if result.is_err() {
            self.buffer.truncate(before);
        }
        self.peak = self.peak.max(self.buffer.len());
        result
    }

    #[inline]
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        let put = |buffer: &mut BytesMut| {
            buffer.extend_from_slice(bytes);
            Ok::<_, std::convert::Infallible>(())
        };
        let Ok(()) = self.append(put);
    }

    /// Appends shared bytes. Where they fit into one message of `max` bytes together with what is
    /// buffered, they are copied: one more message is more expensive than that.
    pub(super) fn push_bytes(&mut self, bytes: Bytes, max: usize) {
        let fits = self.len().saturating_add(bytes.len()) <= max;
        if !self.is_empty() && fits {
            return self.extend(&bytes);
        }
        // Moves an earlier tail into the buffer.
        self.extend(&[]);
        self.tail = bytes;
    }

    /// Buffers the payload of the encoded item `frame` as a message of its own. The buffer is empty.
    pub(super) fn push_message(
        &mut self,
        frame: Bytes,
        is_text: bool,
        max: usize,
    ) -> Result<(), WsErr> {
        let payload = payload_of(frame)?;
        if payload.len() > max {
            let len = payload.len();
            return Err(WsErr::MessageTooLarge { len, max });
        }
        self.message = Some(if is_text {
            let text = std::str::from_utf8(&payload)
                .map_err(|_| WsErr::NotOneFrame("what the codec calls text is not UTF-8"))?;
            Message::Text(text.to_owned())
        } else {
            Message::Binary(payload.into())
        });
        Ok(())
    }

    /// What `put` appends to the empty buffer, as shared bytes.
    pub(super) fn encode<E>(
        &mut self,
        put: impl FnOnce(&mut BytesMut) -> Result<(), E>,
        max: usize,
    ) -> Result<Bytes, E> {
        let result = put(&mut self.buffer);
        self.peak = self.peak.max(self.buffer.len());
        let frame = self.take_buffer(max).freeze();
        result.map(|()| frame)
    }

    /// Takes the next message of at most `max` bytes.
    pub(super) fn next_message(&mut self, max: usize) -> Message {
        if let Some(message) = self.message.take() {
            return message;
        }
        Message::Binary(if self.buffer.is_empty() {
            self.tail.split_to(self.tail.len().min(max)).into()
        } else if self.buffer.len() > max {
            self.buffer.split_to(max).into()
        } else {
            Payload::from(self.take_buffer(max))
        })
    }

    fn take_buffer(&mut self, max: usize) -> BytesMut {
        let last = self.buffer.split();
        // A buffer that one large item has grown is not kept for the small ones that follow.
        if self.peak > max.saturating_mul(2) {
            self.buffer = BytesMut::new();
        }
        self.peak = 0;
        last
    }
}

/// The payload of an encoded item, whose length prefix must be right.
fn payload_of(mut frame: Bytes) -> Result<Bytes, WsErr> {
    let Some(prefix) = frame.first_chunk().copied() else {
        return Err(WsErr::NotOneFrame("the codec wrote no length"));
    };
    frame.advance(size_of_val(&prefix));
    if usize::try_from(u32::from_be_bytes(prefix)) != Ok(frame.len()) {
        return Err(WsErr::NotOneFrame("the codec wrote another length"));
    }
    Ok(frame)
}
