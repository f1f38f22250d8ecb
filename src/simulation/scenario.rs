//! The scenario of a seed: two users with their plans, a network, and faults.

pub(super) mod generate;

use std::time::Duration;

use self::generate::{closing, conditions, fault, keepalive, plan, speak, stage};
use super::{
    codec::{Content, Framing},
    executor::Schedule,
    network::{Conditions, Fault},
    rng::Rng,
    speaker::{Speech, ViolationKind},
};
use crate::{CloseCode, Config};
#[cfg(feature = "deflate")]
use crate::{Compression, Deflate};

/// Which faults occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profile {
    /// No faults, and no short deadlines: all data must arrive.
    Reliable,
    /// The connection breaks or a user drops it, and both ends must detect it without a timer.
    Disconnects,
    /// Deadlines are short, the network may go silent.
    Lossy,
}

#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) profile: Profile,
    pub(super) users: [Plan; 2],
    pub(super) stages: Vec<Stage>,
    pub(super) conditions: [Conditions; 2],
    pub(super) fault: Option<Fault>,
    pub(super) schedule: Schedule,
}

/// What one user does besides the stages.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) config: Config,
    /// The transport is a socket of tungstenite that the caller opened, with a write buffer of this
    /// size.
    pub(super) own_socket: Option<usize>,
    /// How both ends compress messages.
    #[cfg(feature = "deflate")]
    pub(super) compression: Option<Compression>,
    pub(super) content: Content,
    pub(super) speech: Speech,
    pub(super) closing: Closing,
    /// A handle closes the connection at this time, in any state of the user.
    pub(super) sudden_close: Option<(Duration, CloseCode)>,
    /// A handle sends pings at these times.
    pub(super) pings: Vec<Duration>,
    pub(super) observers: usize,
    /// One call in so many is dropped in the middle and made again. Zero for none.
    pub(super) cancels: usize,
    /// The longest pause of a user, and one in how many steps has a pause.
    pub(super) max_think_time: Duration,
    pub(super) think_one_in: usize,
}

/// What a user does after it has sent all data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// Reads until the other one closes.
    Waits,
    /// `poll_close`, then reads to the end.
    Polls,
    /// `WsHandle::close`, then reads to the end.
    Asks(CloseCode),
    /// `close_with`, which discards data that still arrives.
    With(CloseCode),
    /// Drops the stream.
    Drops,
}

/// A part of a run, with one kind of stream. Both users finish it before the next part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stage {
    pub(super) view: ViewKind,
    /// How many bytes or items each user sends.
    pub(super) count: [usize; 2],
    pub(super) style: [Style; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ViewKind {
    Bytes,
    Items(Framing),
    Messages,
}

/// How a user reads and writes in one stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// In one task, both at a time.
    Together,
    /// One task each.
    TwoTasks,
    WritesFirst,
    ReadsFirst,
}

impl Scenario {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let profile = rng.pick(&[Profile::Reliable, Profile::Disconnects, Profile::Lossy]);
        // With a small limit on messages, on what the network takes at once and the like, a byte
        // costs much. Then there are fewer of them.
        let is_tiny = rng.one_in(3);
        let max_bytes = if is_tiny { 300 } else { 6_000 };
        let mut users = [0, 1].map(|_| plan(profile, is_tiny, rng));
        let has_large_items = rng.one_in(4);
        for user in &mut users {
            user.content.max_item = if has_large_items { max_bytes } else { 30 };
        }
        if !users.iter().any(Plan::closes) {
            users[rng.below(2)].closing = closing(rng);
        }
        let fault = fault(profile, max_bytes, rng);
        for (end, user) in users.iter_mut().enumerate() {
            if fault.is_some_and(|fault| fault.is_hidden_from(end)) {
                // Only keepalive detects that for a user that only reads.
                let keepalive = keepalive(profile, rng);
                user.config = user.config.clone().keepalive(keepalive);
            }
        }
        let violator = rng.one_in(3).then(|| rng.below(2));
        for end in [0, 1] {
            speak(&mut users, end, violator == Some(end), rng);
        }
        let mut conditions = [0, 1].map(|_| conditions(profile, is_tiny, rng));
        if let Some(violator) = violator {
            // The end that detects a violation drains after its close frame, but an violator that
            // only writes does not read. Without capacity in between, only a deadline ends that.
            conditions[1 - violator].capacity = 1024 * 1024;
        }
        let kill = (fault.is_none() && profile != Profile::Reliable)
            .then(|| (rng.below(2), rng.size(0, 500) as u64));
        let stages: Vec<_> = (0..rng.within(1, 4))
            .map(|_| stage(max_bytes, rng))
            .collect();
        let is_used = |view| stages.iter().any(|stage: &Stage| stage.view == view);
        if is_used(ViewKind::Items(Framing::Messages)) || is_used(ViewKind::Messages) {
            for user in &mut users {
                user.content.max_item = user.content.max_item.min(user.longest_message());
            }
        }
        if is_used(ViewKind::Messages) {
            // There, text is data: neither an event nor an violation.
            for user in &mut users {
                user.speech.asides = 0;
                let violation = user.speech.violation;
                user.speech.violation =
                    violation.filter(|violation| violation.kind != ViolationKind::Text);
            }
        }
        Self {
            profile,
            stages,
            conditions,
            users,
            fault,
            schedule: Schedule {
                is_prompt: profile != Profile::Lossy,
                spurious: if rng.one_in(8) { 5 } else { 0 },
                kill,
            },
        }
    }
}

#[cfg(feature = "deflate")]
impl Scenario {
    /// Lets both ends compress in a part of the runs, unless one of them brings its own socket.
    pub(super) fn compress(&mut self, rng: &mut Rng) {
        if !rng.one_in(3) || self.users.iter().any(|user| user.own_socket.is_some()) {
            return;
        }
        let contexts = [0, 1].map(|_| rng.one_in(2));
        for (end, user) in self.users.iter_mut().enumerate() {
            let deflate = Deflate::default().min_len(rng.size(0, 100));
            user.config.compression = Some(deflate.level(rng.pick(&[1, 6, 9])));
            let window_bits = rng.pick(&[9, 15]);
            user.compression = Some(Compression {
                send_context: contexts[end],
                recv_context: contexts[1 - end],
                send_window_bits: window_bits,
                recv_window_bits: 15,
            });
        }
    }
}

impl Plan {
    fn closes(&self) -> bool {
        self.closing != Closing::Waits || self.sudden_close.is_some()
    }

    /// The length of the longest message.
    fn longest_message(&self) -> usize {
        let of_socket = self.own_socket.unwrap_or(usize::MAX).saturating_sub(200);
        self.config.max_send_message_len.min(of_socket)
    }

    /// Whether messages are shorter on the wire than what was written.
    pub(super) fn is_compressed(&self) -> bool {
        #[cfg(feature = "deflate")]
        return self.compression.is_some();
        #[cfg(not(feature = "deflate"))]
        false
    }

    /// How much may be written before any byte is sent, unless it is compressed: the write buffer,
    /// one more item, and the same amount in the transport and its buffer.
    pub(super) fn ceiling(&self) -> usize {
        if self.is_compressed() {
            return usize::MAX;
        }
        let controls = 32 * 139 + 14;
        let max_send = self.config.max_send_message_len;
        2 * max_send + max_send.min(16 * 1024) + self.content.max_item + 4 + controls
    }
}
