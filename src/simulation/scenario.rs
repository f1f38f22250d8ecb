//! What a seed stands for: two users with their plans, a network, and what goes wrong.

use std::time::Duration;

use super::{
    codec::Content,
    executor::Pace,
    network::{Fault, FaultKind, Weather},
    rng::Rng,
};
use crate::{CloseCode, Config, Keepalive};

const MILLISECOND: Duration = Duration::from_millis(1);
/// Longer than any run takes, so that a timer of this length never decides anything.
const LONG: Duration = Duration::from_secs(100_000);

/// How bad it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Nothing breaks, and nobody is in a hurry: everything must arrive.
    Calm,
    /// The connection breaks or a user goes away, and everybody must learn it without any timer.
    Cut,
    /// Deadlines are short, the network may go silent.
    Rough,
}

#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) class: Class,
    pub(super) users: [Plan; 2],
    pub(super) stages: Vec<Stage>,
    pub(super) weather: [Weather; 2],
    pub(super) fault: Option<Fault>,
    pub(super) pace: Pace,
}

/// What one user does besides the stages.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) config: Config,
    /// The connection is the user's own: without a meter, with this much room to write.
    pub(super) own_socket: Option<usize>,
    pub(super) content: Content,
    pub(super) closing: Closing,
    /// Somebody with a handle closes at this time, wherever the user is.
    pub(super) sudden_close: Option<(Duration, CloseCode)>,
    /// Somebody with a handle pings at these times.
    pub(super) pings: Vec<Duration>,
    pub(super) observers: usize,
    /// One call in so many is dropped in the middle and made again. Zero for none.
    pub(super) cancels: usize,
    /// How long a user dawdles at most, and in how many steps once.
    pub(super) dawdles: Duration,
    pub(super) hurries: usize,
}

/// What a user does when it has sent all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// Reads until the other one closes.
    Waits,
    /// `poll_close`, then reads to the end.
    Polls,
    /// `WsHandle::close`, then reads to the end.
    Asks(CloseCode),
    /// `close_with`, which throws away what still comes.
    With(CloseCode),
    /// Drops the view.
    Drops,
}

/// A part of the conversation, in one view. Both users finish it before they go on to the next.
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
    Items { is_lines: bool },
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
        let class = rng.pick(&[Class::Calm, Class::Cut, Class::Rough]);
        // With a small limit on messages, on what the network takes at once and the like, a byte costs
        // much. Then there are fewer of them.
        let is_tiny = rng.one_in(3);
        let max_bytes = if is_tiny { 300 } else { 6_000 };
        let mut users = [0, 1].map(|_| plan(class, is_tiny, rng));
        let has_large_items = rng.one_in(4);
        for user in &mut users {
            user.content.max_item = if has_large_items { max_bytes } else { 30 };
        }
        if !users.iter().any(Plan::closes) {
            users[rng.below(2)].closing = closing(rng);
        }
        let fault = fault(class, max_bytes, rng);
        for (end, user) in users.iter_mut().enumerate() {
            if fault.is_some_and(|fault| fault.is_hidden_from(end)) {
                // Nothing else tells a user who only reads.
                let keepalive = keepalive(class, rng);
                user.config = user.config.clone().keepalive(keepalive);
            }
        }
        let kill = (fault.is_none() && class != Class::Calm)
            .then(|| (rng.below(2), rng.size(0, 500) as u64));
        Self {
            class,
            stages: (0..rng.within(1, 4))
                .map(|_| stage(max_bytes, rng))
                .collect(),
            weather: [0, 1].map(|_| weather(class, is_tiny, rng)),
            users,
            fault,
            pace: Pace {
                is_prompt: class != Class::Rough,
                spurious: if rng.one_in(8) { 5 } else { 0 },
                kill,
            },
        }
    }
}

impl Plan {
    fn closes(&self) -> bool {
        self.closing != Closing::Waits || self.sudden_close.is_some()
    }

    /// How much may be written before any of it has left: what is gathered, one item more, and as much
    /// again in the transport.
    pub(super) fn ceiling(&self) -> usize {
        let controls = 32 * 139 + 14;
        2 * self.config.max_send_message_len + self.content.max_item + 4 + controls
    }
}

fn plan(class: Class, is_tiny: bool, rng: &mut Rng) -> Plan {
    let max_send = if is_tiny {
        rng.size(1, 100)
    } else {
        rng.size(50, 10_000)
    };
    let is_rough = class == Class::Rough;
    let mut time = || {
        if is_rough {
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
    let config = config.keepalive(has_keepalive.then(|| keepalive(class, rng)));
    let message_timeout =
        (is_rough && rng.one_in(4)).then(|| MILLISECOND + rng.time(MILLISECOND * 500));
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
        content: Content {
            seed: rng.next(),
            max_item: 0,
        },
        closing: if rng.one_in(2) {
            closing(rng)
        } else {
            Closing::Waits
        },
        sudden_close: rng.one_in(6).then(|| (rng.time(until), code(rng))),
        pings: (0..rng.below(4)).map(|_| rng.time(until)).collect(),
        observers: rng.below(3),
        cancels: rng.pick(&[0, 2, 10]),
        dawdles: rng.pick(&[Duration::ZERO, MILLISECOND, MILLISECOND * 20]),
        hurries: rng.pick(&[1, 3, 10]),
    }
}

fn keepalive(class: Class, rng: &mut Rng) -> Keepalive {
    // More often, and a slow wire owes a thousand pongs before it is through, which no honest peer does.
    let interval = MILLISECOND * 20 + rng.time(MILLISECOND * 1_000);
    let timeout = match class {
        Class::Rough => MILLISECOND + rng.time(MILLISECOND * 1_000),
        Class::Calm | Class::Cut => LONG,
    };
    Keepalive::default().interval(interval).timeout(timeout)
}

fn code(rng: &mut Rng) -> CloseCode {
    rng.pick(&[
        CloseCode::NORMAL,
        CloseCode::GOING_AWAY,
        CloseCode::INTERNAL_ERROR,
        CloseCode::from(4000),
    ])
}

fn closing(rng: &mut Rng) -> Closing {
    match rng.below(9) {
        0..3 => Closing::Polls,
        3..5 => Closing::Asks(code(rng)),
        5..8 => Closing::With(code(rng)),
        _ => Closing::Drops,
    }
}

fn stage(max_bytes: usize, rng: &mut Rng) -> Stage {
    let view = match rng.below(4) {
        0..2 => ViewKind::Bytes,
        2 => ViewKind::Items { is_lines: false },
        _ => ViewKind::Items { is_lines: true },
    };
    let most = match view {
        ViewKind::Bytes => max_bytes,
        ViewKind::Items { .. } => 20,
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

fn weather(class: Class, is_tiny: bool, rng: &mut Rng) -> Weather {
    let mut size = |least| {
        if is_tiny {
            rng.size(1, 200)
        } else {
            rng.size(least, 70_000)
        }
    };
    let [capacity, max_write, max_read] = [size(1), size(50), size(50)];
    let longest = match class {
        Class::Rough => MILLISECOND * 50,
        Class::Calm | Class::Cut => MILLISECOND * 5,
    };
    Weather {
        capacity: if is_tiny { capacity } else { capacity.max(100) },
        max_write,
        max_read,
        hiccups: rng.pick(&[0, 2, 5, 20]),
        delay: if rng.one_in(4) {
            Duration::ZERO
        } else {
            rng.time(longest)
        },
        is_buffered: rng.one_in(4),
    }
}

fn fault(class: Class, max_bytes: usize, rng: &mut Rng) -> Option<Fault> {
    let is_lossy = rng.one_in(2);
    let kinds = [
        FaultKind::Reset { is_lossy },
        FaultKind::Eof,
        FaultKind::Silence { is_lossy },
        FaultKind::Mute,
    ];
    let kind = match class {
        Class::Calm => return None,
        // Silence is told by timers alone.
        Class::Cut => rng.pick(&kinds[..2]),
        Class::Rough => rng.pick(&kinds),
    };
    let fault = Fault {
        kind,
        direction: rng.below(2),
        at: rng.size(0, max_bytes * 3) as u64,
    };
    (!rng.one_in(4)).then_some(fault)
}
