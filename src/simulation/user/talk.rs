//! How a user reads and writes each kind of stream.

use std::{
    future::poll_fn,
    io,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use futures::{
    Sink, Stream,
    future::select,
    io::{AsyncBufRead, AsyncRead, AsyncWrite, IoSlice, IoSliceMut},
};

use super::{User, View};
use crate::{
    Message, WsStream,
    simulation::{
        invariants::End,
        scenario::{Stage, Style, ViewKind},
    },
};

/// The result of one read.
pub(super) enum Got {
    /// So many bytes, or one item.
    Some(usize),
    End(End),
}

impl User {
    /// Reads so many bytes or items, and returns whether they arrived.
    pub(super) async fn read(&self, count: usize) -> bool {
        let mut left = count;
        while left > 0 {
            self.think().await;
            match self
                .maybe_cancel(poll_fn(|cx| self.poll_read(cx, left)))
                .await
            {
                None => {}
                Some(Got::Some(n)) => left -= n,
                Some(Got::End(end)) => {
                    self.env.oracle.borrow_mut().ended(self.end, end);
                    return false;
                }
            }
        }
        true
    }

    pub(super) async fn read_to_end(&self) {
        if self.env.oracle.borrow().ends[self.end].ended.is_none() {
            self.read(usize::MAX).await;
        }
    }

    pub(super) fn poll_read(&self, cx: &mut Context<'_>, most: usize) -> Poll<Got> {
        let mut oracle = self.env.oracle.borrow_mut();
        let got = match &mut *self.view.borrow_mut() {
            View::Gone => unreachable!("it was dropped"),
            View::Bytes(stream) => match ready!(self.poll_bytes(stream, cx, most)) {
                Ok(bytes) if bytes.is_empty() => Got::End(End::Clean),
                Ok(bytes) => {
                    oracle.received_bytes(self.end, &bytes);
                    Got::Some(bytes.len())
                }
                Err(error) => Got::End(End::Failed(error.kind())),
            },
            View::Items(framed) => match ready!(Pin::new(&mut *framed).poll_next(cx)) {
                None => Got::End(End::Clean),
                Some(Ok(item)) => {
                    let len = framed.codec().frame_len(&item);
                    oracle.received_item(self.end, &item, len);
                    Got::Some(1)
                }
                Some(Err(error)) => Got::End(End::Failed(io::Error::from(error).kind())),
            },
            View::Messages(messages) => match ready!(Pin::new(messages).poll_next(cx)) {
                None => Got::End(End::Clean),
                Some(Ok(message)) => {
                    let data = message.into_data();
                    let item = String::from_utf8_lossy(&data);
                    oracle.received_item(self.end, &item, data.len());
                    Got::Some(1)
                }
                Some(Err(error)) => Got::End(End::Failed(error.kind())),
            },
        };
        self.trace(|| format!("read {}", if let Got::Some(n) = got { n } else { 0 }));
        Poll::Ready(got)
    }

    /// Reads by one of the available methods.
    pub(super) fn poll_bytes(
        &self,
        stream: &mut WsStream,
        cx: &mut Context<'_>,
        most: usize,
    ) -> Poll<io::Result<Vec<u8>>> {
        let mut stream = Pin::new(stream);
        let mut rng = self.rng.borrow_mut();
        let len = rng.size(1, 5_000).min(most);
        let mut bytes = vec![0; len];
        let read = match rng.below(3) {
            0 => ready!(stream.poll_read(cx, &mut bytes))?,
            1 => {
                let (one, two) = bytes.split_at_mut(rng.below(len));
                let mut bufs = [IoSliceMut::new(one), IoSliceMut::new(two)];
                ready!(stream.poll_read_vectored(cx, &mut bufs))?
            }
            _ => {
                let unread = ready!(stream.as_mut().poll_fill_buf(cx))?;
                let read = unread.len().min(len);
                bytes[..read].copy_from_slice(&unread[..read]);
                stream.consume(read);
                read
            }
        };
        bytes.truncate(read);
        Poll::Ready(Ok(bytes))
    }

    /// Writes the data of the stage, and returns whether all of it was accepted.
    pub(super) async fn write(&self, stage: Stage, closes: bool) -> bool {
        let mut left = stage.count[self.end];
        while left > 0 {
            self.think().await;
            match self
                .maybe_cancel(poll_fn(|cx| self.poll_write(cx, left)))
                .await
            {
                None => {}
                Some(Ok(n)) => left -= n,
                Some(Err(error)) => {
                    self.trace(|| format!("cannot write: {error}"));
                    return false;
                }
            }
            if left > 0 && self.rng.borrow_mut().one_in(4) && !self.flush().await {
                return false;
            }
        }
        // A pending read does not flush items that were buffered after it.
        let has_reader = matches!(stage.style[self.end], Style::Together | Style::TwoTasks);
        let must_flush = has_reader && stage.view != ViewKind::Bytes;
        if must_flush || self.rng.borrow_mut().one_in(2) {
            // The peer has all data of the stage, and may not read the rest, so do not wait for it.
            let limit = self.env.agenda.sleep(Duration::from_millis(10));
            select(pin!(self.flush()), limit).await;
        }
        if closes {
            self.think().await;
            self.close().await;
        }
        true
    }

    pub(super) fn poll_write(&self, cx: &mut Context<'_>, most: usize) -> Poll<io::Result<usize>> {
        let mut oracle = self.env.oracle.borrow_mut();
        let account = &mut oracle.ends[self.end];
        let content = self.plan.content;
        let taken = match &mut *self.view.borrow_mut() {
            View::Gone => unreachable!("it was dropped"),
            View::Bytes(stream) => {
                let mut rng = self.rng.borrow_mut();
                let len = rng.size(1, 5_000).min(most);
                let bytes = content.bytes(account.written, len);
                let stream = Pin::new(stream);
                let taken = if rng.one_in(2) {
                    ready!(stream.poll_write(cx, &bytes))?
                } else {
                    let (one, two) = bytes.split_at(rng.below(len));
                    let bufs = [IoSlice::new(one), IoSlice::new(&[]), IoSlice::new(two)];
                    ready!(stream.poll_write_vectored(cx, &bufs))?
                };
                assert!(
                    0 < taken && taken <= len,
                    "{taken} of {len} bytes were taken"
                );
                account.written += taken;
                taken
            }
            View::Items(framed) => {
                let mut framed = Pin::new(framed);
                ready!(framed.as_mut().poll_ready(cx)).map_err(io::Error::from)?;
                let item = content.item(account.items_written);
                let len = framed.codec().frame_len(&item);
                framed.start_send(item).map_err(io::Error::from)?;
                account.items_written += 1;
                account.items.push(account.written..account.written + len);
                account.written += len;
                1
            }
            View::Messages(messages) => {
                let mut messages = Pin::new(messages);
                ready!(messages.as_mut().poll_ready(cx)).map_err(io::Error::from)?;
                let item = content.item(account.items_written);
                let len = item.len();
                let message = Message::Binary(item.into());
                messages.start_send(message).map_err(io::Error::from)?;
                account.items_written += 1;
                account.items.push(account.written..account.written + len);
                account.written += len;
                1
            }
        };
        self.trace(|| format!("wrote {taken}"));
        Poll::Ready(Ok(taken))
    }

    pub(super) async fn flush(&self) -> bool {
        let flushed = self.until_done(|cx| match &mut *self.view.borrow_mut() {
            View::Gone => unreachable!("it was dropped"),
            View::Bytes(stream) => Pin::new(stream).poll_flush(cx),
            View::Items(framed) => Pin::new(framed).poll_flush(cx).map_err(io::Error::from),
            View::Messages(messages) => Pin::new(messages).poll_flush(cx).map_err(io::Error::from),
        });
        let flushed = flushed.await;
        self.trace(|| format!("flushed: {flushed:?}"));
        self.env.oracle.borrow_mut().flushed(self.end, &flushed);
        flushed.is_ok()
    }
}
