//! Reading more than the engine asks for, while there is more.

use std::{
    io,
    ops::Range,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::io::AsyncRead;

/// How much the engine reads at once. It fills its buffer with zeroes before each read and keeps it for as long
/// as the connection lives, so that one is small, and [`Ahead`] is there while much comes. Where there are many connections,
/// no such buffer is in a cache when its turn comes: twice as much made a round trip on each of a thousand a quarter dearer.
pub(crate) const ENGINE_READ: usize = 2 * 1024;

/// How much is read at once while there is more than the engine takes: first, and when that is not enough.
/// Twice the second, and half of it, did not measure better.
const READ_AHEAD: [usize; 2] = [16 * 1024, 64 * 1024];

/// What was read before the engine asked for it, so that much data takes few system calls. There is a buffer
/// only while reads find more than the engine takes at once, and none when one finds nothing.
#[derive(Debug)]
pub(super) struct Ahead {
    /// No buffer is longer.
    most: usize,
    buffer: Vec<u8>,
    /// What of it the engine has not taken.
    unread: Range<usize>,
    /// How long the buffer of the next read is to be; zero to read into the engine's.
    room: usize,
}

impl Ahead {
    /// Holds at most `most` bytes.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            buffer: Vec::new(),
            unread: 0..0,
            room: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.unread.is_empty()
    }

    /// Gives the engine what was read, or reads. `budget` is what may be taken from `io`; it is not zero, and the
    /// engine's own buffer may exceed it.
    pub(super) fn poll_read(
        &mut self,
        io: &mut (impl AsyncRead + Unpin),
        cx: &mut Context<'_>,
        buf: &mut [u8],
        budget: &mut usize,
    ) -> Poll<io::Result<usize>> {
        let [first, second] = READ_AHEAD;
        if self.is_empty() {
            if self.room <= buf.len() {
                let read = ready!(Pin::new(io).poll_read(cx, buf))?;
                *budget = budget.saturating_sub(read);
                // The engine may ask for the few bytes that it has room for, which tells nothing.
                if read == buf.len() && read >= ENGINE_READ / 2 {
                    self.room = first.min(self.most);
                }
                return Poll::Ready(Ok(read));
            }
            let len = self.room.min(*budget);
            let Poll::Ready(read) = Pin::new(io).poll_read(cx, self.buffer_of(len)) else {
                *self = Self::new(self.most);
                return Poll::Pending;
            };
            let read = read?;
            *budget -= read;
            if read == len {
                self.room = second.min(self.most);
            } else if read <= ENGINE_READ {
                self.room = 0;
            }
            self.unread = 0..read;
        }
        let mut unread = self.buffer.get(self.unread.clone()).unwrap_or_default();
        let taken = io::Read::read(&mut unread, buf)?;
        self.unread.start += taken;
        if self.is_empty() && self.room == 0 {
            self.buffer = Vec::new();
        }
        Poll::Ready(Ok(taken))
    }

    fn buffer_of(&mut self, len: usize) -> &mut [u8] {
        if self.buffer.len() != self.room {
            // The old one first, so that there are never two.
            self.buffer = Vec::new();
            self.buffer = vec![0; self.room];
        }
        self.buffer.get_mut(..len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use arbtest::{arbitrary, arbtest};
    use futures::task::noop_waker;

    use super::*;

    /// Hands out these many bytes at once, counting up; then nothing, once for each zero.
    struct Source {
        steps: Vec<usize>,
        next: u8,
        reads: usize,
    }

    impl Source {
        fn new(steps: &[usize]) -> Self {
            let steps = steps.iter().rev().copied().collect();
            Self {
                steps,
                next: 0,
                reads: 0,
            }
        }
    }

    impl AsyncRead for Source {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            self.reads += 1;
            let there = match self.steps.pop() {
                None => return Poll::Ready(Ok(0)),
                Some(0) => return Poll::Pending,
                Some(there) => there,
            };
            let read = there.min(buf.len());
            if read < there {
                self.steps.push(there - read);
            }
            for byte in buf.iter_mut().take(read) {
                *byte = self.next;
                self.next = self.next.wrapping_add(1);
            }
            Poll::Ready(Ok(read))
        }
    }

    /// Reads as the engine does. `None` if nothing is there.
    fn read(ahead: &mut Ahead, source: &mut Source, len: usize) -> Option<Vec<u8>> {
        let mut buf = vec![0; len];
        let waker = noop_waker();
        let cx = &mut Context::from_waker(&waker);
        match ahead.poll_read(source, cx, &mut buf, &mut { usize::MAX }) {
            Poll::Ready(read) => {
                buf.truncate(read.unwrap());
                Some(buf)
            }
            Poll::Pending => None,
        }
    }

    #[test]
    fn what_is_read_ahead_arrives_whole_and_in_order() {
        arbtest(|u| {
            let steps: Vec<_> = (0..u.int_in_range(0..=7)?)
                .map(|_| {
                    Ok(if u.arbitrary()? {
                        0
                    } else {
                        u.int_in_range(1..=99_999)?
                    })
                })
                .collect::<Result<_, arbitrary::Error>>()?;
            let lens: Vec<_> = (0..u.int_in_range(1..=9)?)
                .map(|_| {
                    let max = *u.choose(&[19, ENGINE_READ])?;
                    u.int_in_range(1..=max)
                })
                .collect::<Result<_, _>>()?;
            let (mut ahead, mut source) = (Ahead::new(usize::MAX), Source::new(&steps));
            let mut received = 0_usize;
            for len in lens.iter().cycle() {
                match read(&mut ahead, &mut source, *len) {
                    Some(bytes) if bytes.is_empty() => break,
                    Some(bytes) => {
                        let mut places = bytes.iter().zip(received..);
                        assert!(places.all(|(byte, at)| usize::from(*byte) == at % 256));
                        received += bytes.len();
                        assert!(ahead.buffer.capacity() <= 64 * 1024);
                    }
                    None => assert_eq!(ahead.buffer.capacity(), 0),
                }
            }
            assert_eq!(received, steps.iter().sum::<usize>());
            Ok(())
        });
    }

    #[test]
    fn no_more_is_read_ahead_than_may_be() {
        let (mut ahead, mut source) = (Ahead::new(20_000), Source::new(&[1_000_000]));
        for _ in 0..200 {
            assert!(read(&mut ahead, &mut source, ENGINE_READ).is_some());
            assert!(ahead.buffer.capacity() <= 20_000);
        }
    }

    #[test]
    fn much_data_takes_few_reads() {
        let len = 16 * 1024 * 1024;
        let (mut ahead, mut source) = (Ahead::new(usize::MAX), Source::new(&[len]));
        let mut received = 0;
        while received < len {
            let bytes = read(&mut ahead, &mut source, ENGINE_READ);
            received += bytes.unwrap().len();
        }
        let least = len / (64 * 1024);
        assert!(source.reads <= least + 2, "{}", source.reads);
    }

    #[test]
    fn small_data_goes_straight_to_the_engine() {
        let (mut ahead, mut source) = (Ahead::new(usize::MAX), Source::new(&[100; 200]));
        for len in (1..=ENGINE_READ).rev().step_by(20) {
            assert!(read(&mut ahead, &mut source, len).is_some());
            assert_eq!(ahead.buffer.capacity(), 0);
        }
    }
}
