//! The outgoing half of the poll loop. It never receives.

use std::{
    io,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};

use super::{
    Connection, Mode,
    life::{Input, Phase},
    write_buffer::WriteBuffer,
};
use crate::{error::WsErr, message::Message, time::Side, transport::MessageTransport};

impl<M: MessageTransport> Connection<M> {
    /// Gathers bytes, sends what makes full messages, and says how many were taken. At least one, or it
    /// waits.
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
        if self.is_free_for(len) {
            self.check_writable()?;
            let was_delivered = !self.outgoing.undelivered;
            chunks.for_each(|chunk| self.outgoing.extend(chunk));
            if was_delivered {
                self.shared().reader.wake();
            }
            return Poll::Ready(Ok(len));
        }
        let waker = self.enter(Side::Writer, task);
        let cx = &mut Context::from_waker(&waker);
        self.push_goodbye(cx);
        self.check_writable()?;
        let was_delivered = !self.outgoing.undelivered;
        let mut taken = 0;
        for mut chunk in chunks {
            while !chunk.is_empty() {
                if self.outgoing.len() >= self.max_send {
                    match self.poll_make_room(cx) {
                        Poll::Ready(Ok(())) => {}
                        Poll::Ready(Err(error)) if taken == 0 => return Poll::Ready(Err(error)),
                        Poll::Pending if taken == 0 => {
                            return self.poll_stuck(cx).map(Err);
                        }
                        // The error stays for the next call.
                        _ => return Poll::Ready(Ok(taken)),
                    }
                }
                let room = self.max_send.saturating_sub(self.outgoing.len());
                let (now, later) = chunk.split_at(room.min(chunk.len()));
                self.outgoing.extend(now);
                taken += now.len();
                chunk = later;
            }
        }
        if self.outgoing.len() >= self.max_send {
            let _ = self.poll_make_room(cx);
        }
        if was_delivered {
            // A reader that has parked flushes what nobody flushes, be it here or in the transport.
            self.shared().reader.wake();
        }
        Poll::Ready(Ok(taken))
    }

    /// Whether so many bytes can be taken without anything to send or to wait for: the case of nearly every
    /// small write and item.
    fn is_free_for(&self, len: usize) -> bool {
        let gathered = self.outgoing.len().saturating_add(len);
        gathered < self.max_send && self.is_undisturbed()
    }

    /// Whether nobody has asked for anything but what is written.
    fn is_undisturbed(&self) -> bool {
        self.goodbye.is_none() && !self.shared().is_requested()
    }

    /// Ready when an item may be [gathered](Self::gather).
    pub(crate) fn poll_ready(
        &mut self,
        task: &mut Context<'_>,
        mode: Mode,
    ) -> Poll<Result<(), WsErr>> {
        let least = match mode {
            Mode::Packed => self.max_send,
            // What is a message of its own does not go with anything else.
            Mode::PerMessage { .. } => 1,
        };
        if !self.outgoing.has_message(least) && self.is_undisturbed() {
            return Poll::Ready(self.check_writable());
        }
        let waker = self.enter(Side::Writer, task);
        let cx = &mut Context::from_waker(&waker);
        self.push_goodbye(cx);
        self.check_writable()?;
        match self.poll_hand_over(cx, least) {
            Poll::Pending => self.poll_stuck(cx).map(Err),
            sent @ Poll::Ready(_) => sent,
        }
    }

    /// Whether anything may be written now; if not, why.
    pub(super) fn check_writable(&self) -> Result<(), WsErr> {
        match (self.life.phase(), &self.write_error) {
            (Phase::Open, Some(error)) if !self.is_over() => Err(error.clone()),
            (Phase::Open, None) if self.goodbye.is_none() => Ok(()),
            _ => Err(WsErr::Closed),
        }
    }

    /// Whether it has ended for everybody but a reader, who may still find what came before.
    fn is_over(&self) -> bool {
        self.life.outcome().is_some()
    }

    /// Drives a close that was asked for, for those who only write.
    fn push_goodbye(&mut self, cx: &mut Context<'_>) {
        if self.goodbye.is_some() {
            let _ = self.poll_send(cx);
        }
    }

    /// Lets `put` append to what is gathered, with the room that [`poll_ready`](Self::poll_ready) found in the
    /// same mode. When it fails, nothing was.
    pub(crate) fn gather<E: From<io::Error>>(
        &mut self,
        mode: Mode,
        put: impl FnOnce(&mut BytesMut) -> Result<(), E>,
    ) -> Result<(), E> {
        self.check_room(mode).map_err(io::Error::from)?;
        match mode {
            Mode::Packed => self.outgoing.append(put),
            Mode::PerMessage { is_text } => {
                let frame = self.outgoing.encode(put, self.max_send)?;
                let put = self.outgoing.put_whole(frame, is_text, self.max_send);
                Ok(put.map_err(io::Error::from)?)
            }
        }
    }

    /// The same with bytes that others hold too.
    pub(crate) fn gather_shared(&mut self, mode: Mode, bytes: Bytes) -> Result<(), WsErr> {
        self.check_room(mode)?;
        match mode {
            Mode::Packed => {
                self.outgoing.share(bytes, self.max_send);
                Ok(())
            }
            Mode::PerMessage { is_text } => self.outgoing.put_whole(bytes, is_text, self.max_send),
        }
    }

    fn check_room(&self, mode: Mode) -> Result<(), WsErr> {
        self.check_writable()?;
        if mode != Mode::Packed && !self.outgoing.is_empty() {
            // Of a caller who did not ask.
            return Err(io::Error::from(io::ErrorKind::WouldBlock).into());
        }
        Ok(())
    }

    /// Ready when everything written has been handed to what lies below the transport.
    pub(crate) fn poll_flush(&mut self, task: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        let waker = self.enter(Side::Writer, task);
        let cx = &mut Context::from_waker(&waker);
        match self.life.phase() {
            Phase::Open | Phase::Closing if self.write_error.is_none() => {
                match self.poll_send(cx) {
                    Poll::Pending => {
                        let error = ready!(self.poll_stuck(cx));
                        self.outgoing.lost = false;
                        Poll::Ready(Err(error))
                    }
                    Poll::Ready(sent) => {
                        self.outgoing.lost = false;
                        Poll::Ready(sent)
                    }
                }
            }
            _ => Poll::Ready(self.report_lost()),
        }
    }

    /// Hands full messages to the transport, until less than one is gathered.
    fn poll_make_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.poll_hand_over(cx, self.max_send)
    }

    /// Hands messages to the transport while `least` bytes or more are gathered.
    fn poll_hand_over(&mut self, cx: &mut Context<'_>, least: usize) -> Poll<Result<(), WsErr>> {
        let sent = ready!(self.poll_messages(cx, least));
        Poll::Ready(self.note_write_error(sent))
    }

    /// Moves everything that is to go out as far as the transport takes it.
    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        let sent = ready!(self.poll_send_steps(cx));
        Poll::Ready(self.note_write_error(sent))
    }

    pub(super) fn note_write_error(&mut self, sent: Result<(), WsErr>) -> Result<(), WsErr> {
        if let (Err(error), None) = (&sent, &self.write_error) {
            self.write_error = Some(error.clone());
            if self.outgoing.undelivered {
                self.life.on(Input::AnswerWaits);
            }
            self.lose_undelivered();
            // The reader is given this long to find the end of the transport.
            self.start_deadline();
            self.shared().reader.wake();
        }
        sent
    }

    pub(super) fn poll_send_steps(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        ready!(self.poll_messages(cx, 1))?;
        while self.pings.is_waiting() {
            ready!(self.poll_room(cx))?;
            if let Some(payload) = self.pings.next() {
                self.shared().counters.pings_sent.add(1);
                self.transport.start_send(Message::Ping(payload))?;
                self.trace().ping_sent();
                self.outgoing.unflushed = true;
            }
        }
        // A transport may refuse a close frame that does not fit into its buffer, so flush first.
        ready!(self.poll_flush_transport(cx))?;
        if self.goodbye.is_some() {
            ready!(self.transport.poll_ready(cx))?;
            if let Some(frame) = self.goodbye.take() {
                let code = frame.code();
                self.transport.start_send(Message::Close(Some(frame)))?;
                self.trace().close_sent(code);
                self.life.on(Input::CloseSent);
                self.outgoing.unflushed = true;
                self.start_deadline();
            }
            ready!(self.poll_flush_transport(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_messages(&mut self, cx: &mut Context<'_>, least: usize) -> Poll<Result<(), WsErr>> {
        if let Some(error) = &self.write_error {
            return Poll::Ready(Err(error.clone()));
        }
        while self.outgoing.has_message(least) {
            ready!(self.poll_room(cx))?;
            let message = self.outgoing.cut(self.max_send);
            self.shared().counters.messages_sent.add(1);
            self.shared().counters.bytes_sent.add(message.data_len());
            self.transport.start_send(message)?;
            self.outgoing.unflushed = true;
            self.outgoing.progress += 1;
            if self.goodbye.is_some() {
                self.start_deadline();
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Ready when the transport has room for one more message. It may have had some once, and have filled it with pongs
    /// while nothing went out, so those go first.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        if self.pongs_owed > 0 {
            ready!(self.poll_flush_transport(cx))?;
        }
        self.transport.poll_ready(cx)
    }

    pub(super) fn poll_flush_transport(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        if self.outgoing.unflushed {
            let flushed = self.transport.poll_flush(cx);
            if flushed.is_pending() && self.life.phase() == Phase::Leaving {
                self.life.on(Input::AnswerWaits);
            }
            ready!(flushed)?;
            self.outgoing.unflushed = false;
            self.outgoing.progress += 1;
            self.pongs_owed = 0;
            self.life.on(Input::Flushed);
        }
        if self.outgoing.is_empty() {
            self.outgoing.undelivered = false;
            self.watch.sent_all();
        }
        Poll::Ready(Ok(()))
    }

    /// What is gathered will not go out. What the transport has taken may still, before our close frame.
    pub(super) fn lose_gathered(&mut self) {
        let is_lost = self.outgoing.lost || !self.outgoing.is_empty();
        let undelivered = self.outgoing.undelivered && !is_lost;
        self.outgoing = WriteBuffer::default();
        self.outgoing.lost = is_lost;
        self.outgoing.undelivered = undelivered;
    }

    pub(super) fn lose_undelivered(&mut self) {
        let is_lost = self.outgoing.lost || self.outgoing.undelivered;
        self.outgoing = WriteBuffer::default();
        self.outgoing.lost = is_lost;
    }

    /// Says that bytes were lost, once.
    pub(super) fn report_lost(&mut self) -> Result<(), WsErr> {
        if self.life.phase() == Phase::Leaving {
            // It may still go out, but has not.
            self.outgoing.lost |= std::mem::take(&mut self.outgoing.undelivered);
        }
        if std::mem::take(&mut self.outgoing.lost) {
            let cause = self.write_error.clone();
            return match self.life.phase() {
                Phase::Open if !self.is_over() => Err(cause.unwrap_or(WsErr::Closed)),
                // Why it ended was told, or is the reader's to see.
                _ => Err(WsErr::Closed),
            };
        }
        Ok(())
    }
}
