//! Writing: the poll loop of a write or flush.

use std::{
    io,
    task::{Context, Poll, ready},
};

use bytes::BytesMut;
use ws_framed_codecs::CodecError;

use super::{Connection, Core, Mode, state::Input, write_buffer::Outgoing};
use crate::{
    close::CloseCode,
    error::{Unsupported, WsErr},
    message::{Message, SharedBytes},
    time::Task,
    transport::MessageTransport,
};

/// The longest batch, in bytes. A pong waits behind a batch, so one is long only where the transport
/// has taken as much in the same poll.
const MAX_BATCH_LEN: usize = 1024 * 1024;

impl<M: MessageTransport> Connection<M> {
    /// Buffers bytes, sends full messages, and returns how many bytes were taken: at least one, or
    /// it waits.
    #[inline]
    pub(crate) fn poll_write<'a>(
        &mut self,
        task: &mut Context<'_>,
        chunks: impl IntoIterator<Item = &'a [u8], IntoIter: Clone>,
    ) -> Poll<Result<usize, WsErr>> {
        let chunks = chunks.into_iter();
        let lens = chunks.clone().map(<[u8]>::len);
        let len = lens.fold(0, usize::saturating_add);
        if len == 0 {
            return Poll::Ready(Ok(0));
        }
        if !self.core.fits_in_buffer(len) {
            let write = |this: &mut Self, cx: &mut Context<'_>| this.poll_write_full(cx, chunks);
            return self.poll_as(Task::Writer, task, write);
        }
        self.core.state.check_writable()?;
        let was_pending = self.core.state.is_pending();
        chunks.for_each(|chunk| self.core.buffer.extend(chunk));
        self.core.state.buffered();
        if !was_pending {
            self.core.shared().reader.wake();
        }
        Poll::Ready(Ok(len))
    }

    fn poll_write_full<'a>(
        &mut self,
        cx: &mut Context<'_>,
        chunks: impl Iterator<Item = &'a [u8]>,
    ) -> Poll<Result<usize, WsErr>> {
        self.poll_pending_close(cx);
        self.core.state.check_writable()?;
        let was_pending = self.core.state.is_pending();
        let max = self.core.max_send;
        let mut taken = 0;
        for mut chunk in chunks {
            while !chunk.is_empty() {
                if self.core.buffer.len() >= max {
                    match self.poll_send_buffered(cx, max) {
                        Poll::Ready(Ok(())) => {}
                        Poll::Ready(Err(error)) if taken == 0 => return Poll::Ready(Err(error)),
                        Poll::Pending if taken == 0 => return self.poll_blocked(cx).map(Err),
                        // The error stays for the next call.
                        _ => return Poll::Ready(Ok(taken)),
                    }
                }
                if self.core.buffer.is_empty() && chunk.len() >= max {
                    let (now, later) = chunk.split_at(max);
                    match self.poll_send_slice(cx, now) {
                        Poll::Ready(Ok(len)) => {
                            taken += len;
                            chunk = chunk.get(len..).unwrap_or(later);
                            continue;
                        }
                        // It is buffered below.
                        Poll::Pending => {}
                        Poll::Ready(Err(error)) if taken == 0 => return Poll::Ready(Err(error)),
                        Poll::Ready(Err(_)) => return Poll::Ready(Ok(taken)),
                    }
                }
                let room = max.saturating_sub(self.core.buffer.len());
                let (now, later) = chunk.split_at(room.min(chunk.len()));
                self.core.buffer.extend(now);
                self.core.state.buffered();
                taken += now.len();
                chunk = later;
            }
        }
        if self.core.buffer.len() >= max {
            let _ = self.poll_send_buffered(cx, max);
        }
        if !was_pending {
            // A reader that waits flushes what no writer does, here or in the transport.
            self.core.shared().reader.wake();
        }
        Poll::Ready(Ok(taken))
    }

    /// Ready when an item may [begin](Self::begin_item).
    #[inline]
    pub(crate) fn poll_ready(
        &mut self,
        task: &mut Context<'_>,
        mode: Mode,
    ) -> Poll<Result<(), WsErr>> {
        let threshold = match mode {
            Mode::Packed => self.core.max_send,
            // A message of its own does not share one.
            Mode::PerMessage { .. } => 1,
        };
        if !self.core.buffer.has_message(threshold) && self.core.has_no_requests() {
            return Poll::Ready(self.core.state.check_writable());
        }
        self.poll_room(task, threshold)
    }

    #[inline(never)]
    fn poll_room(&mut self, task: &mut Context<'_>, threshold: usize) -> Poll<Result<(), WsErr>> {
        self.poll_as(Task::Writer, task, |this, cx| {
            this.poll_pending_close(cx);
            this.core.state.check_writable()?;
            match this.poll_send_buffered(cx, threshold) {
                Poll::Pending => this.poll_blocked(cx).map(Err),
                sent @ Poll::Ready(_) => sent,
            }
        })
    }

    /// A write or flush must wait. Ready, with the reason, if it need not any more.
    fn poll_blocked(&mut self, cx: &mut Context<'_>) -> Poll<WsErr> {
        self.recv_while_blocked(cx);
        if let Err(error) = self.core.state.check_writable() {
            return Poll::Ready(error);
        }
        self.poll_timeouts(cx)
    }

    /// Drives a close that was requested, for callers who only write.
    fn poll_pending_close(&mut self, cx: &mut Context<'_>) {
        if self.core.state.is_close_pending() {
            let _ = self.poll_send(cx);
        }
    }

    /// Begins an item, with the room that [`poll_ready`](Self::poll_ready) found in the same mode.
    #[inline]
    pub(crate) fn begin_item(&mut self, mode: Mode) -> Result<NewItem<'_>, WsErr> {
        let core = &mut *self.core;
        core.check_room(mode)?;
        let start = core.buffer.begin();
        Ok(NewItem { core, start, mode })
    }

    /// Buffers shared bytes.
    pub(crate) fn buffer_bytes(&mut self, mode: Mode, bytes: SharedBytes) -> Result<(), WsErr> {
        self.core.buffer_bytes(mode, bytes)
    }

    /// Buffers a whole message, with the room that [`poll_ready`](Self::poll_ready) found.
    pub(crate) fn buffer_message(&mut self, message: Message) -> Result<(), WsErr> {
        self.core.buffer_message(message)
    }

    /// Ready when everything written has been handed to the stream below the transport.
    pub(crate) fn poll_flush(&mut self, task: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.poll_as(Task::Writer, task, Self::poll_flush_written)
    }

    pub(super) fn poll_flush_written(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        if !self.core.state.can_flush() {
            return Poll::Ready(self.core.report_loss());
        }
        let sent = match self.poll_send(cx) {
            Poll::Ready(sent) => sent,
            Poll::Pending => {
                self.recv_while_blocked(cx);
                if self.core.state.is_violated() {
                    self.drain(cx);
                }
                if !self.core.state.can_flush() {
                    return Poll::Ready(self.core.report_loss());
                }
                Err(ready!(self.poll_timeouts(cx)))
            }
        };
        match sent {
            Ok(()) => Poll::Ready(Ok(())),
            // How the connection ended is the reader's to see.
            Err(_) if self.core.state.is_violated() => Poll::Ready(self.core.report_loss()),
            Err(error) => {
                self.core.apply(Input::LossReported);
                Poll::Ready(Err(error))
            }
        }
    }

    /// Sends a message from a slice of the caller, while nothing is buffered.
    fn poll_send_slice(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize, WsErr>> {
        let sent = ready!(self.transport.poll_send_slice(cx, data));
        if let Ok(len) = &sent {
            self.core.count_sent(*len);
            self.core.state.buffered();
            self.core.on_message_queued();
        }
        self.record_write_error(sent.as_ref().map(drop).map_err(Clone::clone))?;
        Poll::Ready(sent)
    }

    /// Hands messages to the transport while `threshold` bytes or more are buffered.
    fn poll_send_buffered(
        &mut self,
        cx: &mut Context<'_>,
        threshold: usize,
    ) -> Poll<Result<(), WsErr>> {
        let sent = self.poll_messages(cx, threshold);
        self.core.record_unsent(sent.is_pending());
        sent.map(|sent| self.record_write_error(sent))
    }

    /// Sends everything that is to be sent, as far as the transport takes it.
    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        let sent = self.poll_send_all(cx);
        self.core.record_unsent(sent.is_pending());
        sent.map(|sent| self.record_write_error(sent))
    }

    fn record_write_error(&mut self, sent: Result<(), WsErr>) -> Result<(), WsErr> {
        if let Err(error) = &sent {
            self.core.apply(Input::WriteFailed(error.clone()));
        }
        sent
    }

    fn poll_send_all(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        ready!(self.poll_messages(cx, 1))?;
        while self.core.pings.is_waiting() {
            ready!(self.transport.poll_ready(cx))?;
            if let Some(payload) = self.core.pings.next() {
                self.core.shared().counters.pings_sent.add(1);
                self.transport.start_send(Message::Ping(payload))?;
                self.core.trace().ping_sent();
                self.core.unflushed = true;
            }
        }
        // The buffer of a transport may have no room for a close frame, so flush first.
        ready!(self.poll_flush_transport(cx))?;
        if let Some(close) = self.core.state.pending_close() {
            if self.transport.poll_ready(cx)?.is_pending() {
                self.core.apply(Input::Blocked);
                return Poll::Pending;
            }
            let code = match &close {
                Message::Close(Some(frame)) => frame.code(),
                _ => CloseCode::NO_STATUS_RECEIVED,
            };
            self.transport.start_send(close)?;
            self.core.trace().close_sent(code);
            self.core.unflushed = true;
            self.core.apply(Input::CloseQueued);
            ready!(self.poll_flush_transport(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_messages(&mut self, cx: &mut Context<'_>, threshold: usize) -> Poll<Result<(), WsErr>> {
        if let Some(error) = self.core.state.write_error() {
            return Poll::Ready(Err(error.clone()));
        }
        if self.core.pong.is_some() {
            ready!(self.transport.poll_ready(cx))?;
            if let Some(payload) = self.core.pong.take() {
                self.transport.start_send(Message::Pong(payload))?;
                self.core.unflushed = true;
            }
        }
        let is_full = threshold > 1 && self.core.buffer.has_message(threshold);
        let after_last = threshold.saturating_add(self.core.max_send);
        let mut batch_len = self.core.properties.batch_len;
        let mut room = 0;
        while self.core.buffer.has_message(threshold) {
            // The last message waits for the transport, and the writer of the next item with it.
            if room == 0 || self.core.buffer.len() < after_last {
                ready!(self.transport.poll_ready(cx))?;
                room = batch_len;
                batch_len = (2 * batch_len).min(MAX_BATCH_LEN);
            }
            if threshold == 1 && self.send_only_message(cx)? {
                continue;
            }
            let message = self.core.next_message();
            room = room.saturating_sub(message.data_len());
            match message {
                Outgoing::Message(message) => self.transport.start_send(message)?,
                Outgoing::Shared(message) => self.transport.start_send_shared(message)?,
            }
            self.core.on_message_queued();
        }
        if is_full {
            // Where messages leave in batches, the memory of the last one is in use until it is
            // written. Other transports are not asked for room that is not used.
            let is_written = batch_len > 0 && self.transport.poll_ready(cx)?.is_ready();
            self.core.buffer.reclaim(self.core.max_send, is_written);
        }
        Poll::Ready(Ok(()))
    }

    /// Sends all that is buffered before a flush, if that is one message.
    #[inline]
    fn send_only_message(&mut self, cx: &mut Context<'_>) -> Result<bool, WsErr> {
        let core = &mut *self.core;
        let Some((mut buffer, headroom)) = core.buffer.take_only_message(core.max_send) else {
            return Ok(false);
        };
        let len = buffer.len() - headroom;
        let taken = self.transport.start_send_buffer(cx, &mut buffer, headroom);
        core.buffer.give_back(buffer, core.max_send);
        core.count_sent(len);
        taken?;
        core.on_message_queued();
        Ok(true)
    }

    fn poll_flush_transport(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        if self.core.unflushed {
            if self.transport.poll_flush(cx)?.is_pending() {
                self.core.apply(Input::Blocked);
                return Poll::Pending;
            }
            self.core.unflushed = false;
            self.core.reply_unflushed = false;
            self.core.sent += 1;
        }
        self.core.on_flushed();
        Poll::Ready(Ok(()))
    }
}

impl Core {
    /// Updates the gauge of what waits to be sent.
    #[inline]
    fn record_unsent(&self, is_blocked: bool) {
        let unsent = if is_blocked {
            self.buffer.unsent_len()
        } else {
            0
        };
        self.shared().counters.bytes_unsent.set(unsent);
    }

    /// Whether so many bytes can be buffered without anything to send or to wait for: the case of
    /// nearly every small write and item.
    #[inline]
    fn fits_in_buffer(&self, len: usize) -> bool {
        let buffered = self.buffer.len().saturating_add(len);
        buffered < self.max_send && self.has_no_requests()
    }

    #[inline]
    fn has_no_requests(&self) -> bool {
        !self.state.is_close_pending() && !self.shared().is_requested()
    }

    fn buffer_bytes(&mut self, mode: Mode, bytes: SharedBytes) -> Result<(), WsErr> {
        self.check_room(mode)?;
        let min_shared_len = self.properties.min_shared_len;
        let is_shared = min_shared_len.is_some_and(|min| bytes.len() >= min);
        match mode {
            Mode::Packed => self.buffer.push_bytes(bytes, is_shared, self.max_send),
            Mode::PerMessage { is_text } => {
                let max = self.max_send;
                self.buffer.push_message(bytes, is_shared, is_text, max)?;
            }
        }
        if !self.buffer.is_empty() {
            self.state.buffered();
        }
        Ok(())
    }

    fn buffer_message(&mut self, message: Message) -> Result<(), WsErr> {
        self.check_room(Mode::MESSAGES)?;
        if !message.is_data() {
            return Err(WsErr::Unsupported(Unsupported::ControlMessage));
        }
        let (len, max) = (message.data_len(), self.max_send);
        if len > max {
            return Err(WsErr::TooLargeToSend { len, max });
        }
        self.buffer.push_whole(message);
        self.state.buffered();
        Ok(())
    }

    #[inline]
    fn check_room(&self, mode: Mode) -> Result<(), WsErr> {
        let has_room = mode == Mode::Packed || self.buffer.is_empty();
        if has_room && self.state.is_open() {
            return Ok(());
        }
        Err(self.why_no_room())
    }

    #[cold]
    fn why_no_room(&self) -> WsErr {
        let refused = self.state.check_writable().err();
        // The caller did not wait for room.
        refused.unwrap_or_else(|| io::Error::from(io::ErrorKind::WouldBlock).into())
    }

    fn next_message(&mut self) -> Outgoing {
        let message = self.buffer.next_message(self.max_send);
        self.count_sent(message.data_len());
        message
    }

    #[inline]
    fn count_sent(&self, len: usize) {
        self.shared().counters.messages_sent.add(1);
        self.shared().counters.bytes_sent.add(len);
    }

    fn on_message_queued(&mut self) {
        self.unflushed = true;
        self.sent += 1;
        if self.state.is_close_pending() {
            self.apply(Input::MessageQueued);
        }
    }

    fn on_flushed(&mut self) {
        let all = self.buffer.is_empty();
        if !self.state.flushed_while_open(all) {
            self.apply(Input::Flushed { all });
        }
        if all {
            self.keepalive.on_flushed();
        }
    }

    /// Reports a loss of data to a writer, once.
    ///
    /// # Errors
    /// Why data was lost.
    pub(super) fn report_loss(&mut self) -> Result<(), WsErr> {
        if !self.state.has_unreported_loss() {
            return Ok(());
        }
        self.apply(Input::LossReported);
        Err(self.state.check_writable().err().unwrap_or(WsErr::Closed))
    }
}

/// An item that is being encoded. Nothing of it is kept unless it is [finished](Self::finish): an
/// encoder that fails or panics leaves no part of an item, which another task might send.
pub(crate) struct NewItem<'a> {
    core: &'a mut Core,
    start: usize,
    mode: Mode,
}

impl NewItem<'_> {
    /// Where the encoder appends.
    #[inline]
    pub(crate) fn bytes(&mut self) -> &mut BytesMut {
        self.core.buffer.bytes()
    }

    /// Keeps the item, unless it cannot be a message of its own where it has to.
    #[inline]
    pub(crate) fn finish(mut self) -> io::Result<()> {
        if let Mode::PerMessage { is_text } = self.mode {
            let ended = self.core.buffer.end_message(is_text, self.core.max_send);
            ended.map_err(CodecError::from)?;
        }
        self.start = usize::MAX;
        if !self.core.buffer.is_empty() {
            self.core.state.buffered();
        }
        Ok(())
    }
}

impl Drop for NewItem<'_> {
    #[inline]
    fn drop(&mut self) {
        self.core.buffer.bytes().truncate(self.start);
    }
}
