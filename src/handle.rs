//! The out-of-band side of a link: a slot for requests and a waker. It never touches a socket.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Wake,
    time::Duration,
};

use futures::{
    FutureExt,
    channel::oneshot,
    future::{self, Either},
    task::AtomicWaker,
};
use pharos::{Observable, Observe, ObserveConfig};

use crate::{
    close::{CloseFrame, CloseOutcome},
    connection::observers::Observers,
    error::WsErr,
    event::WsEvent,
    stats::{Counters, Stats},
    time::Timer,
    trace::Trace,
};

/// Where the round-trip time of a ping goes.
pub(crate) type PingReply = oneshot::Sender<Result<Duration, WsErr>>;

/// What a link shares with its handles, and the waker that it gives to its transport.
pub(crate) struct Shared {
    /// The task that reads. A transport has one waker for both tasks, because a flush may have to wait
    /// for what a read does, and the other way round.
    pub(crate) reader: AtomicWaker,
    /// The task that writes.
    pub(crate) writer: AtomicWaker,
    pub(crate) counters: Counters,
    can_ping: bool,
    ping_timeout: Duration,
    /// Whether there is anything new in the slot, so that a poll need not lock it to know.
    requested: AtomicBool,
    slot: Mutex<Slot>,
    /// Under a lock of its own: delivering wakes observers, and who is woken may ask for something at once.
    outbox: Mutex<Observers>,
    closed: future::Shared<oneshot::Receiver<CloseOutcome>>,
}

#[derive(Default)]
struct Slot {
    close: Option<CloseFrame>,
    pings: Vec<PingReply>,
    /// Taken when the link has ended.
    outcome: Option<oneshot::Sender<CloseOutcome>>,
}

/// What handles asked for since the link looked last.
#[derive(Debug)]
pub(crate) struct Requests {
    pub(crate) close: Option<CloseFrame>,
    pub(crate) pings: Vec<PingReply>,
}

impl Shared {
    pub(crate) fn new(can_ping: bool, ping_timeout: Duration) -> Arc<Self> {
        let (outcome, closed) = oneshot::channel();
        Arc::new(Self {
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
            counters: Counters::default(),
            can_ping,
            ping_timeout,
            requested: AtomicBool::new(false),
            slot: Mutex::new(Slot {
                outcome: Some(outcome),
                ..Slot::default()
            }),
            outbox: Mutex::default(),
            closed: closed.shared(),
        })
    }

    /// Nothing that runs under these locks leaves them half done, so a panic in an observer's filter is no
    /// reason to stop.
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outbox(&self) -> MutexGuard<'_, Observers> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a request into the slot and wakes the link. Says no once the link has ended.
    fn request(&self, put: impl FnOnce(&mut Slot)) -> Result<(), WsErr> {
        {
            let mut slot = self.slot();
            if slot.outcome.is_none() {
                return Err(WsErr::Closed);
            }
            put(&mut slot);
            self.requested.store(true, Ordering::Release);
        }
        self.reader.wake();
        self.writer.wake();
        Ok(())
    }

    /// Whether [`take_requests`](Self::take_requests) would find any.
    #[inline]
    pub(crate) fn is_requested(&self) -> bool {
        self.requested.load(Ordering::Acquire)
    }

    pub(crate) fn take_requests(&self) -> Option<Requests> {
        if !self.is_requested() {
            return None;
        }
        let mut slot = self.slot();
        self.requested.store(false, Ordering::Release);
        Some(Requests {
            close: slot.close.take(),
            pings: std::mem::take(&mut slot.pings),
        })
    }

    /// Makes an event and delivers it, if anybody observes.
    pub(crate) fn emit(&self, event: impl FnOnce() -> WsEvent) {
        let mut outbox = self.outbox();
        if outbox.is_observed() {
            outbox.emit(&event());
        }
    }

    /// The link has ended, and why if that was an error.
    pub(crate) fn end(&self, outcome: CloseOutcome, error: Option<&WsErr>, trace: &Trace) {
        let (sender, pings) = {
            let mut slot = self.slot();
            (slot.outcome.take(), std::mem::take(&mut slot.pings))
        };
        // Outside the lock, because it wakes.
        if let Some(sender) = sender {
            trace.ended(&outcome, error, || self.counters.snapshot());
            // Nobody may be waiting for it.
            let _ = sender.send(outcome);
        }
        drop(pings);
        self.outbox().close();
    }

    /// The view is gone.
    pub(crate) fn finish(&self, trace: &Trace) {
        self.end(CloseOutcome::Lost, None, trace);
        self.outbox().finish();
    }

    pub(crate) fn observe(
        &self,
        options: ObserveConfig<WsEvent>,
    ) -> Observe<'static, WsEvent, WsErr> {
        future::ready(self.outbox().observe(options)).boxed()
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

/// A cloneable handle to a link, from [`WsStream::handle`](crate::WsStream::handle) or
/// [`WsFramed::handle`](crate::WsFramed::handle). It outlives `split`, `framed` and the way back.
///
/// A handle asks; the link acts when its view is polled. When nobody reads or writes, nothing happens.
///
/// Dropping a future of a handle is safe at any point: a ping may still go out, and its pong is then
/// counted and forgotten.
#[derive(Clone, Debug)]
pub struct WsHandle {
    shared: Arc<Shared>,
}

impl WsHandle {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Sends a ping and waits for its pong. Gives the time from handing the ping to the transport until
    /// the pong was read.
    ///
    /// # Errors
    /// [`WsErr::TimedOut`] after [`ping_timeout`](crate::Config::ping_timeout), which also happens when
    /// nobody reads; [`WsErr::Closed`] when the link closes, ends or is dropped;
    /// [`WsErr::Unsupported`] where the transport cannot ping (a browser).
    pub async fn ping(&self) -> Result<Duration, WsErr> {
        if !self.shared.can_ping {
            return Err(WsErr::Unsupported("send pings"));
        }
        let (reply, answer) = oneshot::channel();
        self.shared.request(|slot| {
            slot.pings.retain(|ping| !ping.is_canceled());
            slot.pings.push(reply);
        })?;
        match future::select(answer, Timer::after(self.shared.ping_timeout)).await {
            Either::Left((answer, _)) => answer.unwrap_or(Err(WsErr::Closed)),
            Either::Right(_) => Err(WsErr::TimedOut("no pong came")),
        }
    }

    /// Closes the link: what was written is flushed, then the close frame goes out, and reading goes on
    /// until the peer's close frame. The first close counts; a link that is closing or has ended stays
    /// as it is.
    ///
    /// Does not wait: [`closed`](Self::closed) does.
    ///
    /// # Errors
    /// [`WsErr::InvalidCloseCode`] if `frame` came from a peer and may not be sent.
    pub fn close(&self, frame: CloseFrame) -> Result<(), WsErr> {
        if !frame.code().is_sendable() {
            return Err(WsErr::InvalidCloseCode(frame.code()));
        }
        let put = |slot: &mut Slot| {
            slot.close.get_or_insert(frame);
        };
        // A link that has ended is as closed as can be.
        let _ = self.shared.request(put);
        Ok(())
    }

    /// What the link has carried so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.counters.snapshot()
    }

    /// Waits until the link has ended, and tells how. If the view is dropped before,
    /// [`CloseOutcome::Lost`].
    pub async fn closed(&self) -> CloseOutcome {
        self.shared
            .closed
            .clone()
            .await
            .unwrap_or(CloseOutcome::Lost)
    }
}

impl Observable<WsEvent> for WsHandle {
    type Error = WsErr;

    fn observe(&mut self, options: ObserveConfig<WsEvent>) -> Observe<'_, WsEvent, WsErr> {
        self.shared.observe(options)
    }
}
