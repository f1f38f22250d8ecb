//! Pings that are to be sent or in flight, and the callers that wait for their pongs.

use std::{collections::VecDeque, time::Duration};

use super::shared::PingReply;
use crate::{message::ControlPayload, time::Instant};

/// Pings to be sent, and pings in flight.
#[derive(Debug, Default)]
pub(super) struct Pings {
    last_id: u64,
    /// Where the reply goes; nowhere for a ping of keepalive.
    to_send: VecDeque<Option<PingReply>>,
    /// In the order of their ids.
    in_flight: VecDeque<(u64, Instant, Option<PingReply>)>,
}

impl Pings {
    pub(super) fn queue_keepalive(&mut self) {
        self.to_send.push_back(None);
    }

    pub(super) fn queue(&mut self, replies: Vec<PingReply>) {
        // While nothing can be sent, pings whose callers gave up are removed.
        self.to_send
            .retain(|ping| ping.as_ref().is_none_or(|reply| !reply.is_canceled()));
        self.to_send.extend(replies.into_iter().map(Some));
    }

    /// Whether a caller may wait for a pong.
    pub(super) fn is_awaited(&self) -> bool {
        let is_call = |reply: &Option<PingReply>| reply.is_some();
        self.to_send.iter().any(is_call) || self.in_flight.iter().any(|(.., reply)| is_call(reply))
    }

    /// How many were sent.
    pub(super) fn sent(&self) -> u64 {
        self.last_id
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.to_send.is_empty()
    }

    /// The next ping to send.
    pub(super) fn next(&mut self) -> Option<ControlPayload> {
        let reply = self.to_send.pop_front()?;
        // Callers that gave up, and earlier pings of keepalive, need no reply any more.
        self.in_flight
            .retain(|(_, _, reply)| reply.as_ref().is_some_and(|reply| !reply.is_canceled()));
        self.last_id += 1;
        self.in_flight
            .push_back((self.last_id, Instant::now(), reply));
        Some(ControlPayload::of_id(self.last_id))
    }

    /// A pong replies to its ping and to all before it, because a peer may reply to the last only
    /// (RFC 6455 section 5.5.3). Returns the round-trip time of its own.
    pub(super) fn on_pong(&mut self, payload: &ControlPayload) -> Option<Duration> {
        let id = u64::from_be_bytes(payload.as_bytes().as_ref().try_into().ok()?);
        let index = self.in_flight.iter().position(|(sent, ..)| *sent == id)?;
        let now = Instant::now();
        let mut last = None;
        for (_, sent, reply) in self.in_flight.drain(..=index) {
            let time = now.saturating_duration_since(sent);
            last = Some(time);
            if let Some(reply) = reply {
                let _ = reply.send(Ok(time));
            }
        }
        last
    }
}
