//! Tables for a terminal, in Markdown.

use crate::{
    measure::{Metric, Sample, median},
    scenarios::{Scale, Scenario},
    targets::{MAX_IDLE_BYTES, TARGETS},
};

/// What came of a scenario.
pub(crate) struct Outcome<'s> {
    pub(crate) scenario: &'s Scenario,
    /// A sample a round for each contender, or why there is none.
    pub(crate) results: Vec<Result<Vec<Sample>, String>>,
}

impl<'s> Outcome<'s> {
    pub(crate) fn new(scenario: &'s Scenario) -> Self {
        Self {
            scenario,
            results: scenario.contenders.iter().map(|_| Ok(Vec::new())).collect(),
        }
    }

    /// The median of a contender.
    pub(crate) fn figure(
        &self,
        result: &Result<Vec<Sample>, String>,
        metric: Metric,
    ) -> Option<f64> {
        let samples = result.as_ref().ok()?;
        if !self.scenario.metrics.contains(&metric) || samples.is_empty() {
            return None;
        }
        Some(median(
            samples.iter().map(|sample| metric.of(sample)).collect(),
        ))
    }

    pub(crate) fn ours(&self, metric: Metric) -> Option<f64> {
        self.figure(self.results.first()?, metric)
    }
}

pub(crate) fn print_scenario(outcome: &Outcome<'_>) {
    let scenario = outcome.scenario;
    println!("\n## {}: {}\n", scenario.name, scenario.what);
    let names = scenario.metrics.iter().map(|metric| metric.name());
    let columns: Vec<String> = names
        .map(|name| format!(" {name} | ours / theirs |"))
        .collect();
    println!("| |{}", columns.concat());
    println!("|---|{}", "---:|---:|".repeat(columns.len()));
    for (contender, result) in scenario.contenders.iter().zip(&outcome.results) {
        if let Err(error) = result {
            println!("| {} | fails: {error} |", contender.name);
            continue;
        }
        let figures = scenario.metrics.iter().map(|metric| {
            let (Some(theirs), Some(ours)) =
                (outcome.figure(result, *metric), outcome.ours(*metric))
            else {
                return " | |".to_owned();
            };
            format!(" {} | {:.2} |", metric.show(theirs), ours / theirs)
        });
        println!("| {} |{}", contender.name, figures.collect::<String>());
    }
}

pub(crate) fn print_targets(outcomes: &[Outcome<'_>]) {
    println!("\n## targets: ours / theirs\n");
    println!("| scenario | against | figure | at most | reached | |");
    println!("|---|---|---|---:|---:|---|");
    for target in TARGETS {
        let Some(outcome) = outcomes
            .iter()
            .find(|outcome| outcome.scenario.name == target.scenario)
        else {
            continue;
        };
        let Some((ratio, whom)) = target.reached(outcome) else {
            println!("| {} | nobody else can | | | | met |", target.scenario);
            continue;
        };
        println!(
            "| {} | {whom} | {} | {:.2} | {ratio:.2} | {} |",
            target.scenario,
            target.metric.name(),
            target.at_most,
            verdict(ratio, target.at_most),
        );
    }
    let idle = outcomes
        .iter()
        .find(|outcome| outcome.scenario.name == "idle");
    if let Some(ours) = idle.and_then(|outcome| outcome.ours(Metric::Memory)) {
        println!(
            "| idle | a connection's two ends | memory | {} | {} | {} |",
            Metric::Memory.show(MAX_IDLE_BYTES),
            Metric::Memory.show(ours),
            verdict(ours, MAX_IDLE_BYTES),
        );
    }
}

/// As precise as it is shown: nobody measures the third digit.
fn verdict(reached: f64, at_most: f64) -> &'static str {
    if reached < at_most + 0.005 {
        "met"
    } else {
        "**missed**"
    }
}

pub(crate) fn print_scaling(scales: &[Scale]) {
    println!("\n## scaling: what a unit of work costs in cpu as there is more of it\n");
    println!("| | of how many | ws-framed | fastwebsockets |");
    println!("|---|---|---|---|");
    for scale in scales {
        println!(
            "| {} | {} | {} | {} |",
            scale.unit,
            scale.sizes.map(|size| size.to_string()).join(", "),
            multiples(&scale.ours),
            multiples(&scale.theirs),
        );
    }
}

/// Costs as multiples of the first of them.
fn multiples(costs: &[f64]) -> String {
    let first = costs.first().copied().unwrap_or(f64::NAN);
    let multiples = costs.iter().map(|cost| format!("{:.2}", cost / first));
    multiples.collect::<Vec<_>>().join(", ")
}
