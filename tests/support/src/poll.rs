//! Polling by hand, and wakers that tell whether they were used.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// A waker that records that it was used.
#[derive(Debug, Default)]
pub struct WakeFlag(AtomicBool);

impl WakeFlag {
    /// Whether it was woken since the last call.
    pub fn take(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }
}

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Polls once, and tells whether the future asked to be polled again.
pub fn poll_once<F: Future>(future: F) -> (Poll<F::Output>, bool) {
    let flag = Arc::new(WakeFlag::default());
    let waker = Waker::from(Arc::clone(&flag));
    let output = pin!(future).poll(&mut Context::from_waker(&waker));
    (output, flag.take())
}

/// Polls so many times, or until it is done, whether or not anything woke it.
pub fn poll_times<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let cx = &mut Context::from_waker(Waker::noop());
    for _ in 0..times {
        if let Poll::Ready(output) = Pin::as_mut(&mut future).poll(cx) {
            return Some(output);
        }
    }
    None
}

/// Polls whenever it is woken, but at most so many times.
pub async fn poll_at_most<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = times;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        let polled = future.as_mut().poll(cx).map(Some);
        if polled.is_pending() && left == 0 {
            return Poll::Ready(None);
        }
        polled
    })
    .await
}

/// Polls until the future is done, or until nothing has woken it, so that it waits for another
/// task.
pub fn poll_until_idle<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    let flag = Arc::new(WakeFlag::default());
    let waker = Waker::from(Arc::clone(&flag));
    loop {
        let output = future.as_mut().poll(&mut Context::from_waker(&waker));
        if output.is_ready() || !flag.take() {
            return output;
        }
    }
}

/// Polls until nothing wakes the future any more, as its task does. It must not be done; from then
/// on it is woken through `woken`.
pub fn assert_idle<F: Future>(mut future: Pin<&mut F>, woken: &Arc<WakeFlag>) {
    let waker = Waker::from(Arc::clone(woken));
    loop {
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        if !woken.take() {
            return;
        }
    }
}

/// [`assert_idle`] for two futures, of which the second may wake the first.
pub fn assert_both_idle<F: Future, G: Future>(
    mut first: Pin<&mut F>,
    woken: &Arc<WakeFlag>,
    mut second: Pin<&mut G>,
) {
    loop {
        assert_idle(first.as_mut(), woken);
        assert!(poll_until_idle(second.as_mut()).is_pending());
        if !woken.take() {
            return;
        }
    }
}
