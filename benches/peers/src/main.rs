//! The same work over ws-framed and over what one would use in its place. See `benches/README.md`.

mod contenders;
mod measure;
mod options;
mod report;
mod scenarios;
mod svg;
mod targets;
mod value;

use std::{
    env, fs,
    io::{self, IsTerminal},
    process::Command,
};

use crate::{
    measure::{Metric, Sample},
    options::Options,
    report::Outcome,
    scenarios::{Contender, Scenario, Work},
};

pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Result<T> = std::result::Result<T, Error>;

fn main() -> Result<()> {
    let options = Options::parse(env::args().skip(1))?;
    let sockets = measure::raise_socket_limit()?;
    if let Some(apart) = &options.apart {
        return run_apart(&options, sockets, apart);
    }
    let scenarios: Vec<Scenario> = scenarios::all(&options, sockets)
        .into_iter()
        .filter(|scenario| options.wants(scenario.name))
        .collect();
    let mut outcomes = Vec::new();
    for scenario in &scenarios {
        let outcome = run(&options, scenario);
        println!("{}", report::scenario(&outcome));
        outcomes.push(outcome);
    }
    if options.wants("scaling") {
        report::print_scaling(&scenarios::scaling(&options, sockets)?);
    }
    report::print_targets(&outcomes);
    if let Some(path) = &options.out {
        fs::write(path, svg::draw(&outcomes))?;
        println!("\nwrote {}", path.display());
    }
    let failed = outcomes.iter().find_map(Outcome::failure_of_ours);
    failed.map_or(Ok(()), |failure| Err(failure.into()))
}

/// All contenders in turn, round by round, so that a slow phase of the machine affects all of them.
fn run<'s>(options: &Options, scenario: &'s Scenario) -> Outcome<'s> {
    let mut outcome = Outcome::new(scenario);
    let count = scenario.contenders.len();
    // The first round checks every byte, finds out who cannot do it at all, and does not count.
    // Each round begins with another contender, so that none always follows the same one.
    for round in 0..=options.rounds {
        for turn in 0..count {
            let index = (round + turn) % count;
            let contender = &scenario.contenders[index];
            let result = &mut outcome.results[index];
            let Ok(samples) = result else { continue };
            let work = Work {
                thorough: round == 0,
                ..scenario.work
            };
            progress(&format!("{} {round} {}", scenario.name, contender.name));
            match run_once(options, scenario, contender, work) {
                Ok(_) if round == 0 => {}
                Ok(sample) => samples.push(sample),
                // The others go on; a failure is in the table, and ends the run with an error if it
                // is ours.
                Err(error) => *result = Err(error.to_string()),
            }
        }
    }
    progress("");
    outcome
}

/// Reports progress on standard error.
fn progress(what: &str) {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K{what}");
    }
}

fn run_once(
    options: &Options,
    scenario: &Scenario,
    contender: &Contender,
    work: Work,
) -> Result<Sample> {
    if !scenario.apart {
        return (contender.run)(work);
    }
    // The file may have been replaced meanwhile.
    let mut command = Command::new("/proc/self/exe");
    command.args(["--apart", &format!("{}/{}", scenario.name, contender.name)]);
    command.args(["--threads", &options.threads.to_string()]);
    if options.smoke {
        command.arg("--smoke");
    }
    let output = command.output()?;
    let text = String::from_utf8(output.stdout)?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let figures: std::result::Result<Vec<f64>, _> =
        text.split_whitespace().map(str::parse).collect();
    match figures?[..] {
        [memory, wall, cpu] => Ok(Sample {
            wall,
            cpu,
            memory,
            ..Sample::default()
        }),
        _ => Err(format!("not three figures: {text}").into()),
    }
}

/// One run in a process of its own, so with memory of its own. Where times are measured in it, a
/// thorough run comes first and does not count.
fn run_apart(options: &Options, sockets: usize, apart: &str) -> Result<()> {
    for scenario in scenarios::all(options, sockets) {
        for contender in &scenario.contenders {
            if format!("{}/{}", scenario.name, contender.name) == apart {
                if scenario.apart && !scenario.metrics.contains(&Metric::Memory) {
                    (contender.run)(Work {
                        thorough: true,
                        ..scenario.work
                    })?;
                }
                let sample = (contender.run)(scenario.work)?;
                println!("{} {} {}", sample.memory, sample.wall, sample.cpu);
                return Ok(());
            }
        }
    }
    Err(format!("there is no {apart}").into())
}
