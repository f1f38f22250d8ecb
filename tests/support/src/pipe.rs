//! A byte stream in memory, with a bounded buffer in each direction.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};

use futures::io::{AsyncRead, AsyncWrite};

/// One end of a byte stream in memory, which holds a bounded number of bytes in each direction.
/// When an end is dropped, the other reads what is there and then the end, and its writes fail.
#[derive(Debug)]
pub struct Pipe {
    incoming: Arc<Mutex<Direction>>,
    outgoing: Arc<Mutex<Direction>>,
}

/// One direction.
#[derive(Debug)]
struct Direction {
    bytes: VecDeque<u8>,
    capacity: usize,
    /// The writer has closed it.
    ended: bool,
    /// The reader was dropped.
    abandoned: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// Two ends that hold `capacity` bytes in each direction.
pub fn pipe(capacity: usize) -> (Pipe, Pipe) {
    let direction = || {
        Arc::new(Mutex::new(Direction {
            bytes: VecDeque::new(),
            capacity,
            ended: false,
            abandoned: false,
            reader: None,
            writer: None,
        }))
    };
    let (up, down) = (direction(), direction());
    let here = Pipe {
        incoming: Arc::clone(&up),
        outgoing: Arc::clone(&down),
    };
    let there = Pipe {
        incoming: down,
        outgoing: up,
    };
    (here, there)
}

impl Pipe {
    /// Changes how many bytes either direction holds.
    pub fn set_capacity(&self, capacity: usize) {
        lock(&self.incoming).capacity = capacity;
        lock(&self.outgoing).capacity = capacity;
    }
}

fn lock(direction: &Mutex<Direction>) -> MutexGuard<'_, Direction> {
    direction.lock().unwrap()
}

fn wake(waiting: &mut Option<Waker>) {
    if let Some(waker) = waiting.take() {
        waker.wake();
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut direction = lock(&self.incoming);
        if direction.bytes.is_empty() && !direction.ended {
            direction.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let read = io::Read::read(&mut direction.bytes, buf);
        wake(&mut direction.writer);
        Poll::Ready(read)
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut direction = lock(&self.outgoing);
        if direction.abandoned || direction.ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = direction.capacity.saturating_sub(direction.bytes.len());
        if room == 0 {
            direction.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let written = room.min(buf.len());
        direction.bytes.extend(&buf[..written]);
        wake(&mut direction.reader);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut direction = lock(&self.outgoing);
        direction.ended = true;
        wake(&mut direction.reader);
        Poll::Ready(Ok(()))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let mut incoming = lock(&self.incoming);
        incoming.abandoned = true;
        wake(&mut incoming.writer);
        drop(incoming);
        let mut outgoing = lock(&self.outgoing);
        outgoing.ended = true;
        wake(&mut outgoing.reader);
    }
}
