//! The memory of a connection is under one formula, made of its `Config`, whatever the peer does, and a
//! `Config` that makes no sense is refused.

use std::io::ErrorKind;

use bytes::Bytes;
use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, SinkExt, StreamExt};
use support::{
    Frame, ROLES,
    alloc::{Cost, exclusive},
    encode_frames,
    flood::{FloodPeer, with_peer},
    frame::{CONTINUATION, TEXT},
    observe,
};
use ws_framed::{Config, Json, LengthDelimited, TextPolicy, WsStream};

const KIB: usize = 1024;

/// The lengths that are tried: of a message sent, and of a message received.
const LENS: [(usize, usize); 4] = [
    (KIB, KIB),
    (64 * KIB, 100 * KIB),
    (1024 * KIB, 16 * KIB),
    // The defaults.
    (64 * KIB, 1024 * KIB),
];

#[derive(Clone, Copy, Debug)]
struct Limits {
    sent: usize,
    received: usize,
    /// Of the codec, for the item view.
    frame: usize,
    observers: usize,
}

impl Limits {
    fn config(self) -> Config {
        Config::default()
            .max_send_message_len(self.sent)
            .max_recv_message_len(self.received)
            .keepalive(None)
    }

    /// The formula in the documentation of `Config`.
    fn ceiling(self) -> usize {
        64 * KIB
            + 5 * self.sent
            + 5 * self.received
            + 6 * self.frame
            + self.observers * (320 * KIB + self.received)
    }

    fn holds(self, what: &str, cost: Cost) {
        println!("{what}: {} of {} {self:?}", cost.peak, self.ceiling());
        assert!(cost.peak <= self.ceiling(), "{what}: {cost:?} {self:?}");
    }
}

fn limits() -> impl Iterator<Item = Limits> {
    LENS.into_iter().map(|(sent, received)| Limits {
        sent,
        received,
        frame: 0,
        observers: 0,
    })
}

/// Reads, and keeps nothing, to the end.
async fn read_away(ours: &mut WsStream) -> Result<(), ErrorKind> {
    let mut buf = [0; 777];
    loop {
        match ours.read(&mut buf).await {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(error.kind()),
        }
    }
}

/// In both roles: the peer sends these frames, and then no more; a user reads them away. Encoded
/// beforehand, so that the peer's copy is not counted.
fn cost_of_reading(limits: Limits, what: &str, frames: &[Frame]) {
    for role in ROLES {
        let bytes = encode_frames(role.other(), frames);
        let script = move |mut wire: FloodPeer| {
            wire.send_bytes(&bytes);
            wire.close_write();
            wire
        };
        let (cost, _) = with_peer(role, limits.config(), script, async |mut ours| {
            assert_eq!(read_away(&mut ours).await, Err(ErrorKind::UnexpectedEof));
        });
        limits.holds(what, cost);
    }
}

/// A message of this length, in fragments; the last of them may be yet to come.
fn in_fragments(len: usize, each: usize, is_complete: bool) -> Vec<Frame> {
    let mut frames = vec![Frame::binary([]).unfinished()];
    for at in (0..len).step_by(each) {
        frames.push(Frame::continuation(vec![7; each.min(len - at)]).unfinished());
    }
    frames.last_mut().unwrap().fin = is_complete;
    frames
}

#[test]
fn of_messages_whole_and_partial() {
    let _alone = exclusive();
    for limits in limits() {
        let max = limits.received;
        let large = Frame::binary(vec![7; max]);
        let begun = |len| Frame::binary(vec![7; len]).claiming(max as u64);
        cost_of_reading(limits, "claimed", &[begun(1)]);
        cost_of_reading(limits, "partial frame", &[begun(max - 1)]);
        cost_of_reading(limits, "whole", &vec![large.clone(); 2]);
        cost_of_reading(
            limits,
            "whole and partial",
            &[large.clone(), begun(max - 1)],
        );
        for each in [max, max / 2 + 1, max / 10] {
            let whole = in_fragments(max, each, true);
            let partial = in_fragments(max - 1, each, false);
            cost_of_reading(limits, "partial message", &partial);
            cost_of_reading(
                limits,
                "messages in fragments",
                &vec![whole.clone(); 2].concat(),
            );
            let mixed = [whole, vec![large.clone()], partial].concat();
            cost_of_reading(limits, "all of it", &mixed);
        }
        let mut partial = in_fragments(max / 2, max / 2, false);
        partial.push(Frame {
            opcode: CONTINUATION,
            ..Frame::binary(vec![7; max / 2 - 1]).claiming(max as u64 / 2)
        });
        cost_of_reading(limits, "partial message and frame", &partial);
    }
}

#[test]
fn of_texts_that_nobody_takes() {
    let _alone = exclusive();
    for limits in limits() {
        for observers in [0, 1, 3] {
            let limits = Limits {
                observers,
                ..limits
            };
            for role in ROLES {
                let text = vec![b'x'; limits.received];
                let mut whole = in_fragments(text.len(), text.len(), true);
                whole[0].opcode = TEXT;
                whole.push(Frame::text(text));
                let bytes = encode_frames(role.other(), &whole);
                // More than an observer is given.
                let times = (600 * KIB / bytes.len()).clamp(2, 200);
                let script = move |mut wire: FloodPeer| {
                    for _ in 0..times {
                        wire.send_bytes(&bytes);
                    }
                    wire.close_write();
                };
                let config = limits.config().text(TextPolicy::Event);
                let (cost, ()) = with_peer(role, config, script, async |mut ours| {
                    let mut events = Vec::new();
                    for _ in 0..observers {
                        events.push(observe(&mut ours).await);
                    }
                    assert_eq!(read_away(&mut ours).await, Err(ErrorKind::UnexpectedEof));
                });
                limits.holds("texts", cost);
            }
        }
    }
}

/// The peer takes nothing of what is written, not even the answers to nearly as many pings as are read then, while a
/// message of its own is under way.
#[test]
fn of_both_directions_full() {
    let _alone = exclusive();
    for limits in limits() {
        for role in ROLES {
            let partial = in_fragments(limits.received - 1, limits.received / 3, false);
            let pings = vec![Frame::ping([7; 125]); 110];
            let bytes = encode_frames(role.other(), &[pings, partial].concat());
            let script = move |mut wire: FloodPeer| {
                wire.send_bytes(&bytes);
                wire.close_write();
                wire
            };
            let (cost, _) = with_peer(role, limits.config(), script, async |mut ours| {
                let chunk = [7; 1000];
                while let Some(written) = ours.write(&chunk).now_or_never() {
                    written.unwrap();
                }
                assert_eq!(read_away(&mut ours).await, Err(ErrorKind::UnexpectedEof));
            });
            limits.holds("both ways", cost);
        }
    }
}

/// The item view holds a frame that is not complete, and an item that does not fit into a message.
#[test]
fn of_items() {
    let _alone = exclusive();
    for limits in limits() {
        for frame in [KIB, 600 * KIB] {
            let limits = Limits { frame, ..limits };
            for role in ROLES {
                let mut data = u32::try_from(frame).unwrap().to_be_bytes().to_vec();
                data.resize(frame + 3, 7);
                let messages: Vec<_> = data.chunks(limits.received).map(Frame::binary).collect();
                let bytes = encode_frames(role.other(), &messages);
                let script = move |mut wire: FloodPeer| {
                    wire.send_bytes(&bytes);
                    wire.close_write();
                    wire
                };
                let item = Bytes::from(vec![7; frame]);
                let (cost, _) = with_peer(role, limits.config(), script, async |ours| {
                    let mut ours = ours.framed(LengthDelimited::new(frame));
                    while let Some(fed) = ours.feed(item.clone()).now_or_never() {
                        fed.unwrap();
                    }
                    let error = ours.next().await.unwrap().unwrap_err();
                    assert!(
                        error.to_string().contains("without a close frame"),
                        "{error}"
                    );
                });
                limits.holds("items", cost);
            }
        }
    }
}

/// Where each item is one message of text, there is its text besides.
#[test]
fn of_items_that_are_messages() {
    let _alone = exclusive();
    for limits in limits() {
        for frame in [KIB, 600 * KIB] {
            let limits = Limits { frame, ..limits };
            for role in ROLES {
                let text = |len| format!("\"{}\"", "x".repeat(len - 2));
                let whole = text(frame.min(limits.received));
                let bytes = encode_frames(
                    role.other(),
                    &[
                        Frame::text(whole),
                        Frame::text(vec![b'x'; limits.received - 1])
                            .claiming(limits.received as u64),
                    ],
                );
                let script = move |mut wire: FloodPeer| {
                    wire.send_bytes(&bytes);
                    wire.close_write();
                    wire
                };
                let item = "x".repeat(frame.min(limits.sent) - 2);
                let refused = "x".repeat(frame.max(limits.sent));
                let (cost, _) = with_peer(role, limits.config(), script, async |ours| {
                    let mut ours = ours.per_message(Json::<String>::new(frame));
                    ours.feed_ref(&refused).await.unwrap_err();
                    while let Some(fed) = ours.feed_ref(&item).now_or_never() {
                        fed.unwrap();
                    }
                    while let Some(read) = ours.next().await {
                        if read.is_err() {
                            break;
                        }
                    }
                });
                limits.holds("items in messages", cost);
            }
        }
    }
}

/// With the defaults, a connection that has nothing to do holds little.
#[test]
fn of_an_idle_connection() {
    let _alone = exclusive();
    for role in ROLES {
        let script = |mut wire: FloodPeer| {
            wire.send(&Frame::binary("data"));
            wire
        };
        let (cost, _) = with_peer(role, Config::default(), script, async |mut ours| {
            ours.read_exact(&mut [0; 4]).await.unwrap();
        });
        assert!(cost.peak <= 64 * KIB, "{cost:?}");
    }
}
