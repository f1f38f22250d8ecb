//! Several connections, on each of which a client keeps several requests in flight.

use super::{Task, Work, block_on};
use crate::{
    Result,
    contenders::Carrier,
    measure::{Sample, Stopwatch},
    value::Value,
};

const CONNECTIONS: usize = 16;
const IN_FLIGHT: usize = 16;

/// `work.count` requests on each connection. An answer becomes the next request, so a request is of
/// the kind of the one that was sent `IN_FLIGHT` before it.
pub(super) fn run<V: Value, C: Carrier<V>>(work: Work) -> Result<Sample> {
    block_on(&work, async {
        let mut pairs = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            let values: Vec<V> = (0..IN_FLIGHT).map(|n| V::nth(n, work.len)).collect();
            pairs.push((C::pair().await?, values));
        }
        let stopwatch = Stopwatch::start();
        let tasks: Vec<_> = pairs
            .into_iter()
            .map(|((client, server), values)| {
                let answering = Task::spawn(answer::<V, C>(server, work.count));
                (Task::spawn(ask(client, values, work)), answering)
            })
            .collect();
        let mut ends = Vec::with_capacity(tasks.len());
        for (asking, answering) in tasks {
            ends.push(tokio::try_join!(biased; asking.join(), answering.join())?);
        }
        let sample = stopwatch.read();
        drop(ends);
        Ok(sample)
    })
}

async fn ask<V: Value, C: Carrier<V>>(mut client: C, values: Vec<V>, work: Work) -> Result<C> {
    let mut sent = values.len();
    for value in values {
        client.feed(value).await?;
    }
    for n in 0..work.count {
        let value = client.next_flushed().await?;
        if !value.is_nth(n % IN_FLIGHT, work.len, work.thorough) {
            return Err(format!("answer {n} is not to request {n}").into());
        }
        if sent < work.count {
            client.feed(value).await?;
            sent += 1;
        }
    }
    Ok(client)
}

async fn answer<V: Value, C: Carrier<V>>(mut server: C, count: usize) -> Result<C> {
    for _ in 0..count {
        let value = server.next_flushed().await?;
        server.feed(value).await?;
    }
    server.flush().await?;
    Ok(server)
}
