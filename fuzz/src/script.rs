//! A peer whose bytes are known from the start, and a task that polls until the end.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures::io::{AsyncRead, AsyncWrite};

/// How a stream is split into pieces.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Chunks {
    Whole,
    Single,
    /// Pieces of 1 to 32 bytes, and every fourth time nothing yet.
    Random(u64),
}

impl Chunks {
    /// Random pieces that depend on the input alone, so that a finding can be replayed.
    pub(crate) fn random(input: &[u8]) -> Self {
        let fnv = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        Self::Random(input.iter().fold(0xcbf2_9ce4_8422_2325, fnv) | 1)
    }

    pub(crate) fn all(input: &[u8]) -> [Self; 3] {
        [Self::Whole, Self::Single, Self::random(input)]
    }

    /// The length of the next piece; zero for "not yet".
    pub(crate) fn next_len(&mut self) -> usize {
        match self {
            Self::Whole => usize::MAX,
            Self::Single => 1,
            Self::Random(state) => {
                *state ^= *state << 13;
                *state ^= *state >> 7;
                *state ^= *state << 17;
                match state.to_le_bytes() {
                    [0..=63, ..] => 0,
                    [_, len, ..] => 1 + usize::from(len % 32),
                }
            }
        }
    }

    /// Splits `bytes`.
    pub(crate) fn split(mut self, mut bytes: &[u8]) -> Vec<&[u8]> {
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at(self.next_len().min(bytes.len()));
            pieces.push(piece);
            bytes = rest;
        }
        pieces
    }
}

/// What a [`Script`] was given to send.
pub(crate) type Output = Arc<Mutex<Vec<u8>>>;

/// A byte stream that yields `input` and then ends, and takes everything, both in pieces. Whenever
/// a task has to wait, it is woken at once.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) input: Vec<u8>,
    at: usize,
    reads: Chunks,
    writes: Chunks,
    output: Output,
    is_closed: bool,
}

impl Script {
    pub(crate) fn new(input: &[u8], chunks: Chunks) -> (Self, Output) {
        let output = Output::default();
        let script = Self {
            input: input.to_vec(),
            at: 0,
            reads: chunks,
            writes: chunks,
            output: Arc::clone(&output),
            is_closed: false,
        };
        (script, output)
    }
}

/// The length of the next piece of at most `max`.
fn poll_len(chunks: &mut Chunks, cx: &Context<'_>, max: usize) -> Poll<usize> {
    match chunks.next_len() {
        0 => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        len => Poll::Ready(len.min(max)),
    }
}

impl AsyncRead for Script {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let max = buf.len().min(this.input.len() - this.at);
        poll_len(&mut this.reads, cx, max).map(|len| {
            buf[..len].copy_from_slice(&this.input[this.at..][..len]);
            this.at += len;
            Ok(len)
        })
    }
}

impl AsyncWrite for Script {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        assert!(!self.is_closed, "written to after it was closed");
        poll_len(&mut self.writes, cx, buf.len()).map(|len| {
            self.output.lock().unwrap().extend_from_slice(&buf[..len]);
            Ok(len)
        })
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll_len(&mut self.writes, cx, 0).map(|_| Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.is_closed = true;
        poll_len(&mut self.writes, cx, 0).map(|_| Ok(()))
    }
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// More than the longest input takes, a byte a poll.
const MAX_POLLS: usize = 1 << 22;

/// Polls until it is ready. A [`Script`] never keeps a task waiting, so a task that waits and was
/// not woken would wait forever.
pub(crate) fn drive<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    for _ in 0..MAX_POLLS {
        if let Poll::Ready(output) = poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        assert!(
            woken.0.swap(false, Ordering::Relaxed),
            "it hangs: it was not woken"
        );
    }
    panic!("it does not come to an end");
}
