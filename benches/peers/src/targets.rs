//! What this library sets itself.

use crate::{contenders::Kind, measure::Metric, report::Outcome};

/// Whom a target is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Against {
    One(&'static str),
    /// The best of those that carry WebSocket messages.
    BestWebSocket,
    /// The best of those that send a message for each value, or the one after so many better ones.
    /// Two configurations of one library count as one.
    PerMessage {
        better: usize,
    },
}

/// A ratio of this library to others that is not to be exceeded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) scenario: &'static str,
    /// Which of this library's contenders, if it is not the first one.
    pub(crate) ours: Option<&'static str>,
    pub(crate) against: Against,
    pub(crate) metric: Metric,
    pub(crate) at_most: f64,
}

const fn target(scenario: &'static str, against: Against, metric: Metric, at_most: f64) -> Target {
    Target {
        scenario,
        ours: None,
        against,
        metric,
        at_most,
    }
}

/// A target with a message for each value, in a scenario in which this library packs them, too.
const fn single(scenario: &'static str, metric: Metric, at_most: f64) -> Target {
    Target {
        ours: Some("ws-framed, a message a value"),
        ..target(scenario, BEST, metric, at_most)
    }
}

const BEST: Against = Against::PerMessage { better: 0 };
const NEXT_BEST: Against = Against::PerMessage { better: 1 };
const WEB_SOCKET: Against = Against::BestWebSocket;
const ADAPTER: Against = Against::One("ws_stream_tungstenite");
const FRAMED_TCP: Against = Against::One("tokio-util on plain TCP");
const TCP: Against = Against::One("plain TCP");
const BUFFERED_TCP: Against = Against::One("TCP behind a BufWriter");
const READY_BYTES: Against = Against::One("ready bytes on plain TCP");

pub(crate) const TARGETS: &[Target] = &[
    target("burst", BEST, Metric::Cpu, 0.80),
    target("burst", NEXT_BEST, Metric::Cpu, 0.50),
    target("burst", FRAMED_TCP, Metric::Cpu, 0.50),
    target("burst", ADAPTER, Metric::Cpu, 0.55),
    target("pingpong", WEB_SOCKET, Metric::Latency, 1.00),
    target("pipelined", WEB_SOCKET, Metric::Cpu, 0.95),
    target("pipelined-1k", WEB_SOCKET, Metric::Cpu, 0.95),
    target("large", WEB_SOCKET, Metric::Wall, 1.00),
    target("large-down", WEB_SOCKET, Metric::Wall, 1.00),
    target("huge", WEB_SOCKET, Metric::Wall, 0.85),
    target("bulk", WEB_SOCKET, Metric::Cpu, 0.95),
    target("bulk", TCP, Metric::Wall, 1.40),
    target("bulk-down", WEB_SOCKET, Metric::Cpu, 0.95),
    target("bulk-down", TCP, Metric::Wall, 1.15),
    target("smallwrites", WEB_SOCKET, Metric::Cpu, 0.18),
    target("smallwrites", BUFFERED_TCP, Metric::Cpu, 1.20),
    target("fanout", READY_BYTES, Metric::Cpu, 1.15),
    target("connections", WEB_SOCKET, Metric::Cpu, 1.00),
    target("idle", WEB_SOCKET, Metric::Memory, 1.00),
    target("idle-9000", WEB_SOCKET, Metric::Memory, 1.00),
    target("idle-9000", WEB_SOCKET, Metric::Cpu, 1.00),
    target("deflate-200", BEST, Metric::Bytes, 0.5),
    target("deflate-200", BEST, Metric::Cpu, 0.90),
    single("deflate-200", Metric::Bytes, 1.00),
    single("deflate-200", Metric::Cpu, 1.00),
    target("deflate-200-context", BEST, Metric::Bytes, 0.8),
    target("deflate-200-context", BEST, Metric::Cpu, 0.90),
    single("deflate-200-context", Metric::Bytes, 1.00),
    single("deflate-200-context", Metric::Cpu, 1.00),
    target("deflate-2k", BEST, Metric::Bytes, 1.0),
    target("deflate-2k", BEST, Metric::Cpu, 0.90),
    single("deflate-2k", Metric::Bytes, 1.00),
    single("deflate-2k", Metric::Cpu, 1.00),
    target("deflate-2k-context", BEST, Metric::Bytes, 1.0),
    target("deflate-2k-context", BEST, Metric::Cpu, 0.90),
    single("deflate-2k-context", Metric::Bytes, 1.00),
    single("deflate-2k-context", Metric::Cpu, 1.00),
    target("deflate-20k", BEST, Metric::Bytes, 1.0),
    target("deflate-20k", BEST, Metric::Cpu, 0.90),
    single("deflate-20k", Metric::Bytes, 1.00),
    single("deflate-20k", Metric::Cpu, 1.00),
    target("deflate-20k-context", BEST, Metric::Bytes, 1.0),
    target("deflate-20k-context", BEST, Metric::Cpu, 0.90),
    single("deflate-20k-context", Metric::Bytes, 1.00),
    single("deflate-20k-context", Metric::Cpu, 1.00),
    target("deflate-idle", BEST, Metric::Memory, 1.00),
    target("deflate-idle-context", BEST, Metric::Memory, 1.00),
];

/// The figure that counts in a scenario.
pub(crate) fn metric(scenario: &str) -> Metric {
    let mut targets = TARGETS.iter();
    targets
        .find(|target| target.scenario == scenario)
        .map_or(Metric::Cpu, |target| target.metric)
}

impl Target {
    /// The ratio that was reached, and whose figure it is to; nothing if they could not do it.
    pub(crate) fn reached(&self, outcome: &Outcome<'_>) -> Option<(f64, &'static str)> {
        let rivals = outcome.scenario.contenders.iter().zip(&outcome.results);
        let mut rivals: Vec<(&str, f64)> = rivals
            .filter(|(contender, _)| match self.against {
                Against::One(name) => contender.name == name,
                Against::BestWebSocket => {
                    matches!(contender.kind, Kind::Adapter | Kind::PerMessage)
                }
                Against::PerMessage { .. } => contender.kind == Kind::PerMessage,
            })
            .filter_map(|(contender, result)| {
                Some((contender.name, outcome.figure(result, self.metric)?))
            })
            .collect();
        rivals.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        let better = match self.against {
            Against::PerMessage { better } => better,
            _ => 0,
        };
        let mut libraries = Vec::new();
        rivals.retain(|(name, _)| {
            let library = name.split(',').next();
            let first = !libraries.contains(&library);
            libraries.push(library);
            first
        });
        let (name, theirs) = rivals.get(better)?;
        Some((self.ours(outcome)? / theirs, name))
    }

    fn ours(&self, outcome: &Outcome<'_>) -> Option<f64> {
        let Some(name) = self.ours else {
            return outcome.ours(self.metric);
        };
        let mut contenders = outcome.scenario.contenders.iter().zip(&outcome.results);
        let (_, result) = contenders.find(|(contender, _)| contender.name == name)?;
        outcome.figure(result, self.metric)
    }

    /// How this library does the work of the scenario, if it has several ways.
    pub(crate) fn way(&self) -> &'static str {
        let way = self.ours.and_then(|name| name.get(name.find(',')?..));
        way.unwrap_or_default()
    }

    /// What the contender of this target is to the library, for the table.
    pub(crate) fn rank(&self) -> &'static str {
        match self.against {
            Against::One(_) => "",
            Against::BestWebSocket => ", best WebSocket",
            Against::PerMessage { better: 0 } => ", best with a message a value",
            Against::PerMessage { .. } => ", the next best",
        }
    }
}
