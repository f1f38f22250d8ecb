//! Many connections at once.

use tokio::sync::watch;

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

/// What an open connection keeps in memory, both ends together, when it has been used once. The
/// kernel's share is not part of it.
pub(super) fn idle<V: Value, C: Carrier<V>>(work: Work) -> Result<Sample> {
    block_on(&work, async {
        let mut pairs = Vec::with_capacity(work.count);
        // The first few pay for what all share.
        for _ in 0..SHARED {
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

/// Many connections on which both ends wait for the other, after one round trip: what they keep in
/// memory. Then the server sends something on each, and each client answers: what that costs.
pub(super) fn at_rest<V: Value, C: Carrier<V>>(work: Work) -> Result<Sample> {
    block_on(&work, async {
        let (start, started) = watch::channel(false);
        // The first few pay for what all share.
        let mut tasks = Vec::with_capacity(work.count + SHARED);
        for _ in 0..SHARED {
            tasks.push(rest::<V, C>(work, &started).await?);
        }
        let before = resident()?;
        for _ in 0..work.count {
            tasks.push(rest::<V, C>(work, &started).await?);
        }
        // All that have something to do, do it before this task continues.
        tokio::task::yield_now().await;
        let grown = resident()?.saturating_sub(before);
        let stopwatch = Stopwatch::start();
        start.send(true)?;
        let mut ends = Vec::with_capacity(tasks.len());
        for (asking, answering) in tasks {
            ends.push(tokio::try_join!(biased; asking.join(), answering.join())?);
        }
        let sample = stopwatch.read();
        drop(ends);
        Ok(Sample {
            memory: grown as f64 / work.count as f64,
            ..sample
        })
    })
}

/// How many connections are open before the memory is looked at.
const SHARED: usize = 8;

/// Opens a connection, uses it once, and leaves both ends waiting.
async fn rest<V: Value, C: Carrier<V>>(
    work: Work,
    started: &watch::Receiver<bool>,
) -> Result<(Task<C>, Task<C>)> {
    let (client, mut server) = used_once::<V, C>(work).await?;
    let mut started = started.clone();
    let asking = Task::spawn(async move {
        tokio::select! {
            biased;
            changed = started.changed() => changed?,
            _ = server.next() => return Err("something came that was not sent".into()),
        }
        ask(server, Work { len: 1, ..work }).await
    });
    Ok((asking, Task::spawn(echo::<V, C>(client, 1))))
}
