//! A client sends a value and waits until the server has sent it back.

use std::time::Instant;

use super::{Task, Work, block_on};
use crate::{
    Result,
    contenders::Carrier,
    measure::{Sample, Stopwatch, median},
    value::Value,
};

pub(super) fn run<V: Value, C: Carrier<V>>(work: Work) -> Result<Sample> {
    block_on(&work, async {
        let (mut client, server) = C::pair().await?;
        let values: Vec<V> = (0..work.count).map(|n| V::nth(n, work.len)).collect();
        let stopwatch = Stopwatch::start();
        let echoing = Task::spawn(echo(server, work.count));
        let asking = Task::spawn(async move {
            let mut times = Vec::with_capacity(values.len());
            for (n, value) in values.into_iter().enumerate() {
                let start = Instant::now();
                let value = round_trip(&mut client, value).await?;
                times.push(start.elapsed().as_secs_f64());
                if !value.is_nth(n, work.len, work.thorough) {
                    return Err(format!("value {n} did not come back as it was sent").into());
                }
            }
            Ok((client, times))
        });
        let ((client, times), server) = tokio::try_join!(biased; asking.join(), echoing.join())?;
        let sample = stopwatch.read();
        drop((client, server));
        Ok(Sample {
            latency: median(times),
            ..sample
        })
    })
}

pub(super) async fn round_trip<V: Value>(end: &mut impl Carrier<V>, value: V) -> Result<V> {
    end.feed(value).await?;
    end.flush().await?;
    end.next().await
}

pub(super) async fn echo<V: Value, C: Carrier<V>>(mut end: C, count: usize) -> Result<C> {
    for _ in 0..count {
        let value = end.next().await?;
        end.feed(value).await?;
        end.flush().await?;
    }
    Ok(end)
}
