//! A transport that has no bytes below its messages: a connected pair in memory, written from what
//! [`MessageTransport`] says that a transport owes.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker, ready},
};

use ws_framed::{Message, MessageTransport, WsErr};

/// What goes over: a message, or an error that the receiver finds in its place.
type Parcel = Result<Message, WsErr>;

/// Two connected transports. Each way holds `capacity` messages.
pub fn pair(capacity: usize) -> (Memory, Memory) {
    let (here, there) = ends(capacity);
    (Memory::new(here), Memory::new(there))
}

/// The bare ends of a connection, for a [`Memory`] and for a script.
pub fn ends(capacity: usize) -> (End, End) {
    let lanes = Arc::new(Mutex::new([Lane::default(), Lane::default()]));
    let end = |here| End {
        lanes: Arc::clone(&lanes),
        here,
        capacity,
    };
    (end(0), end(1))
}

/// What came for one end.
#[derive(Debug, Default)]
struct Lane {
    parcels: VecDeque<Parcel>,
    /// No more will come.
    ended: bool,
    /// Nobody will take it.
    abandoned: bool,
    /// The last waker that this end was polled with: there is no other.
    waker: Option<Waker>,
}

#[derive(Debug)]
pub struct End {
    lanes: Arc<Mutex<[Lane; 2]>>,
    here: usize,
    capacity: usize,
}

impl End {
    fn lock(&self) -> MutexGuard<'_, [Lane; 2]> {
        self.lanes.lock().unwrap()
    }

    pub fn poll_take(&mut self, cx: &mut Context<'_>) -> Poll<Option<Parcel>> {
        let mut lanes = self.lock();
        lanes[self.here].waker = Some(cx.waker().clone());
        let parcel = lanes[self.here].parcels.pop_front();
        if parcel.is_none() && !lanes[self.here].ended {
            return Poll::Pending;
        }
        wake(&mut lanes[1 - self.here]);
        Poll::Ready(parcel)
    }

    /// Sends what is in `parcel`, if anything.
    pub fn poll_put(
        &mut self,
        cx: &mut Context<'_>,
        parcel: &mut Option<Parcel>,
    ) -> Poll<Result<(), WsErr>> {
        let mut lanes = self.lock();
        lanes[self.here].waker = Some(cx.waker().clone());
        let there = &mut lanes[1 - self.here];
        if parcel.is_none() {
            return Poll::Ready(Ok(()));
        }
        if there.abandoned {
            return Poll::Ready(Err(io::Error::from(io::ErrorKind::BrokenPipe).into()));
        }
        if there.parcels.len() == self.capacity {
            return Poll::Pending;
        }
        there.parcels.extend(parcel.take());
        wake(there);
        Poll::Ready(Ok(()))
    }

    /// Sends no more.
    pub fn shut(&mut self) {
        let there = &mut self.lock()[1 - self.here];
        there.ended = true;
        wake(there);
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.shut();
        let mut lanes = self.lock();
        lanes[self.here].abandoned = true;
        wake(&mut lanes[1 - self.here]);
    }
}

fn wake(lane: &mut Lane) {
    if let Some(waker) = lane.waker.take() {
        waker.wake();
    }
}

/// One end of a connection, as a transport. It leaves replies to the connection above it.
#[derive(Debug)]
pub struct Memory {
    end: End,
    unsent: Option<Parcel>,
    closing: bool,
    /// A close frame or an error was received: what follows is discarded.
    discards: bool,
}

impl Memory {
    pub fn new(end: End) -> Self {
        Self {
            end,
            unsent: None,
            closing: false,
            discards: false,
        }
    }
}

impl MessageTransport for Memory {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Parcel>> {
        while let Some(parcel) = ready!(self.end.poll_take(cx)) {
            if !self.discards {
                self.discards = matches!(parcel, Ok(Message::Close(_)) | Err(_));
                return Poll::Ready(Some(parcel));
            }
        }
        Poll::Ready(None)
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.end.poll_put(cx, &mut self.unsent)
    }

    fn start_send(&mut self, message: Message) -> Result<(), WsErr> {
        assert!(self.unsent.is_none(), "start_send without poll_ready");
        assert!(!self.closing, "a message after the close frame");
        self.closing = matches!(message, Message::Close(_));
        self.unsent = Some(Ok(message));
        Ok(())
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        self.end.poll_put(cx, &mut self.unsent)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsErr>> {
        ready!(self.poll_flush(cx))?;
        self.end.shut();
        Poll::Ready(Ok(()))
    }
}
