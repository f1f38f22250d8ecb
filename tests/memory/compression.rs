//! Compression: what a connection holds for it, with and without context, and what bombs cost.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::{AsyncReadExt, AsyncWriteExt, future};
use support::{
    Frame, ROLES, alloc::Meter, handshake::open_compressed, pair_with, read_to_end, run, ws_error,
};
use ws_framed::{Config, Deflate, WsErr, WsStream};

use crate::small_limits;

const KIB: usize = 1024;

/// Held by each test, since all connections share what they compress with.
static POOL: Mutex<()> = Mutex::new(());

fn pool() -> MutexGuard<'static, ()> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

fn alone() -> Deflate {
    Deflate::default().min_len(0)
}

fn with_context(window_bits: u8) -> Deflate {
    let deflate = alone().send_context(true).recv_context(true);
    deflate
        .send_window_bits(window_bits)
        .recv_window_bits(window_bits)
}

fn config(deflate: Deflate) -> Config {
    Config::default().keepalive(None).compression(deflate)
}

async fn send(from: &mut WsStream, to: &mut WsStream) {
    let data: Vec<u8> = (0..10_000_u32).map(|at| (at / 9 % 250) as u8).collect();
    let mut buf = vec![0; data.len()];
    from.write_all(&data).await.unwrap();
    from.flush().await.unwrap();
    to.read_exact(&mut buf).await.unwrap();
    assert_eq!(buf, data);
}

/// Both ends send and receive 10 KB.
async fn exchange(server: &mut WsStream, client: &mut WsStream) {
    for _ in 0..2 {
        send(server, client).await;
        send(client, server).await;
        // A read that waits gives buffers back.
        let mut byte = [0; 1];
        assert!(support::poll_times(1, server.read(&mut byte)).is_none());
        assert!(support::poll_times(1, client.read(&mut byte)).is_none());
    }
}

/// What both ends of an idle connection hold, after data went both ways.
fn held(deflate: Option<Deflate>) -> usize {
    let config = || Config::default().keepalive(None).compression(deflate);
    run(async {
        // Fills the pool.
        let (mut server, mut client) = pair_with(config(), config()).await;
        exchange(&mut server, &mut client).await;
        drop((server, client));
        let meter = Meter::start();
        let mut connections = Vec::new();
        for _ in 0..5 {
            let (mut server, mut client) = pair_with(config(), config()).await;
            exchange(&mut server, &mut client).await;
            connections.push((server, client));
        }
        meter.cost().kept / connections.len()
    })
}

/// Without context, idle connections share what they compress with. With it, each holds as much as
/// the documentation of `Deflate` says.
#[test]
fn idle_connections_hold_their_context() {
    let _alone = pool();
    let plain = held(None);
    let without = held(Some(alone()));
    println!("not compressed: {plain}, without context: {without}");
    assert!(
        without < plain + 2 * KIB,
        "{without}, not compressed {plain}"
    );
    for (window_bits, documented) in [(15, 316 * KIB), (12, 162 * KIB), (9, 136 * KIB)] {
        let deflate = with_context(window_bits);
        let held = (held(Some(deflate)) - plain) / 2;
        println!("with {window_bits} bits: {held}");
        assert!(held < deflate.max_memory(), "{held}");
        let documented = documented + 48 * KIB;
        assert!((documented * 9 / 10..=documented).contains(&held), "{held}");
    }
}

/// A block of 258 zeros, again and again, in 13 bits each.
fn bomb(len: usize) -> Vec<u8> {
    let mut bits: Vec<u8> = vec![0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0];
    for _ in 0..len / 258 {
        bits.extend([1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
    }
    bits.extend([0; 10]);
    bits.chunks(8)
        .map(|bits| bits.iter().rev().fold(0, |byte, bit| byte << 1 | bit))
        .collect()
}

/// A bomb, whole or in fragments, text or not, costs no more than the limit on messages allows.
#[test]
fn bombs_stay_below_the_ceiling() {
    let _alone = pool();
    let bomb = bomb(64 << 20);
    for config in [
        config(alone()),
        config(with_context(15)),
        small_limits().compression(alone()),
    ] {
        let takes_over = config
            .compression
            .is_some_and(|deflate| deflate.send_context);
        let params = "; server_no_context_takeover; client_no_context_takeover";
        let params = if takes_over { "" } else { params };
        for role in ROLES {
            let (start, rest) = bomb.split_at(100);
            let floods = [
                vec![Frame::binary(bomb.clone()).rsv(4)],
                vec![Frame::text(bomb.clone()).rsv(4)],
                vec![
                    Frame::binary(start).rsv(4).unfinished(),
                    Frame::continuation(rest),
                ],
            ];
            for flood in floods {
                let bytes = support::encode_frames(role.other(), &flood);
                let ceiling = config.max_memory(0, 0);
                let config = config.clone().text(ws_framed::TextPolicy::Bytes);
                run(async {
                    let (mut ours, mut peer, _) = open_compressed(role, config, params).await;
                    let meter = Meter::start();
                    let script = async {
                        peer.send_bytes(&bytes).await;
                        peer.close_write().await;
                    };
                    let ((_, end), ()) = future::join(read_to_end(&mut ours), script).await;
                    let cost = meter.cost();
                    let error = end.unwrap_err();
                    assert!(matches!(ws_error(&error), WsErr::MessageTooLarge { .. }));
                    assert!(cost.peak < ceiling, "{cost:?}, {ceiling}");
                });
            }
        }
    }
}

/// Messages that inflate to exactly the limit, and one that is not complete, stay below the
/// formula.
#[test]
fn inflated_messages_stay_below_the_ceiling() {
    let _alone = pool();
    for config in [config(alone()), config(with_context(15))] {
        let config = config.max_recv_message_len(1 + 258 * 4_000);
        let takes_over = config
            .compression
            .is_some_and(|deflate| deflate.send_context);
        let params = "; server_no_context_takeover; client_no_context_takeover";
        let params = if takes_over { "" } else { params };
        let whole = Frame::binary(bomb(258 * 4_000)).rsv(4);
        for role in ROLES {
            let frames = [
                whole.clone(),
                whole.clone(),
                whole.clone(),
                whole.clone().unfinished(),
            ];
            let bytes = support::encode_frames(role.other(), &frames);
            let ceiling = config.max_memory(0, 0);
            let config = config.clone();
            run(async {
                let (mut ours, mut peer, _) = open_compressed(role, config, params).await;
                let meter = Meter::start();
                let script = async {
                    peer.send_bytes(&bytes).await;
                    peer.close_write().await;
                };
                let read = async {
                    let mut buf = [0; 777];
                    let mut total = 0;
                    loop {
                        match ours.read(&mut buf).await {
                            Ok(len) => total += len,
                            Err(_) => return total,
                        }
                    }
                };
                let (total, ()) = future::join(read, script).await;
                assert_eq!(total, 3 * (1 + 258 * 4_000));
                let cost = meter.cost();
                println!("{cost:?} of {ceiling}");
                assert!(cost.peak < ceiling, "{cost:?}, {ceiling}");
            });
        }
    }
}
