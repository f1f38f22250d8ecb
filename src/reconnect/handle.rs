//! What a [`Reconnector`](super::Reconnector) does at the moment, and its waits.

use std::{
    collections::BTreeMap,
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures::{Stream, future::select, stream::FusedStream};

use crate::time::{Instant, Timer};

/// The state of a [`Reconnector`](crate::Reconnector).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReconnectState {
    /// It does nothing: before the first call of `connect`, after an error or a dropped call, and
    /// after [`ended`](crate::Reconnector::ended).
    Idle,
    /// An attempt is in flight.
    Connecting,
    /// It waits before the next attempt.
    Waiting {
        /// The time until then, when the state was read.
        left: Duration,
    },
    /// `connect` has returned a connection.
    Connected,
}

/// Shows the state of a [`Reconnector`](crate::Reconnector), and ends its waits:
/// [`Reconnector::handle`](crate::Reconnector::handle).
///
/// ```
/// use futures::StreamExt;
/// use ws_framed::{ReconnectHandle, ReconnectState};
///
/// async fn show(handle: ReconnectHandle) {
///     let mut states = handle.states();
///     while let Some(state) = states.next().await {
///         match state {
///             ReconnectState::Waiting { left } => println!("again in {} s", left.as_secs()),
///             state => println!("{state:?}"),
///         }
///     }
/// }
/// ```
#[derive(Clone)]
pub struct ReconnectHandle(Arc<Shared>);

impl ReconnectHandle {
    /// The current state.
    #[must_use]
    pub fn state(&self) -> ReconnectState {
        self.0.lock().phase.state()
    }

    /// The current state, and then each change. States that are over before they are read are left
    /// out, so a slow observer delays nothing and queues nothing. It ends when the reconnector is
    /// dropped.
    pub fn states(&self) -> ReconnectStates {
        let mut inner = self.0.lock();
        inner.observers += 1;
        ReconnectStates {
            shared: Arc::clone(&self.0),
            id: inner.observers,
            seen: None,
            is_done: false,
        }
    }

    /// Ends the current wait, whatever its reason: the next attempt starts at once. A call during
    /// an attempt leaves out the wait after that attempt. At any other time, a call has no effect.
    /// In a browser, its event `online` does the same.
    pub fn retry_now(&self) {
        let mut inner = self.0.lock();
        if matches!(inner.phase, Phase::Connecting | Phase::Waiting { .. }) {
            inner.is_retry_requested = true;
            let waker = inner.waiting.take();
            drop(inner);
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

impl fmt::Debug for ReconnectHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReconnectHandle")
            .field("state", &self.state())
            .finish()
    }
}

/// The states of a [`Reconnector`](crate::Reconnector), from [`ReconnectHandle::states`].
///
/// # Cancel safety
/// Polling it, and dropping a future of it, loses no state but those that are over.
#[must_use = "streams do nothing unless they are polled"]
pub struct ReconnectStates {
    shared: Arc<Shared>,
    id: u64,
    /// The version of the last state that was returned.
    seen: Option<u64>,
    is_done: bool,
}

impl Stream for ReconnectStates {
    type Item = ReconnectState;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ReconnectState>> {
        let this = &mut *self;
        let mut inner = this.shared.lock();
        if this.seen != Some(inner.version) {
            this.seen = Some(inner.version);
            return Poll::Ready(Some(inner.phase.state()));
        }
        if inner.is_dropped {
            this.is_done = true;
            return Poll::Ready(None);
        }
        inner.wakers.insert(this.id, cx.waker().clone());
        Poll::Pending
    }
}

impl FusedStream for ReconnectStates {
    fn is_terminated(&self) -> bool {
        self.is_done
    }
}

impl Drop for ReconnectStates {
    fn drop(&mut self) {
        let waker = self.shared.lock().wakers.remove(&self.id);
        drop(waker);
    }
}

impl fmt::Debug for ReconnectStates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReconnectStates").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Shared(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    phase: Phase,
    /// How often the phase has changed.
    version: u64,
    is_retry_requested: bool,
    is_dropped: bool,
    /// The task that waits for the next attempt.
    waiting: Option<Waker>,
    /// How many there have been.
    observers: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, phase: Phase) {
        self.update(|inner| {
            inner.phase = phase;
            inner.version += 1;
        });
    }

    /// Changes the state, and wakes the observers.
    fn update(&self, update: impl FnOnce(&mut Inner)) {
        let mut inner = self.lock();
        update(&mut inner);
        let wakers = std::mem::take(&mut inner.wakers);
        drop(inner);
        wakers.into_values().for_each(Waker::wake);
    }
}

#[derive(Clone, Copy, Default)]
pub(super) enum Phase {
    #[default]
    Idle,
    Connecting,
    Waiting {
        since: Instant,
        time: Duration,
    },
    Connected,
}

impl Phase {
    fn state(self) -> ReconnectState {
        match self {
            Self::Idle => ReconnectState::Idle,
            Self::Connecting => ReconnectState::Connecting,
            Self::Waiting { since, time } => ReconnectState::Waiting {
                left: time.saturating_sub(since.elapsed()),
            },
            Self::Connected => ReconnectState::Connected,
        }
    }
}

/// The reconnector's side. Its clone is that of another reconnector.
#[derive(Default)]
pub(super) struct Owner(Arc<Shared>);

impl Owner {
    pub(super) fn handle(&self) -> ReconnectHandle {
        ReconnectHandle(Arc::clone(&self.0))
    }

    pub(super) fn set(&self, phase: Phase) {
        self.0.set(phase);
    }

    /// Begins a call of `connect`.
    pub(super) fn begin(&self) -> Call {
        self.0.lock().is_retry_requested = false;
        Call(Arc::clone(&self.0))
    }
}

impl Clone for Owner {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.update(|inner| inner.is_dropped = true);
    }
}

/// A call of `connect`. If it is dropped before it has a connection, the reconnector does nothing.
pub(super) struct Call(Arc<Shared>);

impl Call {
    pub(super) fn set(&self, phase: Phase) {
        self.0.set(phase);
    }

    /// Waits for this time, or until the caller asks for the next attempt.
    pub(super) async fn wait(&self, time: Duration) {
        self.0.set(Phase::Waiting {
            since: Instant::now(),
            time,
        });
        let requested = poll_fn(|cx| {
            let mut inner = self.0.lock();
            if std::mem::take(&mut inner.is_retry_requested) {
                return Poll::Ready(());
            }
            inner.waiting = Some(cx.waker().clone());
            Poll::Pending
        });
        select(requested, Timer::after(time)).await;
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !matches!(self.0.lock().phase, Phase::Connected) {
            self.0.set(Phase::Idle);
        }
    }
}
