//! Messages to bytes (RFC 6455 sections 5.4 and 6.1).
//!
//! A payload takes one of three ways, without a copy where that is possible:
//!
//! | payload | bytes |
//! |---|---|
//! | a unique buffer with headroom | masked in place; the header is written into the headroom |
//! | long, shared, of a server, and behind its header already | sent from there |
//! | long, and unique, or shared and of a server | the header and the payload are two slices |
//! | short, or shared and of a client | copied behind the header, masked there |
//!
//! What is compressed becomes a unique buffer with headroom first.

use bytes::{Buf, Bytes, BytesMut};

#[cfg(feature = "deflate")]
use super::deflate::Deflater;
use super::{
    Role, close,
    frame::{EncodedHeader, OpCode},
    mask,
    queue::Queue,
};
#[cfg(feature = "deflate")]
use crate::message::{HEADROOM, SharedMessage};
use crate::{
    error::WsErr,
    message::{Message, Payload},
};

/// Up to this length, a payload that needs a slice of its own is copied instead: that costs less
/// than the slice.
const COPY_LEN: usize = 2048;

/// Messages on their way to the socket.
#[derive(Debug)]
pub(crate) struct Encoder {
    role: Role,
    max_frame_len: usize,
    /// Whether one write takes several slices. Otherwise a header and its payload leave in one
    /// buffer.
    is_vectored: bool,
    #[cfg(feature = "deflate")]
    deflater: Option<Box<Deflater>>,
    queue: Queue,
}

impl Encoder {
    /// Data messages with a payload of more than `max_frame_len` bytes are fragmented.
    pub(crate) fn new(role: Role, max_frame_len: usize, is_vectored: bool) -> Self {
        Self {
            role,
            max_frame_len: max_frame_len.max(1),
            is_vectored,
            #[cfg(feature = "deflate")]
            deflater: None,
            queue: Queue::default(),
        }
    }

    /// Compresses messages.
    #[cfg(feature = "deflate")]
    pub(crate) fn with_deflate(mut self, deflater: Deflater) -> Self {
        self.deflater = Some(Box::new(deflater));
        self
    }

    /// The compression of messages, if there is one.
    #[cfg(feature = "deflate")]
    #[inline]
    pub(crate) fn deflater(&mut self) -> Option<&mut Deflater> {
        self.deflater.as_deref_mut()
    }

    /// Appends a data message, if it is to be sent compressed.
    #[cfg(feature = "deflate")]
    #[inline]
    fn push_compressed(&mut self, opcode: OpCode, data: &[u8]) -> Option<Result<(), WsErr>> {
        let compressed = self.deflater.as_mut()?.compress(data)?;
        let payload = Payload::with_headroom(compressed, HEADROOM);
        Some(self.push_data(opcode, payload))
    }

    /// From which length on a message that is compressed once for all connections is to be one of
    /// its own. Without context, that is possible.
    #[cfg(feature = "deflate")]
    pub(crate) fn min_shared_len(&self) -> Option<usize> {
        self.deflater.as_ref()?.min_shared_len()
    }

    /// Appends a message that other connections send, too.
    ///
    /// # Errors
    /// See [`push`](Self::push).
    #[cfg(feature = "deflate")]
    pub(crate) fn push_shared_message(&mut self, message: SharedMessage) -> Result<(), WsErr> {
        let Some(deflater) = &mut self.deflater else {
            return self.push(message.into_message());
        };
        let is_text = message.is_text();
        match deflater.compress_shared(&message) {
            Some(data) if is_text => self.push_data(OpCode::CompressedText, data.into()),
            Some(data) => self.push_data(OpCode::CompressedBinary, data.into()),
            None if is_text => self.push_data(OpCode::Text, message.payload().clone().into()),
            None => self.push_data(OpCode::Binary, message.payload().clone().into()),
        }
    }

    /// The bytes to send.
    #[inline]
    pub(crate) fn queue(&mut self) -> &mut Queue {
        &mut self.queue
    }

    /// How many bytes are to be sent.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Drops all bytes that are to be sent.
    pub(crate) fn clear(&mut self) {
        self.queue.clear();
    }

    /// Appends a message.
    ///
    /// # Errors
    /// [`WsErr::InvalidCloseCode`] for a code that may not be sent. [`WsErr::Io`] if the operating
    /// system has no random numbers for masks.
    #[inline]
    pub(crate) fn push(&mut self, message: Message) -> Result<(), WsErr> {
        #[cfg(feature = "deflate")]
        if self.deflater.is_some() {
            let pushed = match &message {
                Message::Binary(data) => self.push_compressed(OpCode::CompressedBinary, data),
                Message::Text(text) => {
                    self.push_compressed(OpCode::CompressedText, text.as_bytes())
                }
                Message::Ping(_) | Message::Pong(_) | Message::Close(_) => None,
            };
            if let Some(pushed) = pushed {
                return pushed;
            }
        }
        match message {
            Message::Binary(payload) => self.push_data(OpCode::Binary, payload),
            Message::Text(text) => self.push_text(text),
            Message::Ping(payload) => self.copy_frame(OpCode::Ping, true, payload.as_bytes()),
            Message::Pong(payload) => self.copy_frame(OpCode::Pong, true, payload.as_bytes()),
            Message::Close(frame) => {
                let (payload, len) = close::encode(frame.as_ref())?;
                let payload = payload.get(..len).unwrap_or_default();
                self.copy_frame(OpCode::Close, true, payload)
            }
        }
    }

    fn push_text(&mut self, text: String) -> Result<(), WsErr> {
        if text.len() <= COPY_LEN && text.len() <= self.max_frame_len {
            return self.copy_frame(OpCode::Text, true, text.as_bytes());
        }
        let payload = Bytes::from(text).try_into_mut();
        self.push_data(
            OpCode::Text,
            payload.map_or_else(Payload::from, Payload::from),
        )
    }

    #[inline]
    fn push_data(&mut self, opcode: OpCode, payload: Payload) -> Result<(), WsErr> {
        if payload.len() > self.max_frame_len {
            return self.push_fragments(opcode, payload);
        }
        match payload.into_buffer() {
            Ok((buffer, headroom)) => self.push_unique(opcode, true, buffer, headroom),
            Err((bytes, headroom)) => self.push_shared(opcode, true, bytes, headroom),
        }
    }

    #[cold]
    fn push_fragments(&mut self, mut opcode: OpCode, payload: Payload) -> Result<(), WsErr> {
        let max = self.max_frame_len;
        let mut left = payload.len();
        let mut payload = payload.into_buffer();
        while left > 0 {
            let len = left.min(max);
            left -= len;
            let is_final = left == 0;
            match &mut payload {
                Ok((buffer, headroom)) => {
                    let part = buffer.split_to(*headroom + len);
                    let headroom = std::mem::take(headroom);
                    self.push_unique(opcode, is_final, part, headroom)?;
                }
                Err((bytes, headroom)) => {
                    bytes.advance(std::mem::take(headroom));
                    self.push_shared(opcode, is_final, bytes.split_to(len), 0)?;
                }
            }
            opcode = OpCode::Continuation;
        }
        Ok(())
    }

    /// Appends a frame with the payload in `buffer` behind `headroom` bytes.
    #[inline]
    fn push_unique(
        &mut self,
        opcode: OpCode,
        is_final: bool,
        mut buffer: BytesMut,
        headroom: usize,
    ) -> Result<(), WsErr> {
        let len = buffer.len() - headroom;
        let header_len = EncodedHeader::len_for(len, self.role == Role::Client);
        let fits = header_len <= headroom;
        let is_alone = fits && self.queue.is_empty();
        if !is_alone && (len <= COPY_LEN || !fits && !self.is_vectored) {
            let payload = buffer.get(headroom..).unwrap_or_default();
            return self.copy_frame(opcode, is_final, payload);
        }
        let header = self.mask_payload(opcode, is_final, &mut buffer, headroom)?;
        if fits {
            let start = put_header(&header, &mut buffer, headroom);
            buffer.advance(start);
        } else {
            self.queue.copy(header.as_bytes(), &[]);
            buffer.advance(headroom);
        }
        self.queue.push(buffer.freeze());
        Ok(())
    }

    /// Appends a frame with the payload in `bytes` behind `headroom` bytes.
    fn push_shared(
        &mut self,
        opcode: OpCode,
        is_final: bool,
        mut bytes: Bytes,
        headroom: usize,
    ) -> Result<(), WsErr> {
        let (room, payload) = bytes.split_at_checked(headroom).unwrap_or_default();
        if self.role == Role::Client || payload.len() <= COPY_LEN {
            return self.copy_frame(opcode, is_final, payload);
        }
        let header = EncodedHeader::new(opcode, is_final, payload.len(), None);
        if room.ends_with(header.as_bytes()) {
            bytes.advance(headroom - header.as_bytes().len());
        } else if self.is_vectored {
            self.queue.copy(header.as_bytes(), &[]);
            bytes.advance(headroom);
        } else {
            return self.copy_frame(opcode, is_final, payload);
        }
        self.queue.push(bytes);
        Ok(())
    }

    /// Appends a frame with a copy of `payload`.
    #[inline]
    fn copy_frame(&mut self, opcode: OpCode, is_final: bool, payload: &[u8]) -> Result<(), WsErr> {
        let key = self.key()?;
        let header = EncodedHeader::new(opcode, is_final, payload.len(), key);
        let copy = self.queue.copy(header.as_bytes(), payload);
        if let Some(key) = key {
            mask::apply(copy, key, 0);
        }
        Ok(())
    }

    /// Makes a frame of the payload in `buffer` behind `headroom` bytes, if it is short and the next
    /// to be sent. Returns where the frame begins, for the driver to send; what the socket does not
    /// take of it goes to [`push_rest`](Self::push_rest).
    ///
    /// # Errors
    /// See [`push`](Self::push).
    #[inline]
    pub(crate) fn frame_in_place(
        &mut self,
        buffer: &mut BytesMut,
        headroom: usize,
    ) -> Result<Option<usize>, WsErr> {
        #[cfg(feature = "deflate")]
        if self.deflater.is_some() {
            return Ok(None);
        }
        let len = buffer.len() - headroom;
        let is_next = self.queue.is_empty() && len <= COPY_LEN.min(self.max_frame_len);
        let header_len = EncodedHeader::len_for(len, self.role == Role::Client);
        if !is_next || header_len > headroom {
            return Ok(None);
        }
        let header = self.mask_payload(OpCode::Binary, true, buffer, headroom)?;
        Ok(Some(put_header(&header, buffer, headroom)))
    }

    /// Masks the payload in `buffer` behind `headroom` bytes, if this end does, and returns its
    /// header.
    #[inline]
    fn mask_payload(
        &self,
        opcode: OpCode,
        is_final: bool,
        buffer: &mut [u8],
        headroom: usize,
    ) -> Result<EncodedHeader, WsErr> {
        let key = self.key()?;
        let payload = buffer.get_mut(headroom..).unwrap_or_default();
        if let Some(key) = key {
            mask::apply(payload, key, 0);
        }
        Ok(EncodedHeader::new(opcode, is_final, payload.len(), key))
    }

    /// Whether a message takes memory of its own here.
    pub(crate) fn copies_messages(&self) -> bool {
        #[cfg(feature = "deflate")]
        if self.deflater.is_some() {
            return true;
        }
        !self.is_vectored || self.max_frame_len != usize::MAX
    }

    /// Whether a binary message of `len` bytes can be sent from a slice of the caller: nothing is
    /// to be compressed, masked or fragmented, and one write takes the header and the slice.
    #[inline]
    pub(crate) fn sends_slice(&self, len: usize) -> bool {
        #[cfg(feature = "deflate")]
        if self.deflater.is_some() {
            return false;
        }
        self.role == Role::Server && self.is_vectored && len <= self.max_frame_len
    }

    /// Appends the header of a binary message in one frame, whose payload of `len` bytes the driver
    /// sends itself. What the socket does not take of it goes to [`push_rest`](Self::push_rest).
    pub(crate) fn push_header(&mut self, len: usize) {
        let header = EncodedHeader::new(OpCode::Binary, true, len, None);
        self.queue.copy(header.as_bytes(), &[]);
    }

    /// Appends a copy of what the socket did not take: of a payload that was announced by
    /// [`push_header`](Self::push_header), or of a frame.
    pub(crate) fn push_rest(&mut self, rest: &[u8]) {
        if !rest.is_empty() {
            self.queue.copy(&[], rest);
        }
    }

    /// Appends a binary message with a copy of `data`.
    ///
    /// # Errors
    /// See [`push`](Self::push).
    pub(crate) fn push_slice(&mut self, data: &[u8]) -> Result<(), WsErr> {
        #[cfg(feature = "deflate")]
        if let Some(pushed) = self.push_compressed(OpCode::CompressedBinary, data) {
            return pushed;
        }
        let mut opcode = OpCode::Binary;
        let mut rest = data;
        while rest.len() > self.max_frame_len {
            let (part, behind) = rest
                .split_at_checked(self.max_frame_len)
                .unwrap_or_default();
            self.copy_frame(opcode, false, part)?;
            opcode = OpCode::Continuation;
            rest = behind;
        }
        self.copy_frame(opcode, true, rest)
    }

    /// The masking key of the next frame: a client masks, a server does not.
    #[inline]
    fn key(&self) -> Result<Option<[u8; 4]>, WsErr> {
        match self.role {
            Role::Client => mask::random_key().map(Some),
            Role::Server => Ok(None),
        }
    }
}

/// Writes a header that fits into the end of the headroom, and returns where it begins.
#[inline]
fn put_header(header: &EncodedHeader, buffer: &mut [u8], headroom: usize) -> usize {
    let start = headroom - header.as_bytes().len();
    if let Some(room) = buffer.get_mut(start..headroom) {
        room.copy_from_slice(header.as_bytes());
    }
    start
}
