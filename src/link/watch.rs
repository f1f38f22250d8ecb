//! Watches a peer for signs of life: keepalive, writes that get nowhere, messages that never end.
//!
//! It counts silence only. Whether there is some is seen when a read finds nothing or a write cannot go on,
//! so a user who does not read for an hour finds the peer as alive as its last byte.

#[cfg(test)]
mod tests;

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use crate::{
    clock::{Instant, Timer},
    config::{Config, Keepalive},
};

/// What a watch says of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has been silent: ping it.
    Ping,
    /// It is to be given up, for this reason.
    Dead(&'static str),
}

/// Watches one link.
#[derive(Debug)]
pub(super) struct Watch {
    keepalive: Option<Keepalive>,
    message_timeout: Option<Duration>,
    receiving: Silence,
    sending: Silence,
    ping: Ping,
    /// Bytes received when the last message of any kind was handed out.
    at_message: u64,
    /// Runs while a message is under way.
    message: Option<Timer>,
}

/// The ping of keepalive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ping {
    None,
    /// It waits for the transport.
    Queued,
    /// It has left.
    Sent,
}

impl Watch {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            keepalive: config.keepalive,
            message_timeout: config.message_timeout,
            receiving: Silence::default(),
            sending: Silence::default(),
            ping: Ping::None,
            at_message: 0,
            message: None,
        }
    }

    /// A message was handed out, `bytes` having been received so far.
    pub(super) fn saw_message(&mut self, bytes: Option<u64>, is_data: bool) {
        self.at_message = bytes.unwrap_or(0);
        if is_data {
            self.message = None;
        }
    }

    /// To be asked whenever a read found nothing and everything has been flushed. `bytes` and `messages`
    /// are what has been received so far; not every transport can tell the first.
    pub(super) fn poll_receiving(
        &mut self,
        cx: &mut Context<'_>,
        bytes: Option<u64>,
        messages: u64,
    ) -> Poll<Verdict> {
        if self.poll_message(cx, bytes).is_ready() {
            return Poll::Ready(Verdict::Dead("a message took too long"));
        }
        let Some(keepalive) = self.keepalive else {
            return Poll::Pending;
        };
        if self.receiving.heard(bytes.unwrap_or(messages)) {
            self.ping = Ping::None;
        }
        match self.ping {
            Ping::None => {
                ready!(self.receiving.poll(cx, keepalive.interval));
                self.ping = Ping::Queued;
                Poll::Ready(Verdict::Ping)
            }
            Ping::Queued => {
                self.ping = Ping::Sent;
                self.receiving.restart();
                self.poll_pong(cx, keepalive)
            }
            Ping::Sent => self.poll_pong(cx, keepalive),
        }
    }

    fn poll_pong(&mut self, cx: &mut Context<'_>, keepalive: Keepalive) -> Poll<Verdict> {
        ready!(self.receiving.poll(cx, keepalive.timeout));
        Poll::Ready(Verdict::Dead("the peer is silent"))
    }

    /// Ready when a message has been under way for too long.
    fn poll_message(&mut self, cx: &mut Context<'_>, bytes: Option<u64>) -> Poll<()> {
        let (Some(timeout), Some(bytes)) = (self.message_timeout, bytes) else {
            return Poll::Pending;
        };
        if self.message.is_none() && bytes == self.at_message {
            return Poll::Pending;
        }
        let timer = self.message.get_or_insert_with(|| Timer::after(timeout));
        Pin::new(timer).poll(cx)
    }

    /// To be asked whenever something is to be sent and the transport takes nothing. `sent` grows with
    /// whatever it takes.
    pub(super) fn poll_sending(&mut self, cx: &mut Context<'_>, sent: u64) -> Poll<Verdict> {
        let Some(keepalive) = self.keepalive else {
            return Poll::Pending;
        };
        self.sending.heard(sent);
        ready!(
            self.sending
                .poll(cx, keepalive.interval.saturating_add(keepalive.timeout))
        );
        Poll::Ready(Verdict::Dead("the peer takes nothing"))
    }

    /// Everything that was to be sent has been: the next wait begins anew.
    pub(super) fn sent_all(&mut self) {
        self.sending.since = None;
    }
}

/// How long a count has stayed the same.
#[derive(Debug, Default)]
struct Silence {
    count: u64,
    /// When the count was seen to change, or was first looked at.
    since: Option<Instant>,
    /// Is moved only when it fires, not with every change: a busy link has better things to do.
    timer: Option<Timer>,
}

impl Silence {
    /// Whether the count has changed.
    fn heard(&mut self, count: u64) -> bool {
        let changed = count != self.count;
        if changed || self.since.is_none() {
            self.count = count;
            self.since = Some(Instant::now());
        }
        changed
    }

    fn restart(&mut self) {
        self.since = Some(Instant::now());
        self.timer = None;
    }

    /// Ready when the count has not changed for so long.
    fn poll(&mut self, cx: &mut Context<'_>, limit: Duration) -> Poll<()> {
        loop {
            let timer = self.timer.get_or_insert_with(|| Timer::after(limit));
            ready!(Pin::new(&mut *timer).poll(cx));
            let since = *self.since.get_or_insert_with(Instant::now);
            let quiet = since.elapsed();
            if quiet >= limit {
                self.timer = None;
                return Poll::Ready(());
            }
            timer.restart(limit.saturating_sub(quiet));
        }
    }
}
