//! Receiving items.

use std::{
    any::Any,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use asynchronous_codec::Decoder;
use bytes::{Buf, BufMut, BytesMut};
use futures::{Stream, stream::FusedStream};
use ws_framed_codecs::CodecError;

use super::{PREFIX_LEN, RecvState, WsFramed};
use crate::{
    close::{CloseCode, CloseFrame},
    connection::Mode,
    error::{Mismatch, WsErr},
    message::Payload,
    transport::MessageTransport,
};

/// A read buffer of up to this many bytes is kept when it is empty.
const KEPT_READ_BUFFER: usize = 64 * 1024;

/// Of a payload that completes an item, at least this many bytes are copied at once.
const MIN_JOINED: usize = 256;

/// Less room than this is not provided to the transport: a copy costs less than the exchange.
const MIN_PROVIDED: usize = 16 * 1024;

impl<T, C, M> WsFramed<T, C, M>
where
    C: Decoder<Item = T, Error: 'static>,
    M: MessageTransport,
{
    /// Takes what arrived, and returns the item that it completes, if that shows at once.
    fn push(&mut self, chunk: Payload) -> Option<Result<T, C::Error>> {
        if self.recv == RecvState::Incomplete {
            self.recv = RecvState::Open;
        }
        if self.mode != Mode::Packed {
            self.append(&chunk);
            return None;
        }
        match chunk.try_into_mut() {
            // Decoded in place, where nothing else refers to the payload.
            Ok(payload) if self.buffer.is_empty() => {
                self.buffer = payload;
                self.is_lent = true;
            }
            // Nothing is copied where the payload lies in the buffer that was provided for it.
            Ok(payload) if self.buffer.as_ptr_range().end == payload.as_ptr() => {
                self.buffer.unsplit(payload);
            }
            Ok(payload) => return self.join(payload),
            Err(shared) => self.append(&shared),
        }
        None
    }

    /// Completes the item that the buffer begins with from the next payload: about as much is
    /// copied as the item takes, and what follows is decoded in place.
    fn join(&mut self, payload: BytesMut) -> Option<Result<T, C::Error>> {
        let mut joining = Joining {
            framed: self,
            payload,
            joined: 0,
            is_complete: false,
        };
        // A decoder that has taken the beginning may have made room for the rest.
        while joining.framed.recv == RecvState::Open && joining.framed.buffer.len() > joining.joined
        {
            // Twice as much each time, so that few calls are made.
            let len = joining.framed.buffer.len().max(MIN_JOINED);
            let part = joining.payload.get(joining.joined..joining.joined + len)?;
            joining.framed.buffer.extend_from_slice(part);
            joining.joined += len;
            if let Some(item) = joining.framed.decode() {
                joining.is_complete = true;
                return Some(item);
            }
            if joining.framed.recv == RecvState::Incomplete {
                joining.framed.recv = RecvState::Open;
            }
        }
        None
    }

    /// Lets the transport read the next payload straight behind the item that it belongs to.
    fn provide_buffer(&mut self) {
        let len = self.buffer.len();
        if len > 0 && self.buffer.capacity() - len >= MIN_PROVIDED {
            let spare = self.buffer.split_off(len);
            self.stream.provide_buffer(spare);
        }
    }

    fn append(&mut self, chunk: &[u8]) {
        if self.buffer.is_empty() && self.buffer.capacity() > KEPT_READ_BUFFER.max(4 * chunk.len())
        {
            // A buffer that one large item has grown is not kept for the small ones that follow.
            self.buffer = BytesMut::new();
        }
        if self.mode != Mode::Packed {
            // The prefix lets the codec decode both modes with the same checks. No codec accepts
            // more than a prefix can express.
            self.buffer.reserve(PREFIX_LEN.saturating_add(chunk.len()));
            self.buffer
                .put_u32(u32::try_from(chunk.len()).unwrap_or(u32::MAX));
        }
        self.buffer.extend_from_slice(chunk);
    }

    /// Calls the decoder once. Returns an item, or an error whose frame the decoder has consumed;
    /// `None` if more bytes are needed or the decoder cannot continue, which becomes the new state.
    #[expect(
        clippy::inline_always,
        reason = "otherwise each item is moved once more"
    )]
    #[inline(always)]
    fn decode(&mut self) -> Option<Result<T, C::Error>> {
        let before = self.buffer.len();
        match self.codec.decode(&mut self.buffer) {
            Ok(Some(_)) if self.is_message_left() => {
                Some(Err(self.not_one_frame(Mismatch::Remainder)))
            }
            Ok(Some(item)) => {
                if before > KEPT_READ_BUFFER {
                    self.reuse_lent(before);
                }
                self.release_lent();
                Some(Ok(item))
            }
            Ok(None) => self.lack_bytes(before),
            Err(error) => self.refuse(before, error),
        }
    }

    /// The decoder needs more than the `before` bytes that there were.
    fn lack_bytes(&mut self, before: usize) -> Option<Result<T, C::Error>> {
        if self.mode != Mode::Packed && before > 0 {
            return Some(Err(self.not_one_frame(Mismatch::Incomplete)));
        }
        self.release_lent();
        self.recv = RecvState::Incomplete;
        None
    }

    /// The decoder failed, of `before` bytes that there were.
    #[cold]
    fn refuse(&mut self, before: usize, error: C::Error) -> Option<Result<T, C::Error>> {
        if self.buffer.len() >= before {
            self.stream.fail(close_frame_for(&error));
            self.recv = RecvState::Failed;
            return None;
        }
        if self.is_message_left() {
            self.buffer.clear();
        }
        self.release_lent();
        Some(Err(error))
    }

    /// What a large item of `len` bytes has grown serves the next one.
    #[cold]
    fn reuse_lent(&mut self, len: usize) {
        if self.is_lent && self.buffer.is_empty() && self.buffer.try_reclaim(len) {
            let buffer = std::mem::take(&mut self.buffer);
            self.stream.provide_buffer(buffer);
        }
    }

    /// An empty buffer would keep the transport from reusing the allocation.
    #[inline]
    fn release_lent(&mut self) {
        if self.is_lent && self.buffer.is_empty() {
            self.buffer = BytesMut::new();
            self.is_lent = false;
        }
    }

    /// Whether the codec has left a part of a message.
    fn is_message_left(&self) -> bool {
        self.mode != Mode::Packed && !self.buffer.is_empty()
    }

    /// Discards the rest of a message. The next one is decoded from its beginning.
    fn not_one_frame(&mut self, why: Mismatch) -> C::Error {
        self.buffer.clear();
        io::Error::from(CodecError::Malformed(WsErr::NotOneFrame(why).into())).into()
    }

    /// The connection has closed cleanly: nothing follows what is in the buffer.
    fn decode_last(&mut self) -> Option<Result<T, C::Error>> {
        let before = self.buffer.len();
        let last = self.codec.decode_eof(&mut self.buffer);
        if !matches!(last, Ok(Some(_))) && self.buffer.len() == before {
            self.recv = RecvState::Ended;
        }
        match last {
            Ok(None) if !self.buffer.is_empty() => {
                self.recv = RecvState::Ended;
                let error = io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the connection closed within an encoded item",
                );
                Some(Err(error.into()))
            }
            last => last.transpose(),
        }
    }

    /// The error after which the decoder cannot continue, once the close frame is sent.
    fn undecodable(&mut self) -> C::Error {
        if let Err(error) = self.codec.decode(&mut self.buffer) {
            return error;
        }
        io::Error::from(WsErr::Undecodable(CloseCode::INVALID_PAYLOAD_DATA)).into()
    }
}

/// The payload behind the beginning of an item, while that is completed. When this is dropped, also
/// because the decoder panics, the rest of the payload is where the decoder finds it next.
struct Joining<'a, T, C, M> {
    framed: &'a mut WsFramed<T, C, M>,
    payload: BytesMut,
    /// How many bytes of the payload were copied to the read buffer.
    joined: usize,
    /// The item was decoded.
    is_complete: bool,
}

impl<T, C, M> Drop for Joining<'_, T, C, M> {
    fn drop(&mut self) {
        let mut payload = std::mem::take(&mut self.payload);
        let left = &self.framed.buffer;
        match self.joined.checked_sub(left.len()) {
            Some(used) if self.is_complete || left.is_empty() => {
                // A decoder may have changed what it left, such as deciphered it.
                if let Some(copied) = payload.get_mut(used..self.joined) {
                    copied.copy_from_slice(left);
                }
                payload.advance(used);
                self.framed.buffer = payload;
                self.framed.is_lent = true;
            }
            _ => {
                payload.advance(self.joined);
                self.framed.buffer.unsplit(payload);
            }
        }
    }
}

impl<T, C, M> Stream for WsFramed<T, C, M>
where
    C: Decoder<Item = T, Error: 'static>,
    M: MessageTransport,
{
    type Item = Result<T, C::Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            match this.recv {
                RecvState::Ended => {
                    // A close that was pending at the end may complete in this poll.
                    let _ = this.stream.poll_next_chunk(cx, this.mode);
                    return Poll::Ready(None);
                }
                RecvState::Incomplete | RecvState::Failed | RecvState::Draining => {}
                RecvState::Open => {
                    if let Some(item) = this.decode() {
                        return Poll::Ready(Some(item));
                    }
                    this.provide_buffer();
                }
            }
            match ready!(this.stream.poll_next_chunk(cx, this.mode)) {
                Some(Ok(chunk)) => {
                    if let Some(item) = this.push(chunk) {
                        return Poll::Ready(Some(item));
                    }
                }
                Some(Err(_)) | None if this.recv == RecvState::Failed => {
                    this.recv = RecvState::Ended;
                    return Poll::Ready(Some(Err(this.undecodable())));
                }
                Some(Err(error)) => {
                    this.recv = RecvState::Ended;
                    return Poll::Ready(Some(Err(error.into())));
                }
                None if this.recv == RecvState::Draining => this.recv = RecvState::Ended,
                // The stream reported an error before it was converted: the buffered data is
                // truncated.
                None if this.stream.ended_with_error() => this.recv = RecvState::Ended,
                None => return Poll::Ready(this.decode_last()),
            }
        }
    }
}

impl<T, C, M> FusedStream for WsFramed<T, C, M>
where
    C: Decoder<Item = T, Error: 'static>,
    M: MessageTransport,
{
    fn is_terminated(&self) -> bool {
        self.recv == RecvState::Ended
    }
}

/// The close frame for an error after which the decoder cannot continue.
fn close_frame_for(error: &dyn Any) -> CloseFrame {
    match error.downcast_ref::<CodecError>() {
        Some(error @ CodecError::FrameTooLarge { .. }) => {
            CloseFrame::new_unchecked(CloseCode::MESSAGE_TOO_BIG, &error.to_string())
        }
        _ => CloseFrame::new_unchecked(
            CloseCode::INVALID_PAYLOAD_DATA,
            "a frame could not be decoded",
        ),
    }
}
