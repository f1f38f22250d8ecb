//! A server that tells all its clients the same.

use super::{Work, block_on};
use crate::{
    Result,
    contenders::Broadcaster,
    measure::{Sample, Stopwatch},
    value::Value,
};

/// How often a value is sent to all.
const VALUES: usize = 10;

/// Times the sending alone: what the clients do with it is the same for all. They read between two
/// values, so that there is always room in the sockets.
pub(super) fn run<V: Value, B: Broadcaster<V>>(work: Work) -> Result<Sample> {
    block_on(&work, async {
        let mut clients = Vec::with_capacity(work.count);
        let mut servers = Vec::with_capacity(work.count);
        for _ in 0..work.count {
            let (client, server) = B::pair().await?;
            clients.push(client);
            servers.push(server);
        }
        let mut sum = Sample::default();
        for n in 0..VALUES {
            let value = V::nth(n, work.len);
            let stopwatch = Stopwatch::start();
            B::send_to_all(&mut servers, &value).await?;
            let sample = stopwatch.read();
            sum.wall += sample.wall;
            sum.cpu += sample.cpu;
            for client in &mut clients {
                if !client.receive().await?.is_nth(n, work.len, work.thorough) {
                    return Err(format!("value {n} did not arrive as it was sent").into());
                }
            }
        }
        Ok(sum)
    })
}
