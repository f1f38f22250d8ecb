//! Values in JSON over permessage-deflate: packed, and a message for each; without context, and
//! with it.

use super::{Contender, Metric, Scenario, Size, apart, many, one_way, scenario};
use crate::{
    contenders::{Kind, sockudo_ws, ws_framed, yawc},
    value::Order,
};

const BYTES_AND_TIMES: &[Metric] = &[Metric::Bytes, Metric::Wall, Metric::Cpu];

pub(super) fn all(work: Size<'_>) -> Vec<Scenario> {
    let mut all = Vec::new();
    for (names, what, size) in [
        (
            ["deflate-200", "deflate-200-context"],
            [
                "50 000 values of 200 bytes in JSON, compressed without context",
                "the same with context",
            ],
            work(50_000, 200, (500, 200)),
        ),
        (
            ["deflate-2k", "deflate-2k-context"],
            [
                "10 000 values of 2 KiB, without context",
                "the same with context",
            ],
            work(10_000, 2_048, (100, 2_048)),
        ),
        (
            ["deflate-20k", "deflate-20k-context"],
            [
                "1 000 values of 20 KiB, without context",
                "the same with context",
            ],
            work(1_000, 20_480, (10, 20_480)),
        ),
    ] {
        let contenders = [bursts::<false>(), bursts::<true>()];
        for ((name, what), contenders) in names.into_iter().zip(what).zip(contenders) {
            all.push(scenario(name, what, BYTES_AND_TIMES, size, contenders));
        }
    }
    let size = work(1_000, 1, (20, 1));
    for (name, what, contenders) in [
        (
            "deflate-idle",
            "memory of a connection, both ends, after a compressed round trip",
            idle::<false>(),
        ),
        (
            "deflate-idle-context",
            "the same with context",
            idle::<true>(),
        ),
    ] {
        all.push(apart(scenario(
            name,
            what,
            &[Metric::Memory],
            size,
            contenders,
        )));
    }
    all
}

/// This library packed, then with a message for each value as the others.
fn bursts<const CONTEXT: bool>() -> Vec<Contender> {
    use one_way::run;
    contenders! {
        "ws-framed" Ours run::<Order, ws_framed::Compressed<Order, true, CONTEXT>>;
        "ws-framed, a message a value" Ours run::<Order, ws_framed::Compressed<Order, false, CONTEXT>>;
        "yawc" PerMessage run::<Order, yawc::Compressed<CONTEXT, { yawc::DEFAULT }>>;
        "yawc, larger buffers" PerMessage run::<Order, yawc::Compressed<CONTEXT, { yawc::LARGER }>>;
        "sockudo-ws" PerMessage run::<Order, sockudo_ws::Compressed<CONTEXT>>;
    }
}

fn idle<const CONTEXT: bool>() -> Vec<Contender> {
    use many::idle as run;
    contenders! {
        "ws-framed" Ours run::<Order, ws_framed::Compressed<Order, false, CONTEXT>>;
        "yawc" PerMessage run::<Order, yawc::Compressed<CONTEXT, { yawc::DEFAULT }>>;
        "yawc, smaller buffers" PerMessage run::<Order, yawc::Compressed<CONTEXT, { yawc::SMALLER }>>;
        "sockudo-ws" PerMessage run::<Order, sockudo_ws::Compressed<CONTEXT>>;
    }
}
