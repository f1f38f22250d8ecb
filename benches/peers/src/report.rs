//! Tables for a terminal, in Markdown.

use std::fmt::Write;

use crate::{
    contenders::Kind,
    measure::{Metric, Sample, median},
    scenarios::{Scale, Scenario},
    targets::TARGETS,
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

    /// Why this library could not do the work, if it could not.
    pub(crate) fn failure_of_ours(&self) -> Option<String> {
        let mut contenders = self.scenario.contenders.iter().zip(&self.results);
        contenders.find_map(|(contender, result)| match result {
            Err(error) if contender.kind == Kind::Ours => Some(format!(
                "{}: {}: {error}",
                self.scenario.name, contender.name
            )),
            _ => None,
        })
    }

    pub(crate) fn ours(&self, metric: Metric) -> Option<f64> {
        self.figure(self.results.first()?, metric)
    }
}

/// A line of a table, and a bar of the picture.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) cell: Cell,
}

/// What a contender reached in one metric.
pub(crate) enum Cell {
    /// Its figure, and that as a multiple of this library's.
    Figure { text: String, multiple: f64 },
    /// It could not do the work.
    Failed(String),
}

impl Outcome<'_> {
    /// What all contenders reached in a metric: the one source of the tables and of the picture.
    pub(crate) fn rows(&self, metric: Metric) -> Vec<Row> {
        let ours = self.ours(metric).unwrap_or(f64::NAN);
        let contenders = self.scenario.contenders.iter().zip(&self.results);
        contenders
            .map(|(contender, result)| Row {
                name: contender.name,
                kind: contender.kind,
                cell: match (self.figure(result, metric), result) {
                    (Some(figure), _) => Cell::Figure {
                        text: metric.show(figure),
                        multiple: figure / ours,
                    },
                    (None, Err(error)) => Cell::Failed(error.clone()),
                    (None, Ok(_)) => Cell::Failed("was not measured".to_owned()),
                },
            })
            .collect()
    }
}

/// A table of one scenario: the medians of all contenders, and ours over theirs.
pub(crate) fn scenario(outcome: &Outcome<'_>) -> String {
    let scenario = outcome.scenario;
    let mut head = "| |".to_owned();
    let mut lines: Vec<String> = Vec::new();
    for metric in scenario.metrics {
        let _ = write!(head, " {} | ours / theirs |", metric.name());
        let rows = outcome.rows(*metric);
        lines.resize_with(rows.len(), String::new);
        for (line, row) in lines.iter_mut().zip(rows) {
            if line.is_empty() {
                *line = format!("| {} |", row.name);
            }
            let _ = match row.cell {
                Cell::Figure { text, multiple } => {
                    write!(line, " {text} | {:.2} |", 1.0 / multiple)
                }
                Cell::Failed(error) => write!(line, " fails: {error} | |"),
            };
        }
    }
    let rule = "---:|---:|".repeat(scenario.metrics.len());
    format!(
        "\n## {}: {}\n\n{head}\n|---|{rule}\n{}",
        scenario.name,
        scenario.what,
        lines.join("\n")
    )
}

pub(crate) fn print_targets(outcomes: &[Outcome<'_>]) {
    println!("\n## targets: ours / theirs\n");
    println!("| scenario | against | figure | at most | reached | |");
    println!("|---|---|---|---:|---:|---|");
    let (mut met, mut all) = (0, 0);
    for target in TARGETS {
        let Some(outcome) = outcomes
            .iter()
            .find(|outcome| outcome.scenario.name == target.scenario)
        else {
            continue;
        };
        all += 1;
        let Some((ratio, whom)) = target.reached(outcome) else {
            println!(
                "| {} | no other contender can | | | | **missed** |",
                target.scenario
            );
            continue;
        };
        met += usize::from(is_met(ratio, target.at_most));
        println!(
            "| {}{} | {whom}{} | {} | {:.2} | {ratio:.2} | {} |",
            target.scenario,
            target.way(),
            target.rank(),
            target.metric.name(),
            target.at_most,
            if is_met(ratio, target.at_most) {
                "met"
            } else {
                "**missed**"
            },
        );
    }
    println!("\n{met} of {all} met");
}

/// As precise as it is shown: the third digit of a ratio is not significant.
fn is_met(reached: f64, at_most: f64) -> bool {
    reached < at_most + 0.005
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
