//! How often memory is asked for, once buffers have grown.

use counted::{
    Items, Small, alone, items, messages, send_batch, send_bytes, send_one, with_engine,
};
use support::alloc::{CountingAlloc, exclusive, measure};
use ws_framed::WsStream;

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

const ROUNDS: usize = 50;

/// Allocations of `ROUNDS` rounds of `work`, after as many that do not count. The least of three, since the
/// test harness has threads of its own. Each test is alone from its first line on: what makes its ends counts in others.
fn calls(mut work: impl FnMut()) -> usize {
    (0..ROUNDS).for_each(|_| work());
    let cost = (0..3).map(|_| measure(|| (0..ROUNDS).for_each(|_| work())).1.calls);
    cost.min().unwrap()
}

fn per_batch(ends: (WsStream, WsStream)) -> f64 {
    let (mut client, mut server): (Items<Small>, Items<Small>) = items(ends);
    calls(|| send_batch(&mut client, &mut server)) as f64 / ROUNDS as f64
}

fn per_value(ends: (WsStream, WsStream)) -> f64 {
    let (mut client, mut server): (Items<Small>, Items<Small>) = items(ends);
    calls(|| send_one(&mut client, &mut server)) as f64 / ROUNDS as f64
}

fn per_write(ends: (WsStream, WsStream)) -> f64 {
    let (mut client, mut server) = ends;
    let mut buffer = vec![7; 1000];
    calls(|| send_bytes(&mut client, &mut server, &mut buffer)) as f64 / ROUNDS as f64
}

fn assert_few(what: &str, calls: f64, at_most: f64) {
    println!("{what}: {calls}");
    assert!(calls <= at_most, "{what}: {calls}");
}

/// A buffer may grow once more in a while, so not all bounds are zero. What is allocated is reused: none of
/// the 500 values costs any, nor does the message that carries them.
#[test]
fn values_that_travel_together_allocate_nothing() {
    let _alone = exclusive();
    assert_few("a batch of 500", per_batch(alone()), 0.1);
    assert_few(
        "a batch of 500, with the engine",
        per_batch(with_engine()),
        0.1,
    );
}

#[test]
fn a_value_that_travels_alone_allocates_nothing() {
    let _alone = exclusive();
    assert_few("a value", per_value(alone()), 0.1);
    assert_few("a value, with the engine", per_value(with_engine()), 0.1);
}

/// Unless the transport keeps them: then they are in memory of their own.
#[test]
fn values_that_are_messages_allocate_nothing() {
    let _alone = exclusive();
    let (mut client, mut server) = messages(alone());
    let one = calls(|| send_one(&mut client, &mut server));
    assert_few("a message", one as f64 / ROUNDS as f64, 0.1);
    let (mut client, mut server) = messages(with_engine());
    let batch = calls(|| send_batch(&mut client, &mut server));
    assert_few(
        "500 messages, with the engine",
        batch as f64 / ROUNDS as f64,
        0.1,
    );
}

#[test]
fn bytes_that_are_written_and_read_allocate_next_to_nothing() {
    let _alone = exclusive();
    assert_few("a write", per_write(alone()), 2.1);
    assert_few("a write, with the engine", per_write(with_engine()), 2.1);
}
