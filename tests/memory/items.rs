//! Items: what they cost in memory, and in writes to the underlying stream.

use async_tungstenite::tokio::TokioAdapter;
use futures::{FutureExt, SinkExt, executor::block_on, future};
use support::{
    ROLES, RawPeer, RecordingTransport, Role, alloc::measure, config_without_keepalive,
    counting_io::counting_pipe, handshake::open, run,
};
use ws_framed::{Decoder, Encoded, LengthDelimited, WsFramed, WsStream, bytes::Bytes};

/// A sink accepts few items for a peer that never reads. A rejected item is not kept.
#[test]
fn unread_items_cost_little() {
    for role in ROLES {
        run(async {
            let (ours, theirs) = tokio::io::duplex(4096);
            let config = config_without_keepalive().max_send_message_len(1024);
            let theirs = TokioAdapter::new(theirs);
            let peer = RawPeer::handshake(theirs, role.other());
            let (ours, _peer) = future::join(open(role, config, ours), peer).await;
            let mut ours = ours.unwrap().per_message(LengthDelimited::new(1024));
            let item = [7; 1000];
            let (fed, cost) = measure(|| {
                let mut fed = 0;
                while let Some(sent) = ours.feed_ref(&item).now_or_never() {
                    sent.unwrap();
                    fed += 1;
                }
                for _ in 0..1000 {
                    assert!(ours.feed_ref(&item).now_or_never().is_none());
                }
                fed
            });
            assert!((4..12).contains(&fed), "{fed} items");
            // The rejected items would be a megabyte. Other threads of the test harness allocate
            // meanwhile.
            assert!(cost.peak < 128 * 1024, "{cost:?}");
        });
    }
}

/// How many times our end writes to its stream during `script`.
fn writes_of(role: Role, script: impl AsyncFnOnce(WsStream)) -> usize {
    run(async {
        let [(io, calls), (theirs, _)] = counting_pipe();
        let theirs = TokioAdapter::new(theirs);
        let peer = RawPeer::handshake(theirs, role.other());
        let (ours, _peer) = future::join(open(role, config_without_keepalive(), io), peer).await;
        let before = calls.writes();
        script(ours.unwrap()).await;
        calls.writes() - before
    })
}

/// Small items that are fed share writes, although each is a message. A flush is one write.
#[test]
fn small_items_share_writes() {
    for role in ROLES {
        let fed = writes_of(role, async |ours| {
            let mut ours = ours.per_message(LengthDelimited::new(100));
            for _ in 0..1000 {
                ours.feed_ref(&[7; 16]).await.unwrap();
            }
            ours.flush().await.unwrap();
        });
        assert!(fed <= 6, "{fed} writes of at most 24 KiB");
        let sent = writes_of(role, async |ours| {
            let mut ours = ours.per_message(LengthDelimited::new(100));
            for _ in 0..10 {
                ours.send(Bytes::from_static(b"item")).await.unwrap();
            }
        });
        assert_eq!(sent, 10, "a flush is one write");
    }
}

/// A message of packed items is one write.
#[test]
fn packed_message_is_one_write() {
    for role in ROLES {
        let writes = writes_of(role, async |ours| {
            let mut ours = ours.framed(LengthDelimited::new(1000));
            for _ in 0..300 {
                ours.feed_ref(&[7; 1000]).await.unwrap();
            }
            ours.flush().await.unwrap();
        });
        assert_eq!(writes, 5, "of 64 KiB, the last of what is left");
    }
}

const MAX_ITEM: usize = 1 << 24;

type Framed<C> = WsFramed<<C as Decoder>::Item, C, RecordingTransport>;

fn framed<C: Decoder>(codec: C, max: usize, ready: usize) -> (Framed<C>, RecordingTransport) {
    let recorder = RecordingTransport::new(ready);
    let config = config_without_keepalive().max_send_message_len(max);
    let stream = WsStream::with_config(recorder.clone(), config).unwrap();
    (stream.framed(codec), recorder)
}

fn bytes(len: usize) -> Bytes {
    vec![7; len].into()
}

fn encoded(len: usize) -> Encoded<LengthDelimited> {
    Encoded::new(&mut LengthDelimited::new(MAX_ITEM), bytes(len)).unwrap()
}

/// An `Encoded` item is sent to a hundred connections without a copy of its bytes.
#[test]
fn encoded_item_is_not_copied() {
    for len in [10, 1000, 1 << 20] {
        // Other threads of the test harness may allocate meanwhile.
        let peak = (0..5).map(|_| cost_of_sending(len)).min();
        assert!(peak.unwrap() < 16 * 1024, "{len}: {peak:?}");
    }
}

/// The memory that a value of this length takes to be sent over a hundred connections.
fn cost_of_sending(len: usize) -> usize {
    let once = encoded(len);
    let memory = once.bytes().as_ptr_range();
    let mut ends: Vec<_> = (0..100)
        .map(|_| framed(LengthDelimited::new(MAX_ITEM), 64 * 1024, usize::MAX))
        .collect();
    let ((), cost) = measure(|| {
        for (ours, _) in &mut ends {
            block_on(ours.feed_encoded(&once)).unwrap();
            block_on(ours.flush()).unwrap();
        }
    });
    for (_, recorder) in &ends {
        assert_eq!(&recorder.all_sent(), once.bytes());
        for message in recorder.sent() {
            assert!(message.len() <= 64 * 1024);
            assert!(memory.contains(&message.as_ptr()), "a copy");
        }
    }
    cost.peak
}
