//! Watches a peer for signs of life: keepalive, writes that get nowhere, messages that never end.
//!
//! It counts silence only. Whether there is some is seen when a read finds nothing or a write cannot go on,
//! so a user who does not read for an hour finds the peer as alive as its last byte.

#[cfg(test)]
mod tests;

use std::{
    task::{Context, Poll, ready},
    time::Duration,
};

use crate::{
    config::{Config, Keepalive},
    time::{Deadline, Side},
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
    /// Runs while a message is under way.
    message: Option<Deadline>,
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
            message: None,
        }
    }

    /// A data message was handed out.
    pub(super) fn saw_data(&mut self) {
        self.message = None;
    }

    /// To be asked whenever a read found nothing, with whether a message is under way. Ready when it has been for too
    /// long.
    pub(super) fn poll_message(
        &mut self,
        cx: &mut Context<'_>,
        is_under_way: bool,
        progress: u64,
    ) -> Poll<Verdict> {
        let Some(timeout) = self.message_timeout.filter(|_| is_under_way) else {
            self.message = None;
            return Poll::Pending;
        };
        let deadline = self.message.get_or_insert_with(|| Deadline::after(timeout));
        ready!(deadline.poll(cx, Side::Reader, progress));
        Poll::Ready(Verdict::Dead("a message took too long"))
    }

    /// To be asked whenever a read found nothing and everything has been flushed. `bytes` and `messages`
    /// are what has been received so far; not every transport can tell the first.
    pub(super) fn poll_receiving(
        &mut self,
        cx: &mut Context<'_>,
        bytes: Option<u64>,
        messages: u64,
    ) -> Poll<Verdict> {
        let Some(keepalive) = self.keepalive else {
            return Poll::Pending;
        };
        if self.receiving.heard(bytes.unwrap_or(messages)) && self.ping != Ping::None {
            self.ping = Ping::None;
            self.receiving.restart();
        }
        match self.ping {
            Ping::None => {
                ready!(self.receiving.poll(cx, Side::Reader, keepalive.interval));
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
        self.receiving.forgive_pause();
        ready!(self.receiving.poll(cx, Side::Reader, keepalive.timeout));
        Poll::Ready(Verdict::Dead("the peer is silent"))
    }

    /// To be asked whenever something is to be sent and the transport takes nothing. `sent` grows with
    /// whatever it takes.
    pub(super) fn poll_sending(
        &mut self,
        cx: &mut Context<'_>,
        side: Side,
        sent: u64,
    ) -> Poll<Verdict> {
        let Some(keepalive) = self.keepalive else {
            return Poll::Pending;
        };
        self.sending.heard(sent);
        self.sending.forgive_pause();
        ready!(self.sending.poll(
            cx,
            side,
            keepalive.interval.saturating_add(keepalive.timeout)
        ));
        Poll::Ready(Verdict::Dead("the peer takes nothing"))
    }

    /// Everything that was to be sent has been: the next wait begins anew.
    pub(super) fn sent_all(&mut self) {
        self.sending.is_idle = true;
    }
}

/// How long a count has stayed the same.
#[derive(Debug, Default)]
struct Silence {
    count: u64,
    /// Nobody waits for it to change.
    is_idle: bool,
    /// Runs since the count was seen to change, or was first looked at.
    deadline: Option<Deadline>,
}

impl Silence {
    /// Whether the count has changed.
    fn heard(&mut self, count: u64) -> bool {
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

    /// Begins anew, with another limit perhaps.
    fn restart(&mut self) {
        self.deadline = None;
    }

    /// A pause of the user does not count.
    fn forgive_pause(&mut self) {
        if let Some(deadline) = &mut self.deadline {
            deadline.forgive_pause();
        }
    }

    /// Ready when the count has not changed for so long.
    fn poll(&mut self, cx: &mut Context<'_>, side: Side, limit: Duration) -> Poll<()> {
        let deadline = self.deadline.get_or_insert_with(|| Deadline::after(limit));
        ready!(deadline.poll(cx, side, self.count));
        self.deadline = None;
        Poll::Ready(())
    }
}
