//! The memory of a connection is below the formula in the documentation of [`Config`], whatever the
//! peer sends.

use std::{io::ErrorKind, iter::repeat};

use bytes::Bytes;
use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, SinkExt, StreamExt};
use support::{
    Frame, ROLES,
    alloc::Cost,
    encode_frames,
    flood::{FloodPeer, with_peer},
    frame::{CONTINUATION, TEXT},
    observe,
};
use ws_framed::{Config, Json, LengthDelimited, TextPolicy, WsStream};

const KIB: usize = 1024;

/// The limits of the tests: of a message sent, and of a message received.
const LENS: [(usize, usize); 7] = [
    (KIB, KIB),
    (KIB, 64 * KIB),
    (KIB, 100 * KIB),
    (KIB, 6 * 1024 * KIB),
    (64 * KIB, 100 * KIB),
    (1024 * KIB, 16 * KIB),
    // The defaults.
    (64 * KIB, 1024 * KIB),
];

#[derive(Clone, Copy, Debug)]
struct Limits {
    sent: usize,
    received: usize,
    /// Of the codec, for an item stream.
    item: usize,
    observers: usize,
}

impl Limits {
    fn config(self) -> Config {
        Config::default()
            .max_send_message_len(self.sent)
            .max_recv_message_len(self.received)
            .keepalive(None)
    }

    fn ceiling(self) -> usize {
        self.config().max_memory(self.item, self.observers)
    }

    fn assert_below_ceiling(self, what: &str, cost: Cost) {
        println!("{what}: {} of {} {self:?}", cost.peak, self.ceiling());
        assert!(cost.peak <= self.ceiling(), "{what}: {cost:?} {self:?}");
    }
}

fn limits() -> impl Iterator<Item = Limits> {
    LENS.into_iter().map(|(sent, received)| Limits {
        sent,
        received,
        item: 0,
        observers: 0,
    })
}

/// Reads to the end, and keeps nothing.
async fn read_and_discard(ours: &mut WsStream) -> Result<(), ErrorKind> {
    let mut buf = [0; 777];
    loop {
        match ours.read(&mut buf).await {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(error.kind()),
        }
    }
}

/// Asserts that, in both roles, reading these frames costs less than the ceiling. The frames are
/// encoded beforehand, so that the copy of the peer does not count.
fn assert_reading_is_below_ceiling(limits: Limits, what: &str, frames: &[Frame]) {
    for role in ROLES {
        let bytes = encode_frames(role.other(), frames);
        let script = move |mut peer: FloodPeer| {
            peer.send_bytes(&bytes);
            peer.close_write();
            peer
        };
        let (cost, _) = with_peer(role, limits.config(), script, async |mut ours| {
            assert_eq!(
                read_and_discard(&mut ours).await,
                Err(ErrorKind::UnexpectedEof)
            );
        });
        limits.assert_below_ceiling(what, cost);
    }
}

/// A message of this length in fragments, with or without its last one.
fn in_fragments(len: usize, each: usize, is_complete: bool) -> Vec<Frame> {
    let mut frames = vec![Frame::binary([]).unfinished()];
    for at in (0..len).step_by(each) {
        frames.push(Frame::continuation(vec![7; each.min(len - at)]).unfinished());
    }
    frames.last_mut().unwrap().fin = is_complete;
    frames
}

/// Messages and fragments, complete and incomplete, cost less than the ceiling.
#[test]
fn whole_and_partial_messages() {
    for limits in limits() {
        let max = limits.received;
        let large = Frame::binary(vec![7; max]);
        let partial_frame = |len| Frame::binary(vec![7; len]).claiming(max as u64);
        assert_reading_is_below_ceiling(limits, "claimed", &[partial_frame(1)]);
        assert_reading_is_below_ceiling(limits, "partial frame", &[partial_frame(max - 1)]);
        assert_reading_is_below_ceiling(limits, "whole", &vec![large.clone(); 2]);
        assert_reading_is_below_ceiling(
            limits,
            "whole and partial",
            &[large.clone(), partial_frame(max - 1)],
        );
        for each in [max, max / 2 + 1, max / 10] {
            let whole = in_fragments(max, each, true);
            let partial = in_fragments(max - 1, each, false);
            assert_reading_is_below_ceiling(limits, "partial message", &partial);
            assert_reading_is_below_ceiling(
                limits,
                "messages in fragments",
                &vec![whole.clone(); 2].concat(),
            );
            let mixed = [whole, vec![large.clone()], partial].concat();
            assert_reading_is_below_ceiling(limits, "all of these", &mixed);
        }
        let mut partial = in_fragments(max / 2, max / 2, false);
        partial.push(Frame {
            opcode: CONTINUATION,
            ..Frame::binary(vec![7; max / 2 - 1]).claiming(max as u64 / 2)
        });
        assert_reading_is_below_ceiling(limits, "partial message and frame", &partial);
    }
}

/// Text events that no observer takes cost less than the ceiling.
#[test]
fn unread_text_events() {
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
                // More than the queue of an observer holds.
                let times = (600 * KIB / bytes.len()).clamp(2, 200);
                let script = move |mut peer: FloodPeer| {
                    for _ in 0..times {
                        peer.send_bytes(&bytes);
                    }
                    peer.close_write();
                };
                let config = limits.config().text(TextPolicy::Event);
                let (cost, ()) = with_peer(role, config, script, async |mut ours| {
                    let mut events = Vec::new();
                    for _ in 0..observers {
                        events.push(observe(&mut ours).await);
                    }
                    assert_eq!(
                        read_and_discard(&mut ours).await,
                        Err(ErrorKind::UnexpectedEof)
                    );
                });
                limits.assert_below_ceiling("texts", cost);
            }
        }
    }
}

/// A connection that is full in both directions costs less than the ceiling. The peer does not read
/// its pongs, and has a message in flight.
#[test]
fn both_directions_are_full() {
    for limits in limits() {
        for role in ROLES {
            let partial = in_fragments(limits.received - 1, limits.received / 3, false);
            let pings = vec![Frame::ping([7; 125]); 110];
            let bytes = encode_frames(role.other(), &[pings, partial].concat());
            let script = move |mut peer: FloodPeer| {
                peer.send_bytes(&bytes);
                peer.close_write();
                peer
            };
            let (cost, _) = with_peer(role, limits.config(), script, async |mut ours| {
                let chunk = [7; 1000];
                while let Some(written) = ours.write(&chunk).now_or_never() {
                    written.unwrap();
                }
                assert_eq!(
                    read_and_discard(&mut ours).await,
                    Err(ErrorKind::UnexpectedEof)
                );
            });
            limits.assert_below_ceiling("both ways", cost);
        }
    }
}

/// An incomplete encoded item and an item that spans messages cost less than the ceiling.
#[test]
fn items_across_messages() {
    for limits in limits() {
        for item in [KIB, 600 * KIB] {
            let limits = Limits { item, ..limits };
            for role in ROLES {
                let mut data = u32::try_from(item).unwrap().to_be_bytes().to_vec();
                data.resize(item + 3, 7);
                let messages: Vec<_> = data.chunks(limits.received).map(Frame::binary).collect();
                let bytes = encode_frames(role.other(), &messages);
                let script = move |mut peer: FloodPeer| {
                    peer.send_bytes(&bytes);
                    peer.close_write();
                    peer
                };
                let value = Bytes::from(vec![7; item]);
                let (cost, _) = with_peer(role, limits.config(), script, async |ours| {
                    let mut ours = ours.framed(LengthDelimited::new(item));
                    // Of growing lengths, so that none fits where the one before was.
                    let mut lens = (item / 2..=item).step_by(item / 10).chain(repeat(item));
                    let mut feed = || ours.feed(value.slice(..lens.next()?)).now_or_never();
                    while let Some(fed) = feed() {
                        fed.unwrap();
                    }
                    let error = ours.next().await.unwrap().unwrap_err();
                    assert!(
                        error.to_string().contains("without a close frame"),
                        "{error}"
                    );
                });
                limits.assert_below_ceiling("items", cost);
            }
        }
    }
}

/// Items that are one text message each cost less than the ceiling.
#[test]
fn items_of_one_message() {
    for limits in limits() {
        for item in [KIB, 600 * KIB] {
            let limits = Limits { item, ..limits };
            for role in ROLES {
                let text = |len| format!("\"{}\"", "x".repeat(len - 2));
                let whole = text(item.min(limits.received));
                let bytes = encode_frames(
                    role.other(),
                    &[
                        Frame::text(whole),
                        Frame::text(vec![b'x'; limits.received - 1])
                            .claiming(limits.received as u64),
                    ],
                );
                let script = move |mut peer: FloodPeer| {
                    peer.send_bytes(&bytes);
                    peer.close_write();
                    peer
                };
                let value = "x".repeat(item.min(limits.sent) - 2);
                let too_long = "x".repeat(item.max(limits.sent));
                let (cost, _) = with_peer(role, limits.config(), script, async |ours| {
                    let mut ours = ours.per_message(Json::<String>::new(item));
                    ours.feed_ref(&too_long).await.unwrap_err();
                    while let Some(fed) = ours.feed_ref(&value).now_or_never() {
                        fed.unwrap();
                    }
                    while let Some(read) = ours.next().await {
                        if read.is_err() {
                            break;
                        }
                    }
                });
                limits.assert_below_ceiling("items in messages", cost);
            }
        }
    }
}

/// An idle connection with the default settings costs at most 64 KiB.
#[test]
fn idle_connection_is_small() {
    for role in ROLES {
        let script = |mut peer: FloodPeer| {
            peer.send(&Frame::binary("data"));
            peer
        };
        let (cost, _) = with_peer(role, Config::default(), script, async |mut ours| {
            ours.read_exact(&mut [0; 4]).await.unwrap();
        });
        assert!(cost.peak <= 64 * KIB, "{cost:?}");
    }
}
