//! The picture: for each scenario a bar for each contender, as a multiple of this library's.

use std::fmt::Write;

use crate::{contenders::Kind, report::Outcome, targets};

const ROW: usize = 18;
const HEAD: usize = 46;
const COLUMN: usize = 470;
const NAMES: usize = 178;
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
    let Some(ours) = outcome.ours(metric) else {
        return svg;
    };
    let bars = x + NAMES;
    let top = y + 21;
    let mut row = top;
    for (contender, result) in scenario.contenders.iter().zip(&outcome.results) {
        let class = match contender.kind {
            Kind::Ours => "ours",
            Kind::Limit => "tcp",
            Kind::Adapter | Kind::PerMessage => "ws",
        };
        let text = row + 12;
        let name = escape(contender.name);
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"{text}\">{name}</text>");
        if let Some(theirs) = outcome.figure(result, metric) {
            let ratio = theirs / ours;
            let width = BARS as f64 * (ratio / LONGEST).min(1.0);
            let label = match contender.kind {
                Kind::Ours => metric.show(ours),
                _ if ratio > LONGEST => format!("{ratio:.1} »"),
                _ => format!("{ratio:.2}"),
            };
            let _ = writeln!(
                svg,
                "<rect class=\"{class}\" x=\"{bars}\" y=\"{}\" width=\"{width:.1}\" height=\"{}\" rx=\"2\"/>\
                 <text class=\"note\" x=\"{:.1}\" y=\"{text}\">{label}</text>",
                row + 2,
                ROW - 5,
                bars as f64 + width + 5.0,
            );
        } else {
            let _ = writeln!(
                svg,
                "<text class=\"note\" x=\"{bars}\" y=\"{text}\">fails by default</text>"
            );
        }
        row += ROW;
    }
    let one = bars as f64 + BARS as f64 / LONGEST;
    let _ = writeln!(
        svg,
        "<line class=\"one\" x1=\"{one}\" x2=\"{one}\" y1=\"{top}\" y2=\"{row}\"/>"
    );
    svg
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
