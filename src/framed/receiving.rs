//! The receiving half of the item view.

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

use super::{PREFIX_LEN, Reading, WsFramed};
use crate::{
    close::{CloseCode, CloseFrame},
    connection::Mode,
    error::WsErr,
    transport::MessageTransport,
};

/// A read buffer of up to this many bytes is kept when it is empty.
const KEPT_READ_BUFFER: usize = 64 * 1024;

/// What a try to decode gave.
enum Decoded<T> {
    /// An item, or an error that the decoder has stepped over.
    Yields(T),
    /// More bytes are needed.
    NeedsMore,
    /// The decoder cannot go on.
    Stuck(CloseFrame),
}

impl<T, C, M> WsFramed<T, C, M>
where
    C: Decoder<Item = T, Error: 'static>,
    M: MessageTransport,
{
    fn take_chunk(&mut self, chunk: &[u8]) {
        if self.buffer.is_empty() && self.buffer.capacity() > KEPT_READ_BUFFER.max(4 * chunk.len())
        {
            // What one large frame has grown is not kept for the small ones that follow.
            self.buffer = BytesMut::new();
        }
        if self.mode != Mode::Packed {
            // So that there is one way to decode, with one set of guards. No codec takes more than a prefix can say.
            self.buffer.reserve(PREFIX_LEN.saturating_add(chunk.len()));
            self.buffer
                .put_u32(u32::try_from(chunk.len()).unwrap_or(u32::MAX));
        }
        self.buffer.extend_from_slice(chunk);
    }

    fn decode(&mut self) -> Decoded<Result<T, C::Error>> {
        let before = self.buffer.len();
        match self.codec.decode(&mut self.buffer) {
            Ok(Some(_)) if self.is_message_left() => {
                Decoded::Yields(Err(self.not_one_frame("the codec left some of it")))
            }
            Ok(Some(item)) => Decoded::Yields(Ok(item)),
            Ok(None) if self.mode != Mode::Packed && before > 0 => {
                Decoded::Yields(Err(self.not_one_frame("the codec wants more")))
            }
            Ok(None) => Decoded::NeedsMore,
            Err(error) if self.buffer.len() < before => {
                if self.is_message_left() {
                    self.buffer.clear();
                }
                Decoded::Yields(Err(error))
            }
            Err(error) => Decoded::Stuck(goodbye(&error)),
        }
    }

    /// Whether the codec has left something of a message.
    fn is_message_left(&self) -> bool {
        self.mode != Mode::Packed && !self.buffer.is_empty()
    }

    /// The next message has a beginning of its own.
    fn not_one_frame(&mut self, why: &'static str) -> C::Error {
        self.buffer.clear();
        io::Error::from(WsErr::NotOneFrame(why)).into()
    }

    /// The link has closed as it should; what is left in the buffer is all there will be.
    fn decode_last(&mut self) -> Option<Result<T, C::Error>> {
        let before = self.buffer.len();
        let last = self.codec.decode_eof(&mut self.buffer);
        if !matches!(last, Ok(Some(_))) && self.buffer.len() == before {
            self.reading = Reading::Ended;
        }
        match last {
            Ok(None) if !self.buffer.is_empty() => {
                self.reading = Reading::Ended;
                let error = io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the link closed within a frame",
                );
                Some(Err(error.into()))
            }
            last => last.transpose(),
        }
    }

    /// The peer has been told that the decoder cannot go on; now the user is.
    fn undecodable(&mut self) -> C::Error {
        match self.codec.decode(&mut self.buffer) {
            Err(error) => error,
            Ok(_) => io::Error::from(WsErr::Undecodable).into(),
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
            match this.reading {
                Reading::Ended => {
                    // The link has ended too. What it could not shut down at once may be by now.
                    let _ = this.stream.poll_chunk(cx, this.mode);
                    return Poll::Ready(None);
                }
                Reading::Undecodable | Reading::Discarding => {}
                Reading::Open => match this.decode() {
                    Decoded::Yields(item) => return Poll::Ready(Some(item)),
                    Decoded::NeedsMore => {}
                    Decoded::Stuck(goodbye) => {
                        this.stream.fail(goodbye);
                        this.reading = Reading::Undecodable;
                    }
                },
            }
            match ready!(this.stream.poll_chunk(cx, this.mode)) {
                Some(Ok(chunk)) => this.take_chunk(&chunk),
                Some(Err(_)) | None if this.reading == Reading::Undecodable => {
                    this.reading = Reading::Ended;
                    return Poll::Ready(Some(Err(this.undecodable())));
                }
                Some(Err(error)) => {
                    this.reading = Reading::Ended;
                    return Poll::Ready(Some(Err(error.into())));
                }
                None if this.reading == Reading::Discarding => this.reading = Reading::Ended,
                // A view before this one has told why: what it has left is not the last of a whole stream.
                None if this.stream.ended_with_error() => this.reading = Reading::Ended,
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
        self.reading == Reading::Ended
    }
}

/// How the peer learns why the decoder cannot go on.
fn goodbye(error: &dyn Any) -> CloseFrame {
    match error.downcast_ref::<CodecError>() {
        Some(error @ CodecError::FrameTooLarge { .. }) => {
            CloseFrame::new_unchecked(CloseCode::TOO_LARGE, &error.to_string())
        }
        _ => CloseFrame::new_unchecked(CloseCode::INVALID_DATA, "a frame could not be decoded"),
    }
}
