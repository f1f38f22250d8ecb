//! Ten times the work, ten times the cost: this library, and a peer to tell what the machine's
//! memory does to both.

use ws_framed::WsFramed;

use super::{Work, many, one_way};
use crate::{
    Options, Result,
    contenders::fastwebsockets::Socket,
    measure::{Sample, median},
    value::{Blob, Chat},
};

/// What a unit of work costs as there is more of it.
pub(crate) struct Scale {
    pub(crate) unit: &'static str,
    /// How much work there was: a tenth of the middle, the middle, ten times the middle.
    pub(crate) sizes: [usize; 3],
    /// The processor time of a unit of it, over this library and over the peer.
    pub(crate) ours: Vec<f64>,
    pub(crate) theirs: Vec<f64>,
}

/// Measures at a tenth of the size, at the size, and at ten times the size.
pub(crate) fn scaling(options: &Options, sockets: usize) -> Result<Vec<Scale>> {
    let values = if options.smoke { 200 } else { 100_000 };
    let bytes = if options.smoke { 10_000 } else { 4_000_000 };
    let connections = if options.smoke { 10 } else { 900 };
    // A socket an end, and some for the process itself.
    let connections = connections.min((sockets.saturating_sub(100)) / 20);
    Ok(vec![
        scale(
            options,
            "a value of 100 bytes, of so many",
            values,
            |count| (count, 0, count),
            [
                one_way::run::<Chat, WsFramed<Chat>>,
                one_way::run::<Chat, Socket>,
            ],
        )?,
        scale(
            options,
            "a KiB of a value of so many bytes",
            bytes,
            // The same bytes in all, so that there is enough to measure.
            |len| (10 * bytes / len, len, 10 * bytes / 1024),
            [
                one_way::run::<Blob, WsFramed<Blob>>,
                one_way::run::<Blob, Socket>,
            ],
        )?,
        scale(
            options,
            "a round trip on one of so many connections",
            connections,
            |count| (count, ROUND_TRIPS, count * ROUND_TRIPS),
            [
                many::ping_pong::<Chat, WsFramed<Chat>>,
                many::ping_pong::<Chat, Socket>,
            ],
        )?,
    ])
}

/// On each connection.
const ROUND_TRIPS: usize = 10;

fn scale(
    options: &Options,
    unit: &'static str,
    size: usize,
    // The count and length of the work at a size, and how many units that is.
    work: impl Fn(usize) -> (usize, usize, usize),
    [ours, theirs]: [fn(Work) -> Result<Sample>; 2],
) -> Result<Scale> {
    let sizes = [size / 10, size, size * 10];
    let costs = |run: fn(Work) -> Result<Sample>| {
        let cost = |size: &usize| {
            let (count, len, units) = work(*size);
            let work = Work {
                count,
                len,
                thorough: false,
                down: false,
                threads: options.threads,
            };
            let samples: Result<Vec<f64>> = (0..options.rounds.min(5))
                .map(|_| Ok(run(work)?.cpu / units as f64))
                .collect();
            Ok(median(samples?))
        };
        sizes.iter().map(cost).collect::<Result<Vec<f64>>>()
    };
    Ok(Scale {
        unit,
        sizes,
        ours: costs(ours)?,
        theirs: costs(theirs)?,
    })
}
