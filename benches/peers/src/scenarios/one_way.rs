//! Values that one end sends to the other, flushed at the end.

use super::{Task, Work, block_on};
use crate::{
    Result,
    contenders::Carrier,
    measure::{Sample, Stopwatch},
    value::Value,
};

pub(super) fn run<V: Value, C: Carrier<V>>(work: Work) -> Result<Sample> {
    block_on(&work, async {
        let (mut sender, mut receiver) = work.direction(C::pair().await?);
        let values: Vec<V> = (0..work.count).map(|n| V::nth(n, work.len)).collect();
        let stopwatch = Stopwatch::start();
        let sending = Task::spawn(async move {
            for value in values {
                sender.feed(value).await?;
            }
            sender.flush().await?;
            Ok(sender)
        });
        let receiving = Task::spawn(async move {
            for n in 0..work.count {
                if !receiver.next().await?.is_nth(n, work.len, work.thorough) {
                    return Err(format!("value {n} did not arrive as it was sent").into());
                }
            }
            Ok(receiver)
        });
        let ends = tokio::try_join!(biased; sending.join(), receiving.join())?;
        let sample = stopwatch.read();
        drop(ends);
        Ok(sample)
    })
}
