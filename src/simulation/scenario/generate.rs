//! Generation of the parts of a scenario from random numbers.

use std::time::Duration;

use super::{Closing, Plan, Profile, Stage, Style, ViewKind};
use crate::{
    CloseCode, Config, Keepalive, TextPolicy,
    simulation::{
        codec::{Content, Framing},
        network::{Conditions, Fault, FaultKind},
        rng::Rng,
        speaker::{Speech, Violation, ViolationKind},
    },
};

const MILLISECOND: Duration = Duration::from_millis(1);
/// Longer than any run takes, so that a timer of this length never decides anything.
pub(in crate::simulation) const LONG: Duration = Duration::from_secs(100_000);

/// How many bytes of pongs one end requests at once. With far more, the peer would stop reading.
const MAX_PINGS: usize = 12 * 1024;

/// The longest text beside the data.
const MAX_ASIDE: usize = 10;

pub(super) fn plan(profile: Profile, is_tiny: bool, rng: &mut Rng) -> Plan {
    let max_send = if is_tiny {
        rng.size(1, 100)
    } else {
        rng.size(50, 10_000)
    };
    let is_lossy_profile = profile == Profile::Lossy;
    let mut time = || {
        if is_lossy_profile {
            MILLISECOND + rng.time(MILLISECOND * 2_000)
        } else {
            LONG
        }
    };
    let config = Config::default()
        .max_send_message_len(max_send)
        .close_timeout(time())
        .ping_timeout(time())
        .keepalive(None);
    let has_keepalive = rng.one_in(2);
    let config = config.keepalive(has_keepalive.then(|| keepalive(profile, rng)));
    let message_timeout =
        (is_lossy_profile && rng.one_in(4)).then(|| MILLISECOND + rng.time(MILLISECOND * 500));
    let until = MILLISECOND * 100;
    Plan {
        config: config
            .message_timeout(message_timeout)
            .lenient_eof(rng.one_in(16)),
        own_socket: match rng.below(8) {
            0 => Some(usize::MAX),
            1 => Some(rng.size(512, 20_000)),
            _ => None,
        },
        #[cfg(feature = "deflate")]
        compression: None,
        content: Content {
            seed: rng.next(),
            max_item: 0,
            is_ascii: false,
        },
        speech: Speech::default(),
        closing: if rng.one_in(2) {
            closing(rng)
        } else {
            Closing::Waits
        },
        sudden_close: rng.one_in(6).then(|| (rng.time(until), code(rng))),
        pings: (0..rng.below(4)).map(|_| rng.time(until)).collect(),
        observers: rng.below(3),
        cancels: rng.pick(&[0, 2, 10]),
        max_think_time: rng.pick(&[Duration::ZERO, MILLISECOND, MILLISECOND * 20]),
        think_one_in: rng.pick(&[1, 3, 10]),
    }
}

/// Sets what this end sends besides data, and how the other end is configured for it.
pub(super) fn speak(users: &mut [Plan; 2], end: usize, violates: bool, rng: &mut Rng) {
    let max_send = users[end].config.max_send_message_len;
    let policy = rng.pick(&[TextPolicy::Reject, TextPolicy::Bytes, TextPolicy::Event]);
    let violation = violates.then(|| {
        let max_recv = max_send.max(MAX_ASIDE);
        let (kind, max_recv) = match rng.below(3) {
            0 => (ViolationKind::TooLong(max_recv + 1), Some(max_recv)),
            1 if policy == TextPolicy::Reject => (ViolationKind::Text, None),
            _ => (violation(rng), None),
        };
        let after = rng.size(0, 10);
        (Violation { kind, after }, max_recv)
    });
    let peer = &mut users[1 - end];
    let max_recv = violation.and_then(|(_, max_recv)| max_recv);
    let config = peer.config.clone().text(policy);
    peer.config = match max_recv {
        Some(max_recv) => config.max_recv_message_len(max_recv),
        None => config,
    };
    // A socket of the caller may have no room for so many pongs.
    let has_room = peer.own_socket.is_none_or(|room| room == usize::MAX);
    let pings = if has_room && rng.one_in(4) {
        let len = rng.size(0, 125);
        (rng.below(MAX_PINGS / (len + 16)), len)
    } else {
        (0, 0)
    };
    let me = &mut users[end];
    me.content.is_ascii = policy == TextPolicy::Bytes;
    me.speech = Speech {
        as_text: if policy == TextPolicy::Bytes { 2 } else { 0 },
        asides: if policy == TextPolicy::Event { 3 } else { 0 },
        pings,
        violation: violation.map(|(violation, _)| violation),
    };
}

fn violation(rng: &mut Rng) -> ViolationKind {
    rng.pick(&[
        ViolationKind::ReservedBits,
        ViolationKind::ReservedOpcode,
        ViolationKind::WrongMask,
        ViolationKind::LooseFragment,
        ViolationKind::ControlInFragments,
        ViolationKind::HalfACloseCode,
        ViolationKind::NotUtf8,
    ])
}

pub(in crate::simulation) fn keepalive(profile: Profile, rng: &mut Rng) -> Keepalive {
    // With shorter intervals, a slow network would hold more unanswered pings than a connection
    // allows.
    let interval = MILLISECOND * 20 + rng.time(MILLISECOND * 1_000);
    let timeout = match profile {
        Profile::Lossy => MILLISECOND + rng.time(MILLISECOND * 1_000),
        Profile::Reliable | Profile::Disconnects => LONG,
    };
    Keepalive::default().interval(interval).timeout(timeout)
}

fn code(rng: &mut Rng) -> CloseCode {
    rng.pick(&[
        CloseCode::NORMAL_CLOSURE,
        CloseCode::GOING_AWAY,
        CloseCode::INTERNAL_ERROR,
        CloseCode::from(4000),
    ])
}

pub(super) fn closing(rng: &mut Rng) -> Closing {
    match rng.below(9) {
        0..3 => Closing::Polls,
        3..5 => Closing::Asks(code(rng)),
        5..8 => Closing::With(code(rng)),
        _ => Closing::Drops,
    }
}

pub(super) fn stage(max_bytes: usize, rng: &mut Rng) -> Stage {
    let view = match rng.below(6) {
        0..2 => ViewKind::Bytes,
        2 => ViewKind::Items(Framing::Length),
        3 => ViewKind::Items(Framing::Lines),
        4 => ViewKind::Messages,
        _ => ViewKind::Items(Framing::Messages),
    };
    let most = match view {
        ViewKind::Bytes => max_bytes,
        ViewKind::Items(_) | ViewKind::Messages => 20,
    };
    let styles = [
        Style::Together,
        Style::TwoTasks,
        Style::TwoTasks,
        Style::WritesFirst,
        Style::ReadsFirst,
    ];
    let mut style = [0, 1].map(|_| rng.pick(&styles));
    if style[0] == style[1] && style[0] != Style::Together {
        // Two that only write, or only read, wait for each other.
        style[rng.below(2)] = Style::TwoTasks;
    }
    Stage {
        view,
        count: [0, 1].map(|_| rng.size(0, most)),
        style,
    }
}

pub(in crate::simulation) fn conditions(
    profile: Profile,
    is_tiny: bool,
    rng: &mut Rng,
) -> Conditions {
    let mut size = |least| {
        if is_tiny {
            rng.size(1, 200)
        } else {
            rng.size(least, 70_000)
        }
    };
    let [capacity, max_write, max_read] = [size(1), size(50), size(50)];
    let longest = match profile {
        Profile::Lossy => MILLISECOND * 50,
        Profile::Reliable | Profile::Disconnects => MILLISECOND * 5,
    };
    Conditions {
        capacity: if is_tiny { capacity } else { capacity.max(100) },
        max_write,
        max_read,
        spurious_pending: rng.pick(&[0, 2, 5, 20]),
        delay: if rng.one_in(4) {
            Duration::ZERO
        } else {
            rng.time(longest)
        },
        is_buffered: rng.one_in(4),
    }
}

pub(in crate::simulation) fn fault(
    profile: Profile,
    max_bytes: usize,
    rng: &mut Rng,
) -> Option<Fault> {
    let is_lossy = rng.one_in(2);
    let kinds = [
        FaultKind::Reset { is_lossy },
        FaultKind::Eof,
        FaultKind::Silence { is_lossy },
        FaultKind::WriteError,
    ];
    let kind = match profile {
        Profile::Reliable => return None,
        // Only timers detect silence.
        Profile::Disconnects => rng.pick(&kinds[..2]),
        Profile::Lossy => rng.pick(&kinds),
    };
    let fault = Fault {
        kind,
        direction: rng.below(2),
        at: rng.size(0, max_bytes * 3) as u64,
    };
    (!rng.one_in(4)).then_some(fault)
}
