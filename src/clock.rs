//! Time, in one place: what every deadline is made of.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

#[cfg(any(target_arch = "wasm32", feature = "async-tungstenite"))]
use futures::future::{Either, select};

#[cfg(not(test))]
use futures_timer::Delay;
#[cfg(not(test))]
pub(crate) use web_time::Instant;

#[cfg(test)]
pub(crate) use virtual_time::{Delay, Instant};

/// The longest that a timer waits. Adding more to a clock's reading may overflow it.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// A deadline: fires once, and stays fired.
///
/// What it bounds has just been found waiting, or nobody would poll it. But `Pending` may also mean that the
/// task has had its share of this poll: from tokio, whose budget for a task leaves sockets silent when it is
/// spent, or from an adapter that yields, as our own below the engine does. So a deadline that is seen to be
/// over asks for another turn and fires in that, unless the budget of that turn is spent, too.
#[derive(Debug)]
pub(crate) struct Timer {
    delay: Delay,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    /// The time is over, and another turn was asked for.
    Over,
    Fired,
}

impl Timer {
    pub(crate) fn after(time: Duration) -> Self {
        Self {
            delay: Delay::new(time.min(FOREVER)),
            state: State::Running,
        }
    }

    pub(crate) fn restart(&mut self, time: Duration) {
        self.delay.reset(time.min(FOREVER));
        self.state = State::Running;
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.state {
            State::Running => {
                ready!(Pin::new(&mut self.delay).poll(cx));
                self.state = State::Over;
            }
            State::Over if is_turn_spent() => {}
            State::Over | State::Fired => {
                self.state = State::Fired;
                return Poll::Ready(());
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Whether what is `Pending` in this poll of the task may be ready in the next one.
#[cfg(all(feature = "tokio", not(target_arch = "wasm32")))]
fn is_turn_spent() -> bool {
    !tokio::task::coop::has_budget_remaining()
}

/// Whether what is `Pending` in this poll of the task may be ready in the next one: no other runtime does that.
#[cfg(not(all(feature = "tokio", not(target_arch = "wasm32"))))]
fn is_turn_spent() -> bool {
    false
}

/// The result of `work`, or nothing if it takes longer than `time`.
#[cfg(any(target_arch = "wasm32", feature = "async-tungstenite"))]
pub(crate) async fn within<T>(time: Duration, work: impl Future<Output = T>) -> Option<T> {
    let work = std::pin::pin!(work);
    match select(work, Timer::after(time)).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}

/// The clock of unit tests: it stands still until it is told to [`advance`](virtual_time::advance), so that
/// a test of what happens after 20 seconds takes none. Each thread has its own.
#[cfg(test)]
pub(crate) mod virtual_time {
    use std::{
        cell::RefCell,
        collections::BTreeMap,
        future::Future,
        pin::Pin,
        task::{Context, Poll, Waker},
        time::Duration,
    };

    /// When a delay is over, and which it is.
    type Key = (Duration, u64);

    #[derive(Default)]
    struct Clock {
        now: Duration,
        delays: u64,
        /// Who polled a delay last. A delay that is gone, or was set anew, wakes nobody.
        waiting: BTreeMap<Key, Waker>,
    }

    thread_local!(static CLOCK: RefCell<Clock> = RefCell::default());

    /// When the next timer that somebody waits for fires, counted from now.
    pub(crate) fn next_timer() -> Option<Duration> {
        CLOCK.with_borrow(|clock| {
            let ((at, _), _) = clock.waiting.first_key_value()?;
            Some(at.saturating_sub(clock.now))
        })
    }

    /// Moves the clock, and wakes whoever waited for that.
    pub(crate) fn advance(time: Duration) {
        let due = CLOCK.with_borrow_mut(|clock| {
            clock.now += time;
            let later = clock.waiting.split_off(&(clock.now, u64::MAX));
            std::mem::replace(&mut clock.waiting, later)
        });
        due.into_values().for_each(Waker::wake);
    }

    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Instant(Duration);

    impl Instant {
        pub(crate) fn now() -> Self {
            Self(CLOCK.with_borrow(|clock| clock.now))
        }

        pub(crate) fn elapsed(self) -> Duration {
            Self::now().saturating_duration_since(self)
        }

        pub(crate) fn saturating_duration_since(self, earlier: Self) -> Duration {
            self.0.saturating_sub(earlier.0)
        }
    }

    #[derive(Debug)]
    pub(crate) struct Delay(Key);

    impl Delay {
        pub(crate) fn new(time: Duration) -> Self {
            CLOCK.with_borrow_mut(|clock| {
                clock.delays += 1;
                Self((clock.now + time, clock.delays))
            })
        }

        pub(crate) fn reset(&mut self, time: Duration) {
            *self = Self::new(time);
        }
    }

    impl Future for Delay {
        type Output = ();

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            CLOCK.with_borrow_mut(|clock| {
                if clock.now >= self.0.0 {
                    return Poll::Ready(());
                }
                clock.waiting.insert(self.0, cx.waker().clone());
                Poll::Pending
            })
        }
    }

    impl Drop for Delay {
        fn drop(&mut self) {
            // Delays may be dropped as late as the thread's own storage.
            let waker = CLOCK.try_with(|clock| clock.borrow_mut().waiting.remove(&self.0));
            drop(waker);
        }
    }
}
