//! A time limit for tests, which needs no runtime.

use std::{
    pin::{Pin, pin},
    sync::mpsc,
    thread,
    time::Duration,
};

use futures::{
    channel::oneshot,
    future::{self, Either},
};

/// Longer than any test takes, even on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

/// Fails if `test` is not done after 30 seconds.
///
/// Boxed, because tests hold many ends, and what opens them.
pub fn timeout<F: Future>(test: F) -> Pin<Box<impl Future<Output = F::Output>>> {
    Box::pin(timeout_after(LIMIT, test))
}

/// Fails if `test` is not done after `time`. Ends the process if `test` does not even yield.
pub async fn timeout_after<F: Future>(time: Duration, test: F) -> F::Output {
    let (done, waiting) = mpsc::channel::<()>();
    let (expire, expired) = oneshot::channel();
    let guard = thread::spawn(move || {
        if waiting.recv_timeout(time) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = expire.send(());
            if waiting.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout) {
                eprintln!("a test polls without end");
                std::process::abort();
            }
        }
    });
    let output = match future::select(pin!(test), expired).await {
        Either::Left((output, _)) => output,
        Either::Right(_) => panic!("the test hangs: not done in {time:?}"),
    };
    drop(done);
    guard.join().unwrap();
    output
}
