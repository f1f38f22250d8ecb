//! What is gathered to be sent.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};

use crate::{error::WsErr, message::Message};

/// What is gathered to be sent: bytes for the byte view, whole encoded items for the item view, or one of them
/// where each is a message.
#[derive(Default)]
pub(super) struct WriteBuffer {
    pub(super) buffer: BytesMut,
    /// Bytes that others hold too, behind those in the buffer. They go out without being copied, unless
    /// something comes behind them before they have.
    shared: Bytes,
    /// A message that goes out as it is, before everything else here. Kept until the transport is ready for it,
    /// since what it was ready for may have been taken up by a ping.
    whole: Option<Message>,
    /// The most that was in the buffer since it was empty.
    peak: usize,
    /// Grows whenever the transport takes something.
    pub(super) progress: u64,
    /// Messages handed to the transport wait for a flush.
    pub(super) unflushed: bool,
    /// Data among them, or still gathered: lost if the link ends now.
    pub(super) undelivered: bool,
    /// Data was lost, and no flush or close has said so yet.
    pub(super) lost: bool,
}

/// How much, never what: a view that is logged tells nothing of what its user sends.
impl fmt::Debug for WriteBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteBuffer")
            .field("len", &self.len())
            .field("has_whole", &self.whole.is_some())
            .field("unflushed", &self.unflushed)
            .field("undelivered", &self.undelivered)
            .field("lost", &self.lost)
            .finish_non_exhaustive()
    }
}

impl WriteBuffer {
    /// Of what is packed.
    pub(super) fn len(&self) -> usize {
        self.buffer.len() + self.shared.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.has_message(1)
    }

    /// Whether there is a message to send, if `least` bytes of what is packed make one.
    pub(super) fn has_message(&self, least: usize) -> bool {
        self.whole.is_some() || self.len() >= least
    }

    /// Lets `put` append. When it fails, nothing was.
    pub(super) fn append<E>(
        &mut self,
        put: impl FnOnce(&mut BytesMut) -> Result<(), E>,
    ) -> Result<(), E> {
        if !self.shared.is_empty() {
            // Less than a message, for whoever waited for room.
            let shared = std::mem::take(&mut self.shared);
            self.buffer.extend_from_slice(&shared);
        }
        let before = self.buffer.len();
        let result = put(&mut self.buffer);
        if result.is_err() {
            self.buffer.truncate(before);
        }
        self.undelivered |= self.buffer.len() > before;
        self.peak = self.peak.max(self.buffer.len());
        result
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        let put = |buffer: &mut BytesMut| {
            buffer.extend_from_slice(bytes);
            Ok::<_, std::convert::Infallible>(())
        };
        let Ok(()) = self.append(put);
    }

    /// Appends bytes that others hold too. Where they fit into one message of `max` bytes together with
    /// what is there, they are copied: a message more costs more than that.
    pub(super) fn share(&mut self, bytes: Bytes, max: usize) {
        let fits = self.len().saturating_add(bytes.len()) <= max;
        if !self.is_empty() && fits {
            return self.extend(&bytes);
        }
        // What was shared before goes into the buffer.
        self.extend(&[]);
        self.undelivered |= !bytes.is_empty();
        self.shared = bytes;
    }

    /// Gathers the payload of `frame` as a message of its own. There is nothing else here.
    pub(super) fn put_whole(
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
        self.whole = Some(if is_text {
            let text = std::str::from_utf8(&payload)
                .map_err(|_| WsErr::NotOneFrame("what the codec calls text is not UTF-8"))?;
            Message::Text(text.to_owned())
        } else {
            Message::Binary(payload.into())
        });
        self.undelivered = true;
        Ok(())
    }

    /// What `put` appends to an empty buffer.
    pub(super) fn encode<E>(
        &mut self,
        put: impl FnOnce(&mut BytesMut) -> Result<(), E>,
        max: usize,
    ) -> Result<Bytes, E> {
        let result = put(&mut self.buffer);
        self.peak = self.peak.max(self.buffer.len());
        let frame = self.take_buffer(max);
        result.map(|()| frame)
    }

    /// Takes the next message off the front.
    pub(super) fn cut(&mut self, max: usize) -> Message {
        if let Some(whole) = self.whole.take() {
            return whole;
        }
        let payload = if self.buffer.is_empty() {
            self.shared.split_to(self.shared.len().min(max))
        } else if self.buffer.len() > max {
            self.buffer.split_to(max).freeze()
        } else {
            self.take_buffer(max)
        };
        Message::Binary(payload.into())
    }

    fn take_buffer(&mut self, max: usize) -> Bytes {
        let last = self.buffer.split().freeze();
        // A buffer that one large item has grown is not kept for the small ones that follow.
        if self.peak > max.saturating_mul(2) {
            self.buffer = BytesMut::new();
        }
        self.peak = 0;
        last
    }
}

/// A frame without its prefix, which has to be what it claims to be.
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
