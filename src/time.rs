//! Time, in one place: what every deadline is made of.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker, ready},
    time::Duration,
};

use futures::future::{Either, select};

#[cfg(not(test))]
use futures_timer::Delay;
#[cfg(not(test))]
pub(crate) use web_time::Instant;

#[cfg(test)]
pub(crate) use virtual_time::{Delay, Instant};

/// The longest that a timer waits. Adding more to a clock's reading may overflow it.
const MAX_DURATION: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// How long other progress can delay an elapsed deadline. Data that had arrived when it elapsed is
/// processed in much less.
const GRACE_PERIOD: Duration = Duration::from_secs(1);

/// A waiting task is polled within this time after a deadline elapses.
const MISSED_POLL: Duration = Duration::from_millis(100);

/// A requested poll of the task.
#[derive(Debug)]
struct YieldRequest {
    turn: Arc<YieldWaker>,
    /// How much had come by then.
    progress: u64,
}

impl YieldRequest {
    fn new(cx: &Context<'_>, progress: u64) -> Self {
        let turn = Arc::new(YieldWaker {
            was_polled: AtomicBool::new(false),
            waker: cx.waker().clone(),
        });
        yield_now(&Waker::from(Arc::clone(&turn)));
        Self { turn, progress }
    }
}

/// Tells the turn that was requested for from one that the task got for another reason.
#[derive(Debug)]
struct YieldWaker {
    was_polled: AtomicBool,
    waker: Waker,
}

impl Wake for YieldWaker {
    fn wake(self: Arc<Self>) {
        self.was_polled.store(true, Ordering::Release);
        self.waker.wake_by_ref();
    }
}

/// Which of a connection's two tasks polls a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    Reader,
    Writer,
}

/// A time limit for an operation. It fires once, and stays fired.
///
/// It is polled after the operation has returned `Pending`. But `Pending` may also mean that the
/// task has used up its share of this poll: the cooperative budget of tokio, or that of a transport
/// that yields after some work. So an elapsed deadline yields once. It fires if the next poll of
/// the same task makes no progress although its sockets can be ready.
#[derive(Debug)]
pub(crate) struct Deadline {
    limit: Duration,
    since: Instant,
    /// Reset only when it elapses, to avoid a timer update for each message.
    delay: Delay,
    state: State,
    /// Whether it was restarted because no task polled it when it elapsed.
    was_extended: bool,
}

#[derive(Debug)]
enum State {
    Running,
    /// The time has elapsed. In a box, because a connection has some deadlines, and few elapse.
    Over(Box<Elapsed>),
    Fired,
}

#[derive(Debug)]
struct Elapsed {
    seen: Instant,
    /// The poll that each task requested.
    requested: [Option<YieldRequest>; 2],
}

impl Deadline {
    pub(crate) fn after(limit: Duration) -> Self {
        let limit = limit.min(MAX_DURATION);
        Self {
            limit,
            since: Instant::now(),
            delay: Delay::new(limit),
            state: State::Running,
            was_extended: false,
        }
    }

    /// Restarts the time.
    pub(crate) fn restart(&mut self) {
        self.since = Instant::now();
        self.state = State::Running;
        self.was_extended = false;
    }

    /// Restarts the time once if it elapsed while no task polled. Called before a poll in which
    /// only whole messages count as progress: after a pause of the user, that poll may receive or
    /// send a part of a message only. The restart happens once, so that rare polls do not postpone
    /// the deadline forever.
    pub(crate) fn extend_once_if_missed(&mut self) {
        let is_running = matches!(self.state, State::Running);
        let is_late = || self.since.elapsed() > self.limit.saturating_add(MISSED_POLL);
        if is_running && !self.was_extended && is_late() {
            self.restart();
            self.was_extended = true;
        }
    }

    /// Ready when the time has elapsed. `progress` changes whenever anything arrives that may
    /// complete the operation.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, task: Task, progress: u64) -> Poll<()> {
        if let State::Running = self.state {
            ready!(self.poll_time(cx));
            self.state = State::Over(Box::new(Elapsed {
                seen: Instant::now(),
                requested: [None, None],
            }));
        }
        if let State::Over(elapsed) = &mut self.state {
            let [reader, writer] = &mut elapsed.requested;
            let requested = match task {
                Task::Reader => reader,
                Task::Writer => writer,
            };
            let is_enough = match requested {
                None => false,
                Some(YieldRequest { turn, .. }) if !turn.was_polled.load(Ordering::Acquire) => {
                    if turn.waker.will_wake(cx.waker()) {
                        return Poll::Pending;
                    }
                    false
                }
                Some(requested) => {
                    let is_quiet = requested.progress == progress;
                    !is_coop_budget_exhausted()
                        && (is_quiet || elapsed.seen.elapsed() >= GRACE_PERIOD)
                }
            };
            if !is_enough {
                *requested = Some(YieldRequest::new(cx, progress));
                return Poll::Pending;
            }
            self.state = State::Fired;
        }
        Poll::Ready(())
    }

    fn poll_time(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(Pin::new(&mut self.delay).poll(cx));
            let left = self.limit.saturating_sub(self.since.elapsed());
            if left.is_zero() {
                return Poll::Ready(());
            }
            self.delay.reset(left);
        }
    }
}

/// A [`Deadline`] without progress.
#[derive(Debug)]
pub(crate) struct Timer(Deadline);

impl Timer {
    pub(crate) fn after(time: Duration) -> Self {
        Self(Deadline::after(time))
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll(cx, Task::Reader, 0)
    }
}

/// Wakes the task after the runtime has polled its sockets, which tokio does at intervals only.
#[cfg(all(feature = "tokio", not(target_arch = "wasm32")))]
fn yield_now(waker: &Waker) {
    let turn = std::pin::pin!(tokio::task::yield_now());
    let _ = turn.poll(&mut Context::from_waker(waker));
}

/// Wakes the task. Other runtimes query their sockets on each poll.
#[cfg(not(all(feature = "tokio", not(target_arch = "wasm32"))))]
fn yield_now(waker: &Waker) {
    waker.wake_by_ref();
}

/// Whether the cooperative budget of the task is used up, so that a `Pending` operation may be
/// ready in the next poll.
#[cfg(all(feature = "tokio", not(target_arch = "wasm32")))]
fn is_coop_budget_exhausted() -> bool {
    !tokio::task::coop::has_budget_remaining()
}

/// Always false: other runtimes have no such budget.
#[cfg(not(all(feature = "tokio", not(target_arch = "wasm32"))))]
fn is_coop_budget_exhausted() -> bool {
    false
}

/// The result of `work`, or `None` if it takes longer than `time`.
pub(crate) async fn timeout<T>(time: Duration, work: impl Future<Output = T>) -> Option<T> {
    let work = std::pin::pin!(work);
    match select(work, Timer::after(time)).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}

/// The clock of unit tests. It advances only by [`advance`](virtual_time::advance), so that tests
/// of timers do not wait. Each thread has its own.
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

    /// When a delay elapses, and its number.
    type Key = (Duration, u64);

    #[derive(Default)]
    struct Clock {
        now: Duration,
        delays: u64,
        /// The last task that polled each delay. A dropped or reset delay wakes none.
        waiting: BTreeMap<Key, Waker>,
    }

    thread_local!(static CLOCK: RefCell<Clock> = RefCell::default());

    /// The time until the next polled timer fires.
    pub(crate) fn next_timer() -> Option<Duration> {
        CLOCK.with_borrow(|clock| {
            let ((at, _), _) = clock.waiting.first_key_value()?;
            Some(at.saturating_sub(clock.now))
        })
    }

    /// Advances the clock, and wakes the tasks whose timers elapse.
    pub(crate) fn advance(time: Duration) {
        let due = CLOCK.with_borrow_mut(|clock| {
            clock.now += time;
            let later = clock.waiting.split_off(&(clock.now, u64::MAX));
            std::mem::replace(&mut clock.waiting, later)
        });
        due.into_values().for_each(Waker::wake);
    }

    #[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
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
