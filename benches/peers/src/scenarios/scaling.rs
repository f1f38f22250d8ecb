//! Ten times the work, ten times the cost: this library against itself.

use ws_framed::WsFramed;

use super::{Work, many, one_way};
use crate::{
    Options, Result,
    measure::{Sample, median},
    value::{Blob, Chat},
};

/// What a unit of work costs as there is more of it.
pub(crate) struct Scale {
    pub(crate) what: &'static str,
    pub(crate) unit: &'static str,
    /// How much work there was, and the processor time of a unit of it in nanoseconds.
    pub(crate) costs: Vec<(usize, f64)>,
}

/// Measures at a tenth of the size, at the size, and at ten times the size.
pub(crate) fn scaling(options: &Options, sockets: usize) -> Result<Vec<Scale>> {
    let values = if options.smoke { 200 } else { 100_000 };
    let bytes = if options.smoke { 10_000 } else { 4_000_000 };
    let connections = if options.smoke { 10 } else { 900 };
    // A socket an end, and some for the process itself.
    let connections = connections.min((sockets.saturating_sub(100)) / 20);
    Ok(vec![
        Scale {
            what: "values of 100 bytes",
            unit: "value",
            costs: costs(options, values, |count| {
                let run = one_way::run::<Chat, WsFramed<Chat>>;
                (
                    run,
                    Work {
                        count,
                        len: 0,
                        ..one(options)
                    },
                    count,
                )
            })?,
        },
        Scale {
            what: "bytes of one value",
            unit: "KiB",
            costs: costs(options, bytes, |len| {
                let run = one_way::run::<Blob, WsFramed<Blob>>;
                // The same bytes in all, so that there is enough to measure.
                let count = 10 * bytes / len;
                (
                    run,
                    Work {
                        count,
                        len,
                        ..one(options)
                    },
                    count * len / 1024,
                )
            })?,
        },
        Scale {
            what: "connections, ping-ponging",
            unit: "round trip",
            costs: costs(options, connections, |count| {
                let run = many::ping_pong::<Chat, WsFramed<Chat>>;
                let len = 10;
                (
                    run,
                    Work {
                        count,
                        len,
                        ..one(options)
                    },
                    count * len,
                )
            })?,
        },
    ])
}

fn one(options: &Options) -> Work {
    Work {
        count: 1,
        len: 1,
        thorough: false,
        threads: options.threads,
    }
}

/// What to run, with how much work, and how many units that is.
type Run = (fn(Work) -> Result<Sample>, Work, usize);

fn costs(options: &Options, size: usize, run: impl Fn(usize) -> Run) -> Result<Vec<(usize, f64)>> {
    [size / 10, size, size * 10]
        .into_iter()
        .map(|size| {
            let (run, work, units) = run(size);
            let samples: Result<Vec<f64>> = (0..options.rounds.min(5))
                .map(|_| Ok(run(work)?.cpu * 1e9 / units as f64))
                .collect();
            Ok((size, median(samples?)))
        })
        .collect()
}
