//! The race of connection attempts to the addresses of a host (RFC 8305 sections 4 and 5), whatever
//! the runtime.
//!
//! Names are resolved by the system or the caller, in one step and in the order of RFC 6724. So the
//! sections about asynchronous DNS queries do not apply.

use std::{io, net::SocketAddr, time::Duration};

use futures::{StreamExt, stream::FuturesUnordered};

use crate::{error::ConnectAttempt, time::timeout};

/// The time after which the next attempt starts (RFC 8305 section 8).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Connects to the first address that answers. The next attempt starts as soon as one fails, or
/// after [`ATTEMPT_DELAY`]. All others are dropped once one succeeds.
///
/// Each attempt is in `attempts` from its start. It gives `None` if all have failed. The caller
/// limits the time.
pub(super) async fn race<S, F>(
    addresses: Vec<SocketAddr>,
    connect: impl Fn(SocketAddr) -> F,
    attempts: &mut Vec<ConnectAttempt>,
) -> Option<S>
where
    F: Future<Output = io::Result<S>>,
{
    let mut waiting = interleave(addresses).into_iter();
    let mut running = FuturesUnordered::new();
    loop {
        if let Some(address) = waiting.next() {
            let (index, attempt) = (attempts.len(), connect(address));
            attempts.push(ConnectAttempt::start(address));
            running.push(async move { (index, attempt.await) });
        }
        let finished = match waiting.len() {
            0 => Some(running.next().await),
            _ => timeout(ATTEMPT_DELAY, running.next()).await,
        };
        match finished {
            Some(Some((_, Ok(socket)))) => return Some(socket),
            Some(Some((index, Err(error)))) => {
                if let Some(attempt) = attempts.get_mut(index) {
                    attempt.fail(error);
                }
            }
            // None is left.
            Some(None) => return None,
            // The delay has elapsed.
            None => {}
        }
    }
}

/// The addresses with alternating families, beginning with that of the first one (RFC 8305 section
/// 4). Within a family, the order stays.
fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let len = addresses.len();
    let is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut mixed = Vec::with_capacity(len);
    while mixed.len() < len {
        mixed.extend(first.next());
        mixed.extend(second.next());
    }
    mixed
}

#[cfg(test)]
mod tests;
