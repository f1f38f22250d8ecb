//! Receiving items.

use std::{
    any::Any,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use asynchronous_codec::Decoder;
use bytes::{BufMut, BytesMut};
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

impl<T, C, M> WsFramed<T, C, M>
where
    C: Decoder<Item = T, Error: 'static>,
    M: MessageTransport,
{
    fn push(&mut self, chunk: Payload) {
        if self.recv == RecvState::Incomplete {
            self.recv = RecvState::Open;
        }
        if self.mode != Mode::Packed {
            return self.append(&chunk);
        }
        match chunk.try_into_mut() {
            // Decoded in place, where nothing else refers to the payload.
            Ok(buffer) if self.buffer.is_empty() => {
                self.buffer = buffer;
                self.is_lent = true;
            }
            // Copies nothing where the payload lies in the buffer that was provided for it.
            Ok(buffer) => self.buffer.unsplit(buffer),
            Err(shared) => self.append(&shared),
        }
    }

    /// Lets the transport read the next payload straight behind the item that it belongs to.
    fn provide_buffer(&mut self) {
        let len = self.buffer.len();
        if len > 0 && self.buffer.capacity() > len {
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
    #[inline]
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
            Ok(None) if self.mode != Mode::Packed && before > 0 => {
                Some(Err(self.not_one_frame(Mismatch::Incomplete)))
            }
            Ok(None) => {
                self.release_lent();
                self.recv = RecvState::Incomplete;
                self.provide_buffer();
                None
            }
            Err(error) if self.buffer.len() < before => {
                if self.is_message_left() {
                    self.buffer.clear();
                }
                self.release_lent();
                Some(Err(error))
            }
            Err(error) => {
                self.stream.fail(close_frame_for(&error));
                self.recv = RecvState::Failed;
                None
            }
        }
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
                }
            }
            match ready!(this.stream.poll_next_chunk(cx, this.mode)) {
                Some(Ok(chunk)) => this.push(chunk),
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
