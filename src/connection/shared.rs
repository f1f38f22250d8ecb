//! What a connection shares with its handles, and the waker that it gives to its transport.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Wake,
    time::Duration,
};

use futures::{FutureExt, channel::oneshot, future, task::AtomicWaker};
use pharos::{Observe, ObserveConfig};

use super::observers::Observers;
use crate::{
    close::{CloseFrame, CloseOutcome, LossCause},
    error::{Timeout, Unsupported, WsErr},
    event::{WsEvent, WsEvents},
    stats::{Counters, Stats},
    time::{Instant, Timer},
    trace::Trace,
};

/// Where the round-trip time of a ping goes.
pub(super) type PingReply = oneshot::Sender<Result<Duration, WsErr>>;

/// What a connection shares with its handles.
pub(crate) struct Shared {
    /// The task that reads. A transport has one waker for both tasks, because a flush may depend on
    /// what a read does, and the other way round.
    pub(super) reader: AtomicWaker,
    /// The task that writes.
    pub(super) writer: AtomicWaker,
    pub(super) counters: Counters,
    can_ping: bool,
    ping_timeout: Duration,
    /// When the peer last showed life while a ping was awaited.
    last_life: Mutex<Instant>,
    /// Whether there are new requests, so that a poll need not lock them to know.
    is_requested: AtomicBool,
    requests: Mutex<Requests>,
    /// Under a lock of its own: an observer that is woken may make a request at once.
    observers: Mutex<Observers>,
    closed: future::Shared<oneshot::Receiver<CloseOutcome>>,
}

/// What handles ask for.
#[derive(Default)]
struct Requests {
    close: Option<CloseFrame>,
    pings: Vec<PingReply>,
    /// `None` once the connection has ended.
    outcome: Option<oneshot::Sender<CloseOutcome>>,
}

/// What handles asked for since the last call of [`Shared::take_requests`].
#[derive(Debug)]
pub(super) struct NewRequests {
    pub(super) close: Option<CloseFrame>,
    pub(super) pings: Vec<PingReply>,
}

impl Shared {
    pub(super) fn new(can_ping: bool, ping_timeout: Duration) -> Arc<Self> {
        let (outcome, closed) = oneshot::channel();
        Arc::new(Self {
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
            counters: Counters::default(),
            can_ping,
            ping_timeout,
            last_life: Mutex::new(Instant::now()),
            is_requested: AtomicBool::new(false),
            requests: Mutex::new(Requests {
                outcome: Some(outcome),
                ..Requests::default()
            }),
            observers: Mutex::default(),
            closed: closed.shared(),
        })
    }

    /// A panic under these locks, in the filter of an observer, leaves nothing half done.
    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn observers(&self) -> MutexGuard<'_, Observers> {
        self.observers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a request and wakes the connection.
    ///
    /// # Errors
    /// [`WsErr::Closed`] once the connection has ended.
    fn request(&self, put: impl FnOnce(&mut Requests)) -> Result<(), WsErr> {
        {
            let mut requests = self.requests();
            if requests.outcome.is_none() {
                return Err(WsErr::Closed);
            }
            put(&mut requests);
            self.is_requested.store(true, Ordering::Release);
        }
        self.reader.wake();
        self.writer.wake();
        Ok(())
    }

    /// Asks for a ping, and waits for its round-trip time.
    pub(crate) async fn ping(&self) -> Result<Duration, WsErr> {
        if !self.can_ping {
            return Err(WsErr::Unsupported(Unsupported::Ping));
        }
        let (reply, pong) = oneshot::channel();
        self.request(|requests| {
            requests.pings.retain(|ping| !ping.is_canceled());
            requests.pings.push(reply);
        })?;
        let mut since = Instant::now();
        let mut pong = pong;
        loop {
            let left = self.ping_timeout.saturating_sub(since.elapsed());
            match future::select(pong, Timer::after(left)).await {
                future::Either::Left((pong, _)) => return pong.unwrap_or(Err(WsErr::Closed)),
                future::Either::Right(((), unanswered)) => pong = unanswered,
            }
            let last_life = *self.last_life();
            if last_life <= since {
                return Err(WsErr::TimedOut(Timeout::Ping));
            }
            since = last_life;
        }
    }

    fn last_life(&self) -> MutexGuard<'_, Instant> {
        self.last_life
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The peer has shown life: the deadlines of pings begin again.
    pub(super) fn record_life(&self) {
        *self.last_life() = Instant::now();
    }

    /// Asks for a close. The first close frame counts.
    pub(crate) fn close(&self, frame: CloseFrame) {
        // A connection that has ended is closed.
        let _ = self.request(|requests| {
            requests.close.get_or_insert(frame);
        });
    }

    /// Waits until the connection has ended.
    pub(crate) async fn closed(&self) -> CloseOutcome {
        self.closed
            .clone()
            .await
            .unwrap_or(CloseOutcome::Lost(LossCause::Dropped))
    }

    pub(crate) fn stats(&self) -> Stats {
        self.counters.snapshot()
    }

    /// Whether [`take_requests`](Self::take_requests) would find any.
    #[inline]
    pub(super) fn is_requested(&self) -> bool {
        self.is_requested.load(Ordering::Acquire)
    }

    pub(super) fn take_requests(&self) -> Option<NewRequests> {
        if !self.is_requested() {
            return None;
        }
        let mut requests = self.requests();
        self.is_requested.store(false, Ordering::Release);
        Some(NewRequests {
            close: requests.close.take(),
            pings: std::mem::take(&mut requests.pings),
        })
    }

    /// Makes an event and delivers it, if there are observers.
    pub(super) fn emit(&self, event: impl FnOnce() -> WsEvent) {
        let mut observers = self.observers();
        if observers.is_observed() {
            observers.emit(&event());
        }
    }

    /// The connection has ended, with this error if there is one. Only the first call has an
    /// effect.
    pub(super) fn end(&self, outcome: CloseOutcome, error: Option<&WsErr>, trace: &Trace) {
        let (sender, pings) = {
            let mut requests = self.requests();
            (requests.outcome.take(), std::mem::take(&mut requests.pings))
        };
        // Outside the lock, because it wakes.
        if let Some(sender) = sender {
            trace.ended(&outcome, error, || self.counters.snapshot());
            // There may be no handle that waits.
            let _ = sender.send(outcome);
        }
        drop(pings);
        self.observers().close();
    }

    /// The connection is dropped.
    pub(super) fn finish(&self, trace: &Trace) {
        self.end(CloseOutcome::Lost(LossCause::Dropped), None, trace);
        self.observers().finish();
    }

    pub(crate) fn events(&self) -> WsEvents {
        WsEvents::new(self.observers().observe(ObserveConfig::default()).ok())
    }

    pub(crate) fn observe(
        &self,
        options: ObserveConfig<WsEvent>,
    ) -> Observe<'static, WsEvent, WsErr> {
        future::ready(self.observers().observe(options)).boxed()
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.reader.wake();
        self.writer.wake();
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("stats", &self.counters.snapshot())
            .finish_non_exhaustive()
    }
}
