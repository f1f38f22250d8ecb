//! What this library sets itself.

use crate::{contenders::Kind, measure::Metric, report::Outcome};

/// Whom a target is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Against {
    One(&'static str),
    /// The best of those that carry WebSocket messages.
    BestWebSocket,
    /// The best of those that send a message for each value.
    BestPerMessage,
}

/// A ratio of this library to others that is not to be exceeded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) scenario: &'static str,
    pub(crate) against: Against,
    pub(crate) metric: Metric,
    pub(crate) at_most: f64,
}

const fn target(scenario: &'static str, against: Against, metric: Metric, at_most: f64) -> Target {
    Target {
        scenario,
        against,
        metric,
        at_most,
    }
}

const ADAPTER: Against = Against::One("ws_stream_tungstenite");

pub(crate) const TARGETS: &[Target] = &[
    target("burst", ADAPTER, Metric::Cpu, 0.60),
    target("burst", Against::BestPerMessage, Metric::Cpu, 0.42),
    target(
        "burst",
        Against::One("tokio-util on plain TCP"),
        Metric::Cpu,
        0.70,
    ),
    target("pingpong", Against::BestWebSocket, Metric::Latency, 1.03),
    target("large", Against::BestWebSocket, Metric::Wall, 1.00),
    target("huge", Against::BestWebSocket, Metric::Wall, 1.00),
    target("bulk", Against::BestWebSocket, Metric::Cpu, 1.00),
    target("bulk", Against::One("plain TCP"), Metric::Wall, 1.40),
    target("smallwrites", Against::BestWebSocket, Metric::Cpu, 0.15),
    target(
        "fanout",
        Against::One("async-tungstenite"),
        Metric::Cpu,
        0.50,
    ),
    target("idle", ADAPTER, Metric::Memory, 0.07),
];

/// What an idle connection may hold, both ends together.
pub(crate) const MAX_IDLE_BYTES: f64 = 20.0 * 1024.0;

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
        let (name, theirs) = rivals
            .filter(|(contender, _)| match self.against {
                Against::One(name) => contender.name == name,
                Against::BestWebSocket => {
                    matches!(contender.kind, Kind::Adapter | Kind::PerMessage)
                }
                Against::BestPerMessage => contender.kind == Kind::PerMessage,
            })
            .filter_map(|(contender, result)| {
                Some((contender.name, outcome.figure(result, self.metric)?))
            })
            .min_by(|(_, a), (_, b)| a.total_cmp(b))?;
        Some((outcome.ours(self.metric)? / theirs, name))
    }
}
