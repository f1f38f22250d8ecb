//! Idle timers: keepalive, writes without progress, messages that do not end.
//!
//! The timers advance only while a read or a write waits, so a caller who pauses does not time out
//! the peer.

#[cfg(test)]
mod tests;

use std::{
    task::{Context, Poll, ready},
    time::Duration,
};

use crate::{
    config::{self, Config},
    error::Timeout,
    time::{Deadline, Task},
};

/// What a timer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// The peer has been silent: send a ping.
    SendPing,
    /// The peer has timed out, for this reason.
    TimedOut(Timeout),
}

/// The idle timers of one connection.
#[derive(Debug)]
pub(super) struct Keepalive {
    settings: Option<config::Keepalive>,
    message_timeout: Option<Duration>,
    receiving: IdleTimer,
    sending: IdleTimer,
    /// Something that had to wait was flushed since [`poll_receiving`](Self::poll_receiving) was
    /// last called.
    was_unblocked: bool,
    /// How often the peer took some of what had to wait.
    taken: u64,
    ping: Ping,
    /// Runs while a message is incomplete.
    message: Option<Deadline>,
}

/// The ping of keepalive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ping {
    None,
    /// To be sent.
    Queued,
    /// Sent.
    Sent,
}

impl Keepalive {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            settings: config.keepalive,
            message_timeout: config.message_timeout,
            receiving: IdleTimer::new(),
            sending: IdleTimer::new(),
            was_unblocked: false,
            taken: 0,
            ping: Ping::None,
            message: None,
        }
    }

    /// A data message is complete.
    pub(super) fn on_data(&mut self) {
        self.message = None;
    }

    /// To be polled whenever a read finds nothing. Ready when a message has been incomplete for too
    /// long.
    pub(super) fn poll_message(
        &mut self,
        cx: &mut Context<'_>,
        is_partial: bool,
        progress: u64,
    ) -> Poll<Action> {
        let Some(timeout) = self.message_timeout.filter(|_| is_partial) else {
            self.message = None;
            return Poll::Pending;
        };
        let deadline = self.message.get_or_insert_with(|| Deadline::after(timeout));
        ready!(deadline.poll(cx, Task::Reader, progress));
        Poll::Ready(Action::TimedOut(Timeout::Message))
    }

    /// To be polled whenever a read finds nothing and everything is flushed. `received` and `sent`
    /// change with everything that was received and sent.
    pub(super) fn poll_receiving(
        &mut self,
        cx: &mut Context<'_>,
        received: u64,
        sent: u64,
    ) -> Poll<Action> {
        if std::mem::take(&mut self.was_unblocked) && self.sending.count != sent {
            self.on_taken();
        }
        let Some(settings) = self.settings else {
            return Poll::Pending;
        };
        if self.receiving.update(received) && self.ping != Ping::None {
            self.ping = Ping::None;
            self.receiving.restart();
        }
        match self.ping {
            Ping::None => {
                ready!(self.receiving.poll(cx, Task::Reader, settings.interval));
                self.ping = Ping::Queued;
                Poll::Ready(Action::SendPing)
            }
            Ping::Queued => {
                self.ping = Ping::Sent;
                self.receiving.restart();
                self.poll_pong(cx, settings)
            }
            Ping::Sent => self.poll_pong(cx, settings),
        }
    }

    fn poll_pong(&mut self, cx: &mut Context<'_>, settings: config::Keepalive) -> Poll<Action> {
        self.receiving.extend_once_if_missed();
        ready!(self.receiving.poll(cx, Task::Reader, settings.timeout));
        Poll::Ready(Action::TimedOut(Timeout::Silent))
    }

    /// To be polled whenever something is to be sent and the transport takes nothing. `sent` grows
    /// with everything that it takes.
    pub(super) fn poll_sending(
        &mut self,
        cx: &mut Context<'_>,
        task: Task,
        sent: u64,
    ) -> Poll<Action> {
        let was_waiting = !self.sending.is_idle;
        if self.sending.update(sent) && was_waiting {
            self.on_taken();
        }
        let Some(settings) = self.settings else {
            return Poll::Pending;
        };
        self.sending.extend_once_if_missed();
        ready!(
            self.sending
                .poll(cx, task, settings.interval.saturating_add(settings.timeout))
        );
        Poll::Ready(Action::TimedOut(Timeout::Blocked))
    }

    /// Everything that was to be sent is flushed: the next wait begins again.
    #[inline]
    pub(super) fn on_flushed(&mut self) {
        self.was_unblocked |= !self.sending.is_idle;
        self.sending.is_idle = true;
    }

    /// Changes whenever the peer takes some of what had to wait.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// The peer took some of what had to wait, so it is alive. Without a wait, sending proves
    /// nothing: the operating system takes data for a dead peer, too.
    fn on_taken(&mut self) {
        self.taken += 1;
        // A ping that is still to be flushed waits for its pong from then on.
        if self.ping != Ping::Queued {
            self.ping = Ping::None;
            self.receiving.restart();
        }
    }
}

/// How long a count has not changed.
#[derive(Debug)]
struct IdleTimer {
    count: u64,
    /// Nothing waits for a change.
    is_idle: bool,
    /// Runs since the count was seen to change, or was first looked at.
    deadline: Option<Deadline>,
}

impl IdleTimer {
    fn new() -> Self {
        Self {
            count: 0,
            is_idle: true,
            deadline: None,
        }
    }

    /// Whether the count has changed.
    fn update(&mut self, count: u64) -> bool {
        let changed = count != self.count;
        if changed || self.is_idle {
            self.count = count;
            self.is_idle = false;
            if let Some(deadline) = &mut self.deadline {
                deadline.restart();
            }
        }
        changed
    }

    /// Begins again, perhaps with another limit.
    fn restart(&mut self) {
        self.deadline = None;
    }

    /// Excludes a pause of the caller.
    fn extend_once_if_missed(&mut self) {
        if let Some(deadline) = &mut self.deadline {
            deadline.extend_once_if_missed();
        }
    }

    /// Ready when the count has not changed for so long.
    fn poll(&mut self, cx: &mut Context<'_>, task: Task, limit: Duration) -> Poll<()> {
        let deadline = self.deadline.get_or_insert_with(|| Deadline::after(limit));
        ready!(deadline.poll(cx, task, self.count));
        self.deadline = None;
        Poll::Ready(())
    }
}
