//! `Socket`: the protocol over a byte stream. `connect` and `accept` open it.
//!
//! Reading and writing are independent: a read never writes, and never fails because a write did.

#[cfg(test)]
mod tests;

use std::{
    io::{self, IoSlice},
    task::{Context, Poll, ready},
};

use bytes::BytesMut;

use super::{MESSAGES_PER_POLL, MessageTransport, Progress, Properties, io::Io};
#[cfg(feature = "deflate")]
use crate::{config::Compression, message::SharedMessage, protocol::Deflater};
use crate::{
    config::Config,
    error::WsErr,
    message::{Message, Payload},
    protocol::{Decoder, Encoder, Role},
};

/// Bytes that are read before a poll yields. Endless empty fragments, or messages that never make
/// an item, would occupy the task for as long as they arrive.
const BYTES_PER_POLL: usize = 256 * 1024;

/// The smallest read, in bytes: as much as an idle connection keeps.
const MIN_READ_LEN: usize = 512;

/// The largest read, except for what a frame of known length still lacks.
const MAX_READ_LEN: usize = 64 * 1024;

/// No message is taken while this many bytes are unsent, or as many as the longest message has.
const MAX_UNSENT: usize = 16 * 1024;

/// Messages of one item are written together, at first up to this many bytes: each write wakes the
/// peer, and a pong waits behind them.
const BATCH_LEN: usize = 256 * 1024;

/// Up to this length, a slice is copied behind what is unsent: that is cheaper than a write of its
/// own.
const COPY_LEN: usize = 16 * 1024;

/// Slices of one vectored write: as many as the longest batch has, with messages of 64 KiB.
const MAX_SLICES: usize = 32;

/// A WebSocket over a byte stream whose handshake is complete. It leaves replies to the connection.
#[derive(Debug)]
pub(crate) struct Socket<I> {
    io: I,
    decoder: Decoder,
    encoder: Encoder,
    read_len: usize,
    /// Bytes read since a read last had to wait.
    streamed: usize,
    budget: Budget,
    has_ended: bool,
    received: u64,
    sent: u64,
    /// The stream has taken bytes since its last flush.
    is_unflushed: bool,
    write_error: Option<WsErr>,
    max_unsent: usize,
}

/// The work that is left for this poll.
#[derive(Debug)]
struct Budget {
    bytes: usize,
    messages: usize,
}

impl Budget {
    const FULL: Self = Self {
        bytes: BYTES_PER_POLL,
        messages: MESSAGES_PER_POLL,
    };

    /// Ready if there is enough left for a message and `bytes`. Yields otherwise.
    #[inline]
    fn poll(&mut self, cx: &mut Context<'_>, bytes: usize) -> Poll<()> {
        if self.bytes >= bytes && self.messages > 0 {
            return Poll::Ready(());
        }
        *self = Self::FULL;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Counts bytes that were inflated. When there is none left, no message is taken either.
    #[cfg(feature = "deflate")]
    #[inline]
    fn spend(&mut self, bytes: usize) {
        match self.bytes.checked_sub(bytes) {
            Some(left) => self.bytes = left,
            None => self.messages = 0,
        }
    }
}

impl<I: Io> Socket<I> {
    /// `leftover` was received behind the handshake.
    pub(crate) fn new(io: I, leftover: BytesMut, role: Role, config: &Config) -> Self {
        let max_frame_len = config.max_send_frame_len.unwrap_or(usize::MAX);
        Self {
            decoder: Decoder::new(role, config.max_recv_message_len, leftover),
            encoder: Encoder::new(role, max_frame_len, io.is_write_vectored()),
            io,
            read_len: MIN_READ_LEN,
            streamed: 0,
            budget: Budget::FULL,
            has_ended: false,
            received: 0,
            sent: 0,
            is_unflushed: false,
            write_error: None,
            max_unsent: config.max_send_message_len.min(MAX_UNSENT),
        }
    }

    /// The same socket, with messages compressed as both ends agreed.
    #[cfg(feature = "deflate")]
    pub(crate) fn compressed(mut self, config: &Config, agreed: Option<Compression>) -> Self {
        if let (Some(settings), Some(agreed)) = (&config.compression, agreed) {
            let deflater = Deflater::new(settings, agreed);
            self.encoder = self.encoder.with_deflate(deflater);
            self.decoder = self.decoder.with_deflate(agreed.recv_context);
        }
        self
    }

    /// Reads once. Ready with `true` unless the stream has ended.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, WsErr>> {
        ready!(self.budget.poll(cx, self.read_len));
        let (buf, room) = self.decoder.room(self.read_len);
        let read = self.io.poll_read_buf(cx, buf, room.min(self.budget.bytes));
        if read.is_pending() {
            self.budget = Budget::FULL;
            self.decoder.release();
            // The next data is likely to be as much as this was.
            if self.streamed < self.read_len {
                self.read_len = (self.read_len / 2).max(MIN_READ_LEN);
            }
            self.streamed = 0;
        }
        match ready!(read) {
            Ok(0) => {
                self.has_ended = true;
                Poll::Ready(Ok(false))
            }
            Ok(len) => {
                self.budget.bytes = self.budget.bytes.saturating_sub(len);
                self.streamed += len;
                self.received += len as u64;
                if len >= self.read_len {
                    self.read_len = (self.read_len * 4).min(MAX_READ_LEN);
                }
                Poll::Ready(Ok(true))
            }
            Err(error) => {
                self.has_ended = true;
                Poll::Ready(Err(WsErr::from_transport_io(error)))
            }
        }
    }

    /// Hands everything to the stream, as far as it takes it.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.check_writable()?;
        while !self.encoder.queue().is_empty() {
            let queue = self.encoder.queue();
            let single = if self.io.is_write_vectored() {
                queue.single()
            } else {
                Some(queue.front())
            };
            let written = if let Some(bytes) = single {
                self.io.poll_write(cx, bytes)
            } else {
                let mut slices = [IoSlice::new(&[]); MAX_SLICES];
                let count = queue.slices(&mut slices);
                let slices = slices.get(..count).unwrap_or_default();
                self.io.poll_write_vectored(cx, slices)
            };
            let written = ready!(written);
            self.on_written(written)?;
        }
        Poll::Ready(Ok(()))
    }

    fn on_written(&mut self, written: io::Result<usize>) -> Result<(), WsErr> {
        let error = match written {
            Ok(len @ 1..) => {
                self.encoder.queue().advance(len);
                self.is_unflushed = true;
                self.sent += len as u64;
                return Ok(());
            }
            Ok(0) => io::ErrorKind::WriteZero.into(),
            Err(error) => error,
        };
        let error = WsErr::from_transport_io(error);
        self.encoder.clear();
        self.write_error = Some(error.clone());
        Err(error)
    }

    #[inline]
    fn check_writable(&self) -> Result<(), WsErr> {
        self.write_error.clone().map_or(Ok(()), Err)
    }
}

impl<I: Io> MessageTransport for Socket<I> {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsErr>>> {
        ready!(self.budget.poll(cx, 0));
        loop {
            let decoded = self.decoder.decode().transpose();
            #[cfg(feature = "deflate")]
            self.budget.spend(self.decoder.take_inflated());
            if let Some(message) = decoded {
                self.budget.messages = self.budget.messages.saturating_sub(1);
                return Poll::Ready(Some(message));
            }
            #[cfg(feature = "deflate")]
            if self.decoder.is_inflating() {
                ready!(self.budget.poll(cx, usize::MAX));
            }
            if self.has_ended {
                return Poll::Ready(None);
            }
            match ready!(self.poll_fill(cx)) {
                Ok(true) => {}
                Ok(false) => return Poll::Ready(None),
                // After a violation or a close frame, any end is the end.
                Err(_) if self.decoder.is_discarding() => return Poll::Ready(None),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        #[cfg(feature = "deflate")]
        if self
            .encoder
            .deflater()
            .is_some_and(Deflater::has_worked_enough)
        {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.encoder.len() >= self.max_unsent {
            return self.poll_write(cx);
        }
        Poll::Ready(self.check_writable())
    }

    #[inline]
    fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
        self.check_writable()?;
        self.encoder.push(message)
    }

    #[cfg(feature = "deflate")]
    fn start_send_shared(&mut self, message: SharedMessage) -> Result<(), WsErr> {
        self.check_writable()?;
        self.encoder.push_shared_message(message)
    }

    fn start_send_buffer(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut BytesMut,
        headroom: usize,
    ) -> Result<(), WsErr> {
        self.check_writable()?;
        let headroom = headroom.min(buffer.len());
        let Some(start) = self.encoder.frame_in_place(buffer, headroom)? else {
            let payload = Payload::with_headroom(buffer.split(), headroom);
            return self.encoder.push(Message::Binary(payload));
        };
        let frame = buffer.get(start..).unwrap_or_default();
        let mut sent = 0;
        if let Poll::Ready(written) = self.io.poll_write(cx, frame) {
            if let Ok(len) = written {
                sent = len;
            }
            self.on_written(written)?;
        }
        self.encoder
            .push_rest(frame.get(sent..).unwrap_or_default());
        buffer.clear();
        Ok(())
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        ready!(self.poll_write(cx))?;
        if self.is_unflushed {
            ready!(self.io.poll_flush(cx)).or_else(|error| self.on_written(Err(error)))?;
            self.is_unflushed = false;
        }
        self.encoder.queue().release();
        #[cfg(feature = "deflate")]
        if let Some(deflater) = self.encoder.deflater() {
            deflater.rest();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        ready!(self.poll_write(cx))?;
        self.io.poll_close(cx).map_err(WsErr::from_transport_io)
    }

    fn poll_send_slice(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize, WsErr>> {
        ready!(self.poll_ready(cx))?;
        if data.len() <= COPY_LEN || !self.encoder.sends_slice(data.len()) {
            self.encoder.push_slice(data)?;
            return Poll::Ready(Ok(data.len()));
        }
        self.encoder.push_header(data.len());
        let unsent = self.encoder.len();
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let queue = self.encoder.queue();
        // One slot is for the data.
        let count = queue.slices(slices.get_mut(1..).unwrap_or_default());
        let queued = slices.iter().map(|slice| slice.len()).sum::<usize>();
        slices.rotate_left(1);
        let mut sent = 0;
        if let (true, Some(slot)) = (queued == unsent, slices.get_mut(count)) {
            *slot = IoSlice::new(data);
            let slices = slices.get(..=count).unwrap_or_default();
            if let Poll::Ready(written) = self.io.poll_write_vectored(cx, slices) {
                if let Ok(len) = &written {
                    sent = len.saturating_sub(unsent);
                }
                self.on_written(written.map(|len| len.min(unsent)))?;
                self.sent += sent as u64;
            }
        }
        self.encoder.push_rest(data.get(sent..).unwrap_or_default());
        Poll::Ready(Ok(data.len()))
    }

    fn provide_buffer(&mut self, buffer: BytesMut) {
        self.decoder.provide_buffer(buffer);
    }

    fn progress(&self) -> Progress {
        Progress::default()
            .received(self.received)
            .sent(self.sent)
            .partial_message(self.decoder.partial_message())
    }

    fn properties(&self) -> Properties {
        Properties {
            #[cfg(feature = "deflate")]
            min_shared_len: self.encoder.min_shared_len(),
            // Short messages are copied, or take a slice each.
            batch_len: if self.encoder.copies_messages() || self.max_unsent < MAX_UNSENT {
                0
            } else {
                BATCH_LEN
            },
            ..Properties::default()
        }
    }
}
