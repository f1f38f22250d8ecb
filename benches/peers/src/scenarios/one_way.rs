//! Values that a client sends to a server, flushed at the end.

use super::{Task, Work, block_on};
use crate::{
    Result,
    contenders::Carrier,
    measure::{Sample, Stopwatch},
    value::Value,
};

pub(super) fn run<V: Value, C: Carrier<V>>(work: Work) -> Result<Sample> {
    block_on(&work, async {
        let (mut client, mut server) = C::pair().await?;
        let values: Vec<V> = (0..work.count).map(|n| V::nth(n, work.len)).collect();
        let stopwatch = Stopwatch::start();
        let sending = Task::spawn(async move {
            for value in values {
                client.feed(value).await?;
            }
            client.flush().await?;
            Ok(client)
        });
        let receiving = Task::spawn(async move {
            for n in 0..work.count {
                if !server.next().await?.is_nth(n, work.len, work.thorough) {
                    return Err(format!("value {n} did not arrive as it was sent").into());
                }
            }
            Ok(server)
        });
        let ends = tokio::try_join!(biased; sending.join(), receiving.join())?;
        let sample = stopwatch.read();
        drop(ends);
        Ok(sample)
    })
}
