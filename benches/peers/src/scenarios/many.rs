//! Many connections at once.

use super::{
    Task, Work, block_on,
    ping_pong::{echo, round_trip},
};
use crate::{
    Result,
    contenders::Carrier,
    measure::{Sample, Stopwatch, resident},
    value::Value,
};

/// Round trips on all connections at the same time.
pub(super) fn ping_pong<V: Value, C: Carrier<V>>(work: Work) -> Result<Sample> {
    block_on(&work, async {
        let mut pairs = Vec::with_capacity(work.count);
        for _ in 0..work.count {
            pairs.push(C::pair().await?);
        }
        let stopwatch = Stopwatch::start();
        let tasks: Vec<_> = pairs
            .into_iter()
            .map(|(client, server)| {
                let echoing = Task::spawn(echo::<V, C>(server, work.len));
                (Task::spawn(ask(client, work)), echoing)
            })
            .collect();
        let mut ends = Vec::with_capacity(work.count);
        for (asking, echoing) in tasks {
            ends.push(tokio::try_join!(biased; asking.join(), echoing.join())?);
        }
        let sample = stopwatch.read();
        drop(ends);
        Ok(sample)
    })
}

async fn ask<V: Value, C: Carrier<V>>(mut client: C, work: Work) -> Result<C> {
    for n in 0..work.len {
        let value = round_trip(&mut client, V::nth(n, 0)).await?;
        if !value.is_nth(n, 0, work.thorough) {
            return Err(format!("value {n} did not come back as it was sent").into());
        }
    }
    Ok(client)
}

/// What an open connection keeps in memory, both ends together, when it has been used once. The kernel's
/// share is not part of it.
pub(super) fn idle<V: Value, C: Carrier<V>>(work: Work) -> Result<Sample> {
    block_on(&work, async {
        let mut pairs = Vec::with_capacity(work.count);
        // The first few pay for what all share.
        for _ in 0..8 {
            pairs.push(used_once::<V, C>(work).await?);
        }
        let before = resident()?;
        for _ in 0..work.count {
            pairs.push(used_once::<V, C>(work).await?);
        }
        let grown = resident()?.saturating_sub(before);
        drop(pairs);
        Ok(Sample {
            memory: grown as f64 / work.count as f64,
            ..Sample::default()
        })
    })
}

async fn used_once<V: Value, C: Carrier<V>>(work: Work) -> Result<(C, C)> {
    let (client, server) = C::pair().await?;
    let echoing = Task::spawn(echo::<V, C>(server, 1));
    let client = ask::<V, C>(client, Work { len: 1, ..work }).await?;
    Ok((client, echoing.join().await?))
}
