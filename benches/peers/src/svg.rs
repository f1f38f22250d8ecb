//! The picture: for each scenario a bar for each contender, as a multiple of this library's.

use std::fmt::Write;

use crate::{
    contenders::Kind,
    report::{Cell, Outcome},
    targets,
};

const ROW: usize = 18;
const HEAD: usize = 46;
const COLUMN: usize = 560;
const NAMES: usize = 196;
const BARS: usize = 190;
/// Longer bars are cut, and say so.
const LONGEST: f64 = 4.0;

const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-weight:600;font-size:13px}.note{fill:#6e7781}\
.ours{fill:#0969da}.ws{fill:#8c959f}.tcp{fill:#c9a227}.one{stroke:#0969da;stroke-dasharray:2 3}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.note{fill:#9198a1}.ours{fill:#4493f8}.ws{fill:#6e7681}\
.tcp{fill:#d4a72c}.one{stroke:#4493f8}}";

/// Two columns, each scenario in the one that is shorter.
pub(crate) fn draw(outcomes: &[Outcome<'_>]) -> String {
    let mut heights = [52; 2];
    let mut panels = String::new();
    for outcome in outcomes {
        let column = usize::from(heights[1] < heights[0]);
        let y = &mut heights[column];
        panels += &panel(outcome, 12 + column * COLUMN, *y);
        *y += HEAD + outcome.scenario.contenders.len() * ROW;
    }
    let (width, height) = (2 * COLUMN, heights[0].max(heights[1]));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-label=\"ws-framed and its peers\"><style>{STYLE}</style>\n\
         <text class=\"title\" x=\"12\" y=\"24\">What the same work costs, as a multiple of ws-framed's: \
         shorter is better</text>\n{panels}</svg>\n"
    )
}

fn panel(outcome: &Outcome<'_>, x: usize, y: usize) -> String {
    let scenario = outcome.scenario;
    let metric = targets::metric(scenario.name);
    let mut svg = format!(
        "<text class=\"title\" x=\"{x}\" y=\"{y}\">{} <tspan class=\"note\" font-weight=\"400\">({}) \
         </tspan></text>\n<text class=\"note\" x=\"{x}\" y=\"{}\">{}</text>\n",
        scenario.name,
        metric.name(),
        y + 14,
        escape(scenario.what),
    );
    let bars = x + NAMES;
    let top = y + 21;
    let mut row_y = top;
    for row in outcome.rows(metric) {
        let class = match row.kind {
            Kind::Ours => "ours",
            Kind::Limit => "tcp",
            Kind::Adapter | Kind::PerMessage => "ws",
        };
        let text_y = row_y + 12;
        let name = escape(row.name);
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"{text_y}\">{name}</text>");
        let (width, label) = match row.cell {
            Cell::Figure { text, multiple } => {
                let width = BARS as f64 * (multiple / LONGEST).min(1.0);
                let cut = if multiple > LONGEST { " »" } else { "" };
                (width, format!("{text} · {multiple:.2}×{cut}"))
            }
            Cell::Failed(_) => (0.0, "fails".to_owned()),
        };
        let _ = writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{bars}\" y=\"{}\" width=\"{width:.1}\" height=\"{}\" rx=\"2\"/>\
             <text class=\"note\" x=\"{:.1}\" y=\"{text_y}\">{label}</text>",
            row_y + 2,
            ROW - 5,
            bars as f64 + width + 5.0,
        );
        row_y += ROW;
    }
    let one = bars as f64 + BARS as f64 / LONGEST;
    let _ = writeln!(
        svg,
        "<line class=\"one\" x1=\"{one}\" x2=\"{one}\" y1=\"{top}\" y2=\"{row_y}\"/>"
    );
    svg
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use crate::{
        contenders::Kind,
        measure::{Metric, Sample},
        report::{self, Outcome},
        scenarios::{Contender, Scenario, Work},
    };

    /// A scenario of contenders with different figures, the second of which fails.
    fn scenario() -> Scenario {
        let contender = |name, kind| Contender {
            name,
            kind,
            run: |_| Ok(Sample::default()),
        };
        Scenario {
            name: "burst",
            what: "values",
            metrics: &[Metric::Wall, Metric::Cpu],
            work: Work {
                count: 1,
                len: 1,
                thorough: false,
                down: false,
                threads: 1,
            },
            apart: false,
            contenders: vec![
                contender("ours", Kind::Ours),
                contender("one that fails", Kind::Adapter),
                contender("one", Kind::PerMessage),
                contender("another", Kind::Limit),
            ],
        }
    }

    /// The texts of an SVG, in order.
    fn texts(svg: &str) -> Vec<&str> {
        let parts = svg.split("</text>");
        parts
            .filter_map(|part| part.rsplit_once('>'))
            .map(|(_, text)| text)
            .collect()
    }

    /// The label behind a contender's name is the figure that the table shows for that contender in
    /// the metric that counts.
    #[test]
    fn labels_match_the_table() {
        let scenario = scenario();
        let mut outcome = Outcome::new(&scenario);
        outcome.results[1] = Err("cannot".to_owned());
        for (index, cpu) in [(0, 0.1), (2, 0.25), (3, 0.9)] {
            let sample = Sample {
                wall: 7.0,
                cpu,
                ..Sample::default()
            };
            outcome.results[index] = Ok(vec![sample; 3]);
        }
        let table = report::scenario(&outcome);
        let svg = super::draw(std::slice::from_ref(&outcome));
        let texts = texts(&svg);
        for (name, multiple) in [
            ("ours", Some("1.00×")),
            ("one that fails", None),
            ("one", Some("2.50×")),
            ("another", Some("9.00× »")),
        ] {
            let line = table
                .lines()
                .find(|line| line.starts_with(&format!("| {name} |")))
                .expect("a line for each");
            // The name, the wall time, its ratio, the processor time, its ratio.
            let cpu = line.split('|').nth(4).expect("a cell for cpu").trim();
            let at = texts
                .iter()
                .position(|text| *text == name)
                .expect("a bar for each");
            let label =
                multiple.map_or("fails".to_owned(), |multiple| format!("{cpu} · {multiple}"));
            assert_eq!(texts[at + 1], label, "{name}");
        }
    }
}
