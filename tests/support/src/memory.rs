//! A transport that moves whole messages in memory, written from what the documentation of
//! [`MessageTransport`] asks of an implementation.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker, ready},
};

use ws_framed::{Message, MessageTransport, WsErr};

/// What is sent: a message, or an error that the receiver gets in its place.
type Delivery = Result<Message, WsErr>;

/// Two connected transports, which hold `capacity` messages in each direction.
pub fn memory_transports(capacity: usize) -> (MemoryTransport, MemoryTransport) {
    let (here, there) = memory_ends(capacity);
    (MemoryTransport::new(here), MemoryTransport::new(there))
}

/// The ends below them, for a [`MemoryTransport`] and for a script.
pub fn memory_ends(capacity: usize) -> (MemoryEnd, MemoryEnd) {
    let directions = Arc::new(Mutex::new([Direction::default(), Direction::default()]));
    let end = |here| MemoryEnd {
        directions: Arc::clone(&directions),
        here,
        capacity,
    };
    (end(0), end(1))
}

/// What is on its way to one end.
#[derive(Debug, Default)]
struct Direction {
    deliveries: VecDeque<Delivery>,
    /// The other end has closed it.
    ended: bool,
    /// This end was dropped.
    abandoned: bool,
    /// The last waker that this end was polled with: there is no other.
    waker: Option<Waker>,
}

/// One end of a connection in memory.
#[derive(Debug)]
pub struct MemoryEnd {
    directions: Arc<Mutex<[Direction; 2]>>,
    here: usize,
    capacity: usize,
}

impl MemoryEnd {
    fn lock(&self) -> MutexGuard<'_, [Direction; 2]> {
        self.directions.lock().unwrap()
    }

    /// The next delivery; `None` at the end.
    pub fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<Delivery>> {
        let mut directions = self.lock();
        directions[self.here].waker = Some(cx.waker().clone());
        let delivery = directions[self.here].deliveries.pop_front();
        if delivery.is_none() && !directions[self.here].ended {
            return Poll::Pending;
        }
        wake(&mut directions[1 - self.here]);
        Poll::Ready(delivery)
    }

    /// Sends what is in `delivery`, if anything, once there is room.
    pub fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        delivery: &mut Option<Delivery>,
    ) -> Poll<Result<(), WsErr>> {
        let mut directions = self.lock();
        directions[self.here].waker = Some(cx.waker().clone());
        let there = &mut directions[1 - self.here];
        if delivery.is_none() {
            return Poll::Ready(Ok(()));
        }
        if there.abandoned {
            return Poll::Ready(Err(io::Error::from(io::ErrorKind::BrokenPipe).into()));
        }
        if there.deliveries.len() == self.capacity {
            return Poll::Pending;
        }
        there.deliveries.extend(delivery.take());
        wake(there);
        Poll::Ready(Ok(()))
    }

    /// Sends no more.
    pub fn close_write(&mut self) {
        let there = &mut self.lock()[1 - self.here];
        there.ended = true;
        wake(there);
    }
}

impl Drop for MemoryEnd {
    fn drop(&mut self) {
        self.close_write();
        let mut directions = self.lock();
        directions[self.here].abandoned = true;
        wake(&mut directions[1 - self.here]);
    }
}

fn wake(direction: &mut Direction) {
    if let Some(waker) = direction.waker.take() {
        waker.wake();
    }
}

/// One end of a connection, as a transport. It leaves replies to the connection above it.
#[derive(Debug)]
pub struct MemoryTransport {
    end: MemoryEnd,
    unsent: Option<Delivery>,
    closing: bool,
    /// A close frame or an error was received: what follows is discarded.
    discards: bool,
}

impl MemoryTransport {
    pub fn new(end: MemoryEnd) -> Self {
        Self {
            end,
            unsent: None,
            closing: false,
            discards: false,
        }
    }
}

impl MessageTransport for MemoryTransport {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Delivery>> {
        while let Some(delivery) = ready!(self.end.poll_receive(cx)) {
            if !self.discards {
                self.discards = matches!(delivery, Ok(Message::Close(_)) | Err(_));
                return Poll::Ready(Some(delivery));
            }
        }
        Poll::Ready(None)
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.end.poll_send(cx, &mut self.unsent)
    }

    fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
        assert!(self.unsent.is_none(), "start_send without poll_ready");
        assert!(!self.closing, "a message after the close frame");
        self.closing = matches!(message, Message::Close(_));
        self.unsent = Some(Ok(message));
        Ok(())
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.end.poll_send(cx, &mut self.unsent)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        ready!(self.poll_flush(cx))?;
        self.end.close_write();
        Poll::Ready(Ok(()))
    }
}
