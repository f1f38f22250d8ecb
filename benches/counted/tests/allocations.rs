//! How often memory is asked for, once buffers have grown.

use counted::{
    BATCH, BURST, Items, PIECE_LEN, STREAM_LEN, Small, alone, items, messages, over_socket,
    send_batch, send_bytes, send_one,
};
use support::alloc::{CountingAlloc, measure};
use ws_framed::WsStream;

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

const ROUNDS: usize = 50;

/// Allocations of `ROUNDS` rounds of `work`, after as many that do not count.
fn calls(mut work: impl FnMut()) -> usize {
    (0..ROUNDS).for_each(|_| work());
    measure(|| (0..ROUNDS).for_each(|_| work())).1.calls
}

fn per_batch(ends: (WsStream, WsStream)) -> f64 {
    let (mut client, mut server): (Items<Small>, Items<Small>) = items(ends);
    calls(|| send_batch(&mut client, &mut server, BATCH)) as f64 / ROUNDS as f64
}

fn per_value(ends: (WsStream, WsStream)) -> f64 {
    let (mut client, mut server): (Items<Small>, Items<Small>) = items(ends);
    calls(|| send_one(&mut client, &mut server)) as f64 / ROUNDS as f64
}

fn per_write(ends: (WsStream, WsStream)) -> f64 {
    let (mut client, mut server) = ends;
    let mut buffer = vec![7; 1000];
    calls(|| send_bytes(&mut client, &mut server, &mut buffer, 1000)) as f64 / ROUNDS as f64
}

fn assert_few(what: &str, calls: f64, at_most: f64) {
    println!("{what}: {calls}");
    assert!(calls <= at_most, "{what}: {calls}");
}

/// Small values in one message allocate nothing, nor does the message, but for a buffer that grows
/// now and then.
#[test]
fn batched_values_allocate_nothing() {
    assert_few("a batch of 500", per_batch(alone()), 0.1);
    assert_few(
        "a batch of 500, over a socket",
        per_batch(over_socket()),
        0.1,
    );
}

/// Values that fill several messages, over a socket that takes each at once, allocate no more than
/// twice for each that spans two messages.
#[test]
fn joined_values_allocate_twice() {
    let (mut client, mut server): (Items<Small>, Items<Small>) = items(over_socket());
    let burst = calls(|| send_batch(&mut client, &mut server, BURST)) as f64;
    assert_few("a burst of 8 messages", burst / ROUNDS as f64, 14.0);
}

/// Writes of a few bytes that fill several messages allocate nothing.
#[test]
fn small_writes_allocate_nothing() {
    let (mut client, mut server) = over_socket();
    let mut buffer = vec![7; STREAM_LEN];
    let pieces = calls(|| send_bytes(&mut client, &mut server, &mut buffer, PIECE_LEN)) as f64;
    assert_few("512 KiB in writes of 64", pieces / ROUNDS as f64, 0.1);
}

/// A small value that is flushed alone allocates nothing.
#[test]
fn single_values_allocate_nothing() {
    assert_few("a value", per_value(alone()), 0.1);
    assert_few("a value, over a socket", per_value(over_socket()), 0.1);
}

/// Values that are messages of their own allocate nothing, unless the transport keeps them.
#[test]
fn values_as_messages_allocate_nothing() {
    let (mut client, mut server) = messages(alone());
    let one = calls(|| send_one(&mut client, &mut server));
    assert_few("a message", one as f64 / ROUNDS as f64, 0.1);
    let (mut client, mut server) = messages(over_socket());
    let batch = calls(|| send_batch(&mut client, &mut server, BATCH));
    // Buffers over 512 bytes are given back when a read waits, which it does several times in a
    // batch.
    assert_few("500 messages", batch as f64 / ROUNDS as f64, 25.0);
}

/// A write of bytes, flushed and read, allocates at most twice.
#[test]
fn byte_writes_allocate_at_most_twice() {
    assert_few("a write", per_write(alone()), 2.1);
    assert_few("a write, over a socket", per_write(over_socket()), 2.1);
}
